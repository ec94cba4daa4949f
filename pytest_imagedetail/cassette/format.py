"""The text of a cassette: vcrpy's format 1, with provenance and a readable body.

Stock vcrpy and pytest-recording read the same file: they look at `version` and `interactions` and
ignore `imagedetail`. Provenance does not use vcrpy's own `metadata` key, because pytest-recording
cannot load a cassette that has one.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Any, Final

from pytest_imagedetail.body import json as jsontext
from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.body.compression import decoded
from pytest_imagedetail.errors import DamagedCassetteError
from pytest_imagedetail.model import Headers, Interaction, Provenance, Query, Recording, Response
from pytest_imagedetail.transport.request import is_url_of_http

VCR_VERSION: Final = 1
SCHEMA: Final = 2
_NUMBERED: Final = re.compile(rb"<redacted-\d+>")  # in schema 1

_REMEDY: Final = (
    "bring the file back from version control; it was left as it is\n"
    "or delete it, then record it again: pytest --imagedetail-record-mode=once, or imagedetail "
    "record"
)
_REMEDY_OF_FOREIGN: Final = (
    "make a safe cassette of it: imagedetail scrub FILE --cloud NAME\n" + _REMEDY
)
_FACTS: Final = tuple(each.name for each in fields(Provenance))


def dumps(recording: Recording) -> str:
    """Return the text of a redacted recording; the same recording gives the same text."""
    return yamltext.dump(document_of(recording))


def document_of(recording: Recording) -> dict[str, Any]:
    """Return what `dumps` writes."""
    interactions = [_interaction_to_dict(each) for each in recording.interactions]
    facts = _provenance_to_dict(recording.provenance)
    return {
        "version": VCR_VERSION,
        "imagedetail": {**facts, "sha256": _digest(facts, interactions)},
        "interactions": interactions,
    }


def loads(path: Path, *, stock: Provenance | None = None) -> Recording:
    """Read a cassette that this project wrote; raise `DamagedCassetteError` for any other.

    `stock` is the provenance of a cassette of stock vcrpy, which is refused without it.
    """
    text = yamltext.read_text(path, error=DamagedCassetteError, remedy=_REMEDY)
    return loads_text(text, where=str(path), stock=stock)


def loads_text(text: str, *, where: str, stock: Provenance | None = None) -> Recording:
    """Read the text of a cassette as `loads` reads its file; `where` names it in errors."""
    document = yamltext.parse(text, where=where, error=DamagedCassetteError, remedy=_REMEDY)
    try:
        return _recording(document, stock)
    except _UnsoundError as fault:
        if fault.keys:
            where += f", line {yamltext.line_of(text, *fault.keys)}"
        error = DamagedCassetteError(str(fault), where=where, remedy=fault.remedy)
        error.rule = fault.rule
        raise error from fault


def as_read(interaction: Interaction) -> Interaction:
    """Return the interaction as it will be read back: white space and framing may differ."""
    return _interaction(_interaction_to_dict(interaction))


def _digest(facts: Mapping[str, Any], interactions: Sequence[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of both as compact JSON with sorted keys, each body as its own SHA-256.

    Provenance counts too: another release there would turn a breaking difference into none.
    """
    hashed = []
    for each in interactions:
        request, response = each["request"], each["response"]
        body = {**response["body"], "string": _sha256(response["body"]["string"])}
        request = {**request, "body": _sha256(request["body"])}
        hashed.append({**each, "request": request, "response": {**response, "body": body}})
    document = {"imagedetail": facts, "interactions": hashed}
    return _sha256(json.dumps(document, sort_keys=True, separators=(",", ":")))


def _sha256(data: str | bytes | None) -> str:
    raw = data.encode("utf-8") if isinstance(data, str) else data or b""
    return hashlib.sha256(raw).hexdigest()


class _UnsoundError(ValueError):
    """What is wrong with a document, the keys that lead there, and the rule of `lint`."""

    def __init__(
        self, problem: str, *keys: str | int, rule: str = "format", remedy: str = _REMEDY
    ) -> None:
        super().__init__(problem)
        self.keys = keys
        self.rule = rule
        self.remedy = remedy


