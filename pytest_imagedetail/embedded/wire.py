"""A request and a response as plain values; the only module that knows WSGI's environ."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, BinaryIO, cast

JSON = "application/json"
"""Content type of every answer with an `images` key; errors add a charset."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the cloud looks at in a request.

    Attributes:
        method: GET, POST, ...
        path: Path, unquoted, as text.
        query_string: Query as sent, still quoted.
        origin: scheme://host:port that the client addressed (its Host header).
        headers: Header values by lower-case name.
        body: Bytes of the body.
    """

    method: str
    path: str
    query_string: str
    origin: str
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Value of a header, or an empty string."""
        return self.headers.get(name.lower(), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Status, headers and body of an answer."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def with_headers(self, headers: Iterable[tuple[str, str]]) -> "Response":
        """The same answer with more headers."""
        return replace(self, headers=(*self.headers, *headers))

    @property
    def status_line(self) -> str:
        """Code and reason as WSGI wants them, "200 OK"."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def json_response(status: int, document: Any, *, charset: str = "") -> Response:
    """An answer with a JSON document.

    Args:
        status: HTTP status.
        document: Anything that JSON can carry.
        charset: Added to the content type; Nova says one on errors only.
    """
    kind = f"{JSON}; charset={charset}" if charset else JSON
    return text_response(status, json.dumps(document), kind)


def text_response(status: int, text: str, content_type: str) -> Response:
    """An answer with a text of any kind, sent as UTF-8."""
    return Response(
        status=status, headers=(("Content-Type", content_type),), body=text.encode("utf-8")
    )


def read_request(environ: Mapping[str, Any]) -> Request:
    """Take a request out of a WSGI environ (PEP 3333)."""
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    path = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
    host = headers.get("host") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return Request(
        method=str(environ["REQUEST_METHOD"]),
        path=path.encode("latin-1").decode("utf-8", "replace"),
        query_string=str(environ.get("QUERY_STRING", "")),
        origin=f"{environ['wsgi.url_scheme']}://{host}",
        headers=headers,
        body=_body(environ),
    )


def _body(environ: Mapping[str, Any]) -> bytes:
    length = str(environ.get("CONTENT_LENGTH") or "0")
    if not length.isdecimal() or length == "0":
        return b""
    return cast("BinaryIO", environ["wsgi.input"]).read(int(length))
