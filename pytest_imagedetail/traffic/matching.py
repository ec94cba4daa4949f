"""Decide whether a request matches a recorded one: redact it like a recording, then compare.

Method, path, query, effective microversion and body are compared, but not the host.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pytest_imagedetail.body.json import parse
from pytest_imagedetail.errors import BodyError, distance
from pytest_imagedetail.model import NO_RESPONSE, Interaction, Response
from pytest_imagedetail.redact import Known, RedactionResult, placeholders, redact
from pytest_imagedetail.text import cut, plain
from pytest_imagedetail.transport.request import api_version

Parts = Mapping[str, tuple[str, ...]]
"""The parts of a request that are compared: "method", "path", "query limit", "body"."""

Key = frozenset[tuple[str, tuple[str, ...]]]

_DEFAULT_VERSION: Final = ("compute", "2.1")  # Nova's default
_FORM: Final = "application/x-www-form-urlencoded"
_MAX_LENGTH: Final = 120  # characters of a value in a message


def as_recorded(
    request: Interaction,
    *,
    cloud: str,
    known: Known,
    owners: frozenset[str] = frozenset(),
    emails: bool = False,
) -> RedactionResult:
    """Redact a request like a recorded one; `owners` are placeholders in recorded requests."""
    ids = frozenset(each for each in ids_in(request) if placeholders.owner(each) in owners)
    request = replace(request, response=NO_RESPONSE)
    return redact([request], cloud=cloud, known=known | Known(owners=ids), emails=emails)


def ids_in(request: Interaction) -> Iterator[str]:
    """Yield everything in the form of an owner's id from a request's URL and body."""
    yield from placeholders.HEX_RUN.findall(request.url)
    yield from placeholders.HEX_RUN.findall(request.request_body.decode("latin-1"))


def parts_of(request: Interaction) -> Parts:
    """Return the parts of a redacted request that are compared."""
    parts = {"method": (request.method,), **_parts_of_url(request.url)}
    if microversion := _microversion(request):
        parts["microversion"] = (microversion,)
    return parts | _body(request)


def key_of(request: Interaction) -> Key:
    """Return the parts of a redacted request as one hashable value."""
    return frozenset(parts_of(request).items())


def differences(request: Parts, recorded: Parts) -> Mapping[str, str]:
    """Return the parts in which two requests differ, and how."""
    return {
        part: f"asked {_format(request.get(part))}, recorded {_format(recorded.get(part))}"
        for part in dict.fromkeys([*recorded, *request])
        if request.get(part) != recorded.get(part)
    }


def nearest(
    candidates: Iterable[tuple[Interaction, Iterable[Interaction]]],
) -> list[tuple[Interaction, Mapping[str, str]]]:
    """Sort recorded requests by their distance to a redacted one; return their differences, too.

    Each candidate is the request, as redacted for these recordings, and recorded ones.
    """
    ranked = []
    for request, recordings in candidates:
        parts = parts_of(request)
        for recorded in recordings:
            other = parts_of(recorded)
            ranked.append((distance(parts, other), recorded, differences(parts, other)))
    ranked.sort(key=itemgetter(0))
    return [(recorded, different) for _, recorded, different in ranked]


@lru_cache(maxsize=1024)  # every test compares the same recorded requests
def _parts_of_url(url: str) -> Parts:
    parts = urlsplit(url)
    path = "/".join(map(_normalize_segment, (parts.path or "/").split("/")))
    return {"path": (path,), **_pairs("query", parts.query)}


def _normalize_segment(segment: str) -> str:
    """Normalize the encoding of a path segment; an encoded slash stays encoded."""
    text = unquote(segment, errors="surrogateescape")
    return quote(text, safe=":@!$&'()*+,;=", errors="surrogateescape")


def _pairs(what: str, text: str) -> dict[str, tuple[str, ...]]:
    """Group pairs by their names. Blank values count, and repeated names keep their order."""
    values: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        values[f"{what} {name}"] = (*values.get(f"{what} {name}", ()), value)
    return values


def microversions_of(request: Interaction) -> dict[str, str]:
    """Return the requested microversions by service, without Nova's default, 2.1.

    Nova 32.0.0 ignores them on /v2 (nova/api/openstack/__init__.py, `LegacyV2CompatibleWrapper`).
    """
    headers = request.request_headers
    versions: dict[str, str] = {}
    for item in ",".join(headers.all("OpenStack-API-Version")).split(","):
        service, _, version = item.strip().partition(" ")
        if service:
            versions[service.lower()] = version.strip()
    if nova := headers.get("X-OpenStack-Nova-API-Version", "").strip():
        versions.setdefault("compute", nova)
    if api_version(request.url) == "v2":
        versions.pop("compute", None)
    return dict(sorted(pair for pair in versions.items() if pair != _DEFAULT_VERSION))


def _microversion(request: Interaction) -> str:
    return ", ".join(map(" ".join, microversions_of(request).items()))


def _body(request: Interaction) -> dict[str, tuple[str, ...]]:
    """Return what is compared: JSON by its values, a form by its pairs, other bodies as sent."""
    body = request.request_body
    if not body:
        return {}
    if request.request_headers.get("Content-Type", "").lower().startswith(_FORM):
        return _pairs("form", body.decode("latin-1"))
    text = body.decode("utf-8", errors="surrogateescape")
    with suppress(BodyError, RecursionError):
        text = json.dumps(parse(text, where=""), sort_keys=True, ensure_ascii=False)
    if text.startswith("--"):  # the boundary of a multipart form is random
        text = text.replace(text.split("\r\n", 1)[0], "--boundary")
    return {"body": (text,)}


def _format(values: tuple[str, ...] | None) -> str:
    if values is None:
        return "without"
    text = ", ".join(value or "(blank)" for value in values)
    return cut(plain(text), _MAX_LENGTH)


def line(request: Interaction) -> str:
    """Format a request on one line: `GET https://compute.a.invalid/images (compute 2.35)`."""
    microversion = _microversion(request)
    return f"{request.method} {request.url}" + (f" ({microversion})" if microversion else "")


def answer_of(response: Response) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Return the compared parts of a response: status, headers and body."""
    fields = sorted((name.lower(), value) for name, value in response.headers.fields)
    return response.status_code, tuple(fields), response.body


def by_request(
    interactions: Iterable[Interaction], *, key: Callable[[Interaction], Any] = key_of
) -> dict[Any, list[Interaction]]:
    """Group redacted interactions by request, keeping their order."""
    groups: dict[Any, list[Interaction]] = {}
    for interaction in interactions:
        groups.setdefault(key(interaction), []).append(interaction)
    return groups


def _request_and_answer(interaction: Interaction) -> Any:
    return key_of(interaction), answer_of(interaction.response)


def missing_from(
    actual: Iterable[Interaction],
    expected: Iterable[Interaction],
    *,
    key: Callable[[Interaction], Any] = _request_and_answer,
) -> int:
    """Count the expected interactions that are missing, with multiplicity."""
    return (Counter(map(key, expected)) - Counter(map(key, actual))).total()
