"""Equality as JSON knows it: 1 is not 1.0, 0 is not false, and key order does not count."""

from typing import Any


def strictly_equal(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal in value and in type, all the way down.

    Python alone says `1 == 1.0 == True`, which would hide a field that changed its JSON type.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            strictly_equal(value, other[key]) for key, value in one.items()
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(strictly_equal, one, other))
    return bool(one == other)
