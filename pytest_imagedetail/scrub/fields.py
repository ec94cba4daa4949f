"""Takes the parts of another tool's document; a part of the wrong shape is an error, unquoted."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pytest_imagedetail.model import Headers
from pytest_imagedetail.transport.request import is_url_of_http

_METHOD: Final = re.compile(r"[\w!#$%&'*+.^`|~-]{1,64}", re.ASCII)


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
    return _whole(value)


def method(holder: dict[Any, Any]) -> str:
    """The method under its name, in capitals; Ruby has symbols for some.

    Raises:
        UnsoundError: There is none, or none of HTTP.
    """
    found = text(holder, "method").lstrip(":").upper()
    if not _METHOD.fullmatch(found):
        raise UnsoundError("its `method` is none of HTTP")
    return found


def url(holder: dict[Any, Any], name: str) -> str:
    """The URL under a name.

    Raises:
        UnsoundError: There is none, or it leads nowhere by HTTP.
    """
    found = text(holder, name)
    if not is_url_of_http(found):
        raise UnsoundError(f"its `{name}` is no URL of HTTP")
    return found


def status_code(value: Any) -> int:
    """The status of an answer, as a number or in digits.

    Raises:
        UnsoundError: It is none.
    """
    digits = str(value)
    if not re.fullmatch(r"[1-9][0-9]{2}", digits):
        raise UnsoundError("its answer has no status of three digits")
    return int(digits)


def reason(value: Any) -> str:
    """The words after a status; old cassettes and HTTP/2 have none.

    Raises:
        UnsoundError: They are no whole text.
    """
    return _whole(value) if isinstance(value, str) else ""


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
        return _whole(str(value))
    if value is None:
        return ""
    raise UnsoundError(f"a header is {_kind(value)}, not a text")


def _whole(value: str) -> str:
    if any("\ud800" <= each <= "\udfff" for each in value):  # JSON can say that, and no wire
        raise UnsoundError("half a character stands in a text")
    return value


def _kind(value: Any) -> str:
    kinds = {dict: "a mapping", list: "a list", str: "a text", bytes: "bytes", type(None): "absent"}
    return kinds.get(type(value), "a number or a flag")
