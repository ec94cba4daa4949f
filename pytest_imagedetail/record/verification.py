"""Ask a live cloud the same query again and compare the answers; write nothing."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from pytest_imagedetail.cassette import Store, load, load_own
from pytest_imagedetail.cassette.names import CHECK
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.errors import ComparisonError, ImageDetailError
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.model import FailOn, Query, Recording
from pytest_imagedetail.record import recorder
from pytest_imagedetail.record.recorder import LiveCloud, NewAnswer
from pytest_imagedetail.record.retry import NOT_ANSWERED
from pytest_imagedetail.redact import placeholders
from pytest_imagedetail.rules import Rules
from pytest_imagedetail.transport.http import Access
from pytest_imagedetail.transport.request import api_version

_ANSWERS: Final = frozenset({*range(200, 300), *range(400, 600)}) - NOT_ANSWERED


def verify(
    recorded: Listing,
    access: Access,
    *,
    query: Query | None = None,
    fail_on: FailOn = "change",
    rules: Rules = (),
) -> Comparison:
    """Compare a recording with its cloud's current answer.

    A status other than the recorded one is a difference, unless the request was not answered at
    all: the token was refused, or the cloud is busy or down. `query` is needed if redaction
    replaced values of the recorded query.

    Raises:
        ComparisonError: The recording was imported, or only one of the answers is complete.
        ImageDetailError: See `recorder.ask`.
    """
    if recorded.provenance.source == "imported":
        raise ComparisonError(
            "an imported recording cannot be verified: nothing says which cloud it is from",
            where=f"cloud {recorded.cloud}, query {recorded.query}",
            remedy="record the cloud under another name, then: "
            f"imagedetail diff {recorded.cloud} NAME",
        )
    expect = error_status(recorded.recording)
    live = LiveCloud(access=access, name=recorded.cloud, release=recorded.provenance.release)
    answer = recorder.ask(live, query or recorded.query, expect=expect, accept=_ANSWERS)
    current = answer.listing
    recorder.refuse_leak(current.recording, answer.known)
    return compare(
        recorded, current, profile="same-cloud", fail_on=fail_on, expect=expect, rules=rules
    )


def ask_twice(live: LiveCloud, query: Query, *, expect: int | None) -> tuple[NewAnswer, Comparison]:
    """Ask a live cloud twice and compare; the first answer's provenance lists what changed."""
    first, second = (recorder.ask(live, query, expect=expect) for _ in range(2))
    for answer in (first, second):
        recorder.refuse_leak(answer.listing.recording, answer.known)
    comparison = compare(first.listing, second.listing, profile="wire", expect=expect)
    recording = first.listing.recording
    paths = tuple(dict.fromkeys(difference.any_image for difference in comparison.differences))
    recording = replace(recording, provenance=replace(recording.provenance, volatile=paths))
    listing = replace(first.listing, recording=recording)
    return NewAnswer(listing=listing, known=first.known | second.known), comparison


def ask_again(live: LiveCloud, store: Store, *, rules: Rules) -> Comparison | None:
    """Verify the first own recording whose query can be repeated; return None if there is none.

    The release guard cannot tell apart releases that share a microversion or have none.
    """
    for recording in _repeatable_recordings(live.access, store, live.name):
        recorder.refuse_stale(recording, live.release)
        provenance = recording.provenance
        if provenance.source == "recorded" and not recorder.is_redacted(provenance.query):
            expect = error_status(recording)
            listing = recorder.follow(recording, declared=live.release, expect=expect)
            return verify(listing, live.access, rules=rules)
    return None


def _repeatable_recordings(access: Access, store: Store, cloud: str) -> Iterator[Recording]:
    """Yield own recordings, then the listings that test clients received with this access."""
    yield from map(load_own, filter(store.is_own, store.paths(cloud)))
    ids = access.user_id, access.project_id
    sender = [*map(placeholders.digest_of, ids), api_version(access.endpoint)]
    for path in store.traffic_paths(cloud) if sender[0] else ():
        with suppress(ImageDetailError):  # another tool's recording, or an incomplete listing
            traffic = load(path)
            provenance = traffic.provenance
            # Unlike in listings, e-mail addresses are redacted in traffic.
            is_comparable = provenance.test != CHECK and "people" not in provenance.redactions
            recorded = [provenance.user, provenance.project, provenance.api_version]
            if is_comparable and recorded == sender:
                yield from _listings_in(traffic)


def _listings_in(traffic: Recording) -> Iterator[Recording]:
    provenance = traffic.provenance
    for interaction in traffic.interactions:
        url, _, query_text = interaction.url.partition("?")
        if url == f"{provenance.endpoint}/images/detail" and interaction.response.body[:1] == b"{":
            microversion = interaction.request_headers.get("X-OpenStack-Nova-API-Version")
            query = replace(Query.parse(query_text), microversion=microversion)
            provenance = replace(provenance, query=query, complete=query.is_whole)
            listing = Recording(provenance=provenance, interactions=(interaction,))
            recorder.follow(listing)
            yield listing
