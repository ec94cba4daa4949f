"""Read the recordings of other tools: vcrpy, pytest-recording, Ruby's VCR, betamax, HAR files."""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from pytest_imagedetail.body import compression
from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette import loads
from pytest_imagedetail.cassette.format import SCHEMA
from pytest_imagedetail.errors import DamagedCassetteError, NoRecordingError
from pytest_imagedetail.model import Headers, Interaction, Recording, Response, isotime
from pytest_imagedetail.transport.request import is_http_url

UNANSWERED: Final = 0
"""The status of a request in a HAR file that got no HTTP response."""

_METHOD: Final = re.compile(r"[\w!#$%&'*+.^`|~-]{1,64}", re.ASCII)
_STATUS_CODES: Final = range(100, 1000)
_ENCODING: Final = ("content-encoding", "transfer-encoding", "content-length")
_REMEDY: Final = (
    "pass a complete recording of vcrpy, pytest-recording, Ruby's VCR or betamax, or a HAR file\n"
    "nothing was written for it, and the file was not changed"
)
_FILES: Final = yamltext.Files(DamagedCassetteError, _REMEDY, yamltext.ForeignLoader)


def may_be_recording(path: Path) -> bool:
    """Return whether a file has a suffix of recordings: YAML, JSON or HAR."""
    return yamltext.is_yaml(path) or path.suffix.lower() in {".json", ".har"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A recording of another tool, or a cassette of imagedetail."""

    path: Path
    name: str  # of its cassette, such as `test_images/test_list`
    tool: str  # "vcrpy", "Ruby VCR", "betamax", "HAR" or "imagedetail"
    text: str = field(repr=False)
    interactions: tuple[Interaction, ...] = field(default=(), repr=False)  # empty for `own`
    recorded_at: str | None = None  # of the first, UTC, ISO 8601
    own: Recording | None = None  # the content of a cassette
    is_old: bool = False  # a cassette of an older schema


class _UnsoundError(ValueError):
    """An invalid interaction; the message names the field and shows no value."""


def read(path: Path, *, name: str | None = None) -> Source:
    """Read a recording; `name` is the name for its cassette.

    Raises:
        NoRecordingError: It is a file of another kind.
        DamagedCassetteError: It cannot be read, or is not safe.
    """
    name = name or path.stem
    text = _FILES.text(path)
    document = _parse(text.removeprefix("\ufeff"), str(path))  # some HAR exporters write a BOM
    if isinstance(document, dict) and isinstance(document.get("imagedetail"), dict):
        own = loads(text.encode(), where=str(path))  # raises if it was changed
        is_old = str(document["imagedetail"]["schema"]) != str(SCHEMA)
        return Source(path=path, name=name, tool="imagedetail", text=text, own=own, is_old=is_old)
    tool, entries = _interactions(document, path)
    if not isinstance(entries, list) or not entries:
        problem = "the recording has no list of interactions"
        raise DamagedCassetteError(problem, where=str(path), remedy=_REMEDY)
    convert = _of_har if tool == "HAR" else _of_vcr
    interactions = []
    for number, entry in enumerate(entries):
        try:
            interactions.append(_validate(convert(entry)))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as fault:
            problem = str(fault) if isinstance(fault, _UnsoundError) else "a value is not valid"
            raise DamagedCassetteError(
                f"an interaction is not as {tool} writes it: {problem}",
                where=f"{path}, interaction {number + 1}",
                remedy=_REMEDY,
            ) from None  # the cause may show a value
    date = "startedDateTime" if tool == "HAR" else "recorded_at"
    return Source(
        path=path,
        name=name,
        tool=tool,
        text=text,
        interactions=tuple(interactions),
        recorded_at=_oldest(entry.get(date) for entry in entries),
    )


def _parse(text: str, place: str) -> Any:
    if text.lstrip()[:1] not in {"{", "["}:
        return _FILES.parse(text, where=place)
    try:
        return json.loads(text)
    except (RecursionError, ValueError) as fault:
        problem = "it is nested too deeply" if isinstance(fault, RecursionError) else str(fault)
        if isinstance(fault, json.JSONDecodeError):
            problem, place = fault.msg, f"{place}, line {fault.lineno}, column {fault.colno}"
        problem = f"not a readable JSON file: {problem}"
        raise DamagedCassetteError(problem, where=place, remedy=_REMEDY) from None


def _interactions(document: Any, path: Path) -> tuple[str, Any]:
    match document:
        case {"interactions": listed}:
            return "vcrpy", listed
        case {"http_interactions": listed}:
            is_betamax = str(document.get("recorded_with", "")).startswith("betamax")
            return "betamax" if is_betamax else "Ruby VCR", listed
        case {"log": {"entries": listed}}:
            return "HAR", listed
    raise NoRecordingError(
        "not a known recording: it has no `interactions`, `http_interactions` or `log.entries`",
        where=str(path),
        remedy=_REMEDY,
    )


def _of_vcr(document: Any) -> Interaction:
    """Convert one interaction of vcrpy, Ruby's VCR or betamax; the three share a format."""
    sent = _headers(_at(document, "request").get("headers"))
    received = _headers(_at(document, "response").get("headers"))
    response = document["response"]
    if "status_code" in response:  # vcrpy before 6, for httpx
        status, reason, body = response["status_code"], "", response.get("content")
    else:
        status, body = _at(document, "response.status.code", object), response.get("body")
        reason = _scalar(response["status"].get("message"))
    return Interaction(
        method=_text(document, "request.method").lstrip(":").upper(),  # Ruby writes symbols
        url=_text(document, "request.uri"),
        request_headers=sent.without(*_ENCODING),
        request_body=_undo(_body(document["request"].get("body")), sent, "request.body"),
        response=Response(
            status_code=int(status),
            reason=reason,
            headers=received.without(*_ENCODING),
            body=_undo(_body(body), received, "response.body"),
        ),
    )


def _of_har(document: Any) -> Interaction:
    """Convert one entry; HAR stores bodies without content encoding."""
    request, response = _at(document, "request"), _at(document, "response")
    url, status = _text(document, "request.url"), _at(document, "response.status", object)
    is_answered = status != UNANSWERED and urlsplit(url).scheme in {"", "http", "https"}
    form, content = request.get("postData") or {}, response.get("content") or {}
    if is_answered and content.get("text") is None and content.get("size", 0) > 0:
        raise _UnsoundError("its `response.content` has no body; export the HAR file with content")
    sent = _har_body(form, request) or urlencode(_headers(form.get("params")).fields)
    code = {"code": status if is_answered else UNANSWERED, "message": response.get("statusText")}
    received = _har_body(content, response) if is_answered else b""
    headers = _har_headers(request, "Cookie")
    response_headers = _har_headers(response, "Set-Cookie")
    converted = {
        "request": {**request, "uri": url, "body": sent, "headers": headers},
        "response": {"status": code, "headers": response_headers, "body": received},
    }
    return _of_vcr(converted)


def _har_headers(message: dict[str, Any], cookie: str) -> list[Any]:
    """Return the headers of a message, with its cookies if only `cookies` lists them."""
    headers = message.get("headers") or []
    cookies = () if cookie in _headers(headers) else _headers(message.get("cookies")).fields
    return [*headers, *({"name": cookie, "value": f"{name}={value}"} for name, value in cookies)]


def _har_body(content: dict[str, Any], message: dict[str, Any]) -> bytes:
    """Return the content of a message in the charset from which its client decodes it."""
    encoding = str(content.get("encoding") or "").lower()
    if encoding not in {"", "base64"}:
        raise _UnsoundError("the only encoding of a body in a HAR file is base64")
    if encoding:
        return _body({"base64_string": content.get("text") or ""})
    sent_type = _headers(message.get("headers")).get("content-type")
    header = Message()
    header["Content-Type"] = str(sent_type or content.get("mimeType")).partition("\n")[0]
    return _body({"string": content.get("text"), "encoding": header.get_content_charset()})


def _at(document: Any, path: str, kind: type = dict) -> Any:
    value = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None or not isinstance(value, kind):
        raise _UnsoundError(f"its `{path}` is missing or of another type")
    return value


def _text(document: Any, path: str) -> str:
    return str(_at(document, path, str))


def _scalar(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict | list):
        raise _UnsoundError("a header, parameter or reason is not a text")
    return "" if value is None else str(value)


def _headers(value: Any) -> Headers:
    if isinstance(value, list):
        pairs = [(header.get("name"), header.get("value")) for header in value]
    else:
        pairs = list((value or {}).items())
    return Headers(
        (_scalar(name), _scalar(text))
        for name, values in pairs
        for text in (values if isinstance(values, list) else [values])
        if not str(name).startswith(":")  # pseudo-headers of HTTP/2
    )


def _body(value: Any) -> bytes:
    charset = None
    if isinstance(value, dict):
        if value.get("base64_string") is not None:
            return _from_base64(value["base64_string"])
        if "string" not in value:
            raise _UnsoundError("a body has neither `string` nor `base64_string`")
        value, charset = value.get("string"), value.get("encoding")
    if value is None or isinstance(value, bytes):
        return value or b""
    if not isinstance(value, str):
        raise _UnsoundError("a body is neither text nor bytes")
    try:
        return value.encode(charset or "utf-8")
    except (LookupError, TypeError, ValueError):  # a charset that is unknown or lacks a character
        return value.encode("utf-8")


def _from_base64(value: Any) -> bytes:
    try:
        data = value.encode("ascii") if isinstance(value, str) else value
        return base64.b64decode(b"".join(data.split()), validate=True)
    except (AttributeError, TypeError, ValueError):
        raise _UnsoundError("a body is not valid base64") from None


def _undo(body: bytes, headers: Headers, name: str) -> bytes:
    """Undo compression, which some tools keep and others undo."""
    content = compression.decode(body, headers.get("content-encoding", ""))
    if content is None:
        raise _UnsoundError(
            f"its `{name}` is compressed, and damaged, too large or not in gzip: record it again "
            "with `Accept-Encoding: gzip`"
        )
    return content


def _validate(interaction: Interaction) -> Interaction:
    """Return the interaction; raise if no client could have sent or received it."""
    response = interaction.response
    is_answered = response.status_code != UNANSWERED
    if not _METHOD.fullmatch(interaction.method):
        raise _UnsoundError("its method is not one of HTTP")
    if is_answered and not is_http_url(interaction.url):
        raise _UnsoundError("its URL is not one of HTTP")
    if is_answered and response.status_code not in _STATUS_CODES:
        raise _UnsoundError("its status does not have three digits")
    fields = (*interaction.request_headers.fields, *response.headers.fields)
    texts = (interaction.url, response.reason, *(part for pair in fields for part in pair))
    "".join(texts).encode("utf-8")  # raises for a lone surrogate, which JSON can hold
    return interaction


def _oldest(dates: Iterable[Any]) -> str | None:
    """Return the oldest of dates in ISO 8601 or RFC 2822; None if one is missing or unreadable."""
    try:
        oldest = min(map(_date, dates))
    except (TypeError, ValueError, OverflowError):
        return None
    return isotime(oldest)


def _date(value: str) -> datetime:
    try:
        date = datetime.fromisoformat(value)
    except ValueError:
        date = parsedate_to_datetime(value)
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
