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
_BODY: Final = re.compile(  # in JSON, as `dumps` lays it out
    r"\n      string: \|-\n((?: {8}.*\n)+)"
)


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


def loads(path: Path) -> Recording:
    """Read a cassette that this project wrote; raise `DamagedCassetteError` for any other."""
    text = yamltext.read_text(path, error=DamagedCassetteError, remedy=_REMEDY)
    return loads_text(text, where=str(path))


def loads_text(text: str, *, where: str) -> Recording:
    """Read the text of a cassette as `loads` reads its file; `where` names it in errors."""
    try:
        return _recording(_parse_quickly(text))
    except (DamagedCassetteError, LookupError, TypeError, ValueError):
        return _parsed(text, where)  # or says what is wrong


def loads_traffic(path: Path, *, cloud: str, test: str) -> Recording:
    """Read a test's own traffic as `loads` does, or a stock cassette, which names neither."""
    text = yamltext.read_text(path, error=DamagedCassetteError, remedy=_REMEDY)
    return _parsed(text, str(path), stock=Provenance(cloud=cloud, test=test, source="stock"))


def as_read(interaction: Interaction) -> Interaction:
    """Return the interaction as it will be read back: white space and framing may differ."""
    return _interaction({"interactions": [_interaction_to_dict(interaction)]}, 0)


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


def _parsed(text: str, where: str, *, stock: Provenance | None = None) -> Recording:
    document = yamltext.parse(text, where=where, error=DamagedCassetteError, remedy=_REMEDY)
    try:
        return _recording(document, stock=stock)
    except _UnsoundError as fault:
        if fault.keys:
            where += f", line {yamltext.line_of(text, *fault.keys)}"
        error = DamagedCassetteError(str(fault), where=where, remedy=fault.remedy)
        error.rule = fault.rule
        raise error from fault


def _parse_quickly(text: str) -> Any:
    """Parse a cassette as `dumps` lays it out, without passing long bodies through libyaml.

    What it returns counts only if the hash fits: it does not know all of YAML.
    """
    bodies: list[str] = []

    def cut(match: re.Match[str]) -> str:
        bodies.append(match[1].removeprefix(" " * 8).replace("\n" + " " * 8, "\n").rstrip("\n"))
        return f"\n      string: {len(bodies) - 1}\n"

    rest = _BODY.sub(cut, text)
    if not bodies:
        raise ValueError("no body as `dumps` lays it out")
    document = yamltext.parse(rest, where="", error=DamagedCassetteError, remedy=_REMEDY)
    for each in document["interactions"]:
        body = each["response"]["body"]
        if isinstance(body["string"], int):
            body["string"] = bodies[body["string"]]
    return document


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


def _recording(document: Any, *, stock: Provenance | None = None) -> Recording:
    """Return what a document holds; `stock` is the provenance of one that has none."""
    _refuse_other_formats(document)
    facts = document.get("imagedetail")
    if facts is None and stock is not None:
        pages = tuple(
            replace(page, response=without_encodings(page.response))
            for page in _interactions(document)
        )
        return Recording(provenance=replace(stock, pages=len(pages)), interactions=pages)
    if not isinstance(facts, dict):
        problem = "no provenance: the cassette was not written by imagedetail"
        raise _UnsoundError(problem, rule="foreign", remedy=_REMEDY_OF_FOREIGN)
    schema = facts.get("schema")
    if schema not in (1, SCHEMA):
        raise _UnsoundError(
            f"unknown provenance schema {schema!r}; this reads schema 1 and {SCHEMA} "
            "(a newer pytest-imagedetail may have written it)",
            *("imagedetail", "schema"),
            rule="schema",
        )
    written = {name: value for name, value in facts.items() if name != "sha256"}
    try:
        hashed = _digest_of_schema_1 if schema == 1 else _digest
        digest = hashed(written, document["interactions"])
    except (TypeError, ValueError, LookupError):  # for example a date without quotes
        digest = None
    if digest is None or digest != facts.get("sha256"):
        problem = "the cassette was changed after it was written: its SHA-256 does not fit"
        raise _UnsoundError(problem, "imagedetail", "sha256", rule="hash")
    pages = _interactions(document)
    if schema == 1:
        pages = tuple(map(_of_schema_1, pages))
    return Recording(provenance=_provenance(facts), interactions=pages)


