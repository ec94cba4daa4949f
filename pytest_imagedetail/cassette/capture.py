"""Intercept HTTP clients with vcrpy; the only module that uses vcrpy.

Private names of vcrpy and aiohttp are used here only: `vcr.patch.force_reset` (replaced), the
module `vcr.stubs`, `aiohttp.ClientSession._request` (which vcrpy patches, too) and `_build_url`.
"""

import http.client
import ipaddress
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from http import HTTPStatus
from itertools import islice
from typing import Any, Final, Never, Protocol, Self
from unittest import mock

import vcr.patch
import vcr.stubs
from vcr.cassette import Cassette
from vcr.filters import AVAILABLE_DECOMPRESSORS
from vcr.record_mode import RecordMode

from pytest_imagedetail import network
from pytest_imagedetail.body.compression import decode
from pytest_imagedetail.cassette.format import response_of, response_to_dict
from pytest_imagedetail.errors import ImageDetailError, RecordingError
from pytest_imagedetail.model import NO_RESPONSE, Headers, Interaction, Response
from pytest_imagedetail.network import Place
from pytest_imagedetail.transport import http as transport

_OTHER_CONNECTION: Final = (
    "this connection bypasses the cassette, whatever is recorded: make it inside the test, as\n"
    "http.client.HTTPConnection(...), not with a class that was imported by name"
)


class Exchange(Protocol):
    """Answer or record the requests of a test's own clients, from several threads at once.

    A request is an interaction with `NO_RESPONSE`. vcrpy may call `can_answer` several times.
    """

    @property
    def closed(self) -> bool:
        """Whether a request without an answer is refused instead of sent."""

    def can_answer(self, request: Interaction) -> bool:
        """Return whether `answer` has one."""

    def answer(self, request: Interaction) -> Response:
        """Return the answer and count it as played."""

    def refuse(self, request: Interaction) -> Never:
        """Raise for a request without an answer, while `closed`."""

    def record(self, interaction: Interaction) -> None:
        """Record an interaction with the cloud."""


@contextmanager
def intercept(
    exchange: Exchange,
    *,
    on_lost_response: Callable[[], object],
    ignored_hosts: frozenset[Place],
) -> Iterator[None]:
    """Pass all requests of this process's HTTP clients to an exchange while the block runs.

    `on_lost_response` is called for each response on a connection that vcrpy has not patched.
    Requests to `ignored_hosts` bypass the exchange (see `network.is_allowed`). vcrpy patches the
    clients process-wide, so blocks must not overlap in time.
    """
    with (
        transport.silenced("vcr"),
        mock.patch.object(vcr.patch, "force_reset", _NarrowReset()),
        _unpatched_connections(exchange, on_lost_response, ignored_hosts),
        transport.interim_skipped(),  # http.client would return one as the response
        _ExchangeCassette.load(path="").delegate_to(exchange, ignored_hosts),
        _ExchangeCassette.use(path=""),
        _applications_unpatched(),
        _aiohttp_requests(),
    ):
        yield


@contextmanager
def unpatched() -> Iterator[None]:
    """Let this thread's requests bypass an `intercept()` block: they are not the test's own."""
    _UNPATCHED.count = getattr(_UNPATCHED, "count", 0) + 1
    try:
        with _FORCE_RESET():
            yield
    finally:
        _UNPATCHED.count -= 1


_UNPATCHED: Final = threading.local()
_FORCE_RESET: Final = vcr.patch.force_reset


