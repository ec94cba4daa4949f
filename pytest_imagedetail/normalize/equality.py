"""Compare JSON values: 1 is not 1.0, 0 is not false, and key order does not count."""

from typing import Any, Final

_CONTAINERS: Final = (dict, list, tuple)


def strictly_equal(one: Any, other: Any) -> bool:
    """Compare two JSON values by value and by type, all the way down.

    Python alone says `1 == 1.0 == True`, which would hide a field that changed its JSON type. It
    says so fast, though, so types are compared only where Python sees no difference.
    """
    return one is other or bool(one == other and _of_the_same_types(one, other))


def _of_the_same_types(one: Any, other: Any) -> bool:
    """Compare the types of two values that Python calls equal, all the way down."""
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
