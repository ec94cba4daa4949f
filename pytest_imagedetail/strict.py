"""Equality as JSON knows it: 1 is not 1.0, 0 is not false, and key order does not count."""

from collections.abc import Iterator
from typing import Any, Final

from pytest_imagedetail.model import MISSING

Path = tuple[str | int, ...]
"""Keys and places from the top of a JSON document down."""

_CONTAINERS: Final = (dict, list, tuple)
_PLAIN: Final = frozenset({str, int})  # equal to nothing of another type but a number


def strictly_equal(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal in value and in type, all the way down.

    Python alone says `1 == 1.0 == True`, which would hide a field that changed its JSON type. It
    says so fast, though: what is unequal to it is unequal, and of what is equal only types are left
    to look at.
    """
    return one is other or bool(one == other and _of_the_same_types(one, other))


def _of_the_same_types(one: Any, other: Any) -> bool:
    """Whether what Python calls equal has the same types, all the way down."""
    kind = type(one)
    if kind is not type(other):
        return False
    if not isinstance(one, _CONTAINERS):
        return True
    if not isinstance(one, dict):
        return all(map(_of_the_same_types, one, other))
    for key, value in one.items():
        kind = type(value)
        if kind is str or value is (against := other[key]):
            continue  # a text is equal to nothing but a text
        if kind is not type(against):
            return False
        if isinstance(value, _CONTAINERS) and not _of_the_same_types(value, against):
            return False
    return True


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
            kind = type(value)
            if value is against or (kind in _PLAIN and kind is type(against) and value == against):
                continue  # most are, and need no call
            if not strictly_equal(value, against):
                yield from unequal(value, against, (*path, key))
        for key, value in other.items():
            if key not in one:
                yield (*path, key), MISSING, value
    elif not strictly_equal(one, other):
        yield path, one, other
