"""Compare JSON values: 1 is not 1.0, 0 is not false, and key order does not count."""

from typing import Any


def strictly_equal(one: Any, other: Any) -> bool:
    """Compare two JSON values by value and by type, at every depth.

    In Python, `1 == 1.0 == True`, which would hide a changed JSON type. But `==` is fast, so types
    are compared only where it finds no difference.
    """
    return one is other or bool(one == other and _of_the_same_types(one, other))


def _of_the_same_types(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        pairs = zip(one.values(), map(other.__getitem__, one), strict=True)
    elif isinstance(one, list | tuple):
        pairs = zip(one, other, strict=True)
    else:
        return True
    for each, against in pairs:
        is_clear = each is against or type(each) is str  # a string equals only strings
        if not is_clear and not _of_the_same_types(each, against):
            return False
    return True
