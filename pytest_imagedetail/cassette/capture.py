"""Catches HTTP traffic with vcrpy; the only module that knows vcrpy."""

import http.client
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any, ClassVar, Final, Never, Protocol, Self
from unittest import mock
from urllib.parse import urlencode, urlsplit

import vcr.patch
import vcr.stubs
from vcr.cassette import Cassette
from vcr.filters import AVAILABLE_DECOMPRESSORS
from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.record_mode import RecordMode

from pytest_imagedetail import network
from pytest_imagedetail.body import compression as packing
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.transport import http as transport
from pytest_imagedetail.transport.silenced import silenced

_NOWHERE: Final = "in-memory"


class _Nowhere:
    """A persister that keeps nothing: a recording reaches the disk only after redaction."""

    not_found: ClassVar = CassetteNotFoundError

    @classmethod
    def load_cassette(cls, cassette_path: Any, serializer: Any) -> Any:  # noqa: ARG003  its name
        """There is never anything to load."""
        raise cls.not_found

    @staticmethod
    def save_cassette(cassette_path: Any, cassette_dict: Any, serializer: Any) -> None:
        """Unredacted traffic is not written."""


class Exchange(Protocol):
    """Who is asked what a test's own clients ask, and told what is answered.

    A request comes as an interaction without an answer. Several threads may come at once.
    """

    @property
    def closed(self) -> bool:
        """Whether a request that has no answer must not go to the cloud."""
        ...

    def can_answer(self, asked: Interaction) -> bool:
        """Whether `answer` has an answer; asked more often than `answer`, so it takes nothing."""
        ...

    def answer(self, asked: Interaction) -> Response:
        """Answer, and count it as played."""
        ...

    def refuse(self, asked: Interaction) -> Never:
        """Raise for a request that has no answer; asked only while `closed`.

        Were it to return, the request would go to the cloud.
        """
        ...

    def heard(self, interaction: Interaction) -> None:
        """Take what the cloud answered."""
        ...


@dataclass(slots=True)
class Wire:
    """What vcrpy may have missed while an `intercept()` block ran.

    Attributes:
        lost: Answers that a client got on a connection that vcrpy had not patched.
    """

    lost: int = 0


@contextmanager
def intercept(exchange: Exchange) -> Iterator[Wire]:
    """Lead every request of this process's HTTP clients to an exchange while the block runs.

    vcrpy patches the clients process-wide, so blocks must not overlap in time.
    """
    wire = Wire()
    with ExitStack() as stack:
        stack.enter_context(silenced("vcr"))
        stack.enter_context(mock.patch.object(vcr.patch, "force_reset", _NarrowReset()))
        stack.enter_context(_counting(wire, exchange))
        stack.enter_context(_Led.use(path=_NOWHERE, exchange=exchange))
        stack.enter_context(_aiohttp_bodies())
        yield wire


@contextmanager
def unpatched() -> Iterator[None]:
    """Let this thread's requests pass by an `intercept()` block: they are not the test's own."""
    _OWN.count = getattr(_OWN, "count", 0) + 1
    try:
        with _FORCE_RESET():
            yield
    finally:
        _OWN.count -= 1


_OWN: Final = threading.local()
_FORCE_RESET: Final = vcr.patch.force_reset