def _interaction_to_dict(interaction: Interaction) -> dict[str, Any]:
    response = interaction.response
    body = _body_to_yaml(response.body)
    headers = response.headers
    if response.body or not interaction.is_bodiless:
        length = len(body.encode("utf-8") if isinstance(body, str) else body)
        kept = [field for field in headers.fields if field[0].lower() != "content-length"]
        headers = Headers([*kept, ("Content-Length", str(length))])
    return {
        "request": {
            "method": interaction.method,
            "uri": interaction.url,
            "body": _body_to_yaml(interaction.request_body) if interaction.request_body else None,
            "headers": _headers_to_dict(interaction.request_headers),
        },
        "response": {
            "status": {"code": response.status_code, "message": response.reason},
            "headers": _headers_to_dict(headers),
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
    """Return fields by name; one that was sent in several spellings stands under the first."""
    names = {name.lower(): name for name in reversed(list(headers))}
    return {name: list(headers.all(name)) for _, name in sorted(names.items())}


def _provenance_to_dict(provenance: Provenance) -> dict[str, Any]:
    """Return the facts that are known."""
    facts: dict[str, Any] = {"schema": SCHEMA}
    for name in _FACTS:
        facts[name] = getattr(provenance, name)
        if name == "query":
            facts["query"] = provenance.query.wire or None
            facts["microversion"] = provenance.query.microversion
    facts |= {
        "catalog": [dict(each) for each in provenance.catalog],
        "redactions": dict(provenance.redactions),
        "volatile": list(provenance.volatile),
    }
    return {name: value for name, value in facts.items() if value not in (None, [], {})}


def _provenance(facts: Mapping[str, Any]) -> Provenance:
    known = {name: value for name, value in facts.items() if name in _FACTS}
    query = Query.parse(known.pop("query", ""))
    return Provenance(
        query=replace(query, microversion=facts.get("microversion")),
        catalog=tuple(dict(each) for each in known.pop("catalog", ())),
        volatile=tuple(known.pop("volatile", ())),
        **known,
    )


def _recording(document: Any, stock: Provenance | None) -> Recording:
    _refuse_other_formats(document)
    facts = document.get("imagedetail")
    if facts is None and stock is not None:
        sent = _interactions(document)
        pages = tuple(replace(page, response=without_encodings(page.response)) for page in sent)
        return Recording(provenance=replace(stock, pages=len(pages)), interactions=pages)
    if not isinstance(facts, dict):
        problem = "no provenance: the cassette was not written by imagedetail"
        raise _UnsoundError(problem, rule="foreign", remedy=_REMEDY_OF_FOREIGN)
    if (schema := facts.get("schema")) not in (1, SCHEMA):
        problem = f"unknown provenance schema {schema!r}; this reads 1 and {SCHEMA} "
        problem += "(a newer pytest-imagedetail may have written it)"
        raise _UnsoundError(problem, "imagedetail", "schema", rule="schema")
    digest = _digest_of_schema_1 if schema == 1 else _digest
    written = {name: value for name, value in facts.items() if name != "sha256"}
    try:
        is_whole = digest(written, document["interactions"]) == facts.get("sha256")
    except (TypeError, ValueError, LookupError):  # for example a date without quotes
        is_whole = False
    if not is_whole:
        problem = "the cassette was changed after it was written: its SHA-256 does not fit"
        raise _UnsoundError(problem, "imagedetail", "sha256", rule="hash")
    pages = _interactions(document)
    if schema == 1:
        pages = tuple(map(_of_schema_1, pages))
    return Recording(provenance=_provenance(facts), interactions=pages)


def _digest_of_schema_1(facts: Mapping[str, Any], interactions: Sequence[Any]) -> str:
    document = {"imagedetail": facts, "interactions": interactions}
    as_text = partial(json.dumps, sort_keys=True, separators=(",", ":"))
    return _sha256(as_text(document, default=lambda data: base64.b64encode(data).decode()))


def _of_schema_1(page: Interaction) -> Interaction:
    """Replace `<redacted-1>` and so on by the placeholder that has no number."""
    body = _NUMBERED.sub(b"<redacted>", page.response.body)
    sent = _NUMBERED.sub(b"<redacted>", page.request_body)
    return replace(page, request_body=sent, response=replace(page.response, body=body))


def _refuse_other_formats(document: Any) -> None:
    if document is None:
        raise _UnsoundError("the cassette is empty")
    if isinstance(document, dict) and "http_interactions" in document:
        problem = "not a cassette of imagedetail: Ruby's VCR or betamax wrote it"
        raise _UnsoundError(problem, rule="foreign", remedy=_REMEDY_OF_FOREIGN)
    if not isinstance(document, dict) or "interactions" not in document:
        raise _UnsoundError("not a cassette: it has no `interactions`")
    version = document.get("version")
    if type(version) is not int or version != VCR_VERSION:
        problem = f"unknown cassette version {version!r}; this reads version {VCR_VERSION}"
        raise _UnsoundError(problem, "version", rule="version")
    if not isinstance(document["interactions"], list) or not document["interactions"]:
        raise _UnsoundError("the cassette has no interactions", "interactions")


def without_encodings(
    response: Response, decoders: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType({})
) -> Response:
    """Undo the content encodings, unless one of them is not known; not all clients undo them."""
    encodings = response.headers.get("content-encoding")
    body = None if encodings is None else decoded(response.body, encodings, decoders)
    if body is None:
        return response
    gone = {"content-encoding", "transfer-encoding", *(("content-length",) if body else ())}
    kept = [field for field in response.headers.fields if field[0].lower() not in gone]
    length = [("Content-Length", str(len(body)))] if body else []
    return replace(response, headers=Headers([*kept, *length]), body=body)


def _interactions(document: Mapping[str, Any]) -> tuple[Interaction, ...]:
    found = []
    for number, each in enumerate(document["interactions"]):
        try:
            found.append(_interaction(each))
        except ValueError as fault:
            problem = f"an interaction is not as vcrpy writes it: {fault}"
            raise _UnsoundError(problem, "interactions", number) from None
    return tuple(found)


def _interaction(document: Any) -> Interaction:
    """Return an interaction; raise ValueError for a part that is missing or of another type."""
    request, response = _part(document, "request", dict), _part(document, "response", dict)
    status, body = _part(response, "status", dict), _part(response, "body", dict)
    url = _part(request, "uri", str)
    if not is_url_of_http(url):
        raise ValueError("`uri` is not an HTTP URL")
    return Interaction(
        method=_part(request, "method", str),
        url=url,
        request_headers=_headers(request),
        request_body=_bytes(request, "body"),
        response=Response(
            status_code=_part(status, "code", int),
            reason=_part(status, "message", str | None) or "",  # HTTP/2 has none
            headers=_headers(response),
            body=_bytes(body, "string"),
        ),
    )


def _part(document: Any, name: str, kind: type | UnionType) -> Any:
    if isinstance(document, dict) and name in document and isinstance(document[name], kind):
        return document[name]
    raise ValueError(f"`{name}` is missing or of another type")


def _bytes(document: Any, name: str) -> bytes:
    body = _part(document, name, str | bytes | None)
    return body.encode("utf-8") if isinstance(body, str) else body or b""


def _headers(document: Any) -> Headers:
    """Read headers in their order; vcrpy may write one value without a list, or bytes."""
    fields = []
    for name, values in _part(document, "headers", dict).items():
        for value in values if isinstance(values, list) else [values]:
            is_value = isinstance(value, str | bytes | int) and not isinstance(value, bool)
            if not isinstance(name, str) or not name or not is_value:
                raise ValueError("a header is not a text in quotes")
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            fields.append((name, text))
    return Headers(fields)
