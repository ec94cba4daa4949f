"""Equality as JSON knows it: 1 is not 1.0, 0 is not false, and key order does not count."""

from collections.abc import Iterator
from typing import Any, Final

from pytest_imagedetail.model import MISSING

Path = tuple[str | int, ...]
"""Keys and places from the top of a JSON document down."""

_CONTAINERS: Final = (dict, list, tuple)


def strictly_equal(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal in value and in type, all the way down.

    Python alone says `1 == 1.0 == True`, which would hide a field that changed its JSON type.
    """
    kind = type(one)
    if one is other or kind is not type(other):
        return one is other
    if kind is str or not isinstance(one, _CONTAINERS):  # most values are texts
        return bool(one == other)
    if isinstance(one, dict):
        if len(one) != len(other):
            return False
        for key, value in one.items():
            if key not in other or not strictly_equal(value, other[key]):
                return False
        return True
    return len(one) == len(other) and all(map(strictly_equal, one, other))


def unequal(one: Any, other: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """The smallest values below common objects that are not strictly equal.

    Args:
        one: A JSON value.
        other: Another one.
        path: Where they stand.

    Yields:
        Path, value and other value; MISSING where one side has none.
    """
    if isinstance(one, dict) and type(one) is type(other):
        for key, value in one.items():
            against = other.get(key, MISSING)
            if type(value) is str and type(against) is str and value == against:
                continue  # most are, and need no call
            if not strictly_equal(value, against):
                yield from unequal(value, against, (*path, key))
        for key, value in other.items():
            if key not in one:
                yield (*path, key), MISSING, value
    elif not strictly_equal(one, other):
        yield path, one, other
