"""The text of a cassette: vcrpy's format 1, with provenance and a readable body.

Stock vcrpy and pytest-recording read the same file: they look at `version` and `interactions` and
ignore `imagedetail`. Provenance does not use vcrpy's own `metadata` key, because pytest-recording
cannot load a cassette that has one.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.body import json as jsontext
from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.errors import DamagedCassetteError, ImageDetailError
from pytest_imagedetail.model import Headers, Interaction, Provenance, Query, Recording, Response

_VCR_VERSION: Final = 1
SCHEMA: Final = 2
_NUMBERED: Final = re.compile(rb"<redacted-\d+>")  # in schema 1

_REMEDY: Final = (
    "bring the file back from version control; it was left as it is\n"
    "or delete it, then record it again: pytest --imagedetail-record-mode=once, or imagedetail "
    "record"
)
_FOREIGN_REMEDY: Final = (
    "make a safe cassette of it: imagedetail scrub FILE --cloud NAME\n" + _REMEDY
)
_FILES: Final = yamltext.Files(
    DamagedCassetteError,
    _REMEDY,
    conflict="keep one side: git checkout --ours FILE, or --theirs FILE",
)
_CUT: Final = b"\n    body:\n      string:"
_BODY: Final = _CUT + b" |-"  # as `dumps` lays out a body in JSON
_INDENT: Final = b" " * 8
_LINE: Final = b"\n" + _INDENT
_NEXT_INTERACTION: Final = b"\n- request:\n"
_FACTS: Final = tuple(field.name for field in fields(Provenance))


def dumps(recording: Recording) -> str:
    """Return the text of a redacted recording; the same recording gives the same text."""
    return yamltext.dump(document_of(recording))


def document_of(recording: Recording) -> dict[str, Any]:
    """Return what `dumps` writes."""
    interactions = [*map(_interaction_to_dict, recording.interactions)]
    facts = _provenance_to_dict(recording.provenance)
    return {
        "version": _VCR_VERSION,
        "imagedetail": {**facts, "sha256": _digest(facts, interactions)},
        "interactions": interactions,
    }


def load(path: Path) -> Recording:
    """Read a cassette that this project wrote; raise `DamagedCassetteError` for any other."""
    return loads(_FILES.content(path), where=str(path))


def loads(data: bytes, *, where: str) -> Recording:
    """Read the content of a cassette as `load` reads its file; `where` names it in errors."""
    try:
        return _recording(_parse_without_bodies(data))
    except (ImageDetailError, LookupError, TypeError, ValueError):
        pass  # in another layout, or damaged; the slow parser says where
    text = _FILES.decode(data, where=where)
    document = _FILES.parse(text, where=where)
    try:
        return _recording(document)
    except _UnsoundError as fault:
        if fault.keys:
            where += f", line {yamltext.line_of(text, *fault.keys)}"
        error = DamagedCassetteError(str(fault), where=where, remedy=fault.remedy)
        error.rule = fault.rule
        raise error from fault


def _parse_without_bodies(data: bytes) -> Any:
    """Parse a document that `dumps` wrote, but cut out its JSON bodies instead of reading YAML.

    YAML takes a large body as long as JSON does. The hash detects a body that is cut wrongly.
    """
    short, bodies, end = b"", [], 0
    while (start := data.find(_BODY, end)) >= 0:
        short += data[end:start] + _CUT
        start += len(_BODY)
        end = data.find(_NEXT_INTERACTION, start)
        end = len(data) - data.endswith(b"\n") if end < 0 else end
        first = start + len(_LINE)
        body = data[first:end].replace(_LINE, b"\n")
        is_indented = len(body) + body.count(b"\n") * len(_INDENT) == end - first
        if not (is_indented and data.startswith(_LINE, start)):
            raise ValueError("a body is not indented as `dumps` does it")
        bodies.append(body)
    text = (short + data[end:]).decode("utf-8")
    document = _FILES.parse(text, where="")
    for interaction in document["interactions"]:
        body = interaction["response"]["body"]
        if body == {"string": None}:
            body["string"] = bodies.pop(0)
    return document


def as_read(interaction: Interaction) -> Interaction:
    """Return the interaction as `load` would read it back: white space and framing may differ."""
    return _interaction(_interaction_to_dict(interaction))


def _digest(facts: Mapping[str, Any], interactions: Sequence[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of both as compact JSON with sorted keys, each body as its own SHA-256.

    It covers provenance: a changed release there could hide a breaking difference.
    """
    hashed = []
    for interaction in interactions:
        request, response = interaction["request"], interaction["response"]
        body = {**response["body"], "string": _sha256(response["body"]["string"])}
        request = {**request, "body": _sha256(request["body"])}
        response = {**response, "body": body}
        hashed.append({**interaction, "request": request, "response": response})
    document = {"imagedetail": facts, "interactions": hashed}
    return _sha256(json.dumps(document, sort_keys=True, separators=(",", ":")))


def _sha256(data: str | bytes | None) -> str:
    raw = data.encode("utf-8") if isinstance(data, str) else data or b""
    return hashlib.sha256(raw).hexdigest()


class _UnsoundError(ValueError):
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
        others = headers.without("content-length").fields
        headers = Headers([*others, ("Content-Length", str(length))])
    return {
        "request": {
            "method": interaction.method,
            "uri": interaction.url,
            "body": _body_to_yaml(interaction.request_body) if interaction.request_body else None,
            "headers": _headers_to_dict(interaction.request_headers),
        },
        "response": response_to_dict(replace(response, headers=headers), body),
    }


