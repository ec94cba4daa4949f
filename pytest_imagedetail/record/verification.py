"""Ask a live cloud a recorded query again, and compare; write nothing.

Used to verify recordings, and as a part of the release guard before anything is recorded.
"""

from collections.abc import Callable
from typing import Final

from pytest_imagedetail.cassette import Store, load_own
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.errors import ComparisonError, ReleaseError, VerificationError
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.model import FailOn, Provenance, Query
from pytest_imagedetail.record import recorder
from pytest_imagedetail.record.release_guard import (
    Evidence,
    evidence_of,
    other_release,
    under_new_name,
    ways_on,
)
from pytest_imagedetail.record.retry import NOBODY_ANSWERED
from pytest_imagedetail.redact import placeholder
from pytest_imagedetail.report import terminal
from pytest_imagedetail.rules import NO_RULES, Rules
from pytest_imagedetail.transport.http import Access

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
    rules: Rules = NO_RULES,
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
        rules: Which differences are accepted.
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
    return compare(recorded, live, profile=PROFILE, fail_on=fail_on, expect=expect, rules=rules)


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


def refuse_other_cloud(
    access: Access,
    store: Store,
    *,
    cloud: str,
    os_cloud: str,
    release: str | None,
    adds: bool,
    rules: Rules = NO_RULES,
    report: Report = _silent,
) -> str | None:
    """Raise unless a live cloud is still the one that was recorded under its name.

    Releases that share a microversion, and clouds without one, look alike to the release guard. So
    before a recording is added to others, one recorded query is asked again.

    Args:
        access: The live cloud.
        store: Where its recordings are.
        cloud: The name that recordings are kept under.
        os_cloud: The name of the cloud in clouds.yaml.
        release: The declared release.
        adds: Whether a recording will be added to others, not replaced.
        rules: Which differences are accepted.
        report: Told, in one line, when the cloud wants some time.

    Returns:
        The release to record under: the declared one, or else what is recorded.

    Raises:
        ReleaseError: The cloud contradicts its declared release or its recordings.
        StaleCassetteError: A recording contradicts itself.
        DamagedCassetteError: A recording cannot be read.
        VerificationError: The cloud's answer to a recorded query changed.
        ImageDetailError: As `verify`, if the query could not be asked.
    """
    recorded = tuple(evidence_of(store, cloud))
    release = release or next((each.release for each in recorded if each.release), None)
    newest = access.max_microversion
    error = other_release(
        _live(access, release),
        recorded,
        cloud=cloud,
        remedy=under_new_name(cloud, os_cloud, newest),
    )
    if error is not None:
        raise error
    known = _to_ask_again(store, cloud, release) if adds else None
    if known is None:
        return release
    comparison = verify(known, access, fail_on="change", rules=rules, report=report)
    if not comparison.compatible:
        raise VerificationError(
            f"nothing was added to the recordings of {cloud!r}: the answer to a recorded query "
            f"changed\n{terminal.render(comparison)}",
            where=str(store.path(cloud, known.query)),
            remedy=ways_on(known.provenance, os_cloud, newest, expect=comparison.candidate.error),
        )
    return release


def _live(access: Access, release: str | None = None) -> Evidence:
    newest = access.max_microversion
    return Evidence(
        where="the cloud", release=release, max_microversion=newest, offers_none=newest is None
    )


def refuse_other_import(new: Provenance, store: Store, *, declared: str | None) -> None:
    """Raise if a saved body is not of the release that its cloud is declared or recorded to be.

    Args:
        new: Of the body; a release is known only if it was declared.
        store: Where the cloud's recordings are.
        declared: The release that the cloud is declared to be.

    Raises:
        ReleaseError: It is another release.
    """
    yaml = Evidence(where="imagedetail.yaml", release=declared)
    error = other_release(
        Evidence(where="the body", release=new.release or declared),
        [yaml, *evidence_of(store, new.cloud)],
        cloud=new.cloud,
        remedy="import it under another name with --cloud, or correct --release",
    )
    if error is not None:
        raise error


def upgraded(recorded: Listing, access: Access, *, os_cloud: str) -> ReleaseError | None:
    """Return the error of a live cloud that is another release than one recording, or None.

    Args:
        recorded: The recording, with its cloud's declared release.
        access: The live cloud.
        os_cloud: Its name in clouds.yaml.
    """
    known = recorded.provenance
    where = f"cloud {known.cloud}"
    old = Evidence(where=where, release=known.release, max_microversion=known.max_microversion)
    remedy = under_new_name(known.cloud, os_cloud, access.max_microversion)
    return other_release(_live(access), [old], cloud=known.cloud, remedy=remedy)


def _to_ask_again(store: Store, cloud: str, declared: str | None) -> Listing | None:
    """Return the first own recording of a query that can be asked again, or None."""
    for path in filter(store.is_own, store.paths(cloud)):
        recording = recorder.as_declared(load_own(path), declared)
        asked = recording.provenance.query.params
        holds_placeholders = any(placeholder.holds(value) for _, value in asked)
        if recording.provenance.source == "recorded" and not holds_placeholders:
            return recorder.follow(recording, expect=error_status(recording))
    return None
