"""Single values in comparable form: dates (R9), owners (R14) and vendors' namespaces (R15)."""

import re
from datetime import UTC, datetime
from typing import Final

_ISO_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
as_nova_writes_it: Final = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\dZ").fullmatch
"""Whether a date has the form `2010-10-10T12:00:00Z` already, as nearly every one has."""

_VENDORS: Final = {
    "com.rackspace__": "rackspace",
    "rax_": "rackspace",
    "hp_": "hp",
    "gnc_": "gmo",
    "sync_status": "k5",
}


def date_in_utc(value: str) -> str:
    """The same second as `2010-10-10T12:00:00Z`; what is no date stays as sent."""
    if as_nova_writes_it(value):
        return value
    if not _ISO_DATE.fullmatch(value):
        return value  # invalid: equal only to itself
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    except (ValueError, OverflowError):
        return value
    return f"{moment.isoformat()}Z"


def vendor_of(key: str) -> str | None:
    """The vendor in whose namespace a metadata key stands, or None."""
    return next((name for start, name in _VENDORS.items() if key.startswith(start)), None)