def response_to_dict(response: Response, body: str | bytes) -> dict[str, Any]:
    """Return a response in the form of vcrpy, with this body."""
    return {
        "status": {"code": response.status_code, "message": response.reason},
        "headers": _headers_to_dict(response.headers),
        "body": {"string": body},
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
    """Return fields by name; a name sent in several spellings gets the first."""
    names = {name.lower(): name for name in reversed(list(headers))}
    return {name: list(headers.all(name)) for _, name in sorted(names.items())}


def _provenance_to_dict(provenance: Provenance) -> dict[str, Any]:
    facts: dict[str, Any] = {"schema": SCHEMA}
    for name in _FACTS:
        facts[name] = getattr(provenance, name)
        if name == "query":
            facts["query"] = provenance.query.wire or None
            facts["microversion"] = provenance.query.microversion
    facts |= {
        "catalog": [dict(endpoint) for endpoint in provenance.catalog],
        "redactions": dict(provenance.redactions),
        "volatile": list(provenance.volatile),
    }
    return {name: value for name, value in facts.items() if value not in (None, [], {})}


def _provenance(facts: Mapping[str, Any]) -> Provenance:
    values = {name: value for name, value in facts.items() if name in _FACTS}
    query = Query.parse(values.pop("query", ""))
    return Provenance(
        query=replace(query, microversion=facts.get("microversion")),
        catalog=tuple(map(dict, values.pop("catalog", ()))),
        volatile=tuple(values.pop("volatile", ())),
        **values,
    )


def _recording(document: Any) -> Recording:
    _refuse_other_formats(document)
    facts = document.get("imagedetail")
    if not isinstance(facts, dict):
        problem = "no provenance: the cassette was not written by imagedetail"
        raise _UnsoundError(problem, rule="foreign", remedy=_FOREIGN_REMEDY)
    if (schema := facts.get("schema")) not in (1, SCHEMA):
        problem = f"unknown provenance schema {schema!r}; this reads 1 and {SCHEMA} "
        problem += "(a newer pytest-imagedetail may have written it)"
        raise _UnsoundError(problem, "imagedetail", "schema", rule="schema")
    digest = _digest_of_schema_1 if schema == 1 else _digest
    written = {name: value for name, value in facts.items() if name != "sha256"}
    try:
        is_intact = digest(written, document["interactions"]) == facts.get("sha256")
    except (TypeError, ValueError, LookupError):  # for example a date without quotes
        is_intact = False
    if not is_intact:
        problem = "the cassette was changed after it was written: its SHA-256 does not fit"
        raise _UnsoundError(problem, "imagedetail", "sha256", rule="hash")
    interactions = tuple(map(_interaction, document["interactions"]))
    if schema == 1:
        interactions = tuple(map(_from_schema_1, interactions))
    return Recording(provenance=_provenance(facts), interactions=interactions)


def _digest_of_schema_1(facts: Mapping[str, Any], interactions: Sequence[Any]) -> str:
    document = {"imagedetail": facts, "interactions": interactions}
    as_text = partial(json.dumps, sort_keys=True, separators=(",", ":"))
    return _sha256(as_text(document, default=lambda data: base64.b64encode(data).decode()))


def _from_schema_1(interaction: Interaction) -> Interaction:
    request_body = _NUMBERED.sub(b"<redacted>", interaction.request_body)
    body = _NUMBERED.sub(b"<redacted>", interaction.response.body)
    response = replace(interaction.response, body=body)
    return replace(interaction, request_body=request_body, response=response)


def _refuse_other_formats(document: Any) -> None:
    if document is None:
        raise _UnsoundError("the cassette is empty")
    if isinstance(document, dict) and "http_interactions" in document:
        problem = "not a cassette of imagedetail: Ruby's VCR or betamax wrote it"
        raise _UnsoundError(problem, rule="foreign", remedy=_FOREIGN_REMEDY)
    if not isinstance(document, dict) or "interactions" not in document:
        raise _UnsoundError("not a cassette: it has no `interactions`")
    version = document.get("version")
    if type(version) is not int or version != _VCR_VERSION:
        problem = f"unknown cassette version {version!r}; this reads version {_VCR_VERSION}"
        raise _UnsoundError(problem, "version", rule="version")
    if not isinstance(document["interactions"], list) or not document["interactions"]:
        raise _UnsoundError("the cassette has no interactions", "interactions")


def _interaction(document: Mapping[str, Any]) -> Interaction:
    request = document["request"]
    return Interaction(
        method=request["method"],
        url=request["uri"],
        request_headers=_headers_of(request["headers"]),
        request_body=_bytes(request["body"]),
        response=response_of(document["response"]),
    )


def response_of(document: Mapping[str, Any]) -> Response:
    """Read a response in the form of vcrpy, which may lack reason and body."""
    return Response(
        status_code=document["status"]["code"],
        reason=document["status"]["message"] or "",
        headers=_headers_of(document["headers"]),
        body=_bytes(document["body"].get("string")),
    )


def _bytes(body: str | bytes | None) -> bytes:
    return body.encode("utf-8") if isinstance(body, str) else body or b""


def _headers_of(by_name: Mapping[str, str | Sequence[str]]) -> Headers:
    """Read headers in the form of vcrpy: one string or several for each name."""
    return Headers(
        (name, value)
        for name, values in by_name.items()
        for value in ([values] if isinstance(values, str) else values)
    )
