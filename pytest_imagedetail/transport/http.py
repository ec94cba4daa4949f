"""Sends one GET over HTTP and reads the whole answer."""

import http.client
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast
from urllib.parse import SplitResult, urlsplit

from pytest_imagedetail.errors import RecordingError, UsageError
from pytest_imagedetail.model import Headers, Response

_OF_CODING: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_WHOLE_ANSWER: Final = 5  # timeouts: a large listing may well take longer than one read, not many
_PIECE: Final = 2**20

LARGEST_BODY: Final = 256 * 2**20
"""Bytes of one page's body, unpacked: some twenty times what 10,000 images weigh."""

_ANY_HEADER: Final = 32 + zlib.MAX_WBITS  # zlib's word for gzip or zlib, whichever it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """An authenticated way to one project of one cloud, as Keystone gave it.

    Attributes:
        endpoint: The compute endpoint of the service catalog, version and project included.
        token: Sent as X-Auth-Token.
        project_id: The token's project.
        user_id: The token's user, if known.
        max_microversion: The newest that its version document offers, if it has one.
        secrets: Everything else that must never be written: passwords and the like.
        cacert: A CA bundle for TLS; None means the system's.
        certificate: A client certificate and its key, as paths.
        verify: Whether TLS certificates are checked.
        timeout: Seconds to wait for a connection and for each read; a whole answer has five times
            as long.
        renew: Authenticates afresh, for a token that expired; None where nobody can.
    """

    endpoint: str = field(repr=False)
    token: str = field(repr=False)
    project_id: str = field(repr=False)
    user_id: str | None = field(default=None, repr=False)
    max_microversion: str | None = None
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    cacert: str | None = None
    certificate: tuple[str, str | None] | None = None
    verify: bool = True
    timeout: float = 60.0
    renew: "Callable[[], Access] | None" = field(default=None, repr=False, compare=False)

    def known(self) -> frozenset[str]:
        """Every value of it that tells where it leads or as whom."""
        host = urlsplit(self.endpoint).netloc
        values = {host, self.token, self.project_id, self.user_id, *self.secrets}
        return frozenset(each for each in values if each)


class Connections(Protocol):
    """Whose connections are used: those of the module `http.client`, or of a capture."""

    @property
    def HTTPConnection(self) -> type[http.client.HTTPConnection]:  # noqa: N802  http.client's name
        """For http URLs."""

    @property
    def HTTPSConnection(self) -> type[http.client.HTTPConnection]:  # noqa: N802  http.client's name
        """For https URLs; takes an SSL `context`, too."""


def get(
    url: str,
    headers: Headers,
    *,
    access: Access,
    name: str,
    connections: Connections = http.client,
) -> Response:
    """Send one GET and read its answer whole. Redirects are answers too and are not followed.

    Args:
        url: Where to.
        headers: What to send besides the token.
        access: For the token, TLS and the timeout.
        name: What to call the cloud in an error; its URL is a secret.
        connections: Who makes the connection.

    Raises:
        RecordingError: No connection, no answer in time, or an answer that ends early or is larger
            than `LARGEST_BODY`.
    """
    with _explained(access, name):
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = [*headers.fields, ("X-Auth-Token", access.token)]
        if " " in target or not all(map(_can_be_sent, (target, *(text for _, text in fields)))):
            raise _no_request(name)  # http.client would say so, too; under vcrpy only when it sends
        with closing(_connection(parts, access, connections)) as connection:
            connection.putrequest("GET", target, skip_accept_encoding=True)
            for header, value in fields:
                connection.putheader(header, value)
            connection.connect()
            with _whole_in_time(connection.sock, access, name):
                return _exchange(connection, name)


class _Bounded(http.client.HTTPResponse):
    """An answer that is read whole, but not without end."""

    def read(self, amt: int | None = None) -> bytes:
        """As ever; whoever wants all of it gets no more than fits."""
        if amt is not None:
            return super().read(amt)
        if self.length is not None and self.length > LARGEST_BODY:
            raise OversizeError
        pieces, size = [], 0
        while piece := super().read(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_BODY:
                raise OversizeError
        if self.length:  # asked for pieces, http.client takes an early end for an end
            raise http.client.IncompleteRead(b"".join(pieces), self.length)
        return b"".join(pieces)


class OversizeError(Exception):
    """A body is larger than `LARGEST_BODY`."""


def too_large(where: str) -> RecordingError:
    """What to say of that."""
    return RecordingError(
        f"the answer is larger than {LARGEST_BODY >> 20} MiB",
        where=where,
        remedy="nothing was written and an older recording is untouched\n"
        "ask for a part: --query limit=1000 in a shell, limit=1000 in a test",
    )


def _exchange(connection: http.client.HTTPConnection, name: str) -> Response:
    # Under vcrpy, the connection is a stub's, and what reads is the real one in it.
    getattr(connection, "real_connection", connection).response_class = _Bounded
    connection.endheaders()
    try:
        answer = connection.getresponse()
        body = answer.read()
    except (ValueError, OverflowError, MemoryError):  # http.client takes any length at its word
        raise _failure("the answer announces a length that is none", name) from None
    headers = Headers(answer.getheaders())
    encoding = headers.get("Content-Encoding", "identity").strip().lower()
    return Response(
        status_code=answer.status,
        reason=answer.reason or "",
        headers=Headers(field for field in headers.fields if field[0].lower() not in _OF_CODING),
        body=_decoded(body, encoding, name),
    )


@contextmanager
def _whole_in_time(sock: socket.socket, access: Access, name: str) -> Iterator[None]:
    """End the connection when the answer takes too long as a whole.

    A socket's timeout is for one read, so a server that drips a byte now and then is never late
    for one. The end comes from outside because vcrpy reads head and body in one go.
    """
    seconds = access.timeout * _WHOLE_ANSWER
    late = threading.Event()
    # A descriptor of our own: the other may be closed, and its number given to a stranger.
    with socket.fromfd(sock.fileno(), sock.family, sock.type) as ours:
        timer = threading.Timer(seconds, _hang_up, (ours, late))
        timer.daemon = True
        timer.start()
        try:
            with _explained(access, name):
                yield
        except RecordingError:
            if not late.is_set():
                raise
        finally:
            timer.cancel()
            timer.join()
    if late.is_set():  # even if it looks whole: without a length, the end of a connection ends it
        raise _failure(f"the answer was not whole within {seconds:g} seconds", name)


def _hang_up(sock: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):  # the server was faster
        sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def _explained(access: Access, name: str) -> Iterator[None]:
    """Say what went wrong on the way without host and token."""
    try:
        yield
    except OversizeError:
        raise too_large(f"cloud {name}") from None
    except http.client.IncompleteRead as error:
        raise _failure(
            f"the answer ended early, after {len(error.partial)} bytes of its body", name
        ) from error
    except TimeoutError as error:
        raise _failure(f"no answer within {access.timeout:g} seconds", name) from error
    except ssl.SSLError as error:  # its text, and so its traceback, may name the host
        raise _failure(f"TLS failed: {_tls_reason(error)}", name) from None
    except zlib.error:  # vcrpy decodes while it records
        raise _failure("the answer's compression is damaged", name) from None
    except (http.client.InvalidURL, ValueError):  # their messages, and so their tracebacks, quote
        raise _no_request(name) from None
    except http.client.BadStatusLine as error:  # quotes whatever was sent
        raise _failure(f"no answer: {_reason(error)}", name) from None
    except (http.client.HTTPException, OSError) as error:
        raise _failure(f"no answer: {_reason(error)}", name) from error


def _decoded(body: bytes, encoding: str, name: str) -> bytes:
    """The body without its content encoding; none was asked for, but a proxy may add one."""
    if encoding == "identity":
        return body
    if encoding in {"gzip", "x-gzip", "deflate"}:
        stream = zlib.decompressobj(wbits=_ANY_HEADER)
        text = stream.decompress(body, LARGEST_BODY + 1)
        if len(text) > LARGEST_BODY:
            raise OversizeError
        if not stream.eof or stream.unused_data:
            raise zlib.error("the stream has no end, or two")
        return text
    raise _failure(f"the answer has the content encoding {encoding!r}, never asked for", name)


def _connection(
    parts: SplitResult, access: Access, connections: Connections
) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        return connections.HTTPConnection(host, parts.port, timeout=access.timeout)
    if parts.scheme == "https":
        try:
            context = ssl.create_default_context(cafile=access.cacert)
            if access.certificate is not None:
                context.load_cert_chain(*access.certificate)
        except OSError as error:
            raise UsageError(
                f"the CA bundle or the client certificate cannot be used: {_reason(error)}",
                remedy="correct cacert, cert and key of this cloud in clouds.yaml",
            ) from error
        if not access.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        secure: Any = connections.HTTPSConnection  # as a capture's do, it takes a context
        return cast(
            http.client.HTTPConnection,
            secure(host, parts.port, timeout=access.timeout, context=context),
        )
    raise UsageError(
        f"the compute endpoint has the scheme {parts.scheme!r}",
        remedy="the service catalog must name an http or https URL",
    )


_NEXT: Final = (
    "nothing was written and an older recording is untouched\n"
    "check that the cloud is up and reachable from here, then ask again"
)


def _failure(problem: str, name: str) -> RecordingError:
    return RecordingError(problem, where=f"cloud {name}", remedy=_NEXT)


def _no_request(name: str) -> RecordingError:
    return _failure("no request can be made of its endpoint, the query and the token", name)


def _can_be_sent(text: str) -> bool:
    """Whether a text fits in a line of a request as it is."""
    return text.isascii() and text.isprintable()


def _reason(error: Exception) -> str:
    """What went wrong without the host name that many of these messages carry."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return _IN_WORDS.get(type(error), type(error).__name__)


_IN_WORDS: Final[dict[type[Exception], str]] = {
    http.client.RemoteDisconnected: "the connection was closed",
    http.client.BadStatusLine: "what came is not HTTP",
    http.client.LineTooLong: "a line of its head is too long",
    http.client.HTTPException: "its head has too many lines",
}


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message).partition(",")[0]  # "Hostname mismatch", without the name
    return error.reason or "unknown reason"
