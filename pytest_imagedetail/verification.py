"""Asks a live cloud what a recording was asked, and says what it answers otherwise; writes nothing.

Both `--imagedetail-record-mode=verify` and `imagedetail verify` come here.
"""

from collections.abc import Callable
from typing import Final

from pytest_imagedetail import recorder
from pytest_imagedetail.compare import compare
from pytest_imagedetail.comparison import Comparison
from pytest_imagedetail.errors import ComparisonError, ResponseError
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.model import LISTING_STATUSES, FailOn
from pytest_imagedetail.transport import Access

PROFILE: Final = "same-cloud"
"""How far the answers of one cloud at two times are normalized."""

Report = Callable[[str], None]


def _silent(_: str) -> None:
    """Tell nobody."""


def verify(
    recorded: Listing, access: Access, *, fail_on: FailOn = "change", report: Report = _silent
) -> Comparison:
    """Compare a recording with what its cloud answers now.

    A recorded error is what the cloud is expected to answer; another status than the recorded one
    is a difference like any other.

    Args:
        recorded: The recording, which is the baseline.
        access: The cloud that it was recorded from.
        fail_on: From which severity on the result is not compatible.
        report: Told, in one line, when the cloud wants some time.

    Raises:
        ComparisonError: The recording was imported, or a part stands against a whole.
        RecordingError: The cloud could not be asked, or its answer did not arrive whole.
        BodyError: It answered with something else than a listing or an error.
    """
    if recorded.provenance.source == "imported":
        raise ComparisonError(
            "a recording that was imported cannot be verified: it was saved by hand, and from "
            "which cloud nobody knows",
            where=f"cloud {recorded.cloud}, query {recorded.query}",
            remedy="record the cloud under another name, then: "
            f"imagedetail diff {recorded.cloud} NAME",
        )
    expect = error_status(recorded.recording)
    try:
        live = _ask(recorded, access, expect, report)
    except ResponseError as error:
        status = error.status_code
        live = _ask(recorded, access, None if status in LISTING_STATUSES else status, report)
    return compare(recorded, live, profile=PROFILE, fail_on=fail_on, expect=expect)


def _ask(recorded: Listing, access: Access, expect: int | None, report: Report) -> Listing:
    return recorder.ask(
        access,
        recorded.query,
        cloud=recorded.cloud,
        release=recorded.provenance.release,
        expect=expect,
        report=report,
    ).listing