class _ExchangeCassette(Cassette):  # type: ignore[misc]
    """A vcrpy cassette that stores nothing and delegates to the exchange of the open block.

    There is only one: an http.client connection made in one block may be used in the next.
    """

    _exchange: Exchange

    def __init__(self, path: str) -> None:
        # No persister: unredacted traffic must not be written.
        super().__init__(path, persister=object(), record_mode=RecordMode.NEW_EPISODES)
        self._is_open = False
        self._played = threading.local()

    @classmethod
    @cache
    def load(cls, path: str) -> Self:
        return cls(path)

    @contextmanager
    def delegate_to(self, exchange: Exchange, ignored_hosts: frozenset[Place]) -> Iterator[None]:
        self._exchange, self._is_open = exchange, True
        self._earlier_listeners, self._ignored_hosts = network.listeners(), set(ignored_hosts)
        try:
            yield
        finally:
            self._is_open = False

    @property
    def write_protected(self) -> bool:
        """Whether requests are refused; then vcrpy calls `filter_request` before sending one."""
        return self._is_open and self._exchange.closed

    def can_play_response_for(self, request: Any) -> bool:
        return not self._is_ignored(request) and self._exchange.can_answer(_to_interaction(request))

    def play_response(self, request: Any) -> dict[str, Any]:
        response = self._exchange.answer(_to_interaction(request))
        self._played.last = request.method, response.status_code
        return response_to_dict(response, response.body)

    def find_requests_with_most_matches(
        self, request: Any
    ) -> list[tuple[Any, list[Any], list[Any]]]:
        """Return the request that follows a redirect; vcrpy's aiohttp stub always sends a GET.

        The stub has just played the redirect. As while recording, the request has no body.
        """
        method, status = self._played.last
        if not (
            (status == HTTPStatus.SEE_OTHER and method != "HEAD")
            or (status in {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND} and method == "POST")
        ):
            request.method = method
        return [(request, [], [])]

    def filter_request(self, request: Any) -> Any:
        """Raise for a request that vcrpy is about to refuse; return None for one not to record."""
        if self._is_ignored(request):
            return None
        if self.write_protected:
            self._exchange.refuse(_to_interaction(request))
        return request

    def _is_ignored(self, request: Any) -> bool:
        """Return whether a request bypasses the exchange, as all do outside of a block.

        A server that the test itself opened is ignored, even after it was closed.
        """
        if not self._is_open:
            return True
        url = _url_of(request)
        place, ignored = network.place_of(url), self._ignored_hosts
        if network.is_allowed(place, ignored):
            return True
        is_opened = network.is_opened_since(url, self._earlier_listeners)
        if is_opened:
            ignored.add(place)
        return is_opened

    def append(self, request: Any, response: Any) -> None:
        if not self._is_ignored(request):
            decoded_response = _without_encodings(response_of(response))
            self._exchange.record(replace(_to_interaction(request), response=decoded_response))


class _NarrowReset:
    """Restore as few real classes as possible, in place of vcrpy's `force_reset`.

    vcrpy restores all clients while it makes or opens one connection. Another thread that connects
    meanwhile would get an unpatched connection. Only a class that refers to itself by its module's
    global must be restored; urllib3's and httpx's do not.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._inside = 0
        self._stack = ExitStack()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if self._inside == 0:
                for patcher in vcr.patch.reset_patchers():
                    if not _can_stay_patched(patcher):
                        self._stack.enter_context(patcher)
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    self._stack.close()


def _can_stay_patched(patcher: Any) -> bool:
    target = patcher.getter()
    name = getattr(target, "__module__", None) or target.__name__
    is_connection = (target, patcher.attribute) == (http.client, "HTTPConnection")
    return is_connection or name.partition(".")[0] in {"urllib3", "httpx", "httpx2"}


@contextmanager
def _unpatched_connections(
    exchange: Exchange,
    on_lost_response: Callable[[], object],
    ignored_hosts: frozenset[Place],
) -> Iterator[None]:
    """Watch http.client connections made before the block, which vcrpy cannot patch.

    Report their responses as lost. While the exchange is closed, refuse their requests.
    """
    connection, secure = vcr.stubs.HTTPConnection, vcr.stubs.HTTPSConnection  # the real classes
    getresponse, putrequest = connection.getresponse, connection.putrequest
    init = secure.__init__

    def is_unpatched(connection: Any) -> bool:
        is_ignored = network.is_allowed((connection.host, connection.port), ignored_hosts)
        return not (is_ignored or _is_expected_caller())

    def putrequest_or_refuse(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        if exchange.closed and is_unpatched(self):
            try:
                exchange.refuse(_unpatched_request(self, method, url))
            except ImageDetailError as error:
                error.add_note(_OTHER_CONNECTION)
                raise
        putrequest(self, method, url, *args, **kwargs)

    def init_unpatched(self: Any, *args: Any, **kwargs: Any) -> None:
        with vcr.patch.force_reset():  # it refers to its class by the module's global
            init(self, *args, **kwargs)

    def getresponse_and_report(self: Any) -> Any:
        response = getresponse(self)
        if is_unpatched(self):
            on_lost_response()
        return response

    with (
        mock.patch.object(connection, "getresponse", getresponse_and_report),
        mock.patch.object(connection, "putrequest", putrequest_or_refuse),
        mock.patch.object(secure, "__init__", init_unpatched),
    ):
        yield


def _unpatched_request(connection: Any, method: str, url: str) -> Interaction:
    scheme = "https" if connection.default_port == http.client.HTTPS_PORT else "http"
    if "://" not in url:
        url = f"{scheme}://{connection.host}:{connection.port}{url}"
    return Interaction(method=method, url=url, response=NO_RESPONSE)


def _is_expected_caller() -> bool:
    """Return whether the caller is vcrpy's stub or the run itself."""
    if getattr(_UNPATCHED, "count", 0):
        return True
    callers = traceback.walk_stack(sys._getframe(2))  # noqa: SLF001  nothing else shows callers
    names = (frame.f_globals.get("__name__") for frame, _ in callers)
    # urllib3's methods may lie in between.
    return not {"vcr.stubs", transport.__name__}.isdisjoint(islice(names, 4))


