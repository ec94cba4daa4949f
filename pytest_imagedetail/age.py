"""Whether a recording is too old. Asks no clock: the caller says what time it is."""

from datetime import UTC, datetime
from pathlib import Path

from pytest_imagedetail.errors import StaleCassetteError
from pytest_imagedetail.model import Provenance


def too_old(provenance: Provenance, *, max_age: int | None, now: datetime) -> str | None:
    """Say how old a recording is if it is older than allowed; None if it is not.

    A recording without a date is not judged: nobody knows when an imported body was saved.

    Args:
        provenance: Of the recording.
        max_age: In days; None allows any age.
        now: The time, with a zone.
    """
    if max_age is None or provenance.recorded_at is None:
        return None
    try:
        recorded = datetime.fromisoformat(provenance.recorded_at)
    except ValueError:
        return "its age is not known, for its date is none"
    days = (now - (recorded if recorded.tzinfo else recorded.replace(tzinfo=UTC))).days
    if days <= max_age:
        return None
    return f"it is {days} {'day' if days == 1 else 'days'} old, and at most {max_age} are allowed"


def refuse_old(provenance: Provenance, *, path: Path, max_age: int | None, now: datetime) -> None:
    """Raise if a recording is older than allowed.

    Args:
        provenance: Of the recording.
        path: Its file.
        max_age: In days; None allows any age.
        now: The time, with a zone.

    Raises:
        StaleCassetteError: It is too old.
    """
    problem = too_old(provenance, max_age=max_age, now=now)
    if problem is not None:
        raise StaleCassetteError(
            f"the recording is stale: {problem}",
            where=f"{path}, recorded {provenance.recorded_at}",
            remedy="record it again: pytest --imagedetail-record-mode=rewrite\n"
            "or allow more: --imagedetail-max-age DAYS",
        )
