"""A local HTTP server that remembers its requests and replies.

A battery can replace the function that makes the replies.
"""

import gzip
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

IMAGES = "/v2.1/images/detail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A response whose body is a JSON document, optionally in gzip and after a delay."""

    document: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    zipped: bool = False
    delay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request and its reply."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    reply: Reply


def listing(_method: str, target: str) -> Reply:
    """Return one image whose name is the request, so that no two responses are equal."""
    return Reply(document={"images": [{"id": "i-1", "name": target, "status": "ACTIVE"}]})


class Server:
    """A server on a free loopback port; a context manager.

    Attributes:
        reply: Makes the reply to a method and target.
        asked: Every request so far, with its reply.
        busiest: The largest number of requests at the same time.
    """

    def __init__(self) -> None:
        self.reply: Callable[[str, str], Reply] = listing
        self.asked: list[Asked] = []
        self.busiest = 0
        self._busy = 0
        self._lock = threading.Lock()
        self._up = True
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuse all connections from now on."""
        if not self._up:
            return
        self._up = False
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request, and remember both."""
        with self._lock:
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
        reply = self.reply(method, target)
        time.sleep(reply.delay)
        with self._lock:
            self._busy -= 1
            self.asked.append(
                Asked(method=method, target=target, headers=headers, body=body, reply=reply)
            )
        return reply


def _handler_of(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            reply = server.answer(self.command, self.path, dict(self.headers), body)
            content = json.dumps(reply.document).encode()
            if reply.zipped:
                content = gzip.compress(content, mtime=0)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.zipped:
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _handle  # noqa: N815  the names that http.server looks for

        def log_message(self, *_: Any) -> None:
            """Log nothing; requests are in `asked`."""

    return Handler
