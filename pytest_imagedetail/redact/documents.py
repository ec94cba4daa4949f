"""What a body holds: its document, and the links and strings of that."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_imagedetail.body import xml as xmltext
from pytest_imagedetail.errors import BodyError
from pytest_imagedetail.redact.shapes import (
    held_below_name,
    names_owner,
    names_secret,
    value_beside_name,
)


def parsed(body: bytes) -> Any:
    """The document of a body in JSON or XML; None if it is neither."""
    try:
        return json.loads(body, parse_int=str)
    except (ValueError, RecursionError):
        return read_xml(body)


def is_json(text: str) -> bool:
    """Whether a text is a document in JSON, however long its integers."""
    try:
        json.loads(text, parse_int=str)  # Python limits integers, JSON does not
    except (ValueError, RecursionError):
        return False
    return True


def read_xml(body: bytes) -> Mapping[str, Any] | None:
    """The document of a body in XML; None if it is none."""
    if not xmltext.is_xml(body):
        return None
    try:
        return xmltext.parse(body, where="")
    except BodyError:
        return None


def links(document: Any) -> Iterator[Mapping[str, Any]]:
    """Every `{"rel", "href"}` object of a document, in its order."""
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if isinstance(value.get("href"), str):
                yield value
            pending.extend(reversed(value.values()))
        elif isinstance(value, list):
            pending.extend(reversed(value))


def beside_names(document: Any) -> Iterator[str]:
    """Every value of a document that stands beside the name of a secret, or in an object below."""
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield from value_beside_name(value)
            for name, below in value.items():
                if names_secret(name):
                    yield from held_below_name(below)
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def strings(document: Any) -> Iterator[tuple[str, str]]:
    """Every string value of a document with the key it stands under, in its order.

    The id of an owner that is told as an object stands under the owner's own key.
    """
    pending = [("", document)]
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict):
            above = key if names_owner(key) else "id"
            pending.extend(
                (above if name == "id" else name, value[name]) for name in reversed(value)
            )
        elif isinstance(value, list):
            pending.extend((key, each) for each in reversed(value))
        elif isinstance(value, str):
            yield key, value
