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
from pytest_imagedetail.errors import BodyError, DamagedCassetteError, RecordingError, ResponseError
from pytest_imagedetail.listing import Listing, read
from pytest_imagedetail.model import (
    Headers,
    Interaction,
    Provenance,
    Query,
    Recording,
    Response,
    isotime,
)
from pytest_imagedetail.record.paging import Ask, refuse_further_page, walk
from pytest_imagedetail.record.release_guard import label_error
from pytest_imagedetail.record.retry import Retry
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
class NewAnswer:
    """A redacted answer that is not written yet."""

    listing: Listing
    known: Known = field(repr=False)  # what the final check must look for


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCloud:
    """Access to a live cloud, and the name and release to record its answers under."""

    access: Access
    name: str
    release: str | None = None


def refuse_stale(recording: Recording, declared: str | None) -> None:
    """Raise StaleCassetteError if a recording is not of its declared release."""
    error = label_error(recording.provenance, declared)
    if error is not None:
        raise error


def follow(
    recording: Recording, *, declared: str | None = None, expect: int | None = None
) -> Listing:
    """Make a listing from a recording by following its pages as a client would.

    A recording without a release gets the declared release of its cloud.

    Raises:
        DamagedCassetteError: Its pages do not match their next links.
        ResponseError: Its status is not the expected one.
        BodyError: It is not a listing.
        RecordingError: It shows a further page in an unknown form.
    """
    provenance, pages = recording.provenance, recording.interactions
    if provenance.release is None and declared is not None:
        recording = replace(recording, provenance=replace(provenance, release=declared))
    listing = read(recording, expect=expect)
    if provenance.source == "imported":
        return listing  # one body; the pages it links to were not saved
    cloud, query = provenance.cloud, provenance.query
    followed = walk(_from_cassette(pages, cloud), query, where=f"cloud {cloud}, query {query}")
    if len(followed) != len(pages):
        raise _lost_pages(cloud, len(followed), len(pages))
    if listing.document.keys() != {"images"}:  # the headers were checked while recording
        refuse_further_page(listing, Headers())
    return listing


def ask(
    live: LiveCloud,
    query: Query,
    *,
    expect: int | None = None,
    accept: frozenset[int] = frozenset(),
) -> NewAnswer:
    """Query a live cloud; redact and check its answer, but write nothing.

    An error is accepted if its status is `expect` or one of `accept`.

    Raises:
        RecordingError: The query holds placeholders, the cloud is unreachable or asks for too long
            a wait, or a page is cut off or not the last one.
        ResponseError: The status is not the expected one.
        BodyError: The answer is not a listing.
        LeakError: One of these errors would quote a secret that redaction missed.
    """
    access, cloud = live.access, live.name
    redacted_query = known_query(access, query, cloud=cloud)
    if is_redacted(query):
        raise RecordingError(
            "the query holds placeholders, so the cloud cannot be asked the same",
            where=f"cloud {cloud}, query {redacted_query}",
            remedy="give the redacted values again: imagedetail record NAME --query K=VALUE\n"
            "or verify it in the test that asks it: pytest --imagedetail-record-mode=verify",
        )
    retry = Retry(access)
    received: list[Interaction] = []

    def send(query: Query) -> Response:
        name = f"{cloud}, page {len(received) + 1}" if received else cloud
        url = url_of(access.endpoint, query)
        received.append(retry.get(url, headers_of(query), name=name))
        return received[-1].response

    with suppress(BodyError):  # it quotes the body; the redacted body is read below
        walk(send, query, where=f"cloud {cloud}, query {redacted_query}")
    redacted = redact(received, cloud=cloud, known=known_of(*retry.accesses))
    recording = Recording(
        provenance=Provenance(
            cloud=cloud,
            query=redacted_query,
            release=live.release,
            recorded_at=isotime(datetime.now(UTC)),
            api_version=api_version(access.endpoint),
            max_microversion=access.max_microversion,
            pages=len(received),
            complete=query.is_whole,  # then the last page has no next link
            redactions=redacted.counts,
            plugin=__version__,
            project=placeholders.digest_of(redacted.known.project),
        ),
        interactions=redacted.interactions,
    )
    status = received[0].response.status_code
    try:
        listing = read(recording, expect=status if status in accept else expect)
        refuse_further_page(listing, received[-1].response.headers)
    except (ResponseError, BodyError, RecordingError):
        refuse_leak(recording, redacted.known)
        raise
    return NewAnswer(listing=listing, known=redacted.known)


def refuse_leak(recording: Recording, known: Known) -> None:
    """Raise LeakError if redaction missed a secret: output is checked like a file."""
    provenance = recording.provenance
    where = f"the answer of cloud {provenance.cloud}, query {provenance.query}"
    refuse_unsafe(recording, known=known, where=where)


def known_query(access: Access, query: Query, *, cloud: str) -> Query:
    """Return the query redacted, as its cassette will name it."""
    return redact_query(query, cloud=cloud, known=known_of(access))


def is_redacted(query: Query) -> bool:
    """Return whether redaction replaced values of a query, so that it cannot be asked again.

    Of the URL of a server, Nova reads only the id at its end.
    """
    return any(placeholders.holds(value) for name, value in query.params if name != "server")


def keep(store: Store, answer: NewAnswer) -> Written:
    """Write the answer of a cloud as `Store.write` does."""
    return store.write(answer.listing.recording, known=answer.known)


def _from_cassette(interactions: Sequence[Interaction], cloud: str) -> Ask:
    """Return a function that answers each query from the next interaction, which must match."""
    remaining = iter(enumerate(interactions, start=1))

    def find(query: Query) -> Response:
        number, interaction = next(remaining, (len(interactions) + 1, None))
        if interaction and Query.parse(urlsplit(interaction.url).query).params == query.params:
            return interaction.response
        raise _lost_pages(cloud, number, len(interactions))

    return find


def _lost_pages(cloud: str, expected: int, actual: int) -> DamagedCassetteError:
    return DamagedCassetteError(
        f"the recording is incomplete: it links to {expected} pages and has {actual}",
        where=f"cloud {cloud}",
        remedy="record it again: pytest --imagedetail-record-mode=rewrite",
    )


def known_of(*accesses: Access) -> Known:
    """Return what must be redacted for a cloud, including all renewed tokens."""
    first = accesses[0]
    in_path = project_in_path(f"{urlsplit(first.endpoint).path}/images")
    ids = (each for one in accesses for each in (one.project_id, one.user_id))
    return Known(
        project=in_path or first.project_id or None,
        secrets=frozenset().union(*(access.secrets | {access.token} for access in accesses)),
        owners=frozenset(filter(None, ids)),
        origins={**first.origins, origin(first.endpoint): "compute"},
    )
