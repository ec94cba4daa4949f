"""Sends one GET over HTTP and reads the whole answer."""

import http.client
import ssl
import zlib
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pytest_imagedetail.errors import RecordingError, UsageError
from pytest_imagedetail.model import Headers, Response

_OF_CODING: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
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
        timeout: Seconds to wait for a connection and for each read.
    """

    endpoint: str
    token: str = field(repr=False)
    project_id: str
    user_id: str | None = None
    max_microversion: str | None = None
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    cacert: str | None = None
    certificate: tuple[str, str | None] | None = None
    verify: bool = True
    timeout: float = 60.0


def get(url: str, headers: Headers, *, access: Access, name: str) -> Response:
    """Send one GET and read its answer whole. Redirects are answers too and are not followed.

    Args:
        url: Where to.
        headers: What to send besides the token.
        access: For the token, TLS and the timeout.
        name: What to call the cloud in an error; its URL is a secret.

    Raises:
        RecordingError: No connection, no answer in time, or an answer that ends early.
    """
    try:
        parts = urlsplit(url)
        connection = _connection(parts, access)
        with closing(connection):
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.putrequest("GET", target, skip_accept_encoding=True)
            for header, value in [*headers.fields, ("X-Auth-Token", access.token)]:
                connection.putheader(header, value)
            connection.endheaders()
            answer = connection.getresponse()
            body = answer.read()
        headers = Headers(answer.getheaders())
        encoding = headers.get("Content-Encoding", "identity").strip().lower()
        return Response(
            status_code=answer.status,
            reason=answer.reason or "",
            headers=Headers(
                field for field in headers.fields if field[0].lower() not in _OF_CODING
            ),
            body=_decoded(body, encoding, name),
        )
    except http.client.IncompleteRead as error:
        raise _failure(
            f"the answer ended early, after {len(error.partial)} bytes of its body", name
        ) from error
    except TimeoutError as error:
        raise _failure(f"no answer within {access.timeout:g} seconds", name) from error
    except ssl.SSLError as error:
        raise _failure(f"TLS failed: {error.reason or 'unknown reason'}", name) from error
    except zlib.error:  # vcrpy decodes while it records
        raise _failure("the answer's compression is damaged", name) from None
    except (http.client.InvalidURL, ValueError):  # their messages, and so their tracebacks, quote
        raise _failure(
            "no request can be made of its endpoint, the query and the token", name
        ) from None
    except (http.client.HTTPException, OSError) as error:
        raise _failure(f"no answer: {_reason(error)}", name) from error


def _decoded(body: bytes, encoding: str, name: str) -> bytes:
    """The body without its content encoding; none was asked for, but a proxy may add one."""
    if encoding == "identity":
        return body
    if encoding in {"gzip", "x-gzip", "deflate"}:
        stream = zlib.decompressobj(wbits=_ANY_HEADER)
        text = stream.decompress(body) + stream.flush()
        if not stream.eof or stream.unused_data:
            raise zlib.error("the stream has no end, or two")
        return text
    raise _failure(f"the answer has the content encoding {encoding!r}, never asked for", name)


def _connection(parts: SplitResult, access: Access) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=access.timeout)
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
        return http.client.HTTPSConnection(
            host, parts.port, timeout=access.timeout, context=context
        )
    raise UsageError(
        f"the compute endpoint has the scheme {parts.scheme!r}",
        remedy="the service catalog must name an http or https URL",
    )


_NEXT: Final = (
    "nothing was written and an older recording is untouched\n"
    "check that the cloud is up and reachable from here, then record again"
)


def _failure(problem: str, name: str) -> RecordingError:
    return RecordingError(problem, where=f"cloud {name}", remedy=_NEXT)


def _reason(error: Exception) -> str:
    """What went wrong without the host name that many of these messages carry."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
