"""Describe JSON values: their types, the format of a text, and what a release promises of them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

JSON_TYPES: Final[dict[type, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
    type(None): "null",
}
"""JSON's names by Python type; 1.0 is a number but not an integer, as typed clients read it."""

ISOTIME: Final = "isotime"
UUID: Final = "uuid"

_FORMATS: Final = (
    (UUID, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    (ISOTIME, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    ("isotime with a fraction", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"),
    ("isotime with an offset", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:?\d\d"),
    ("isotime without a zone", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?"),
    ("integer in a string", r"-?\d+"),
    ("number in a string", r"-?\d+(\.\d+)?([eE][+-]?\d+)?"),
    ("boolean in a string", r"[Tt]rue|[Ff]alse"),
    ("hexadecimal", r"[0-9a-f]{32}"),
    ("URL", r"[a-z][a-z0-9+.-]*://\S+"),
    ("empty", r""),
)
_PATTERNS: Final = tuple((name, re.compile(pattern, re.ASCII)) for name, pattern in _FORMATS)


def json_type(value: Any) -> str:
    """Return the JSON type of a value as `json` reads it."""
    return JSON_TYPES[type(value)]


def text_format(value: str) -> str:
    """Return the format of a text: "uuid", "isotime", ...; "text" if it has no known one."""
    found = next((name for name, pattern in _PATTERNS if pattern.fullmatch(value)), "text")
    return "text" if is_isotime(found) and not _is_in_calendar(value) else found


def is_isotime(name: str) -> bool:
    """Tell whether a format is that of an ISO 8601 date, written as Nova does or otherwise."""
    return name.startswith(ISOTIME)


def _is_in_calendar(date: str) -> bool:
    try:
        datetime.fromisoformat(date)
    except ValueError:
        return False
    return True


def with_article(kind: str) -> str:
    """Return a type or format with its article, if it takes one: "an integer", "null"."""
    if kind in ("empty", "hexadecimal", "null", "text"):
        return kind
    names = {ISOTIME: "an ISO 8601 time", UUID: "a UUID"}
    return names.get(kind, f"{'an' if kind[0] in 'aio' else 'a'} {kind}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A promise that a value breaks.

    Attributes:
        reason: What is wrong.
        seen: What the value is: "a string, not an integer"; equal for two values that break a
            promise alike.
    """

    reason: str
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is promised of one value.

    Attributes:
        types: The JSON types it may have, as Python types; True is not an integer. Empty for any,
            and then nothing is promised of the values below it either.
        values: The values of an enumeration; empty for any.
        form: The format of a text, as `text_format` names it; None for any.
        least: The smallest number; None for any.
        names: The values under named keys.
        others: The values under any other key and at any place of a list; None for anything.
        several: Whether a list of such values may stand for one, as links of one relation do.
    """

    types: tuple[type, ...] = ()
    values: frozenset[Any] = frozenset()
    form: str | None = None
    least: int | None = None
    names: Mapping[str, "Part"] = field(default_factory=dict)
    others: "Part | None" = None
    several: bool = False

    def at(self, key: str | int) -> "Part":
        """Return the part under a key or at a place of a list."""
        if isinstance(key, str) and key in self.names:
            return self.names[key]
        if isinstance(key, int) and self.several:
            return self
        return self.others or ANYTHING

    def along(self, path: Sequence[str | int]) -> "Part":
        """Return the part at a path below this one."""
        part = self
        for key in path:
            part = part.at(key)
        return part

    def breaches(
        self, value: Any, path: tuple[str | int, ...]
    ) -> Iterator[tuple[tuple[str | int, ...], Breach]]:
        """Yield the promises that a value, or one below it, breaks, each with its path.

        Args:
            value: A JSON value.
            path: Where it is; the last key names it.
        """
        if self.several and isinstance(value, list):
            for each in value:
                yield from self.breaches(each, path)
        elif (found := self._breach(value, path[-1])) is not None:
            yield path, found
        elif isinstance(value, dict | list):
            for key, each in value.items() if isinstance(value, dict) else enumerate(value):
                yield from self.at(key).breaches(each, (*path, key))

    def _breach(self, value: Any, name: str | int) -> Breach | None:
        if self.types and type(value) not in self.types:
            reason = "does not allow null here" if value is None else "names another JSON type"
            wanted = " or ".join(with_article(JSON_TYPES[each]) for each in self.types)
            seen = f"{with_article(json_type(value))}, not {wanted}"
            return Breach(reason=f"the contract {reason}", seen=seen)
        if self.values and value not in self.values:
            return Breach(reason=f"no {name} of the contract", seen=json.dumps(value))
        if self.form is not None and isinstance(value, str) and not _has_form(value, self.form):
            seen = f"{with_article(text_format(value))}, not {with_article(self.form)}"
            return Breach(reason=f"the contract promises {self.form}", seen=seen)
        if self.least is not None and isinstance(value, int) and value < self.least:
            reason = f"the contract promises {self.least} or more"
            return Breach(reason=reason, seen=f"less than {self.least}")
        return None


ANYTHING: Final = Part()
"""A part of which nothing is promised."""


def _has_form(value: str, form: str) -> bool:
    found = text_format(value)
    return is_isotime(found) if form == ISOTIME else found == form
