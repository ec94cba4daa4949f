"""A server on loopback for a test's own clients: it compresses, echoes, and counts."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

BODY = json.dumps({"images": [{"id": "1", "name": "übuntu"}] * 40}).encode()


class Answering(BaseHTTPRequestHandler):
    """Answers GET with a long document, in gzip for who takes that, and POST with what came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the document, or with how many requests there were."""
        counts = self.path.endswith("/count")
        self._send(json.dumps(len(self.server.asked)).encode() if counts else BODY)

    def do_POST(self) -> None:
        """Answer with what came, and the microversion it came with."""
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        wanted = self.headers.get("OpenStack-API-Version")
        self._send(json.dumps({"sent": sent, "microversion": wanted}).encode())

    def _send(self, body: bytes) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Pass over clients that hang up.

        Printing their traceback parses code, which Python 3.11 cannot do in two threads at once.
        """


@contextmanager
def answering() -> Iterator[tuple[str, list[str]]]:
    """A server's URL, and what it was asked so far."""
    server = _Server(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    server.asked = []
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v2.1", server.asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