class _Led(Cassette):  # type: ignore[misc]
    """A cassette of vcrpy that keeps nothing: the stubs of its clients ask the exchange."""

    def __init__(self, path: str, exchange: Exchange) -> None:
        super().__init__(path, persister=_Nowhere, record_mode=RecordMode.NEW_EPISODES)
        self._exchange = exchange
        self._before = network.listeners()
        self._tests_own: set[str] = set()

    @classmethod
    def load(cls, **arguments: Any) -> Self:
        """There is never anything to load."""
        return cls(**arguments)

    @property
    def write_protected(self) -> bool:
        """Whether nothing may be asked; then the stubs come to `filter_request`."""
        return self._exchange.closed

    def can_play_response_for(self, request: Any) -> bool:
        return not self._is_tests_own(request) and self._exchange.can_answer(_asked(request))

    def play_response(self, request: Any) -> dict[str, Any]:
        return _to_vcr(self._exchange.answer(_asked(request)))

    def find_requests_with_most_matches(
        self, request: Any
    ) -> list[tuple[Any, list[Any], list[Any]]]:
        """The request itself: the stub of aiohttp looks here for where a redirect leads."""
        return [(request, [], [])]

    def filter_request(self, request: Any) -> Any:
        """Refuse a request that the stubs are about to refuse; any other is to be recorded.

        None is what vcrpy knows as a request that passes by.
        """
        if self._is_tests_own(request):
            return None
        if self.write_protected:
            self._exchange.refuse(_asked(request))
        return request

    def _is_tests_own(self, request: Any) -> bool:
        """Whether a server is asked that the test has opened itself: it is what is tested.

        One that has answered once may be closed by the time that its answer comes here.
        """
        place = urlsplit(request.uri).netloc
        if place not in self._tests_own and network.is_opened_since(request.uri, self._before):
            self._tests_own.add(place)
        return place in self._tests_own

    def append(self, request: Any, response: Any) -> None:
        if self._is_tests_own(request):
            return
        try:
            interaction = _exchanged(request, response)
        except transport.OversizeError:
            raise transport.too_large("the answer to the test's own request") from None
        self._exchange.heard(interaction)


class _NarrowReset:
    """Puts back real classes for as short and as few as can be; stands in for vcrpy's own.

    vcrpy's puts back every client's while it makes or opens one connection, and a thread that
    makes its own meanwhile gets one that is not patched: what it asks is lost. Only a class that
    names itself by its module's global must be put back; urllib3's and httpx's do not.
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
                    if not _names_no_global(patcher):
                        self._stack.enter_context(patcher)
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    self._stack.close()


def _names_no_global(patcher: Any) -> bool:
    target = patcher.getter()
    name = getattr(target, "__module__", None) or target.__name__
    return name.partition(".")[0] in {"urllib3", "httpx", "httpx2"} or (
        (target, patcher.attribute) == (http.client, "HTTPConnection")
    )


@contextmanager
def _counting(wire: Wire, exchange: Exchange) -> Iterator[None]:
    """Watch connections of `http.client` that are not a stub's: they were open before the block.

    Their answers are counted; while the exchange is closed, they are not asked at all. Interim
    responses are skipped, which clients of http.client take for the answer.
    """
    connection = vcr.stubs.HTTPConnection  # the real one, whatever is patched by now
    getresponse, putrequest = connection.getresponse, connection.putrequest
    lock = threading.Lock()

    def asked(self: Any, method: str, url: str, *arguments: Any, **named: Any) -> None:
        if exchange.closed and not _is_known():
            exchange.refuse(_asked_of(self, method, url))
        putrequest(self, method, url, *arguments, **named)

    def counted(self: Any) -> Any:
        response = getresponse(self)
        if not _is_known():
            with lock:
                wire.lost += 1
        return response

    with (
        mock.patch.object(connection, "getresponse", counted),
        mock.patch.object(connection, "putrequest", asked),
        transport.interim_skipped(),
    ):
        yield


def _asked_of(connection: Any, method: str, url: str) -> Interaction:
    scheme = "https" if connection.default_port == http.client.HTTPS_PORT else "http"
    place = url if "://" in url else f"{scheme}://{connection.host}:{connection.port}{url}"
    return Interaction(method=method, url=place, response=Response(status_code=0, body=b""))


def _is_known() -> bool:
    """Whether a connection is the run's own, or a stub of vcrpy asks."""
    return bool(getattr(_OWN, "count", 0)) or _asked_by_stub()


def _asked_by_stub() -> bool:
    frame: FrameType | None = sys._getframe(3)  # noqa: SLF001  the one way to know who asks
    for _ in range(4):  # urllib3's own methods may lie between
        if frame is None:
            return False
        if frame.f_globals.get("__name__") in {"vcr.stubs", transport.__name__}:
            return True
        frame = frame.f_back
    return False


