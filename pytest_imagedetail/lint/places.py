"""Find what redaction would still replace in recorded interactions."""

import json
from collections.abc import Iterator
from typing import Any, Final

from pytest_imagedetail.model import Headers, Interaction
from pytest_imagedetail.redact import Secrets, redact

_MARKS: Final = (
    ("secret", "redacted"),
    ("email", "@example.invalid"),
    ("host", ".invalid"),
    ("address", "192.0.2."),
    ("address", "2001:db8:"),
)
"""The kinds of placeholders, by what they contain; anything else is an id."""


def replaceable(interactions: tuple[Interaction, ...], *, cloud: str) -> Iterator[tuple[str, str]]:
    """Yield kind and place of each value, for example of `interactions[0].response.body: a.b`."""
    redacted = redact(interactions, cloud=cloud, secrets=Secrets()).interactions
    for number, (old, new) in enumerate(zip(interactions, redacted, strict=True)):
        for kind, place in _changes(old, new):
            yield kind, f"interactions[{number}].{place}"


def _changes(old: Interaction, new: Interaction) -> Iterator[tuple[str, str]]:
    if old.url != new.url:
        yield _kind(old.url, new.url), "request.uri"
    yield from _in_headers("request.headers", old.request_headers, new.request_headers)
    yield from _in_headers("response.headers", old.response.headers, new.response.headers)
    yield from _in_body("request.body", old.request_body, new.request_body)
    yield from _in_body("response.body", old.response.body, new.response.body)


def _in_headers(place: str, old: Headers, new: Headers) -> Iterator[tuple[str, str]]:
    for name in old:
        if name.lower() == "content-length":  # a cassette has its own
            continue
        if name not in new:
            yield "header", f"{place}: {name}"
        elif old[name] != new[name]:
            yield _kind(old[name], new[name]), f"{place}: {name}"


def _in_body(place: str, old: bytes, new: bytes) -> Iterator[tuple[str, str]]:
    if old == new:
        return
    try:
        pending: list[tuple[str, Any, Any]] = [("", json.loads(old), json.loads(new))]
    except (ValueError, RecursionError):
        texts = (each.decode("utf-8", errors="replace") for each in (old, new))
        yield _kind(*texts), place
        return
    while pending:
        path, here, there = pending.pop()
        if isinstance(here, dict) and isinstance(there, dict) and len(here) == len(there):
            pairs = zip(here.items(), there.items(), strict=True)
            pending += [(f"{path}.{key}" if path else key, a, b) for (key, a), (_, b) in pairs]
        elif isinstance(here, list) and isinstance(there, list):
            pairs = zip(here, there, strict=True)
            pending += [(f"{path}[{n}]", a, b) for n, (a, b) in enumerate(pairs)]
        elif here != there:
            yield _kind(str(here), str(there)), f"{place}: {path}"


def _kind(old: str, new: str) -> str:
    return next((kind for kind, mark in _MARKS if new.count(mark) > old.count(mark)), "id")
