"""Makes a recording of a body that was saved by hand."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from pytest_imagedetail import __version__
from pytest_imagedetail.listing import media_type, read, read_page
from pytest_imagedetail.model import (
    LISTING_STATUSES,
    Headers,
    Interaction,
    Provenance,
    Query,
    Recording,
    Response,
)
from pytest_imagedetail.record.recorder import Live
from pytest_imagedetail.redact import (
    Numbering,
    Part,
    Redacted,
    Secrets,
    project_in_path,
    redact,
    redact_query,
    redact_together,
)
from pytest_imagedetail.transport.request import api_version, url_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A body that was saved by hand.

    Attributes:
        body: The answer's body.
        cloud: The name to keep it under.
        query: What was asked.
        status_code: What the cloud answered with; a body alone does not say.
        release: The cloud's release, if known.
        where: What to call the body in an error.
    """

    body: bytes = field(repr=False)
    cloud: str
    query: Query = field(default_factory=Query)
    status_code: int = 200
    release: str | None = None
    where: str


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
    saved = Saved(
        body=body, cloud=cloud, query=query, status_code=status_code, release=release, where=where
    )
    return _prepared(saved, _page_of(saved)).alone()


def imported_together(one: Saved, other: Saved) -> tuple[Live, Live]:
    """Make recordings of two bodies so that equal placeholders of theirs mean equal values.

    They are to be compared and not to be kept. A body that has lost its own links was asked for at
    the endpoint that the other one shows, unless it leads to another host.

    Raises:
        BodyError: One is not a listing, with line and column.
    """
    first, second = _page_of(one), _page_of(other)
    ours, theirs = _prepared(one, first, beside=second), _prepared(other, second, beside=first)
    numbering = Numbering()
    some, others = redact_together([ours.part, theirs.part], numbering=numbering)
    return ours.live(some, numbering), theirs.live(others, numbering)


_Page = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A saved body as if it had been asked for, not redacted yet."""

    saved: Saved
    endpoint: str
    complete: bool

    @property
    def secrets(self) -> Secrets:
        return Secrets(project_id=project_in_path(f"{urlsplit(self.endpoint).path}/images"))

    @property
    def part(self) -> Part:
        saved = self.saved
        response = Response(
            status_code=saved.status_code,
            reason=_REASONS.get(saved.status_code, ""),
            headers=Headers([("Content-Type", media_type(saved.body))]),
            body=saved.body,
        )
        interaction = Interaction(
            url=url_of(self.endpoint, saved.query),
            request_headers=_accept(saved.body),
            response=response,
        )
        return Part(interactions=(interaction,), cloud=saved.cloud, secrets=self.secrets)

    def alone(self) -> Live:
        part = self.part
        return self.live(redact(part.interactions, cloud=part.cloud, secrets=part.secrets))

    def live(self, redacted: Redacted, numbering: Numbering | None = None) -> Live:
        saved = self.saved
        provenance = Provenance(
            cloud=saved.cloud,
            query=redact_query(
                saved.query, endpoint=self.endpoint, cloud=saved.cloud, secrets=self.secrets
            ),
            release=saved.release,
            source="imported",
            api_version=api_version(self.endpoint),
            complete=self.complete,
            redactions=redacted.counts,
            plugin=__version__,
        )
        recording = Recording(provenance=provenance, interactions=redacted.interactions)
        listing = read(recording, expect=_expected(saved))
        return Live(listing=replace(listing, numbering=numbering), secrets=redacted.replaced)


def _prepared(saved: Saved, page: _Page | None, *, beside: _Page | None = None) -> _Prepared:
    endpoint, complete = None, saved.query.is_whole
    if page is not None:
        endpoint = _endpoint_of(page, None if beside is None else _most(beside, "self"))
        complete = complete and not page.get("images_links")
    return _Prepared(saved=saved, endpoint=endpoint or _UNKNOWN, complete=complete)


def _expected(saved: Saved) -> int | None:
    """The status of an error; None if the body is that of a listing."""
    return None if saved.status_code in LISTING_STATUSES else saved.status_code


def _page_of(saved: Saved) -> _Page | None:
    """The document of a listing; None of an error."""
    return read_page(saved.body, where=saved.where) if _expected(saved) is None else None


_UNKNOWN: Final = "https://unknown.invalid/v2"  # the endpoint of a body that shows none
_PROJECT: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{5,}")
_REASONS: Final = {200: "OK", 203: "Non-Authoritative Information"}


def _accept(body: bytes) -> Headers:
    """What was asked for: whoever saved XML asked for it."""
    return Headers([("Accept", media_type(body))])


def _endpoint_of(page: _Page, beside: str | None) -> str | None:
    """The endpoint by self links, by those of another answer of the same host, or by bookmarks."""
    shown, bookmark = _most(page, "self"), _most(page, "bookmark")
    if shown is not None:
        return shown
    if beside is not None and (bookmark is None or _origin(bookmark) == _origin(beside)):
        return beside
    return None if bookmark is None else _versioned(bookmark)


def _most(page: _Page, rel: str) -> str | None:
    """What stands before the image in most links of a relation that lead to a host."""
    found = Counter(href.rpartition("/images/")[0] for href in _hrefs(page["images"], rel))
    return next((each for each, _ in found.most_common() if _split(each).netloc), None)


def _versioned(bookmark: str) -> str:
    """The endpoint that a bookmark has without its version; which one it was, nothing says."""
    above, _, last = bookmark.rpartition("/")
    return f"{above}/v2/{last}" if _PROJECT.fullmatch(last) else f"{bookmark}/v2"


def _hrefs(images: Any, rel: str) -> Iterator[str]:
    for image in images:
        links = image.get("links")
        for link in links if isinstance(links, list) else []:
            if isinstance(link, dict) and link.get("rel") == rel:
                yield str(link.get("href", ""))


def _origin(url: str) -> tuple[str, str]:
    parts = _split(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # a bracket that opens no address: a link to nowhere
        return urlsplit("")
