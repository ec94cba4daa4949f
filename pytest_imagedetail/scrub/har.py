"""Entries of a HAR file (HTTP Archive 1.2), as browsers and proxies export it."""

import re
from typing import Any, Final
from urllib.parse import urlencode

from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.scrub import bodies, fields
from pytest_imagedetail.scrub.fields import UnsoundError

UNANSWERED: Final = 0
_OTHER_SCHEME: Final = re.compile(r"(?!https?:)[a-z][\w+.-]*:", re.IGNORECASE | re.ASCII)
_ENCODINGS: Final = frozenset({"", "base64"})


def interaction(entry: dict[Any, Any]) -> Interaction:
    """One element of `log.entries`; its bodies have no content encoding.

    Its status is `UNANSWERED` where a browser blocked the request or gave it up, and where it asked
    nobody by HTTP (`data:`, `blob:`, `wss:`).

    Raises:
        UnsoundError: It is not of HAR's shape, or lacks the answer's body.
    """
    request, response = fields.mapping(entry, "request"), fields.mapping(entry, "response")
    status = response.get("status")
    was_given_up = status == UNANSWERED and not isinstance(status, bool)
    is_answered = not was_given_up and not _OTHER_SCHEME.match(fields.text(request, "url"))
    received = _headers(response, "set-cookie")
    return Interaction(
        method=fields.method(request),
        url=fields.url(request, "url") if is_answered else fields.text(request, "url"),
        request_headers=bodies.without_encoding(_headers(request, "cookie")),
        request_body=_posted(request),
        response=Response(
            status_code=fields.status_code(status) if is_answered else UNANSWERED,
            reason=fields.reason(response.get("statusText")),
            headers=bodies.without_encoding(received),
            body=_content(response, received) if is_answered else b"",
        ),
    )


def _headers(message: dict[Any, Any], cookie: str) -> Headers:
    """The header fields, and cookies that an exporter left in their own list only."""
    found = fields.fields(_pairs(message.get("headers")))
    if cookie in {name.lower() for name in found}:
        return found
    cookies = ((cookie, f"{name}={value}") for name, value in _pairs(message.get("cookies")))
    return Headers((*found.fields, *cookies))


def _pairs(listed: Any) -> list[tuple[Any, Any]]:
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise UnsoundError("its headers, cookies or parameters are not a list of pairs")
    return [(each.get("name"), each.get("value")) for each in listed]


def _posted(request: dict[Any, Any]) -> bytes:
    posted = request.get("postData")
    if not isinstance(posted, dict):
        return b""
    if posted.get("text"):
        return _decoded(posted)
    pairs = fields.fields(_pairs(posted.get("params"))).fields
    return urlencode(pairs).encode("ascii")


def _content(response: dict[Any, Any], headers: Headers) -> bytes:
    content = response.get("content")
    if not isinstance(content, dict) or content.get("text") is None:
        size = content.get("size") if isinstance(content, dict) else 0
        if isinstance(size, int) and size > 0:
            raise UnsoundError(
                "the body of its answer was not exported; export it with content, or take it out"
            )
        return b""
    return _decoded({"mimeType": headers.get("content-type", ""), **content})


def _decoded(content: dict[Any, Any]) -> bytes:
    encoding = content.get("encoding") or ""
    if not isinstance(encoding, str) or encoding.lower() not in _ENCODINGS:
        raise UnsoundError(
            "a body is in an encoding that HAR does not have; base64 is its only one"
        )
    if encoding:
        return bodies.from_base64(content["text"])
    charset = bodies.charset_of(str(content.get("mimeType", "")))
    return bodies.encoded(fields.text(content, "text"), charset)
