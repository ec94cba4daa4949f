"""Requests, responses, and the errors of Nova, Glance and Keystone."""

import json
from dataclasses import dataclass, replace
from http import HTTPStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request; header names are in lower case, and the query is still encoded."""

    method: str
    path: str
    query: str
    origin: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def with_headers(self, *headers):
        return replace(self, headers=(*self.headers, *headers))

    def start(self, start_response):
        length = ("Content-Length", str(len(self.body)))
        status = f"{self.status} {HTTPStatus(self.status).phrase}"
        start_response(status, [*self.headers, length])
        return [self.body]


class FaultError(Exception):
    """An error of Nova: `{"badRequest": {"code": 400, "message": ...}}`."""

    def __init__(self, status):
        super().__init__(status)
        name = {400: "badRequest", 404: "itemNotFound"}[status]
        fault = {"code": status, "message": HTTPStatus(status).phrase}
        self.response = as_json(status, {name: fault})


def read_request(environ):
    """Read the request from a WSGI environ (PEP 3333)."""
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return Request(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        query=environ.get("QUERY_STRING", ""),
        origin=f"{environ['wsgi.url_scheme']}://{headers['host']}",
        headers=headers,
        body=environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])),
    )


def as_json(status, document):
    headers = (("Content-Type", "application/json"),)
    return Response(status=status, headers=headers, body=json.dumps(document).encode())


def unauthorized(auth_url):
    """Return the 401 of Keystone and of Nova's middleware."""
    message = "The request you have made requires authentication."
    error = {"error": {"code": 401, "title": "Unauthorized", "message": message}}
    uri = ("WWW-Authenticate", f'Keystone uri="{auth_url}"')
    return as_json(401, error).with_headers(uri)
