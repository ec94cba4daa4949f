"""Send one GET over HTTP and read the whole response."""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection  # the real ones: vcrpy patches http.client
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pytest_imagedetail.body.compression import decoded
from pytest_imagedetail.errors import RecordingError, UsageError
from pytest_imagedetail.model import Headers, Interaction, Response

_INTERIM: Final = frozenset(range(100, 200)) - {http.HTTPStatus.SWITCHING_PROTOCOLS}
_WHOLE_ANSWER: Final = 5  # timeouts: a large listing may take longer than one read, but not many
_NEXT: Final = (
    "nothing was written and an older recording is untouched\n"
    "check that the cloud is up and reachable from here, then ask again"
)


def tls_context(
    *,
    cacert: str | None = None,
    certificate: tuple[str, str | None] | None = None,
    verify: bool = True,
) -> ssl.SSLContext:
    """Return how TLS connections are made.

    Args:
        cacert: A CA bundle; None for the system's.
        certificate: Paths of a client certificate and its key.
        verify: Whether the server's certificate is checked.

    Raises:
        UsageError: One of the files cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=cacert)
        if certificate is not None:
            context.load_cert_chain(*certificate)
    except OSError as error:
        raise UsageError(
            f"the CA bundle or the client certificate cannot be used: {_reason(error)}",
            remedy="correct cacert, cert and key of this cloud in clouds.yaml",
        ) from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Authenticated access to one project of one cloud.

    Attributes:
        endpoint: The compute endpoint of the service catalog, with version and project.
        token: Sent as X-Auth-Token.
        project_id: The token's project.
        user_id: The token's user, if known.
        max_microversion: The newest one that the cloud's version document offers.
        secrets: Everything else that must never be written, such as passwords.
        origins: The origins in the service catalog, and the service of each: "compute", "image".
        tls: For https endpoints; None for the system's CAs.
        timeout: Seconds for connecting and for each read. The whole response may take five times
            as long.
        renew: Authenticates again after the token expired; None if that is not possible.
    """

    endpoint: str = field(repr=False)
    token: str = field(repr=False)
    project_id: str = field(repr=False)
    user_id: str | None = field(default=None, repr=False)
    max_microversion: str | None = None
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    timeout: float = 60.0
    renew: "Callable[[], Access] | None" = field(default=None, repr=False, compare=False)

    def known(self) -> frozenset[str]:
        """Return every value that identifies the cloud or the user."""
        host = urlsplit(self.endpoint).netloc
        values = {host, self.token, self.project_id, self.user_id, *self.secrets}
        return frozenset(each for each in values if each)


def get(url: str, headers: Headers, *, access: Access, name: str) -> Interaction:
    """Send one GET and read the whole response. Redirects are returned, not followed.

    Args:
        url: An absolute URL.
        headers: What to send besides the token.
        access: For the token, TLS and the timeout.
        name: What to call the cloud in an error, because its URL is a secret.

    Returns:
        The request, and the response without its content encoding.

    Raises:
        RecordingError: No connection, no response in time, or a response that ends early.
    """
    sent = Headers([*headers.fields, ("X-Auth-Token", access.token)])
    try:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not all(text.isascii() and text.isprintable() for _, text in sent.fields):
            raise http.client.InvalidURL  # http.client would send an accented letter in Latin-1
        with closing(_connection(parts, access)) as connection:
            connection.response_class = FinalResponse
            connection.putrequest("GET", target)
            for header, value in sent.fields:
                connection.putheader(header, value)
            connection.connect()
            with _deadline(connection.sock, access.timeout * _WHOLE_ANSWER):
                response = _exchange(connection)
    except (http.client.HTTPException, OSError, ValueError, _BadResponseError) as error:
        # Their texts quote the host, the URL or the token, so they are not chained.
        raise RecordingError(_problem(error, access), where=f"cloud {name}", remedy=_NEXT) from None
    return Interaction(url=url, request_headers=sent, response=response)


