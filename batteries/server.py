"""A local HTTP server that remembers its requests and replies.

A battery can replace the function that makes the replies.
"""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tests.cloud.server import LOOPBACK, LoopbackServer


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
        self._server = LoopbackServer(self._answer)
        self.url = f"http://{LOOPBACK}:{self._server.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuse all connections from now on."""
        self._server.close()

    def _answer(
        self, environ: Mapping[str, Any], start_response: Callable[..., object]
    ) -> Iterable[bytes]:
        with self._lock:
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
        method, target = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if environ["QUERY_STRING"]:
            target += f"?{environ['QUERY_STRING']}"
        reply = self.reply(method, target)
        time.sleep(reply.delay)
        headers = {key: text for key, text in environ.items() if key.startswith("HTTP_")}
        body = environ["wsgi.input"].read()
        with self._lock:
            self._busy -= 1
            self.asked.append(
                Asked(method=method, target=target, headers=headers, body=body, reply=reply)
            )
        content = json.dumps(reply.document).encode()
        fields = [*reply.headers.items(), ("Content-Type", "application/json")]
        if reply.zipped:
            content = gzip.compress(content, mtime=0)
            fields.append(("Content-Encoding", "gzip"))
        start_response(f"{reply.status} Reply", [*fields, ("Content-Length", str(len(content)))])
        return [content]
