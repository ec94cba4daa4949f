"""Asks a live cloud what a recording was asked, and says what it answers otherwise; writes nothing.

Both `--imagedetail-record-mode=verify` and `imagedetail verify` come here.
"""

from collections.abc import Callable
from typing import Final

from pytest_imagedetail import placeholder, recorder
from pytest_imagedetail.compare import compare
from pytest_imagedetail.comparison import Comparison
from pytest_imagedetail.errors import ComparisonError
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.model import FailOn, Query
from pytest_imagedetail.patience import NOBODY_ANSWERED
from pytest_imagedetail.transport import Access

PROFILE: Final = "same-cloud"
"""How far the answers of one cloud at two times are normalized."""

Report = Callable[[str], None]


def _silent(_: str) -> None:
    """Tell nobody."""


def verify(
    recorded: Listing,
    access: Access,
    *,
    query: Query | None = None,
    fail_on: FailOn = "change",
    report: Report = _silent,
) -> Comparison:
    """Compare a recording with what its cloud answers now.

    A recorded error is what the cloud is expected to answer. Another status than the recorded one
    is a difference like any other, unless it says that nobody was answered: a refused token, a
    cloud that is busy or down.

    Args:
        recorded: The recording, which is the baseline.
        access: The cloud that it was recorded from.
        query: What to ask, if the recorded query holds placeholders for what was asked.
        fail_on: From which severity on the result is not compatible.
        report: Told, in one line, when the cloud wants some time.

    Raises:
        ComparisonError: The recording was imported, or a part stands against a whole.
        RecordingError: The cloud could not be asked, or its answer did not arrive whole.
        ResponseError: It refused the token, or is busy or down.
        BodyError: It answered with something else than a listing or an error.
        LeakError: Redaction left a secret in its answer, and a comparison would show it.
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
    answer = recorder.fetch(
        access,
        query or _as_asked(recorded),
        cloud=recorded.cloud,
        release=recorded.provenance.release,
        expect=expect,
        report=report,
    )
    redirected = answer.status_code // 100 == 3  # noqa: PLR2004  3xx: the token would go elsewhere
    wanted = (
        expect
        if redirected or answer.status_code in NOBODY_ANSWERED
        else error_status(answer.recording)
    )
    live = answer.read(expect=wanted)
    answer.refuse_unsafe()
    return compare(recorded, live, profile=PROFILE, fail_on=fail_on, expect=expect)


def _as_asked(recorded: Listing) -> Query:
    """The recorded query, if it is what the cloud was asked and not what redaction made of it."""
    query = recorded.query
    if any(placeholder.holds(value) for _, value in query.params):
        raise ComparisonError(
            "the recorded query holds placeholders, so the cloud cannot be asked the same again",
            where=f"cloud {recorded.cloud}, query {query}",
            remedy="verify it in the test that asks it: pytest --imagedetail-record-mode=verify",
        )
    return query
