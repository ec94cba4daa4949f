"""Compare JSON values; write dates (R9), ids (R13) and vendors (R15) in comparable form."""

import re
from datetime import UTC, datetime
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.model import isotime

REFERENCES: Final = frozenset({"base_image_ref", "kernel_id", "ramdisk_id"})
"""Metadata keys whose value is the id of another image."""

_ISO_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_ID_FORMS: Final = {
    contract.UUID: "{}",
    contract.HEXADECIMAL: "{} without dashes",
    contract.NUMBERED: "counted {}",  # before Essex, and HP's to the end
}
_VENDORS: Final = {
    "com.rackspace__": "rackspace",
    "rax_": "rackspace",
    "hp_": "hp",
    "gnc_": "gmo",
    "sync_status": "k5",
}


def form_of_id(value: str) -> str | None:
    """Return a format string for the form of an id; None if it is not an id."""
    return _ID_FORMS.get(contract.text_format(value))


def date_in_utc(value: str) -> str:
    """Return the same second as `2010-10-10T12:00:00Z`; what is not a date stays as sent."""
    is_nova_form = value[10:11] == "T" and value[19:] == "Z"
    if is_nova_form or not _ISO_DATE.fullmatch(value):
        return value
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return isotime(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return value


def vendor_of(key: str) -> str | None:
    """Return the vendor whose namespace a metadata key is in, if any."""
    return next((name for start, name in _VENDORS.items() if key.startswith(start)), None)


def strictly_equal(one: Any, other: Any) -> bool:
    """Compare two JSON values by value and by type, at every depth.

    In Python, `1 == 1.0 == True`, which would hide a changed JSON type. But `==` is fast, so types
    are compared only where it finds no difference.
    """
    return one is other or bool(one == other and _same_types(one, other))


def _same_types(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        pairs = zip(one.values(), map(other.__getitem__, one), strict=True)
    elif isinstance(one, list | tuple):
        pairs = zip(one, other, strict=True)
    else:
        return True
    for left, right in pairs:
        is_clear = left is right or type(left) is str  # a string equals only strings
        if not is_clear and not _same_types(left, right):
            return False
    return True
