"""Asks for a listing, page after page: a live cloud while recording, a cassette while replaying.

Both ways run through one walker, so what is replayed is followed as it was recorded: a cassette
that lost its second page is an error, not a shorter listing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pytest_imagedetail import __version__, transport
from pytest_imagedetail.cassette import Store, Written
from pytest_imagedetail.contract import release_index
from pytest_imagedetail.errors import (
    DamagedCassetteError,
    RecordingError,
    StaleCassetteError,
)
from pytest_imagedetail.listing import Listing, read, read_page
from pytest_imagedetail.model import (
    LISTING_STATUSES,
    Headers,
    Interaction,
    Provenance,
    Query,
    Recording,
    Response,
)
from pytest_imagedetail.redact import Secrets, project_in_path, redact, redact_query
from pytest_imagedetail.transport import Access

_ASK: Final = Headers([("Accept", "application/json")])
_MOST_PAGES: Final = 10_000
_VERSION: Final = re.compile(r"/(v\d+(?:\.\d+)?)(?=/|$)")

Ask = Callable[[Query], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A redacted answer of a live cloud, not yet written.

    Attributes:
        listing: Checked: the expected status, readable, every page there.
        secrets: What the gate must look for when it is written.
    """

    listing: Listing
    secrets: frozenset[str]


def replay(
    store: Store,
    cloud: str,
    query: Query,
    *,
    declared: str | None = None,
    expect: int | None = None,
) -> Listing:
    """Read a recorded listing. Nothing here can reach a network.

    Args:
        store: Where recordings are.
        cloud: Whose.
        query: Of what.
        declared: The release that the cloud is declared to be of, if it is.
        expect: An error status that is wanted.

    Raises:
        CassetteNotFoundError: Nothing was recorded.
        StaleCassetteError: It was recorded from another release than declared.
        DamagedCassetteError: The cassette is damaged or lacks a page.
        ResponseError: What was recorded is not what is expected.
        BodyError: What was recorded is not a listing.
    """
    recording = store.load(cloud, query)
    refuse_stale(recording, declared)
    return follow(recording, expect=expect)


def refuse_stale(recording: Recording, declared: str | None) -> None:
    """Raise if a recording is of another release than its cloud is declared to be.

    Raises:
        StaleCassetteError: It is.
    """
    provenance = recording.provenance
    if not declared or not provenance.release:
        return
    if release_index(declared) != release_index(provenance.release):
        raise StaleCassetteError(
            f"the recording is stale: it is of release {provenance.release}, and the cloud is "
            f"declared to be {declared}",
            where=f"cloud {provenance.cloud}, query {provenance.query}",
            remedy="record it again: pytest --imagedetail-record-mode=rewrite\n"
            "or put the release that was recorded back into imagedetail.yaml",
        )


def follow(recording: Recording, *, expect: int | None = None) -> Listing:
    """Make a listing of a recording by walking its pages as a client would.

    Raises:
        DamagedCassetteError: Its pages are not the ones that their links lead to.
        ResponseError: Its status is not what is expected.
        BodyError: It is not a listing.
    """
    listing = read(recording, expect=expect)
    if recording.provenance.source == "imported":
        return listing  # one body, whatever page it leads to
    cloud, pages = recording.provenance.cloud, recording.interactions
    asked = _walk(_from_cassette(pages, cloud), recording.provenance.query)
    if len(asked) != len(pages):
        raise _lost_pages(cloud, len(asked), len(pages))
    return listing


def ask(
    access: Access,
    query: Query,
    *,
    cloud: str,
    release: str | None = None,
    expect: int | None = None,
) -> Live:
    """Ask a live cloud, under vcrpy, and redact what it answers. Nothing is written.

    Args:
        access: Where and as whom.
        query: What to ask.
        cloud: The name it will be kept under.
        release: The cloud's release, if declared.
        expect: An error status that is wanted.

    Raises:
        RecordingError: The cloud could not be reached or a page did not arrive whole.
        ResponseError: It answered with another status than expected.
        BodyError: It answered with something else than a listing.
    """
    # Loads vcrpy and every HTTP client that it can patch; replaying needs neither.
    from pytest_imagedetail.cassette.capture import capture  # noqa: PLC0415

    secrets = _secrets(access)

    def send(query: Query) -> Response:
        url = _url(access.endpoint, query)
        return transport.get(url, _request_headers(query), access=access, name=cloud)

    with capture() as caught:
        pages = _walk(send, query)
    redacted = redact(caught.interactions, cloud=cloud, secrets=secrets)
    recording = Recording(
        provenance=Provenance(
            cloud=cloud,
            query=redact_query(query, endpoint=access.endpoint, cloud=cloud, secrets=secrets),
            release=release,
            recorded_at=_now(),
            api_version=_api_version(access.endpoint),
            max_microversion=access.max_microversion,
            pages=len(pages),
            complete=_is_last(pages[-1]) and query.is_whole,
            redactions=redacted.counts,
            plugin=__version__,
        ),
        interactions=redacted.interactions,
    )
    return Live(listing=read(recording, expect=expect), secrets=redacted.replaced)


def known_query(access: Access, query: Query, *, cloud: str) -> Query:
    """The query as its cassette names it, before the cloud is asked."""
    return redact_query(query, endpoint=access.endpoint, cloud=cloud, secrets=_secrets(access))


def keep(store: Store, live: Live) -> Written:
    """Write what a cloud answered.

    Raises:
        LeakError: A secret was left in it; nothing is written.
        RecordingError: The file cannot be written.
    """
    return store.write(live.listing.recording, secrets=live.secrets)


