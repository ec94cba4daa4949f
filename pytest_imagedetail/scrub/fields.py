"""Takes the parts of another tool's document; a part of the wrong shape is an error, unquoted."""

from collections.abc import Iterable, Iterator
from typing import Any

from pytest_imagedetail.model import Headers


class UnsoundError(ValueError):
    """What is wrong with an interaction, before anyone knows its place; shows no value."""


def whole(value: Any) -> dict[Any, Any]:
    """An interaction as a mapping.

    Raises:
        UnsoundError: It is none.
    """
    if not isinstance(value, dict):
        raise UnsoundError(f"it is {_kind(value)}, not a mapping")
    return value


def mapping(holder: dict[Any, Any], name: str) -> dict[Any, Any]:
    """The mapping under a name.

    Raises:
        UnsoundError: There is none.
    """
    value = holder.get(name)
    if not isinstance(value, dict):
        raise UnsoundError(f"its `{name}` is {_kind(value)}, not a mapping")
    return value


def text(holder: dict[Any, Any], name: str) -> str:
    """The text under a name.

    Raises:
        UnsoundError: There is none.
    """
    value = holder.get(name)
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise UnsoundError(f"its `{name}` is {_kind(value)}, not a text")
    return value


def status_code(value: Any) -> int:
    """The status of an answer, as a number or in digits.

    Raises:
        UnsoundError: It is none.
    """
    digits = str(value)
    if not (digits.isascii() and digits.isdigit() and len(digits) == 3):  # noqa: PLR2004
        raise UnsoundError("its answer has no status of three digits")
    return int(digits)


def reason(value: Any) -> str:
    """The words after a status; old cassettes and HTTP/2 have none."""
    return value if isinstance(value, str) else ""


def headers(value: Any) -> Headers:
    """Headers that are kept by name, each with one value or a list of them.

    Raises:
        UnsoundError: They are not.
    """
    if value is None:
        return Headers()
    if not isinstance(value, dict):
        raise UnsoundError(f"its headers are {_kind(value)}, not a mapping")
    return fields((name, each) for name, values in value.items() for each in _listed(values))


def fields(pairs: Iterable[tuple[Any, Any]]) -> Headers:
    """Headers of pairs, without what HTTP/2 has in the place of a request line.

    Raises:
        UnsoundError: A name or a value is no scalar.
    """
    named = ((_scalar(name), _scalar(value)) for name, value in pairs)
    return Headers((name, value) for name, value in named if not name.startswith(":"))


def _listed(values: Any) -> Iterator[Any]:
    yield from values if isinstance(values, list) else [values]


def _scalar(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str | int | float):
        return str(value)
    if value is None:
        return ""
    raise UnsoundError(f"a header is {_kind(value)}, not a text")


def _kind(value: Any) -> str:
    kinds = {dict: "a mapping", list: "a list", str: "a text", bytes: "bytes", type(None): "absent"}
    return kinds.get(type(value), "a number or a flag")
