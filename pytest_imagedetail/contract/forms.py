"""Names the JSON type of a value, and the form of a text: a date, an id, a number in quotes, ..."""

import re
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
"""JSON's names by Python type; 1.0 is a number and no integer, as typed clients read it."""

ISOTIME: Final = "isotime"
UUID: Final = "uuid"
TEXT: Final = "text"

_FORMS: Final = (
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
_PATTERNS: Final = tuple((name, re.compile(pattern, re.ASCII)) for name, pattern in _FORMS)


def json_type(value: Any) -> str:
    """Return the JSON type of a value as `json` reads it."""
    return JSON_TYPES[type(value)]


def text_format(value: str) -> str:
    """The form of a text: "uuid", "isotime", "integer in a string", ...; "text" for any other."""
    form = next((name for name, pattern in _PATTERNS if pattern.fullmatch(value)), TEXT)
    return TEXT if is_isotime(form) and not _is_moment(value) else form


def is_isotime(name: str) -> bool:
    """Whether a form is that of an ISO 8601 date, in Nova's writing or another."""
    return name.startswith(ISOTIME)


def _is_moment(value: str) -> bool:
    """Whether the calendar has this date; the 30th of February has the form of one."""
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
