"""How old is too old: by whole days, of what has a date."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_imagedetail.age import refuse_old, too_old
from pytest_imagedetail.errors import StaleCassetteError
from pytest_imagedetail.model import Provenance

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def judged(recorded_at, max_age=90):
    return too_old(Provenance(cloud="a", recorded_at=recorded_at), max_age=max_age, now=NOW)


@pytest.mark.parametrize(
    ("recorded_at", "max_age", "problem"),
    [
        ("2026-05-01T12:00:00Z", 0, None),
        ("2026-04-30T12:00:01Z", 0, None),
        ("2026-04-30T12:00:00Z", 0, "it is 1 day old, and at most 0 are allowed"),
        ("2026-01-31T12:00:00Z", 90, None),
        ("2026-01-30T12:00:00Z", 90, "it is 91 days old, and at most 90 are allowed"),
        ("2026-01-30T12:00:00Z", None, None),
        ("2026-01-30T12:00:00", 90, "it is 91 days old, and at most 90 are allowed"),
        ("2030-01-01T00:00:00Z", 0, None),
        (None, 0, None),
        ("yesterday", 90, "its age is not known, for its date is none"),
    ],
)
def test_age_is_judged_by_whole_days(recorded_at, max_age, problem):
    """A recording is too old once more whole days have passed than are allowed."""
    assert judged(recorded_at, max_age) == problem


def test_the_refusal_says_how_old_which_file_and_what_to_do():
    """Age, file and date, and both ways out."""
    provenance = Provenance(cloud="a", recorded_at="2026-01-30T12:00:00Z")
    with pytest.raises(StaleCassetteError) as caught:
        refuse_old(provenance, path=Path("cassettes/a/all.yaml"), max_age=90, now=NOW)
    assert str(caught.value) == (
        "the recording is stale: it is 91 days old, and at most 90 are allowed\n"
        "  where: cassettes/a/all.yaml, recorded 2026-01-30T12:00:00Z\n"
        "  next:  record it again: pytest --imagedetail-record-mode=rewrite\n"
        "  next:  or allow more: --imagedetail-max-age DAYS"
    )
