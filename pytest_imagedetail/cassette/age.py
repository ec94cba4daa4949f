"""Whether a recording is too old; the caller passes the time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pytest_imagedetail.errors import StaleCassetteError
from pytest_imagedetail.model import Provenance

_DAY: Final = timedelta(days=1)
_AHEAD: Final = _DAY  # clocks and time zones may be set wrong


def too_old(provenance: Provenance, *, max_age: int | None, now: datetime) -> str | None:
    """Return how old a recording is if it is older than allowed, else None.

    An imported body without a date passes: when it was saved is not known.

    Args:
        provenance: Of the recording.
        max_age: In days of 24 hours; None allows any age.
        now: The time, with a zone.
    """
    if max_age is None:
        return None
    if provenance.recorded_at is None:
        is_dated = provenance.source == "recorded"
        return "its age is not known, for it was recorded and has no date" if is_dated else None
    recorded = _date(provenance.recorded_at)
    if recorded is None:
        return "its age is not known, for its date cannot be read"
    if now - recorded <= max_age * _DAY:
        return too_young(provenance, now=now)
    age = -((recorded - now) // _DAY)  # a day that has begun counts
    return f"it is {_days(age)} old, and at most {max_age} are allowed"


def too_young(provenance: Provenance, *, now: datetime) -> str | None:
    """Return how far a date lies in the future; None for less than clocks may differ."""
    recorded = _date(provenance.recorded_at or "")
    if recorded is None or recorded - now <= _AHEAD:
        return None
    ahead = _days((recorded - now) // _DAY)
    return f"its date is {ahead} ahead of this machine's clock, so its age is not known"


def refuse_old(provenance: Provenance, *, path: Path, max_age: int | None, now: datetime) -> None:
    """Raise `StaleCassetteError` if a recording is too old by `too_old`."""
    problem = too_old(provenance, max_age=max_age, now=now)
    if problem is not None:
        raise StaleCassetteError(
            f"the recording is stale: {problem}",
            where=f"{path}, recorded {provenance.recorded_at or 'without a date'}",
            remedy="record it again: "
            f"pytest --imagedetail-record-mode=rewrite --imagedetail-max-age={max_age}\n"
            "or allow more: --imagedetail-max-age DAYS",
        )


def _date(text: str) -> datetime | None:
    try:
        recorded = datetime.fromisoformat(text)
    except ValueError:
        return None
    return recorded if recorded.tzinfo else recorded.replace(tzinfo=UTC)


def _days(number: int) -> str:
    return f"{number} day" if number == 1 else f"{number} days"
