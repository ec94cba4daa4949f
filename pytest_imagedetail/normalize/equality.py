"""Compare JSON values: 1 is not 1.0, 0 is not false, and key order does not count."""

from typing import Any


def strictly_equal(one: Any, other: Any) -> bool:
    """Compare two JSON values by value and by type, all the way down.

    Python alone says `1 == 1.0 == True`, which would hide a field that changed its JSON type. It
    says so fast, though, so types are compared only where Python sees no difference.
    """
    return one is other or bool(one == other and _of_the_same_types(one, other))


def _of_the_same_types(one: Any, other: Any) -> bool:
    """Compare the types of two values that Python calls equal, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        pairs = zip(one.values(), map(other.__getitem__, one), strict=True)
    elif isinstance(one, list | tuple):
        pairs = zip(one, other, strict=True)
    else:
        return True
    for each, against in pairs:
        is_clear = each is against or type(each) is str  # a text is equal to nothing but a text
        if not is_clear and not _of_the_same_types(each, against):
            return False
    return True
