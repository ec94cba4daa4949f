"""A WSGI application on a loopback socket: HTTP/1.1, threaded, silent, gone when it is stopped."""

import socket
import sys
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from queue import SimpleQueue
from socketserver import TCPServer, ThreadingMixIn
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote_to_bytes

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

LOOPBACK = "127.0.0.1"

_POLL_SECONDS = 0.02


class LoopbackServer:
    """Serves one application from construction to `close`.

    Attributes:
        port: TCP port on 127.0.0.1.
    """

    def __init__(self, application: WsgiApplication, port: int = 0) -> None:
        """Bind and begin to serve.

        Args:
            application: What answers.
            port: TCP port; 0 lets the system choose.

        Raises:
            OSError: The port is taken.
        """
        self._server = _Server((LOOPBACK, port), application)
        self.port: int = self._server.server_address[1]
        # A daemon, so that a cloud nobody stopped does not keep the interpreter from ending.
        self._thread = Thread(
            target=self._server.serve_forever,
            args=(_POLL_SECONDS,),
            name=f"embedded-cloud-{self.port}",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering, end every connection, and wait until no thread is left."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingMixIn, TCPServer):
    """Answers each connection in a thread, and a thread answers many, one after the other.

    A thread for each connection would be started for each request of a client that keeps none
    alive. That is slow, and under coverage CPython 3.11 loses one now and then, when two threads
    begin to be traced at one moment.
    """

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], application: WsgiApplication) -> None:
        self.application = application
        self._connections: set[socket.socket] = set()  # a kept-alive one would outlive the server
        self._accepted: SimpleQueue[tuple[Any, Any] | None] = SimpleQueue()
        self._workers: list[Thread] = []
        self._idle = 0
        self._lock = Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
            if self._idle:
                self._idle -= 1
            else:
                self._workers.append(Thread(target=self._work, daemon=True))
                self._workers[-1].start()
        self._accepted.put((request, client_address))

    def _work(self) -> None:
        while (accepted := self._accepted.get()) is not None:
            self.process_request_thread(*accepted)
            with self._lock:
                self._idle += 1

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        with self._lock:
            connections = tuple(self._connections)
        for connection in connections:
            _hang_up(connection)
        for _ in self._workers:
            self._accepted.put(None)
        for worker in self._workers:
            worker.join()
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away; anything else is a defect and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The client was faster.
        return


class _Handler(BaseHTTPRequestHandler):
    """Turns HTTP into WSGI and back; one write per answer, so that no packet waits for an ACK."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal():
            self.send_error(400)
            return
        body = self.rfile.read(int(length))
        chunks = self.server.application(self._environ(body), self._start)
        for chunk in chunks:
            if self.command != "HEAD":
                self.wfile.write(chunk)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing."""

    def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Date", self.date_time_string())
        self.end_headers()

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": LOOPBACK,
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = f"HTTP_{name.upper().replace('-', '_')}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ
