"""Serve HTTP/1.1 on a loopback port."""

import socketserver
import string
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import quote

from pytest_imagedetail.errors import (
    CassetteNotFoundError,
    ImageDetailError,
    RecordingError,
    ReleaseError,
    ResponseError,
    ServerError,
    VerificationError,
)
from pytest_imagedetail.model import NO_RESPONSE, Headers, Interaction, Response
from pytest_imagedetail.traffic.keystone import json_response

OnError = Callable[[ImageDetailError], object]

_LOOPBACK: Final = "127.0.0.1"
_FRAMING_HEADERS: Final = frozenset(  # bodies are sent whole and without encodings
    {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}
)
_TLS: Final = b"\x16"  # the first byte of a client's hello


class Listener(ThreadingHTTPServer):
    """An HTTP/1.1 server on a loopback port; it logs nothing."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, what: str, *, port: int = 0, on_error: OnError | None) -> None:
        """Bind a port, or a free one for 0; requests wait until `start`.

        `what` names the server in messages. `on_error` is called with each error that becomes a
        fault in Nova's format.
        """
        self._on_error = on_error
        try:
            super().__init__((_LOOPBACK, port), _Handler)
        except (OSError, OverflowError) as error:
            raise ServerError(
                f"port {port} cannot be used: {getattr(error, 'strerror', None) or error}",
                where=f"the server of {what} on {_LOOPBACK}",
                remedy="choose another port, or 0 for one that is free: --port 0",
            ) from error
        self.base: Final = f"http://{_LOOPBACK}:{self.server_port}"
        # A daemon, so that an open server does not keep the process alive.
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def start(self, respond: Callable[[Interaction], Response]) -> None:
        """Start answering requests."""
        self._respond = respond
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()

    def answer(self, request: Interaction) -> Response:
        """Answer a request; an ImageDetailError becomes a fault in Nova's format."""
        try:
            return self._respond(request)
        except ImageDetailError as error:
            if self._on_error is not None:
                self._on_error(error)
            match error:
                case CassetteNotFoundError():
                    status, name = 501, "notImplemented"
                case RecordingError() | ReleaseError() | ResponseError() | VerificationError():
                    status, name = 502, "badGateway"
                case _:
                    status, name = 500, "computeFault"
            return json_response(status, {name: {"code": status, "message": str(error)}})

    def server_bind(self) -> None:
        """Bind without HTTPServer's host name lookup, which may use the network."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up; anything else is a defect and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write for a whole response, so that no packet waits for another
    disable_nagle_algorithm = True
    server: Listener

    def handle(self) -> None:
        # Hang up on TLS: its hello never ends a request line, so the client would wait forever.
        if self.rfile.peek(1)[:1] != _TLS:  # type: ignore[attr-defined]
            super().handle()

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Accept every HTTP method; the recordings decide which ones Nova has."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        try:
            body = self._read_body()
        except ValueError:
            self.send_error(400)  # and closes the connection: what follows may be the body
            return
        request = Interaction(
            method=self.command,
            # curl sends letters such as `ö` unencoded, and http.server reads them as Latin-1.
            url=self.server.base + quote(self.path, safe=string.punctuation, encoding="latin-1"),
            request_headers=Headers(self.headers.items()),
            request_body=body,
            response=NO_RESPONSE,
        )
        self._send(self.server.answer(request))

    def _read_body(self) -> bytes:
        self.wfile.flush()  # sends `100 Continue`, which the client may wait for
        if not self.path.startswith("/"):  # a request to a proxy
            raise ValueError
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(max(length, 0))
            if len(body) != length:  # the client hung up
                raise ValueError
            return body
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], base=16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # a trailer
        return body

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: requests hold passwords and tokens."""

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status_code, response.reason)
        for name, value in response.headers.fields:
            if name.lower() not in _FRAMING_HEADERS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")  # or clients reuse this connection
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
