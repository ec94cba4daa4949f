"""The text of a cassette: vcrpy's format 1, with our provenance beside it and a readable body.

Stock vcrpy and pytest-recording read the same file: they look at `version` and `interactions` and
pass over `imagedetail`. Provenance does not use vcrpy's own `metadata` key, because
pytest-recording cannot load a cassette that has one.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import jsontext, yamltext
from pytest_imagedetail.errors import DamagedCassetteError
from pytest_imagedetail.model import (
    Headers,
    Interaction,
    Provenance,
    Query,
    Recording,
    Response,
)

VCR_VERSION: Final = 1
SCHEMA: Final = 1
_REMEDY: Final = (
    "record it again: pytest --imagedetail-record-mode=rewrite, or imagedetail record\n"
    "or bring the file back from version control; it was left as it is"
)

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
    try:
        return _recording(document)
    except _ForeignError as fault:
        raise DamagedCassetteError(
            str(fault), where=str(path), remedy=_REMEDY_OF_FOREIGN
        ) from fault
    except _UnsoundError as fault:
        raise DamagedCassetteError(str(fault), where=str(path), remedy=_REMEDY) from fault


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


class _UnsoundError(ValueError):
    """What is wrong with a document, before anyone knows its path."""


class _ForeignError(_UnsoundError):
    """It is a recording of another tool."""


def _interaction_to_dict(interaction: Interaction) -> dict[str, Any]:
    response = interaction.response
    body = _body_to_yaml(response.body)
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


def _recording(document: Any) -> Recording:
    _refuse_strangers(document)
    if document.get("version") != VCR_VERSION:
        raise _UnsoundError(
            f"unknown cassette version {document.get('version')!r}; this reads version 1"
        )
    facts = document.get("imagedetail")
    if not isinstance(facts, dict):
        raise _ForeignError("no provenance: the cassette was not written by imagedetail")
    if facts.get("schema") != SCHEMA:
        raise _UnsoundError(
            f"unknown provenance schema {facts.get('schema')!r}; this reads schema 1 "
            "(a newer pytest-imagedetail may have written it)"
        )
    interactions = document["interactions"]
    if not isinstance(interactions, list) or not interactions:
        raise _UnsoundError("the cassette has no interactions")
    try:
        pages = tuple(_interaction(each) for each in interactions)
        provenance = _provenance(facts)
        found = digest({k: v for k, v in facts.items() if k != "sha256"}, interactions)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise _UnsoundError(
            f"an interaction or the provenance is not as written: {error!r}"
        ) from error
    if found != facts.get("sha256"):
        raise _UnsoundError(
            "the cassette was changed after it was written: its SHA-256 is "
            f"{found[:12]}..., and it says {str(facts.get('sha256'))[:12]}..."
        )
    if provenance.pages != len(pages):
        raise _UnsoundError(f"the cassette holds {len(pages)} pages and says {provenance.pages}")
    return Recording(provenance=provenance, interactions=pages)


def _refuse_strangers(document: Any) -> None:
    if document is None:
        raise _UnsoundError("the cassette is empty")
    if isinstance(document, dict) and "http_interactions" in document:
        raise _ForeignError("not a cassette of imagedetail: Ruby's VCR or betamax wrote it")
    if not isinstance(document, dict) or "interactions" not in document:
        raise _UnsoundError("not a cassette: it has no `interactions`")


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
        raise TypeError(f"{name} is {value!r}, not a text in quotes")
    return value


def _interaction(fields: Mapping[str, Any]) -> Interaction:
    request, response = fields["request"], fields["response"]
    return Interaction(
        method=request["method"],
        url=request["uri"],
        request_headers=_headers(request["headers"]),
        request_body=_body(request.get("body") or b""),
        response=Response(
            status_code=int(response["status"]["code"]),
            reason=str(response["status"]["message"]),
            headers=_headers(response["headers"]),
            body=_body(response["body"]["string"]),
        ),
    )


def _body(body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else str(body).encode("utf-8")


def _headers(headers: Mapping[str, list[str]]) -> Headers:
    return Headers((name, value) for name, values in headers.items() for value in values)
