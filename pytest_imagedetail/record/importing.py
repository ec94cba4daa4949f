"""Make a recording of a body that was saved by hand."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
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
    part = asked.part
    return asked.live(redact(part.interactions, cloud=part.cloud, secrets=part.secrets))


def imported_together(one: Saved, other: Saved) -> tuple[Live, Live]:
    """Make recordings of two bodies so that equal placeholders mean equal values.

    They are for comparing, not for keeping. A body without self links gets the endpoint of the
    other one, unless its bookmarks link to another host.

    Raises:
        BodyError: One is not a listing, with line and column.
    """
    first, second = _page_of(one), _page_of(other)
    ours, theirs = _asked(one, first, beside=second), _asked(other, second, beside=first)
    numbering = Numbering()
    some, others = redact_together([ours.part, theirs.part], numbering=numbering)
    return ours.live(some, numbering), theirs.live(others, numbering)


_Page = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A saved body as if it had been recorded, before redaction."""

    saved: Saved
    endpoint: str
    complete: bool

    @property
    def secrets(self) -> Secrets:
        return Secrets(project_id=project_in_path(f"{urlsplit(self.endpoint).path}/images"))

    @property
    def part(self) -> Part:
        saved, kind = self.saved, media_type(self.saved.body)
        response = Response(
            status_code=saved.status_code,
            reason=_REASONS.get(saved.status_code, ""),
            headers=Headers([("Content-Type", kind)]),
            body=saved.body,
        )
        interaction = Interaction(
            url=url_of(self.endpoint, saved.query),
            request_headers=Headers([("Accept", kind)]),
            response=response,
        )
        return Part(interactions=(interaction,), cloud=saved.cloud, secrets=self.secrets)

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
        listing = read(recording, expect=None if saved.is_listing else saved.status_code)
        return Live(listing=replace(listing, numbering=numbering), secrets=redacted.replaced)


def _asked(saved: Saved, page: _Page | None, *, beside: _Page | None = None) -> _Asked:
    endpoint, complete = None, saved.query.is_whole
    if page is not None:
        endpoint = _endpoint_of(page, None if beside is None else _most_common(beside, "self"))
        complete = complete and further_page(page, images=len(page["images"])) is None
    return _Asked(saved=saved, endpoint=endpoint or _UNKNOWN, complete=complete)


def _page_of(saved: Saved) -> _Page | None:
    """Return the document of a listing; None for an error."""
    return read_page(saved.body, where=saved.where) if saved.is_listing else None


_UNKNOWN: Final = "https://unknown.invalid/v2"  # for a body without links
_PROJECT: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{5,}")
_REASONS: Final = {200: "OK", 203: "Non-Authoritative Information"}


def _endpoint_of(page: _Page, beside: str | None) -> str | None:
    """Return the endpoint by self links, else by those of `beside`, else by bookmarks."""
    shown, bookmark = _most_common(page, "self"), _most_common(page, "bookmark")
    if shown is not None:
        return shown
    if beside is not None and (bookmark is None or _origin(bookmark) == _origin(beside)):
        return beside
    return None if bookmark is None else _versioned(bookmark)


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


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()