@contextmanager
def _applications_unpatched() -> Iterator[None]:
    """Let httpx's clients call an application of the test: no request leaves the process."""
    with ExitStack() as stack:
        for httpx in filter(None, map(sys.modules.get, ("httpx", "httpx2"))):
            for transport, method in (
                (httpx.WSGITransport, "handle_request"),
                (httpx.ASGITransport, "handle_async_request"),
                (httpx.MockTransport, "handle_request"),
                (httpx.MockTransport, "handle_async_request"),
            ):
                patched = getattr(transport, method)
                stack.callback(setattr, transport, method, patched)
                setattr(transport, method, patched.__wrapped__)
        yield


@contextmanager
def _aiohttp_requests() -> Iterator[None]:
    """Complete aiohttp's URLs and logins; encode `json=` and forms: vcrpy's stub does not."""
    aiohttp = sys.modules.get("aiohttp")
    if aiohttp is None:
        yield
        return
    request = aiohttp.ClientSession._request  # noqa: SLF001

    async def complete_request(self: Any, method: str, url: Any, **options: Any) -> Any:
        data, content_type = options.get("data"), ""
        if options.get("json") is not None and data is None:
            content_type = "application/json"
            data = self.json_serialize(options.pop("json")).encode("utf-8")
        elif data and isinstance(data, dict | list | tuple | aiohttp.FormData | aiohttp.Payload):
            form = aiohttp.FormData(data) if isinstance(data, dict | list | tuple) else data
            payload = form() if isinstance(form, aiohttp.FormData) else form
            data, content_type = await payload.as_bytes(), payload.content_type
        if content_type:
            headers = dict(options.get("headers") or {})
            if not any(name.lower() == "content-type" for name in headers):
                headers["Content-Type"] = content_type
            options |= {"data": data, "headers": headers}
        url = self._build_url(url)  # adds the base_url
        if not url.host:
            raise aiohttp.InvalidURL(url)
        if options.get("auth") is None:
            options["auth"] = aiohttp.BasicAuth.from_url(url) or self.auth
            url = url.with_user(None)
        return await request(self, method, url, **options)

    with mock.patch.object(aiohttp.ClientSession, "_request", complete_request):
        yield


def _to_interaction(request: Any) -> Interaction:
    return Interaction(
        method=request.method,
        url=_url_of(request),
        request_headers=Headers(
            (_text(name), _text(value))
            for name, values in request.headers.items()
            for value in (values if isinstance(values, list | tuple) else [values])
        ),
        request_body=_body(request.body_bytes),
        response=NO_RESPONSE,
    )


def _url_of(request: Any) -> str:
    """Return a request's URL, with the brackets of an IPv6 address that vcrpy's stub leaves out."""
    scheme, slashes, rest = request.uri.partition("://")
    netloc, slash, target = rest.partition("/")
    host, colon, port = netloc.rpartition(":")
    if ":" not in host or "]" in netloc:
        return str(request.uri)
    try:
        netloc = f"[{ipaddress.IPv6Address(host)}]{colon}{port}"
    except ValueError:  # the port is the scheme's own, so the last colon is the address's
        netloc = f"[{netloc}]"
    return f"{scheme}{slashes}{netloc}{slash}{target}"


def _text(value: str | bytes | int) -> str:
    """Return a header's name or value as http.client sends it."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _body(body: Any) -> bytes:
    """Return the body as sent; raise RecordingError for one that vcrpy keeps as an object."""
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    if body:
        raise RecordingError(
            f"the body of a request cannot be recorded: it is of the type {type(body).__name__}",
            remedy="send it as bytes, as text or as a dict",
        )
    return b""


def _without_encodings(response: Response) -> Response:
    """Undo the content encodings, as only some clients do; keep unknown ones."""
    encodings = response.headers.get("content-encoding")
    body = None if encodings is None else decode(response.body, encodings, AVAILABLE_DECOMPRESSORS)
    if body is None:
        return response
    headers = response.headers.without("content-encoding", "transfer-encoding")
    if body:
        fields = headers.without("content-length").fields
        headers = Headers([*fields, ("Content-Length", str(len(body)))])
    return replace(response, headers=headers, body=body)
