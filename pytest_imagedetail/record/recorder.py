"""Asks for a listing, page after page: a live cloud while recording, a cassette while replaying.

Both ways run through one walker, so what is replayed is followed as it was recorded: a cassette
that lost its second page is an error, not a shorter listing.
"""

from collections.abc import Sequence
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
from pytest_imagedetail.listing import Listing, read
from pytest_imagedetail.model import Interaction, Provenance, Query, Recording, Response
from pytest_imagedetail.record.paging import Ask, walk
from pytest_imagedetail.record.release_guard import mislabelled
from pytest_imagedetail.record.retry import Patience, Report
from pytest_imagedetail.redact import Secrets, project_in_path, redact, redact_query
from pytest_imagedetail.transport import http as transport
from pytest_imagedetail.transport.http import Access
from pytest_imagedetail.transport.request import api_version, headers_of, url_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A redacted answer of a live cloud, not yet written.

    Attributes:
        listing: Checked: the expected status, readable, every page there.
        secrets: What the gate must look for when it is written.
    """

    listing: Listing
    secrets: frozenset[str] = field(repr=False)


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
    return follow(as_declared(store.load(cloud, query), declared), expect=expect)


def as_declared(recording: Recording, declared: str | None) -> Recording:
    """The recording, with the release that its cloud is declared to be of if it names none itself.

    Raises:
        StaleCassetteError: It names another release.
    """
    refuse_stale(recording, declared)
    return labelled(recording, declared)


def labelled(recording: Recording, declared: str | None) -> Recording:
    """Return the recording with its cloud's declared release if it names none itself."""
    provenance = recording.provenance
    if provenance.release is not None or declared is None:
        return recording
    return replace(recording, provenance=replace(provenance, release=declared))


def refuse_stale(recording: Recording, declared: str | None) -> None:
    """Raise if a recording is not of the release that it or its cloud is declared to be.

    Raises:
        StaleCassetteError: It is not.
    """
    error = mislabelled(recording.provenance, declared)
    if error is not None:
        raise error


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
    asked = walk(
        _from_cassette(pages, cloud),
        recording.provenance.query,
        where=f"cloud {cloud}, query {recording.provenance.query}",
    )
    if len(asked) != len(pages):
        raise _lost_pages(cloud, len(asked), len(pages))
    return listing


def _silent(_: str) -> None:
    """Tell nobody."""


def ask(
    access: Access,
    query: Query,
    *,
    cloud: str,
    release: str | None = None,
    expect: int | None = None,
    report: Report = _silent,
) -> Live:
    """Ask a live cloud, under vcrpy, and redact what it answers. Nothing is written.

    An answer that only said to wait, or that the token expired, is asked for again and is no part
    of the recording.

    Args:
        access: Where and as whom.
        query: What to ask.
        cloud: The name it will be kept under.
        release: The cloud's release, if declared.
        expect: An error status that is wanted.
        report: Told, in one line, of a wait that someone might notice.

    Raises:
        RecordingError: The cloud could not be reached, wants more time than there is, or a page
            did not arrive whole.
        ResponseError: It answered with another status than expected.
        BodyError: It answered with something else than a listing.
    """
    answer = fetch(access, query, cloud=cloud, release=release, expect=expect, report=report)
    return Live(listing=answer.read(expect=expect), secrets=answer.secrets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a live cloud answered, redacted; nobody has judged yet whether it is what was wanted.

    Attributes:
        recording: Its pages.
        secrets: What the gate must look for when it is written.
        unreadable: Whether its last page could not be read before it was redacted.
    """

    recording: Recording = field(repr=False)
    secrets: frozenset[str] = field(repr=False)
    unreadable: bool

    @property
    def status_code(self) -> int:
        """The HTTP status of its first page."""
        return self.recording.interactions[0].response.status_code

    def read(self, *, expect: int | None) -> Listing:
        """Make a listing of it.

        Raises:
            ResponseError: Another status than expected.
            BodyError: No listing.
            LeakError: Neither, and redaction left a secret in what such an error would quote.
            RecordingError: Not all of it is there.
        """
        try:
            listing = read(self.recording, expect=expect)
        except (ResponseError, BodyError):
            self.refuse_unsafe()
            raise
        if self.unreadable:
            raise RecordingError(
                "the last page can be read only once it is redacted, so it is not known what "
                "follows",
                where=f"{self._where}, page {len(self.recording.interactions)}",
                remedy="nothing was written; report it with the page's form (never its values)",
            )
        return listing

    def refuse_unsafe(self) -> None:
        """Raise if redaction left a secret: what is to be shown passes the gate, too.

        Raises:
            LeakError: It did.
        """
        refuse_unsafe(self.recording, secrets=self.secrets, where=f"the answer of {self._where}")

    @property
    def _where(self) -> str:
        provenance = self.recording.provenance
        return f"cloud {provenance.cloud}, query {provenance.query}"


def fetch(
    access: Access,
    query: Query,
    *,
    cloud: str,
    release: str | None = None,
    expect: int | None = None,
    report: Report = _silent,
) -> Answer:
    """As `ask`, whatever status the cloud answers with.

    Raises:
        RecordingError: As `ask`.
    """
    patience = Patience(access, expect=expect, report=report)
    interactions: list[Interaction] = []

    def send(query: Query) -> Response:
        name = f"{cloud}, page {len(interactions) + 1}" if interactions else cloud
        interaction = patience.ask(lambda access: _attempt(access, query, name), name=name)
        interactions.append(interaction)
        return interaction.response

    known = known_query(access, query, cloud=cloud)
    unreadable = False
    try:
        walk(send, query, where=f"cloud {cloud}, query {known}")
    except BodyError:  # it quotes a body that is not redacted yet; read() says it of the redacted
        unreadable = True
    redacted = redact(interactions, cloud=cloud, secrets=_secrets(*patience.accesses))
    recording = Recording(
        provenance=Provenance(
            cloud=cloud,
            query=known,
            release=release,
            recorded_at=_now(),
            api_version=api_version(access.endpoint),
            max_microversion=access.max_microversion,
            pages=len(interactions),
            complete=query.is_whole,  # then the walk ended at a page without a next link
            redactions=redacted.counts,
            plugin=__version__,
        ),
        interactions=redacted.interactions,
    )
    return Answer(
        recording=recording,
        secrets=redacted.replaced,
        unreadable=unreadable,
    )


def _attempt(access: Access, query: Query, name: str) -> Interaction:
    """Ask once and catch the answer with vcrpy."""
    # Loads vcrpy and every HTTP client that it can patch; replaying needs neither.
    from pytest_imagedetail.cassette.capture import capture  # noqa: PLC0415

    with capture() as caught:
        url = url_of(access.endpoint, query)
        transport.get(url, headers_of(query), access=access, name=name, connections=caught)
    (interaction,) = caught.interactions
    return interaction


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


def _secrets(*accesses: Access) -> Secrets:
    """What a session knows to be secret, after each renewal of its token too."""
    first = accesses[0]
    in_path = project_in_path(f"{urlsplit(first.endpoint).path}/images")
    return Secrets(
        project_id=in_path or first.project_id,
        values=frozenset().union(*(each.secrets | {each.token} for each in accesses)),
        ids=frozenset(id_ for each in accesses for id_ in (each.project_id, each.user_id) if id_),
    )


def _now() -> str:
    return datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