def imported(
    body: bytes, *, cloud: str, query: Query, status_code: int, release: str | None, where: str
) -> Live:
    """Make a recording of a body that was saved by hand; redacted and checked like any other.

    Args:
        body: The answer's body.
        cloud: The name to keep it under.
        query: What was asked.
        status_code: What the cloud answered with; a body alone does not say.
        release: The cloud's release, if known.
        where: What to call the body in an error.

    Raises:
        BodyError: It is not a listing, with line and column.
    """
    expect = None if status_code in LISTING_STATUSES else status_code
    endpoint, complete = "https://unknown.invalid/v2", query.is_whole
    if expect is None:
        page = read_page(body, where=where)
        endpoint = _endpoint_of(page) or endpoint
        complete = complete and not page.get("images_links")
    url = _url(endpoint, query)
    response = Response(
        status_code=status_code,
        reason=_REASONS.get(status_code, ""),
        headers=Headers([("Content-Type", "application/json")]),
        body=body,
    )
    secrets = Secrets(project_id=project_in_path(f"{urlsplit(endpoint).path}/images"))
    interaction = Interaction(url=url, request_headers=_ASK, response=response)
    redacted = redact([interaction], cloud=cloud, secrets=secrets)
    provenance = Provenance(
        cloud=cloud,
        query=redact_query(query, endpoint=endpoint, cloud=cloud, secrets=secrets),
        release=release,
        source="imported",
        api_version=_api_version(endpoint),
        complete=complete,
        redactions=redacted.counts,
        plugin=__version__,
    )
    recording = Recording(provenance=provenance, interactions=redacted.interactions)
    return Live(listing=read(recording, expect=expect), secrets=redacted.replaced)


_REASONS: Final = {200: "OK", 203: "Non-Authoritative Information"}


def _walk(ask: Ask, query: Query) -> Sequence[Response]:
    """Ask for a page and, unless one page was asked for, for all that follow it."""
    pages = [ask(query)]
    seen: set[str] = set()
    while query.is_whole and (marker := _next_marker(pages[-1])) is not None:
        if marker in seen or len(pages) >= _MOST_PAGES:
            raise RecordingError(
                f"the pages do not end: marker {marker!r} came twice, or {_MOST_PAGES} pages came",
                where=f"query {query}",
                remedy="the cloud's paging is broken; record one page with limit=1000",
            )
        seen.add(marker)
        pages.append(ask(_next_query(query, pages[-1], marker)))
    return pages


def _next_query(query: Query, page: Response, marker: str) -> Query:
    """The query of the next page: our own filters, the cloud's marker and limit.

    The cloud's own link is not followed as it stands: through Juno it leads to /images, which
    lacks the details, and before Kilo its query is not encoded.
    """
    limit = dict(_next_link(page)).get("limit")
    return query.replaced(marker=marker, **({"limit": limit} if limit else {}))


def _next_marker(page: Response) -> str | None:
    return dict(_next_link(page)).get("marker")


def _next_link(page: Response) -> list[tuple[str, str]]:
    if page.status_code not in LISTING_STATUSES or b"images_links" not in page.body:
        return []
    links = read_page(page.body, where="a page of the listing").get("images_links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("rel") == "next":
            return parse_qsl(_split(str(link.get("href", ""))).query, keep_blank_values=True)
    return []


def _is_last(page: Response) -> bool:
    return _next_marker(page) is None


def _from_cassette(interactions: Sequence[Interaction], cloud: str) -> Ask:
    """Answers from interactions, each once, whatever their order in the file."""
    remaining = list(interactions)

    def find(query: Query) -> Response:
        for interaction in remaining:
            if Query.parse(urlsplit(interaction.url).query).params == query.params:
                remaining.remove(interaction)
                return interaction.response
        played = len(interactions) - len(remaining)
        raise _lost_pages(cloud, played + 1, len(interactions))

    return find


def _lost_pages(cloud: str, wanted: int, there: int) -> DamagedCassetteError:
    return DamagedCassetteError(
        f"the recording is not whole: it leads to {wanted} pages and has {there}",
        where=f"cloud {cloud}",
        remedy="record it again: pytest --imagedetail-record-mode=rewrite",
    )


def _secrets(access: Access) -> Secrets:
    ids = {access.project_id, access.user_id or ""} - {""}
    in_path = project_in_path(f"{urlsplit(access.endpoint).path}/images")
    return Secrets(
        project_id=in_path or access.project_id,
        values=access.secrets | {access.token},
        ids=frozenset(ids),
    )


def _request_headers(query: Query) -> Headers:
    """What a request sends; both microversion headers, as Nova's own clients do."""
    if query.microversion is None:
        return _ASK
    microversion = query.microversion
    return Headers(
        [
            *_ASK.fields,
            ("OpenStack-API-Version", f"compute {microversion}"),
            ("X-OpenStack-Nova-API-Version", microversion),
        ]
    )


def _url(endpoint: str, query: Query) -> str:
    return f"{endpoint}/images/detail" + (f"?{query.wire}" if query.params else "")


def _endpoint_of(page: dict[str, object]) -> str | None:
    """The endpoint that an answer was asked at, as its first self link shows it."""
    images = page["images"]
    for image in images if isinstance(images, list) else []:
        links = image.get("links")
        for link in links if isinstance(links, list) else []:
            if isinstance(link, dict) and link.get("rel") == "self":
                href = str(link.get("href", ""))
                return (href.rpartition("/images/")[0] or None) if _split(href).path else None
    return None


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # a bracket that opens no address: a link to nowhere
        return urlsplit("")


def _api_version(endpoint: str) -> str | None:
    match = _VERSION.search(urlsplit(endpoint).path)
    return match.group(1) if match else None


def _now() -> str:
    return datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
