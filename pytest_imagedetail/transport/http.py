"""Send one GET over HTTP and read the whole response."""

import base64
import http.client
import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPSConnection  # the real ones: vcrpy patches http.client
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from pytest_imagedetail.body.compression import decode
from pytest_imagedetail.errors import RecordingError, UsageError
from pytest_imagedetail.model import Headers, Interaction, Response

_INTERIM: Final = frozenset(range(100, 200)) - {http.HTTPStatus.SWITCHING_PROTOCOLS}
_MOST_TIMEOUTS: Final = 5  # timeouts that a body may take in all
_CHUNK_SIZE: Final = 65536  # bytes
_REMEDY: Final = (
    "nothing was written and an older recording is untouched\n"
    "check that the cloud is up and reachable from here, then ask again"
)


def tls_context(*, verify: str | bool, certificate: str | tuple[str, str] | None) -> ssl.SSLContext:
    """Return the context for TLS connections; raise UsageError if a file cannot be used.

    The arguments are those of requests: `verify` may be a CA bundle, `certificate` has its key.
    """
    try:
        context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
        if certificate is not None:
            files = (certificate,) if isinstance(certificate, str) else certificate
            context.load_cert_chain(*files)
    except OSError as error:
        raise UsageError(
            f"the CA bundle or the client certificate cannot be used: {error.strerror}",
            remedy="correct cacert, cert and key of this cloud in clouds.yaml",
        ) from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Authenticated access to one project of one cloud."""

    endpoint: str = field(repr=False)  # from the service catalog, with version and project
    token: str = field(repr=False)
    project_id: str = field(repr=False)
    os_cloud: str = ""  # its name in clouds.yaml
    user_id: str | None = field(default=None, repr=False)
    max_microversion: str | None = None
    secrets: frozenset[str] = field(default=frozenset(), repr=False)  # such as passwords
    glance: str | None = field(default=None, repr=False)  # its URL in the catalog, unversioned
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)  # with their services
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    timeout: float = 60.0  # seconds to connect, and for each read
    # Authenticates again after the token expired.
    renew: "Callable[[], Access] | None" = field(default=None, repr=False, compare=False)

    def identifying_values(self) -> frozenset[str]:
        """Return every value that identifies the cloud or the user."""
        host = urlsplit(self.endpoint).netloc
        values = {host, self.token, self.project_id, self.user_id, *self.secrets}
        return frozenset(value for value in values if value)


def get(url: str, headers: Headers, *, access: Access, name: str) -> Interaction:
    """Send one GET and read the whole response. Redirects are returned, not followed.

    HTTP_PROXY, HTTPS_PROXY and NO_PROXY apply, as they do to the login, except on loopback. A
    RecordingError names the cloud only, because its URL is a secret.
    """
    request_headers = Headers([*headers.fields, ("X-Auth-Token", access.token)])
    try:
        if not all(value.isascii() and value.isprintable() for value in request_headers.values()):
            raise http.client.InvalidURL  # http.client would send an accented letter in Latin-1
        parts = urlsplit(url)
        proxy = _proxy_of(parts)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = request_headers
        if proxy is not None and parts.scheme == "http":
            target, headers = url, Headers([*headers.fields, *_credentials(proxy).items()])
        with closing(_connection(parts, proxy, access)) as connection:
            connection.response_class = FinalResponse
            connection.request("GET", target, headers=headers)
            response = _read(connection.getresponse(), seconds=access.timeout * _MOST_TIMEOUTS)
    except (http.client.HTTPException, OSError, ValueError, _BadResponseError) as error:
        # Their messages quote the host, the URL or the token, so they are not chained.
        problem = _problem(error, access)
        raise RecordingError(problem, where=f"cloud {name}", remedy=_REMEDY) from None
    return Interaction(url=url, request_headers=request_headers, response=response)


class _BadResponseError(Exception):
    """A response that cannot be used; its text is fit for an error message."""


class FinalResponse(http.client.HTTPResponse):
    """The response after all interim ones, such as `103 Early Hints`.

    http.client itself skips only `100 Continue`. `101 Switching Protocols` is not interim.
    """

    def begin(self) -> None:
        """Read status and headers."""
        super().begin()
        while self.status in _INTERIM:
            self.headers = None  # type: ignore[assignment]  # makes it read the next ones
            super().begin()


def _read(response: http.client.HTTPResponse, *, seconds: float) -> Response:
    headers, body = Headers(response.getheaders()), _read_body(response, seconds)
    encodings = headers.get("Content-Encoding")
    if encodings is not None:  # some proxies add one unasked
        content = decode(body, encodings)
        if content is None:
            raise _BadResponseError("the answer's compression is damaged or unknown")
        body = content
        headers = headers.without("content-encoding", "content-length")
    reason = response.reason or ""
    return Response(status_code=response.status, reason=reason, headers=headers, body=body)


def _read_body(response: http.client.HTTPResponse, seconds: float) -> bytes:
    """Read a body in chunks: it may announce any length, and a timeout is for a single read."""
    body, end = bytearray(), time.monotonic() + seconds
    with suppress(http.client.IncompleteRead):  # a chunk that was cut off
        while chunk := response.read1(_CHUNK_SIZE):
            body += chunk
            if time.monotonic() > end:
                raise _BadResponseError(f"the answer was not complete after {seconds:g} seconds")
        if not response.length:  # the unread part of Content-Length
            return bytes(body)
    raise _BadResponseError(f"the answer ended early, after {len(body)} bytes of its body")


@contextmanager
def interim_skipped() -> Iterator[None]:
    """Make all clients based on http.client skip interim responses while the block runs."""
    original = HTTPConnection.response_class
    HTTPConnection.response_class = FinalResponse
    try:
        yield
    finally:
        HTTPConnection.response_class = original


@contextmanager
def silenced(*names: str) -> Iterator[None]:
    """Silence these loggers and their children: pytest shows the logs of a failed test."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _proxy_of(parts: SplitResult) -> SplitResult | None:
    """Return the proxy that the environment names for a URL; None for a direct connection."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  slow to import

    host = parts.hostname or ""
    is_loopback = host in {"localhost", "::1"} or host.startswith("127.")
    url = None if is_loopback or proxy_bypass(host) else getproxies().get(parts.scheme)
    return urlsplit(url if "://" in url else f"http://{url}") if url else None


def _credentials(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


def _connection(parts: SplitResult, proxy: SplitResult | None, access: Access) -> HTTPConnection:
    if parts.scheme not in {"http", "https"}:
        raise http.client.InvalidURL
    peer = proxy or parts
    if parts.scheme == "http":
        return HTTPConnection(peer.hostname or "", peer.port, timeout=access.timeout)
    connection = HTTPSConnection(
        peer.hostname or "", peer.port, timeout=access.timeout, context=access.tls
    )
    if proxy is not None:
        connection.set_tunnel(parts.hostname or "", parts.port, _credentials(proxy))
    return connection


def _problem(error: Exception, access: Access) -> str:
    """Describe an error without the host, URL or token that its own text may quote."""
    match error:
        case _BadResponseError():
            return str(error)
        case TimeoutError():
            return f"no answer within {access.timeout:g} seconds"
        case ssl.SSLError():
            # "Hostname mismatch, certificate is not valid for 'HOST'"
            verdict = str(getattr(error, "verify_message", "")).partition(",")[0]
            return f"TLS failed: {verdict or error.reason or 'unknown reason'}"
        case http.client.InvalidURL() | ValueError():
            return "the endpoint, the query or the token cannot be sent over HTTP"
        case OSError():  # without an error number, of http.client: a proxy's, or RemoteDisconnected
            status = str(error).partition("Tunnel connection failed: ")[2]
            reason = f"the proxy answered {status}" if status else "the connection was closed"
            return f"no answer: {error.strerror or reason}"
    return f"no answer: it is not HTTP ({type(error).__name__})"
