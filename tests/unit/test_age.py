"""How old is too old: to the second, of what was recorded."""

from datetime import UTC, datetime

from pytest_imagedetail.cassette.age import too_old
from pytest_imagedetail.model import Provenance

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
AHEAD = "ahead of this machine's clock, so its age is not known"


def judged(recorded_at, max_age=90):
    return too_old(Provenance(cloud="a", recorded_at=recorded_at), max_age=max_age, now=NOW)


def test_age_is_judged_to_the_second():
    """A recording is too old once more time has passed than is allowed, or if no date says it."""
    old = "it is {} old, and at most {} are allowed"
    for recorded_at, max_age, problem in (
        ("2026-05-01T12:00:00Z", 0, None),
        ("2026-05-01T11:59:59Z", 0, old.format("1 day", 0)),
        ("2026-04-30T12:00:00Z", 0, old.format("1 day", 0)),
        ("2026-01-31T12:00:00Z", 90, None),
        ("2026-01-31T11:59:59Z", 90, old.format("91 days", 90)),
        ("2026-01-30T12:00:00Z", 90, old.format("91 days", 90)),
        ("2026-01-30T12:00:00", 90, old.format("91 days", 90)),
        ("2026-01-30T11:00:00Z", 90, old.format("92 days", 90)),
        ("2026-01-30T12:00:00Z", None, None),
        ("2026-05-02T12:00:00Z", 0, None),
        ("2026-05-02T12:00:01Z", 0, f"its date is 1 day {AHEAD}"),
        ("2026-05-03T12:00:00Z", 90, f"its date is 2 days {AHEAD}"),
        (None, None, None),
        (None, 0, "its age is not known, for it was recorded and has no date"),
        ("yesterday", 90, "its age is not known, for its date cannot be read"),
    ):
        assert judged(recorded_at, max_age) == problem, recorded_at
