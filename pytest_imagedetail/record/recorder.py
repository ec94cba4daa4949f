"""Get a listing, page by page: from a live cloud while recording, from a cassette while replaying.

Both use the same code for paging, so a cassette that lost its second page is an error, not a
shorter listing.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pytest_imagedetail import __version__
from pytest_imagedetail.cassette import Store, Written, refuse_unsafe
from pytest_imagedetail.errors import (
    BodyError,
    DamagedCassetteError,
    RecordingError,
    ResponseError,
)
from pytest_imagedetail.listing import Listing, error_status, read
from pytest_imagedetail.model import Interaction, Provenance, Query, Recording, Response
from pytest_imagedetail.record.paging import (
    Ask,
    refuse_further_header,
    refuse_further_page,
    walk,
)
from pytest_imagedetail.record.release_guard import mislabelled
from pytest_imagedetail.record.retry import OnWait, Retry
from pytest_imagedetail.redact import (
    Known,
    origin,
    placeholders,
    project_in_path,
    redact,
    redact_query,
)
from pytest_imagedetail.transport.http import Access
from pytest_imagedetail.transport.request import api_version, headers_of, url_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A redacted answer of a live cloud, not yet written.

    Attributes:
        listing: The checked answer.
        known: What the final check must look for when it is written.
    """

    listing: Listing
    known: Known = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCloud:
    """A cloud that can be asked, and what to record its answers under.

    Attributes:
        access: Authenticated access to it.
        name: The name of the cloud in recordings.
        release: Its declared release, if any.
        on_wait: Called with a line of text before a noticeable wait.
    """

    access: Access
    name: str
    release: str | None = None
    on_wait: OnWait | None = None


def replay(
    store: Store,
    cloud: str,
    query: Query,
    *,
    declared: str | None = None,
    expect: int | None = None,
) -> Listing:
    """Read a recorded listing, without network access.

    Raises:
        CassetteNotFoundError: Nothing was recorded.
        StaleCassetteError: It was recorded from another release than declared.
        DamagedCassetteError: The cassette is damaged or lacks a page.
        ResponseError: The recorded answer is not the expected one.
        BodyError: The recorded body is not a listing.
    """
    recording = store.load(cloud, query)
    refuse_stale(recording, declared)
    return follow(labelled(recording, declared), expect=expect)


def labelled(recording: Recording, declared: str | None) -> Recording:
    """Return the recording with the declared release of its cloud if it names none itself."""
    provenance = recording.provenance
    if provenance.release is not None or declared is None:
        return recording
    return replace(recording, provenance=replace(provenance, release=declared))


def refuse_stale(recording: Recording, declared: str | None) -> None:
    """Raise StaleCassetteError if a recording is not of its declared release."""
    error = mislabelled(recording.provenance, declared)
    if error is not None:
        raise error


def follow(recording: Recording, *, expect: int | None = None) -> Listing:
    """Make a listing from a recording by following its pages as a client would.

    Raises:
        DamagedCassetteError: Its pages are not the ones that their links lead to.
        ResponseError: Its status is not the expected one.
        BodyError: It is not a listing.
        RecordingError: It shows a further page in a form that is not understood.
    """
    listing = read(recording, expect=expect)
    if recording.provenance.source == "imported":
        return listing  # one body, and the pages that it links to were not saved
    cloud, pages = recording.provenance.cloud, recording.interactions
    asked = walk(
        _from_cassette(pages, cloud),
        recording.provenance.query,
        where=f"cloud {cloud}, query {recording.provenance.query}",
    )
    if len(asked) != len(pages):
        raise _lost_pages(cloud, len(asked), len(pages))
    refuse_further_page(listing)
    return listing


def ask(live: LiveCloud, query: Query, *, expect: int | None = None) -> Live:
    """Ask a live cloud and redact its answer. Write nothing.

    Args:
        live: The cloud.
        query: What to ask.
        expect: An error status that is wanted.

    Raises:
        RecordingError: The cloud could not be reached, asks for too long a wait, or a page did not
            arrive whole or is not the last one.
        ResponseError: It answered with another status than expected.
        BodyError: It answered with something else than a listing.
    """
    recording, known = fetch(live, query, expect=expect)
    return Live(listing=read_live(recording, known, expect=expect), known=known)