@contextmanager
def _aiohttp_bodies() -> Iterator[None]:
    """Let aiohttp send what it makes of `json=` and `data=` as the bytes that it is.

    Its stub shows data and JSON as one, and of a form with files no bytes at all.
    """
    aiohttp = sys.modules.get("aiohttp")
    if aiohttp is None:
        yield
        return
    request = aiohttp.ClientSession._request  # noqa: SLF001  where vcrpy's own patch is, too

    async def with_bytes(self: Any, method: str, url: Any, **more: Any) -> Any:
        data, type_ = more.get("data"), ""
        if more.get("json") is not None and data is None:
            data = self.json_serialize(more.pop("json")).encode("utf-8")
            type_ = "application/json"
        elif data and isinstance(data, aiohttp.FormData | aiohttp.Payload | dict | list | tuple):
            data, type_ = await _sent_by_aiohttp(aiohttp, data)
        if type_:
            headers = dict(more.get("headers") or {})
            if not any(name.lower() == "content-type" for name in headers):
                headers["Content-Type"] = type_
            more |= {"data": data, "headers": headers}
        return await request(self, method, url, **more)

    with mock.patch.object(aiohttp.ClientSession, "_request", with_bytes):
        yield


async def _sent_by_aiohttp(aiohttp: Any, data: Any) -> tuple[bytes, str]:
    """The bytes of a form or a payload, and their content type."""
    if not isinstance(data, aiohttp.FormData | aiohttp.Payload):
        data = aiohttp.FormData(data)
    payload = data() if isinstance(data, aiohttp.FormData) else data
    kept = _Kept()
    await payload.write(kept)
    return b"".join(kept.pieces), str(payload.headers.get("Content-Type", payload.content_type))


class _Kept:
    """What aiohttp writes a body to."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    async def write(self, piece: Any) -> None:
        self.pieces.append(bytes(piece))


def _exchanged(request: Any, response: Any) -> Interaction:
    answer = _from_vcr(response)
    if packing.exceeds(answer.body, transport.LARGEST_BODY):
        raise transport.OversizeError  # before it is unpacked
    return replace(_asked(request), response=_decoded(answer))


def _decoded(answer: Response) -> Response:
    """An answer without its content encodings; what cannot be undone stays, and the gate sees it.

    vcrpy's own way undoes one of several, and none that is written in capitals.
    """
    encodings = answer.headers.get("content-encoding")
    if encodings is None:
        return answer
    body = packing.decoded(answer.body, encodings, AVAILABLE_DECOMPRESSORS)
    if body is None:
        return answer
    gone = {"content-encoding", *(("content-length",) if body else ())}
    kept = [field for field in answer.headers.fields if field[0].lower() not in gone]
    length = [("Content-Length", str(len(body)))] if body else []
    return replace(answer, headers=Headers([*kept, *length]), body=body)


def _asked(request: Any) -> Interaction:
    return Interaction(
        method=request.method,
        url=request.uri,
        request_headers=_headers(request.headers),
        request_body=_body(request.body_bytes),
        response=Response(status_code=0, body=b""),
    )


def _body(body: Any) -> bytes:
    """A body as it went over the wire; aiohttp's stub shows the fields of a form."""
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    if not body:
        return b""
    return urlencode(body).encode("ascii")


def _to_vcr(response: Response) -> dict[str, Any]:
    headers: dict[str, list[str]] = {}
    for name, value in response.headers.fields:
        headers.setdefault(name, []).append(value)
    return {
        "status": {"code": response.status_code, "message": response.reason},
        "headers": headers,
        "body": {"string": response.body},
    }


def _from_vcr(response: Any) -> Response:
    return Response(
        status_code=response["status"]["code"],
        reason=response["status"]["message"] or "",
        headers=_headers(response["headers"]),
        body=response["body"].get("string") or b"",
    )


def _headers(headers: Any) -> Headers:
    """Vcrpy keeps a header as one string or as a list of strings."""
    return Headers(
        (name, value)
        for name, values in headers.items()
        for value in ([values] if isinstance(values, str) else values)
    )
