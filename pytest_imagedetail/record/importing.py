"""Make a recording of a body that was saved by hand."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

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
from pytest_imagedetail.record.paging import further_page
from pytest_imagedetail.record.recorder import Live
from pytest_imagedetail.redact import Known, Redacted, project_in_path, redact, redact_query
from pytest_imagedetail.transport.request import api_version, is_endpoint, url_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A body that was saved by hand.

    Attributes:
        body: The response body, JSON or XML.
        cloud: The name to keep it under.
        query: What was asked.
        status_code: The response status, which a body does not show.
        release: The cloud's release, if known.
        where: What to call the body in an error.
    """

    body: bytes = field(repr=False)
    cloud: str
    query: Query = field(default_factory=Query)
    status_code: int = 200
    release: str | None = None
    where: str

    @property
    def is_listing(self) -> bool:
        """Whether it is the body of a listing, not of an error."""
        return self.status_code in LISTING_STATUSES


def imported(saved: Saved) -> Live:
    """Make a recording of a body that was saved by hand.

    Raises:
        BodyError: It is not a listing, with line and column.
    """
    asked = _asked(saved, _page_of(saved))
    return asked.live(redact([asked.interaction], cloud=saved.cloud, known=asked.known))


_Page = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A saved body as if it had been recorded, before redaction."""

    saved: Saved
    endpoint: str
    complete: bool

    @property
    def known(self) -> Known:
        return Known(project=project_in_path(f"{urlsplit(self.endpoint).path}/images"))

    @property
    def interaction(self) -> Interaction:
        saved, kind = self.saved, media_type(self.saved.body)
        response = Response(
            status_code=saved.status_code,
            reason=_REASONS.get(saved.status_code, ""),
            headers=Headers([("Content-Type", kind)]),
            body=saved.body,
        )
        return Interaction(
            url=url_of(self.endpoint, saved.query),
            request_headers=Headers([("Accept", kind)]),
            response=response,
        )

    def live(self, redacted: Redacted) -> Live:
        saved = self.saved
        provenance = Provenance(
            cloud=saved.cloud,
            query=redact_query(saved.query, cloud=saved.cloud, known=redacted.known),
            release=saved.release,
            source="imported",
            api_version=api_version(self.endpoint),
            complete=self.complete,
            redactions=redacted.counts,
            plugin=__version__,
        )
        recording = Recording(provenance=provenance, interactions=redacted.interactions)
        listing = read(recording, expect=None if saved.is_listing else saved.status_code)
        return Live(listing=listing, secrets=redacted.known)


def _asked(saved: Saved, page: _Page | None) -> _Asked:
    endpoint, complete = None, saved.query.is_whole
    if page is not None:
        endpoint = _endpoint_of(page)
        complete = complete and further_page(page, images=len(page["images"])) is None
    return _Asked(saved=saved, endpoint=endpoint or _UNKNOWN, complete=complete)


def _page_of(saved: Saved) -> _Page | None:
    """Return the document of a listing; None for an error."""
    return read_page(saved.body, where=saved.where) if saved.is_listing else None


_UNKNOWN: Final = "https://unknown.invalid/v2"  # for a body without links
_PROJECT: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{5,}")
_REASONS: Final = {200: "OK", 203: "Non-Authoritative Information"}


def _endpoint_of(page: _Page) -> str | None:
    """Return the endpoint by self links, else by bookmarks."""
    shown, bookmark = _most_common(page, "self"), _most_common(page, "bookmark")
    if shown is not None or bookmark is None:
        return shown
    return _versioned(bookmark)


def _most_common(page: _Page, rel: str) -> str | None:
    """Return the most common prefix before `/images/` in links of a relation."""
    found = Counter(href.rpartition("/images/")[0] for href in _hrefs(page["images"], rel))
    return next((each for each, _ in found.most_common() if is_endpoint(each)), None)


def _versioned(bookmark: str) -> str:
    """Add a version to the prefix of a bookmark, which has none."""
    above, _, last = bookmark.rpartition("/")
    return f"{above}/v2/{last}" if _PROJECT.fullmatch(last) else f"{bookmark}/v2"


def _hrefs(images: Any, rel: str) -> Iterator[str]:
    for image in images:
        links = image.get("links")
        for link in links if isinstance(links, list) else []:
            if isinstance(link, dict) and link.get("rel") == rel:
                yield str(link.get("href", ""))
