"""Whether a recording is too old. Asks no clock: the caller says what time it is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pytest_imagedetail.errors import StaleCassetteError
from pytest_imagedetail.model import Provenance

_AHEAD: Final = timedelta(days=1)  # clocks and time zones that are set wrong


def too_old(provenance: Provenance, *, max_age: int | None, now: datetime) -> str | None:
    """Say how old a recording is if it is older than allowed; None if it is not.

    What was never recorded and has no date is not judged: nobody knows when an imported body was
    saved.

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
        return "its age is not known, for its date is none"
    age = now - recorded
    if age <= timedelta(days=max_age):
        return _of_tomorrow(age)
    more = f" and {_rest(age)}" if age.days == max_age else ""
    return f"it is {_count(age.days, 'day')}{more} old, and at most {max_age} are allowed"


def too_young(provenance: Provenance, *, now: datetime) -> str | None:
    """Say that a recording's date has not come yet, by more than clocks may differ; else None.

    Args:
        provenance: Of the recording.
        now: The time, with a zone.
    """
    recorded = _date(provenance.recorded_at or "")
    return _of_tomorrow(now - recorded) if recorded is not None else None


def _of_tomorrow(age: timedelta) -> str | None:
    if -age <= _AHEAD:
        return None
    ahead = _count((-age).days, "day")
    return f"its date is {ahead} ahead of this machine's clock, so its age is not known"


def _date(text: str) -> datetime | None:
    try:
        recorded = datetime.fromisoformat(text)
    except ValueError:
        return None
    return recorded if recorded.tzinfo else recorded.replace(tzinfo=UTC)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _rest(age: timedelta) -> str:
    """What an age has beside whole days, in the largest unit that it has."""
    for seconds, unit in ((3600, "hour"), (60, "minute")):
        if age.seconds >= seconds:
            return _count(age.seconds // seconds, unit)
    return "some seconds"


def refuse_old(provenance: Provenance, *, path: Path, max_age: int | None, now: datetime) -> None:
    """Raise if a recording is older than allowed.

    Args:
        provenance: Of the recording.
        path: Its file.
        max_age: In days; None allows any age.
        now: The time, with a zone.

    Raises:
        StaleCassetteError: It is too old, or nobody knows how old.
    """
    problem = too_old(provenance, max_age=max_age, now=now)
    if problem is not None:
        raise StaleCassetteError(
            f"the recording is stale: {problem}",
            where=f"{path}, recorded {provenance.recorded_at or 'nobody knows when'}",
            remedy="record it again: "
            f"pytest --imagedetail-record-mode=rewrite --imagedetail-max-age={max_age}\n"
            "or allow more: --imagedetail-max-age DAYS",
        )
