"""What a record mode comes to for one test's cassette, decided once when the test begins."""

from collections.abc import Callable
from dataclasses import dataclass

from pytest_imagedetail.model import Recording, RecordMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What is done with a test's cassette.

    Attributes:
        shared: Several tests have it.
        replays: Everything comes from it, and nothing else is let through.
        plays: What it holds is played, whoever answers the rest.
        joins: What is heard is added to what is there by then.
        rewrites: What is heard takes the place of what is there.
        verifies: What is heard is compared with what is there, and nothing is written.
    """

    shared: bool
    replays: bool
    plays: bool
    joins: bool
    rewrites: bool
    verifies: bool


def mode_of(
    record_mode: RecordMode,
    *,
    shared: bool,
    recorded: Recording | None,
    is_ours: Callable[[], bool],
) -> Mode:
    """What a record mode comes to.

    Args:
        record_mode: As the test or the run has it.
        shared: Whether several tests have the cassette.
        recorded: What it holds; None if there is none.
        is_ours: Whether this run wrote it; asked only where that matters: tests that share a
            cassette record it together.
    """
    grows = (
        shared
        and record_mode == "once"
        and recorded is not None
        and recorded.provenance.source != "stock"
        and is_ours()
    )
    replays = record_mode == "none" or (
        record_mode == "once" and recorded is not None and not grows
    )
    verifies = record_mode == "verify"
    return Mode(
        shared=shared,
        replays=replays,
        plays=replays or record_mode == "new_episodes",
        joins=(shared or record_mode == "new_episodes") and not replays and not verifies,
        rewrites=record_mode == "rewrite",
        verifies=verifies,
    )
