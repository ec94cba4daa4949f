"""A server on loopback for a test's own clients; the path of a request says how it is answered."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

BODY = json.dumps({"images": [{"id": str(n), "name": "übuntu"} for n in range(40)]}).encode()
INTERIM = (
    b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    b"HTTP/1.1 102 Processing\r\n\r\n"
    b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\n"
)
OWNERS = {"a1" * 16: "ann", "b2" * 16: "bob"}


class Answering(BaseHTTPRequestHandler):
    """Answers GET as its path says, or with a long document; POST with what it got, or a token."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer by the first word of the path below the version."""
        _, _, what, *rest = self.path.split("/")
        self.server.asked.append(f"GET {self.path}")
        if self.server.early:
            self.wfile.write(INTERIM)
        if what == "n":
            self._send({"n": self.server.asked.count(f"GET {self.path}")})
        elif what == "same":
            self._send({what: rest})
        elif what == "owners":
            self._send({"images": [{"owner": each} for each in OWNERS]})
        elif what == "owner":
            self._send({"owner": rest[0], "name": OWNERS.get(rest[0])})
        elif "gzip" in self.headers.get("Accept-Encoding", ""):
            self._send_bytes(gzip.compress(BODY), ("Content-Encoding", "gzip"))
        else:
            self._send_bytes(BODY)

    def do_HEAD(self) -> None:
        """Answer with the length of a body that is not sent."""
        self.send_response(200)
        self.send_header("Content-Length", "19")
        self.end_headers()

    def do_POST(self) -> None:
        """Answer a login with a token, and else with the type and the length of what came."""
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/v3/auth/tokens":
            user = json.loads(sent)["auth"]["identity"]["password"]["user"]
            body = json.dumps({"token": {"user": user, "methods": ["password"]}}).encode()
            self._send_bytes(body, ("X-Subject-Token", f"token-of-{user['id']}"))
            return
        kind = self.headers["Content-Type"].partition(";")[0]
        self._send({"kind": kind, "bytes": len(sent)})

    def _send(self, document: dict[str, Any]) -> None:
        self._send_bytes(json.dumps(document).encode())

    def _send_bytes(self, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(200)
        for name, value in (("Content-Type", "application/json"), *headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Knows what it was asked; with `early`, it sends interim responses first."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[str] = []
        self.early = False
        self.url = f"http://127.0.0.1:{self.server_port}/v2.1"

    def handle_error(self, *_: Any) -> None:
        """Pass over clients that hang up.

        Printing their traceback parses code, which Python 3.11 cannot do in two threads at once.
        """


@contextmanager
def answering() -> Iterator[Server]:
    """Serve while a block runs."""
    with Server() as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
