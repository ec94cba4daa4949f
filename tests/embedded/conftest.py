"""A client that asks an embedded cloud without any socket."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

import pytest

from pytest_imagedetail.embedded import EmbeddedCloud

HOST = "nova.test:8774"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def images(self) -> list[dict[str, Any]]:
        assert self.status in {200, 203}, self.body
        return self.json["images"]

    @property
    def names(self) -> list[str | None]:
        return [image["name"] for image in self.images]

    @property
    def message(self) -> str:
        (fault,) = self.json.values()
        assert fault["code"] == self.status
        return fault["message"]


@dataclass(frozen=True)
class Client:
    """Asks one cloud with its user's token unless told otherwise."""

    cloud: EmbeddedCloud

    @property
    def project_id(self) -> str:
        return self.cloud.project_id

    def get(self, path: str, query: str = "", method: str = "GET", **headers: str) -> Answer:
        sent = {"x_auth_token": self.cloud.application.compute.account.token, **headers}
        return self.send(method, path.format(project=self.project_id), query, b"", sent)

    def send(
        self, method: str, path: str, query: str, body: bytes, headers: dict[str, str]
    ) -> Answer:
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "unused",
            "SERVER_PORT": "1",
            "HTTP_HOST": HOST,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
        }
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        started: list[Any] = []
        chunks = self.cloud.application(environ, lambda *args: started.extend(args))
        return Answer(int(started[0].split()[0]), started[1], b"".join(chunks))

    def list(self, **query: Any) -> Answer:
        """Ask /v2/{project}/images/detail; the underscore in a name stands for a hyphen."""
        wire = {name.replace("_", "-"): value for name, value in query.items()}
        return self.raw(urlencode(wire))

    def raw(self, query: str) -> Answer:
        return self.get("/v2/{project}/images/detail", query)


@pytest.fixture(scope="session")
def client_of() -> Callable[..., Client]:
    """Make a client for a release, with any other argument of the cloud."""
    made: dict[tuple[Any, ...], Client] = {}

    def make(release: str, **arguments: Any) -> Client:
        key = (release, *sorted(arguments.items()))
        if key not in made:
            made[key] = Client(EmbeddedCloud(release=release, **arguments))
        return made[key]

    return make
