"""Choose sets of queries that are recorded together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pytest_imagedetail.cassette import Store, load_once, load_own
from pytest_imagedetail.compare.matrix import by_release, compare_neighbors, release_of
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import recorder

SUITES = ("gate", "check")
"""The names of the sets."""

REFUSALS: Final = frozenset({400, 404, 405, 406, 410, 414, 422})
"""Error statuses that answer a query; others mean that the cloud did not answer it."""

Suite = Mapping[Query, frozenset[int]]
"""Queries, each with the statuses that releases answer it with."""


def gate_suite(library: Path) -> Suite:
    """Return the query for all images, and every query whose answer differs between releases.

    A baseline of them shows what an upgrade changes for clients, for example `limit=0`.
    """
    store = Store(directory=library)
    clouds = {cloud: _answers(store, cloud) for cloud in store.clouds()}
    row = by_release({cloud: answers for cloud, answers in clouds.items() if release_of(answers)})
    changed = {query for step in compare_neighbors(row).steps for query in step.queries}
    queries = dict.fromkeys(query for answers in row.values() for query in answers)
    return {
        query: frozenset(answers[query].status_code for answers in row.values() if query in answers)
        for query in queries
        if query == Query() or query in changed
    }


def suite_like(store: Store, cloud: str) -> Suite:
    """Return every recorded query of a cloud; a refusal counts as an answer."""
    recordings = map(load_once, store.paths(cloud))
    statuses = {
        recording.provenance.query: frozenset({recording.interactions[0].response.status_code})
        for recording in recordings
    }
    # A cloud that refuses to list all images is the wrong endpoint, not a baseline.
    return {
        query: codes if query == Query() else REFUSALS | codes for query, codes in statuses.items()
    } or {Query(): frozenset()}


def _answers(store: Store, cloud: str) -> dict[Query, Listing]:
    recordings = map(load_own, store.paths(cloud))
    listings = (recorder.follow(each, expect=error_status(each)) for each in recordings)
    return {listing.query: listing for listing in listings}
