"""The text of a cassette: vcrpy's format 1, with our provenance beside it and a readable body.

Stock vcrpy and pytest-recording read the same file: they look at `version` and `interactions` and
pass over `imagedetail`. Provenance does not use vcrpy's own `metadata` key, because
pytest-recording cannot load a cassette that has one.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.body import compression as packing
from pytest_imagedetail.body import json as jsontext
from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.errors import DamagedCassetteError
from pytest_imagedetail.model import (
    Headers,
    Interaction,
    Provenance,
    Query,
    Recording,
    Response,
)
from pytest_imagedetail.transport.request import is_url_of_http

VCR_VERSION: Final = 1
SCHEMA: Final = 1
KEYS: Final = frozenset({"version", "imagedetail", "interactions"})
_REMEDY: Final = (
    "bring the file back from version control; it was left as it is\n"
    "or delete it, then record it again: pytest --imagedetail-record-mode=once, or imagedetail "
    "record"
)

_METHOD: Final = re.compile(r"[\w!#$%&'*+.^`|~-]{1,64}", re.ASCII)
_STATUS_CODES: Final = range(100, 1000)
_REMEDY_OF_FOREIGN: Final = (
    "make a safe cassette of it: imagedetail scrub FILE --cloud NAME\n" + _REMEDY
)


def dumps(recording: Recording) -> str:
    """The text of a redacted recording; the same recording gives the same text."""
    interactions = [_interaction_to_dict(each) for each in recording.interactions]
    provenance = _provenance_to_dict(recording.provenance)
    document = {
        "version": VCR_VERSION,
        "imagedetail": {**provenance, "sha256": digest(provenance, interactions)},
        "interactions": interactions,
    }
    return yamltext.dump(document)


def loads(path: Path) -> Recording:
    """Read a cassette that this project wrote.

    Raises:
        DamagedCassetteError: It is not readable, not a cassette, of an unknown version, without
            provenance, or not what was written.
    """
    document = yamltext.read(path, error=DamagedCassetteError, remedy=_REMEDY)
    with _explained(path):
        return _own(document, path)


def loads_traffic(path: Path, *, cloud: str, test: str) -> Recording:
    """Read a test's own traffic, be it a cassette of stock vcrpy or pytest-recording.

    Args:
        path: The file.
        cloud: Whose a stock cassette is taken for; it does not say so itself.
        test: Of which test it is taken for.

    Raises:
        DamagedCassetteError: As `loads`, but for the provenance that a stock cassette lacks.
    """
    document = yamltext.read(path, error=DamagedCassetteError, remedy=_REMEDY)
    with _explained(path):
        if not _is_stock(document):
            return _own(document, path)
        pages = tuple(_plain(each) for each in _interactions(document))
    provenance = Provenance(cloud=cloud, test=test, source="stock", pages=len(pages))
    return Recording(provenance=provenance, interactions=pages)


def as_read(interaction: Interaction) -> Interaction:
    """The interaction as it will be read back: only white space and framing are other."""
    return _interaction(_interaction_to_dict(interaction))


def digest(provenance: Mapping[str, Any], interactions: list[dict[str, Any]]) -> str:
    """SHA-256 of both as compact JSON with sorted keys; bytes count as base64.

    The provenance counts too: another release there would turn a breaking difference into none.
    """
    text = json.dumps(
        {"imagedetail": provenance, "interactions": interactions},
        sort_keys=True,
        separators=(",", ":"),
        default=lambda value: base64.b64encode(value).decode("ascii"),
    )
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Tell the user of a file what is wrong with its document."""
    try:
        yield
    except _UnsoundError as fault:
        line = fault.line or (fault.keys and yamltext.line_of(_text_of(path), *fault.keys))
        raise DamagedCassetteError(
            str(fault), where=f"{path}, line {line}" if line else str(path), remedy=fault.remedy
        ) from fault


def _text_of(path: Path) -> str:
    return yamltext.content(path).decode("utf-8")


class _UnsoundError(ValueError):
    """What is wrong with a document, before anyone knows its path.

    Attributes:
        keys: The way to the part that is wrong, if it is one.
        line: Where that is known at once.
        remedy: What to do next.
    """

    remedy = _REMEDY

    def __init__(self, problem: str, *keys: str | int, line: int | None = None) -> None:
        super().__init__(problem)
        self.keys = keys
        self.line = line


class _ForeignError(_UnsoundError):
    """It is a recording of another tool."""

    remedy = _REMEDY_OF_FOREIGN


def _interaction_to_dict(interaction: Interaction) -> dict[str, Any]:
    response = interaction.response
    body = _body_to_yaml(response.body)
    headers = _headers_to_dict(response.headers)
    if response.body or not interaction.is_bodiless:
        length = len(body.encode("utf-8") if isinstance(body, str) else body)
        kept = [field for field in response.headers.fields if field[0].lower() != "content-length"]
        headers = _headers_to_dict(Headers([*kept, ("Content-Length", str(length))]))
    return {
        "request": {
            "method": interaction.method,
            "uri": interaction.url,
            "body": _body_to_yaml(interaction.request_body) if interaction.request_body else None,
            "headers": _headers_to_dict(interaction.request_headers),
        },
        "response": {
            "status": {"code": response.status_code, "message": response.reason},
            "headers": headers,
            "body": {"string": body},
        },
    }


