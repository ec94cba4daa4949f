"""A threaded HTTP/1.1 server for a WSGI application on a loopback port."""

import socket
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from urllib.parse import unquote_to_bytes

LOOPBACK = "127.0.0.1"


class LoopbackServer:
    """Serves an application until `close`; port 0 lets the system choose."""

    def __init__(self, application, port=0, context=None):
        self._server = _Server((LOOPBACK, port), _Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.application = application
        self.port = self._server.server_address[1]
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *arguments):
        self._connections = set()  # a kept-alive connection would outlive the server
        super().__init__(*arguments)

    def process_request(self, request, client_address):
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self):
        super().server_close()
        for each in tuple(self._connections):
            with suppress(OSError):  # the client was faster
                each.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        """Ignore clients that hang up, and print any other error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # writes each response at once
    disable_nagle_algorithm = True

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        for chunk in self.server.application(self._environ(body), self._start):
            if self.command != "HEAD":
                self.wfile.write(chunk)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def log_message(self, *_):
        """Log nothing."""

    def _start(self, status, headers):
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        for name, value in [*headers, ("Date", self.date_time_string())]:
            self.send_header(name, value)
        self.end_headers()

    def _environ(self, body):
        path, _, query = self.path.partition("?")
        environ = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
        }
        for name, value in self.headers.items():
            key = f"HTTP_{name.upper().replace('-', '_')}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ
