"""Asks a cloud twice: what two identical requests disagree on is proposed as noise, not hidden."""

from dataclasses import dataclass, field, replace

from pytest_imagedetail.cassette import refuse_unsafe
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import recorder
from pytest_imagedetail.record.recorder import Live
from pytest_imagedetail.record.retry import Report
from pytest_imagedetail.transport.http import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice:
    """Two answers to one query.

    Attributes:
        live: The first, whose provenance names the paths on which the second differs.
        comparison: Of the first and the second, nothing normalized.
    """

    live: Live = field(repr=False)
    comparison: Comparison


def ask_twice(
    access: Access,
    query: Query,
    *,
    cloud: str,
    release: str | None = None,
    expect: int | None = None,
    report: Report,
) -> Twice:
    """Ask a live cloud the same twice. Nothing is written.

    Args:
        access: Where and as whom.
        query: What to ask.
        cloud: The name it will be kept under.
        release: The cloud's release, if declared.
        expect: An error status that is wanted.
        report: Told, in one line, of a wait that someone might notice.

    Raises:
        RecordingError, ResponseError, BodyError: As `recorder.ask`, of either request.
        LeakError: Redaction left a secret in one.
        ComparisonError: One answer is a part of the images and the other whole.
    """
    one, other = (
        recorder.ask(access, query, cloud=cloud, release=release, expect=expect, report=report)
        for _ in range(2)
    )
    for each in (one, other):  # the comparison shows both
        refuse_unsafe(
            each.listing.recording, secrets=each.secrets, where=f"the answer of cloud {cloud}"
        )
    comparison = compare(one.listing, other.listing, profile="wire", expect=expect)
    paths = tuple(dict.fromkeys(each.any_image for each in comparison.differences))
    recording = one.listing.recording
    proposed = replace(recording, provenance=replace(recording.provenance, volatile=paths))
    return Twice(
        live=replace(
            one,
            listing=replace(one.listing, recording=proposed),
            secrets=one.secrets | other.secrets,
        ),
        comparison=comparison,
    )
