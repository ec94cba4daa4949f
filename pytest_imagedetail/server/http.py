"""Serve one recorded cloud over HTTP/1.1 on loopback until it is closed; logs nothing."""

import re
import socket
import socketserver
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import ServerError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.redact.placeholders import OWN_PROJECT
from pytest_imagedetail.server.cloud import IDENTITY, RecordedCloud, recorded_cloud
from pytest_imagedetail.traffic.keystone import REGION

LOOPBACK: Final = "127.0.0.1"
_OF_TRANSFER: Final = frozenset(  # bodies are served whole and without a coding
    {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}
)
_LENGTH: Final = re.compile("[0-9]{1,8}")
_NO_ANSWER: Final = Response(status_code=0, body=b"")


class Server:
    """A recorded cloud on a port of its own, for as long as the block runs.

    ::

        with Server(store, "nova-2026.2") as cloud:
            print(cloud.auth_url)

    Attributes:
        name: The cloud.
        auth_url: Where Keystone is.
        compute_url: The compute endpoint; `/images/detail` goes behind it.
        project_id: The project of every token, and of every recording.
        token: The only token that is accepted; Keystone issues it for any password.
        max_microversion: The newest microversion that the cloud offered, if it said so.
    """

    def __init__(self, store: Store, name: str, *, port: int = 0) -> None:
        """Read the recordings and begin to listen.

        Args:
            store: Where recordings are.
            name: The cloud.
            port: TCP port on 127.0.0.1; 0 lets the system choose.

        Raises:
            CassetteError: Nothing is recorded, or a cassette is damaged.
            ServerError: The port cannot be used.
        """
        try:
            self._listener = _Listener((LOOPBACK, port), _Handler)
        except (OSError, OverflowError) as error:
            raise ServerError(
                f"port {port} cannot be used: {getattr(error, 'strerror', None) or error}",
                where=f"the server of cloud {name} on {LOOPBACK}",
                remedy="choose another port, or 0 for one that is free: --port 0",
            ) from error
        base = f"http://{LOOPBACK}:{self._listener.server_port}"
        try:
            cloud = self._listener.cloud = recorded_cloud(store, name, base)
        except BaseException:
            self._listener.server_close()
            raise
        self.name: Final = name
        self.auth_url: Final = base + IDENTITY
        self.compute_url: Final = cloud.endpoints[0]
        self.project_id: Final = OWN_PROJECT
        self.token: Final = cloud.keystone.token
        self.max_microversion: Final = cloud.max_microversion
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,))
        self._thread.daemon = True  # an open server must not keep the process alive
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()

    @property
    def clouds_yaml(self) -> dict[str, Any]:
        """The entry of this cloud in a clouds.yaml."""
        return {
            "auth": {
                "auth_url": self.auth_url,
                "username": "replayed",
                "password": "any-password-is-accepted",
                "project_name": "replayed",
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            },
            "region_name": REGION,
            "interface": "public",
        }


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    cloud: RecordedCloud

    def __init__(self, *arguments: Any) -> None:
        self._connections: set[Any] = set()  # those that are kept alive outlive serve_forever
        super().__init__(*arguments)

    def server_bind(self) -> None:
        # HTTPServer's own looks the name of the host up, perhaps over the network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for each in tuple(self._connections):
            with suppress(OSError):  # the client was faster
                each.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over clients that hang up; anything else is a defect and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write for a whole response, so that no packet waits for another
    disable_nagle_algorithm = True
    server: _Listener

    def do_GET(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not _LENGTH.fullmatch(length) or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # what follows may be the body
            self.send_error(400)
            return
        asked = Interaction(
            method=self.command,
            url=f"http://{LOOPBACK}:{self.server.server_port}{self.path}",
            request_headers=Headers(self.headers.items()),
            request_body=self.rfile.read(int(length)),
            response=_NO_ANSWER,
        )
        self._send(self.server.cloud.respond(asked))

    do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: requests hold passwords and tokens."""

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status_code, response.reason)
        for name, value in response.headers.fields:
            if name.lower() not in _OF_TRANSFER:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")  # or clients ask again on this connection
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
