"""Single values in comparable form: dates (R9), the form of ids (R13) and vendors (R15)."""

import re
from datetime import UTC, datetime
from typing import Final

from pytest_imagedetail.model import isotime

REFERENCES: Final = frozenset({"base_image_ref", "kernel_id", "ramdisk_id"})
"""Metadata keys whose value is the id of another image."""

_ISO_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_ID_FORMS: Final = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "{}"),
    (re.compile(r"[0-9a-f]{32}"), "{} without dashes"),
    (re.compile(r"[0-9]+"), "counted {}"),  # before Essex, and HP's to the end
)
_VENDORS: Final = {
    "com.rackspace__": "rackspace",
    "rax_": "rackspace",
    "hp_": "hp",
    "gnc_": "gmo",
    "sync_status": "k5",
}


def form_of_id(value: str) -> str | None:
    """Return a format string for the form of an id; None if it is not an id."""
    return next((form for pattern, form in _ID_FORMS if pattern.fullmatch(value)), None)


def date_in_utc(value: str) -> str:
    """Return the same second as `2010-10-10T12:00:00Z`; what is not a date stays as sent."""
    is_novas = value[10:11] == "T" and value[19:] == "Z"
    if is_novas or not _ISO_DATE.fullmatch(value):
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