def _digest_of_schema_1(facts: Mapping[str, Any], interactions: Sequence[Any]) -> str:
    """Return the SHA-256 of both as compact JSON with sorted keys; bytes count as base64."""
    text = json.dumps(
        {"imagedetail": facts, "interactions": interactions},
        sort_keys=True,
        separators=(",", ":"),
        default=lambda value: base64.b64encode(value).decode("ascii"),
    )
    return _sha256(text)


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
        raise _UnsoundError(
            f"unknown cassette version {version!r}; this reads version 1",
            "version",
            rule="version",
        )
    if not isinstance(document["interactions"], list) or not document["interactions"]:
        raise _UnsoundError("the cassette has no interactions", "interactions")


def without_encodings(
    response: Response, decoders: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType({})
) -> Response:
    """Undo the content encodings, which stock clients do not all undo.

    Args:
        response: Returned as it is if one of its encodings cannot be undone.
        decoders: For encodings other than gzip and deflate, by name.
    """
    encodings = response.headers.get("content-encoding")
    body = None if encodings is None else decoded(response.body, encodings, decoders)
    if body is None:
        return response
    gone = {"content-encoding", "transfer-encoding", *(("content-length",) if body else ())}
    kept = [field for field in response.headers.fields if field[0].lower() not in gone]
    length = [("Content-Length", str(len(body)))] if body else []
    return replace(response, headers=Headers([*kept, *length]), body=body)


def _interactions(document: Mapping[str, Any]) -> tuple[Interaction, ...]:
    return tuple(_interaction(document, number) for number in range(len(document["interactions"])))


def _interaction(document: Mapping[str, Any], number: int) -> Interaction:
    request, response = ("interactions", number, "request"), ("interactions", number, "response")
    url = _part(document, *request, "uri")
    if not is_url_of_http(url):
        raise _UnsoundError(f"{_named(*request, 'uri')} is not an HTTP URL", *request, "uri")
    return Interaction(
        method=_part(document, *request, "method"),
        url=url,
        request_headers=_headers(document, *request, "headers"),
        request_body=_body(document, *request, "body"),
        response=Response(
            status_code=_part(document, *response, "status", "code", kind=int),
            reason=_part(document, *response, "status", "message", kind=str | None) or "",  # HTTP/2
            headers=_headers(document, *response, "headers"),
            body=_body(document, *response, "body", "string"),
        ),
    )


def _part(document: Any, *keys: str | int, kind: type | UnionType = str) -> Any:
    """Return the part of a document to which the keys lead; raise if it is of another kind."""
    value = document
    for position, key in enumerate(keys, start=1):
        if isinstance(key, str) and not (isinstance(value, dict) and key in value):
            raise _UnsoundError(f"{_named(*keys[:position])} is missing", *keys)
        value = value[key]
    if not isinstance(value, kind):
        raise _UnsoundError(f"{_named(*keys)} is not of the type that vcrpy writes", *keys)
    return value


def _named(*keys: str | int) -> str:
    parts = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return "`" + "".join(parts).removeprefix(".") + "`"


def _body(document: Any, *keys: str | int) -> bytes:
    body = _part(document, *keys, kind=str | bytes | None)
    return body.encode("utf-8") if isinstance(body, str) else body or b""


def _headers(document: Any, *keys: str | int) -> Headers:
    """Read fields in their order; vcrpy keeps a single value without a list, and bytes, too."""
    headers = _part(document, *keys, kind=dict)
    fields = []
    for name, values in headers.items():
        for value in values if isinstance(values, list) else [values]:
            is_value = isinstance(value, str | bytes | int) and not isinstance(value, bool)
            if not isinstance(name, str) or not name or not is_value:
                raise _UnsoundError("a header is not a text in quotes", *keys, str(name))
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            fields.append((name, text))
    return Headers(fields)
