"""Decide whether a recording is too old."""

from datetime import datetime, timedelta
from typing import Final

from pytest_imagedetail.model import Provenance
from pytest_imagedetail.text import count

_DAY: Final = timedelta(days=1)


def age_problem(provenance: Provenance, *, max_age: int | None, now: datetime) -> str | None:
    """Return what is wrong with the age of a recording, or None.

    An import without a date passes, because the age of its body is unknown. A date may be a day
    ahead, because clocks differ. `max_age` is in days of 24 hours; None allows any age.
    """
    if provenance.recorded_at is None:
        is_judged = max_age is not None and provenance.source == "recorded"
        return "its age is not known: the recording has no date" if is_judged else None
    age = now - datetime.fromisoformat(provenance.recorded_at)
    if age < -_DAY:
        ahead = count(-age // _DAY, "day")
        return f"its date is {ahead} ahead of this machine's clock, so its age is not known"
    if max_age is None or age <= max_age * _DAY:
        return None
    begun = -(-age // _DAY)
    return f"it is {count(begun, 'day')} old; the limit is {max_age}"