class _BadResponseError(Exception):
    """A response that cannot be used; its text is fit for an error message."""


class FinalResponse(http.client.HTTPResponse):
    """The response after all interim ones, such as `103 Early Hints`.

    http.client itself skips `100 Continue` only. `101 Switching Protocols` is no interim response.
    """

    def begin(self) -> None:
        """Read status and headers."""
        super().begin()
        while self.status in _INTERIM:
            self.headers = None  # type: ignore[assignment]  # makes it read the next ones
            super().begin()


def _exchange(connection: http.client.HTTPConnection) -> Response:
    connection.endheaders()
    try:
        answer = connection.getresponse()
        body = answer.read()
    except (ValueError, OverflowError, MemoryError):  # http.client passes any length on to read()
        raise _BadResponseError("the answer announces an invalid length") from None
    headers = Headers(answer.getheaders())
    encodings = headers.get("Content-Encoding")
    if encodings is not None:  # some proxies add one unasked
        plain = decoded(body, encodings)
        if plain is None:
            raise _BadResponseError("the answer's compression is damaged or unknown")
        body = plain
        gone = {"content-encoding", "content-length"}
        headers = Headers(field for field in headers.fields if field[0].lower() not in gone)
    reason = answer.reason or ""
    return Response(status_code=answer.status, reason=reason, headers=headers, body=body)


@contextmanager
def interim_skipped() -> Iterator[None]:
    """Let all clients that are built on http.client skip interim responses while the block runs."""
    before = HTTPConnection.response_class
    HTTPConnection.response_class = FinalResponse
    try:
        yield
    finally:
        HTTPConnection.response_class = before


@contextmanager
def _deadline(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Shut the connection down when the whole response takes too long.

    A socket's timeout is for one read, so a server that sends a byte now and then never exceeds
    it, and only another thread can end that.
    """
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        with suppress(OSError):  # the server may have closed it just now
            duplicate.shutdown(socket.SHUT_RDWR)

    # After a close, the number of the original descriptor may belong to another file.
    with socket.fromfd(sock.fileno(), sock.family, sock.type) as duplicate:
        timer = threading.Timer(seconds, hang_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception:
            if not late.is_set():
                raise
        finally:
            timer.cancel()
            timer.join()
    if late.is_set():  # without a length, a response that was cut off looks whole
        raise _BadResponseError(f"the answer was not whole within {seconds:g} seconds")


def _connection(parts: SplitResult, access: Access) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        return HTTPConnection(host, parts.port, timeout=access.timeout)
    if parts.scheme != "https":
        raise http.client.InvalidURL
    return HTTPSConnection(host, parts.port, timeout=access.timeout, context=access.tls)


def _problem(error: Exception, access: Access) -> str:
    """Describe an error without the host, URL or token that its own text may quote."""
    match error:
        case _BadResponseError():
            problem = str(error)
        case http.client.IncompleteRead():
            problem = f"the answer ended early, after {len(error.partial)} bytes of its body"
        case TimeoutError():
            problem = f"no answer within {access.timeout:g} seconds"
        case ssl.SSLError():
            # "Hostname mismatch, certificate is not valid for 'HOST'"
            verdict = str(getattr(error, "verify_message", "")).partition(",")[0]
            problem = f"TLS failed: {verdict or error.reason or 'unknown reason'}"
        case http.client.InvalidURL() | ValueError():
            problem = "the endpoint, the query or the token cannot be sent over HTTP"
        case _:
            problem = f"no answer: {_reason(error)}"
    return problem


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return _REASONS.get(type(error), type(error).__name__)


_REASONS: Final[dict[type[Exception], str]] = {
    http.client.RemoteDisconnected: "the connection was closed",
    http.client.BadStatusLine: "it is not HTTP",
    http.client.LineTooLong: "a header line is too long",
    http.client.HTTPException: "too many headers",
}