def ask_any(live: LiveCloud, query: Query, *, statuses: frozenset[int]) -> Live:
    """Ask a live cloud as `ask` does; expect the error that it gives if its status is listed."""
    recording, known = fetch(live, query)
    status = error_status(recording)
    expect = status if status in statuses else None
    return Live(listing=read_live(recording, known, expect=expect), known=known)


def read_live(recording: Recording, known: Known, *, expect: int | None) -> Listing:
    """Make a listing from a redacted answer.

    Raises:
        ResponseError: It has another status than expected.
        BodyError: It is not a listing.
        LeakError: One of these errors would quote a secret that redaction left.
        RecordingError: Some pages may be missing.
    """
    try:
        listing = read(recording, expect=expect)
        refuse_further_page(listing)
    except (ResponseError, BodyError, RecordingError):
        refuse_leak(recording, known)
        raise
    return listing


def refuse_leak(recording: Recording, known: Known) -> None:
    """Raise LeakError if redaction left a secret: what is shown is checked like a file."""
    provenance = recording.provenance
    where = f"the answer of cloud {provenance.cloud}, query {provenance.query}"
    refuse_unsafe(recording, known=known, where=where)


def fetch(live: LiveCloud, query: Query, *, expect: int | None = None) -> tuple[Recording, Known]:
    """Ask a live cloud; return its redacted answer, whatever its status, and all secrets.

    Answers that only ask to wait, or say that the token expired, are not part of the recording.

    Raises:
        RecordingError: As `ask`.
    """
    access, cloud = live.access, live.name
    retry = Retry(access, expect=expect, on_wait=live.on_wait)
    interactions: list[Interaction] = []

    def send(query: Query) -> Response:
        name = f"{cloud}, page {len(interactions) + 1}" if interactions else cloud
        url = url_of(access.endpoint, query)
        interactions.append(retry.get(url, headers_of(query), name=name))
        return interactions[-1].response

    known = known_query(access, query, cloud=cloud)
    with suppress(BodyError):  # it quotes the body; `read_live` raises it for the redacted one
        where = f"cloud {cloud}, query {known}"
        refuse_further_header(walk(send, query, where=where), query, where=where)
    redacted = redact(interactions, cloud=cloud, known=known_of(*retry.accesses))
    recording = Recording(
        provenance=Provenance(
            cloud=cloud,
            query=known,
            release=live.release,
            recorded_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            api_version=api_version(access.endpoint),
            max_microversion=access.max_microversion,
            pages=len(interactions),
            complete=query.is_whole,  # then the last page has no next link
            redactions=redacted.counts,
            plugin=__version__,
            project=placeholders.digest_of(redacted.known.project),
        ),
        interactions=redacted.interactions,
    )
    return recording, redacted.known


def known_query(access: Access, query: Query, *, cloud: str) -> Query:
    """Return the query as its cassette will name it, redacted."""
    return redact_query(query, cloud=cloud, known=known_of(access))


def keep(store: Store, live: Live) -> Written:
    """Write the answer of a cloud as `Store.write` does."""
    return store.write(live.listing.recording, known=live.known)


def _from_cassette(interactions: Sequence[Interaction], cloud: str) -> Ask:
    """Answer each query by the next interaction, which must have asked it."""
    remaining = iter(enumerate(interactions, start=1))

    def find(query: Query) -> Response:
        number, interaction = next(remaining, (len(interactions) + 1, None))
        if interaction and Query.parse(urlsplit(interaction.url).query).params == query.params:
            return interaction.response
        raise _lost_pages(cloud, number, len(interactions))

    return find


def _lost_pages(cloud: str, wanted: int, there: int) -> DamagedCassetteError:
    return DamagedCassetteError(
        f"the recording is incomplete: it links to {wanted} pages and has {there}",
        where=f"cloud {cloud}",
        remedy="record it again: pytest --imagedetail-record-mode=rewrite",
    )


def known_of(*accesses: Access) -> Known:
    """Return what access objects know; the token may have been renewed between them."""
    first = accesses[0]
    in_path = project_in_path(f"{urlsplit(first.endpoint).path}/images")
    return Known(
        project=in_path or first.project_id or None,
        secrets=frozenset().union(*(each.secrets | {each.token} for each in accesses)),
        owners=frozenset(
            id_ for each in accesses for id_ in (each.project_id, each.user_id) if id_
        ),
        origins={**first.origins, origin(first.endpoint): "compute"},
    )
