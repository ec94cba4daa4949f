"""The JSON type of a value, by the name that JSON gives it."""

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


def json_type(value: Any) -> str:
    """The JSON type of a value as `json` reads it."""
    return JSON_TYPES[type(value)]