def _body_to_yaml(body: bytes) -> str | bytes:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return body
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return yamltext.Literal(jsontext.pretty(text))


def _headers_to_dict(headers: Headers) -> dict[str, list[str]]:
    """Fields by name; one that was sent in several spellings stands under the first."""
    names = {name.lower(): name for name in reversed(list(headers))}
    return {name: list(headers.all(name)) for _, name in sorted(names.items())}


def _provenance_to_dict(provenance: Provenance) -> dict[str, Any]:
    """In the order a reader wants; what is not known is left out."""
    facts = {
        "schema": SCHEMA,
        "cloud": provenance.cloud,
        "release": provenance.release,
        "test": provenance.test,
        "query": provenance.query.wire or None,
        "microversion": provenance.query.microversion,
        "source": provenance.source,
        "recorded_at": provenance.recorded_at,
        "api_version": provenance.api_version,
        "max_microversion": provenance.max_microversion,
        "endpoint": provenance.endpoint,
        "catalog": [dict(each) for each in provenance.catalog] or None,
        "pages": provenance.pages,
        "complete": provenance.complete,
        "redactions": dict(provenance.redactions) or None,
        "volatile": list(provenance.volatile) or None,
        "plugin": provenance.plugin,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _own(document: Any, path: Path) -> Recording:
    """A recording of ours, and nothing beside it that no hash covers."""
    recording = _recording(document)
    text = _text_of(path)
    if (line := yamltext.merge_line(text)) is not None:
        raise _UnsoundError(
            "the cassette was changed after it was written: it merges a mapping into another",
            line=line,
        )
    for key in document:
        if key not in KEYS:
            raise _UnsoundError(
                "the cassette was changed after it was written: it holds something beside "
                "`version`, `imagedetail` and `interactions`",
                key,
            )
    if (line := yamltext.comment_line(text)) is not None:
        raise _UnsoundError(
            "the cassette was changed after it was written: it holds a comment", line=line
        )
    return recording


def _recording(document: Any) -> Recording:
    _refuse_strangers(document)
    facts = document.get("imagedetail")
    if not isinstance(facts, dict):
        raise _ForeignError("no provenance: the cassette was not written by imagedetail")
    if facts.get("schema") != SCHEMA:
        raise _UnsoundError(
            f"unknown provenance schema {facts.get('schema')!r}; this reads schema 1 "
            "(a newer pytest-imagedetail may have written it)",
            "imagedetail",
            "schema",
        )
    pages = _interactions(document)
    with _as_written("the provenance", "imagedetail"):
        provenance = _provenance(facts)
    with _as_written("the cassette"):
        said = {name: value for name, value in facts.items() if name != "sha256"}
        found = digest(said, document["interactions"])
    if found != facts.get("sha256"):
        raise _UnsoundError(
            "the cassette was changed after it was written: its SHA-256 is "
            f"{found[:12]}..., and it says {str(facts.get('sha256'))[:12]}...",
            "imagedetail",
            "sha256",
        )
    if provenance.pages != len(pages):
        raise _UnsoundError(
            f"the cassette holds {len(pages)} pages and says {provenance.pages}",
            "imagedetail",
            "pages",
        )
    return Recording(provenance=provenance, interactions=pages)


def _interactions(document: Mapping[str, Any]) -> tuple[Interaction, ...]:
    interactions = document["interactions"]
    if not isinstance(interactions, list) or not interactions:
        raise _UnsoundError("the cassette has no interactions", "interactions")
    found = []
    for number, each in enumerate(interactions):
        with _as_written(f"interaction {number + 1}", "interactions", number):
            found.append(_interaction(each))
    return tuple(found)


@contextmanager
def _as_written(what: str, *keys: str | int) -> Iterator[None]:
    try:
        yield
    except _PartError as error:
        raise _UnsoundError(f"{what} is not as written: {error}", *keys, *error.keys) from error
    except KeyError as error:
        raise _UnsoundError(
            f"{what} is not as written: it has no `{error.args[0]}`", *keys
        ) from error
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise _UnsoundError(
            f"{what} is not as written: a value in it is of another kind "
            "(a date or a number without quotes, say)",
            *keys,
        ) from error


class _PartError(ValueError):
    """A part of an interaction or of the provenance is not what it can be; shows no value.

    Attributes:
        keys: The way to it.
    """

    def __init__(self, problem: str, *keys: str) -> None:
        super().__init__(problem)
        self.keys = keys


def _is_stock(document: Any) -> bool:
    """Whether it is a cassette of vcrpy alone: of its version, and nothing of ours in it."""
    is_cassette = isinstance(document, dict) and "interactions" in document
    if not is_cassette or "imagedetail" in document:
        return False
    _refuse_strangers(document)
    return True


def _plain(each: Interaction) -> Interaction:
    """An interaction without compression, which stock clients do not all undo.

    What cannot be undone stays as it is.
    """
    response = each.response
    encodings = response.headers.get("content-encoding")
    body = None if encodings is None else packing.decoded(response.body, encodings)
    if body is None or each.is_bodiless:
        return each
    gone = {"content-encoding", "content-length", "transfer-encoding"}
    kept = [field for field in response.headers.fields if field[0].lower() not in gone]
    headers = Headers([*kept, ("Content-Length", str(len(body)))])
    return replace(each, response=replace(response, headers=headers, body=body))


def _refuse_strangers(document: Any) -> None:
    if document is None:
        raise _UnsoundError("the cassette is empty")
    if isinstance(document, dict) and "http_interactions" in document:
        raise _ForeignError("not a cassette of imagedetail: Ruby's VCR or betamax wrote it")
    if not isinstance(document, dict) or "interactions" not in document:
        raise _UnsoundError("not a cassette: it has no `interactions`")
    version = document.get("version")
    if type(version) is not int or version != VCR_VERSION:
        raise _UnsoundError(
            f"unknown cassette version {version!r}; this reads version 1",
            "version",
        )


def _provenance(facts: Mapping[str, Any]) -> Provenance:
    return Provenance(
        cloud=str(facts["cloud"]),
        test=_text(facts, "test"),
        endpoint=_text(facts, "endpoint"),
        catalog=tuple(dict(each) for each in facts.get("catalog", ())),
        query=replace(
            Query.parse(_text(facts, "query") or ""), microversion=_text(facts, "microversion")
        ),
        release=_text(facts, "release"),
        source=facts["source"],
        recorded_at=_text(facts, "recorded_at"),
        api_version=_text(facts, "api_version"),
        max_microversion=_text(facts, "max_microversion"),
        pages=int(facts["pages"]),
        complete=bool(facts["complete"]),
        redactions=dict(facts.get("redactions", {})),
        volatile=tuple(str(each) for each in facts.get("volatile", ())),
        plugin=str(facts["plugin"]),
    )


def _text(facts: Mapping[str, Any], name: str) -> str | None:
    value = facts.get(name)
    if value is not None and not isinstance(value, str):
        raise _PartError(f"`{name}` is no text in quotes", name)
    return value


def _interaction(fields: Mapping[str, Any]) -> Interaction:
    request, response = fields["request"], fields["response"]
    status, body = response["status"], response["body"]["string"]
    return Interaction(
        method=_method(request["method"]),
        url=_url(request["uri"]),
        request_headers=_headers(request["headers"], "request", "headers"),
        request_body=_body(request.get("body"), "request", "body"),
        response=Response(
            status_code=_status_code(status["code"]),
            reason=_reason(status["message"]),
            headers=_headers(response["headers"], "response", "headers"),
            body=_body(body, "response", "body", "string"),
        ),
    )


def _method(value: Any) -> str:
    if not isinstance(value, str) or not _METHOD.fullmatch(value):
        raise _PartError("its `method` is none of HTTP", "request", "method")
    return value


def _url(value: Any) -> str:
    if not isinstance(value, str) or not is_url_of_http(value):
        raise _PartError("its `uri` is no URL of HTTP", "request", "uri")
    return value


def _status_code(value: Any) -> int:
    if type(value) is not int or value not in _STATUS_CODES:  # a flag is an int, too
        raise _PartError(
            "its `code` is no status, a number from 100 to 999", "response", "status", "code"
        )
    return value


def _reason(value: Any) -> str:
    """The words after a status; HTTP/2 has none."""
    if value is not None and not isinstance(value, str):
        raise _PartError("its `message` is no text in quotes", "response", "status", "message")
    return value or ""


def _body(body: Any, *keys: str) -> bytes:
    if body is None:
        return b""
    if not isinstance(body, str | bytes):
        raise _PartError(f"its `{keys[-1]}` is no text in quotes, and no bytes", *keys)
    return body if isinstance(body, bytes) else body.encode("utf-8")


def _headers(headers: Any, *keys: str) -> Headers:
    """Fields in their order; vcrpy keeps a single value without a list, and bytes, too."""
    if not isinstance(headers, dict):
        raise _PartError("its `headers` are no mapping", *keys)
    return Headers(
        (_name(name, *keys), _value(value, *keys, str(name)))
        for name, values in headers.items()
        for value in (values if isinstance(values, list) else [values])
    )


def _name(name: Any, *keys: str) -> str:
    if not isinstance(name, str) or not name:
        raise _PartError("the name of a header is no text in quotes", *keys, str(name))
    return name


def _value(value: Any, *keys: str) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if type(value) is int:  # http.client takes numbers, and vcrpy keeps them so
        return str(value)
    if not isinstance(value, str):
        raise _PartError("the value of a header is no text in quotes", *keys)
    return value
