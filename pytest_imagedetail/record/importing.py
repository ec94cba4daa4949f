"""Make a recording of a body that was saved by hand."""

from collections import Counter
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
from pytest_imagedetail.record.recorder import Unwritten
from pytest_imagedetail.redact import Known, placeholders, project_in_path, redact, redact_query
from pytest_imagedetail.transport.request import api_version, is_endpoint, url_of

_UNKNOWN: Final = "https://unknown.invalid/v2"  # for a body without links
_REASONS: Final = {200: "OK", 203: "Non-Authoritative Information"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A body that was saved by hand, and what is known of it."""

    body: bytes = field(repr=False)
    cloud: str
    query: Query = field(default_factory=Query)
    status_code: int = 200
    release: str | None = None
    where: str  # what to call the body in an error

    @property
    def is_listing(self) -> bool:
        """Whether it is the body of a listing, not of an error."""
        return self.status_code in LISTING_STATUSES


def imported(saved: Saved) -> Unwritten:
    """Make a recording of a body that was saved by hand; raise BodyError if it is not a listing."""
    page = read_page(saved.body, where=saved.where) if saved.is_listing else {"images": []}
    endpoint, kind = _endpoint_of(page["images"]), media_type(saved.body)
    interaction = Interaction(
        url=url_of(endpoint, saved.query),
        request_headers=Headers([("Accept", kind)]),
        response=Response(
            status_code=saved.status_code,
            reason=_REASONS.get(saved.status_code, ""),
            headers=Headers([("Content-Type", kind)]),
            body=saved.body,
        ),
    )
    known = Known(project=project_in_path(f"{urlsplit(endpoint).path}/images"))
    redacted = redact([interaction], cloud=saved.cloud, known=known)
    has_more = further_page(page, images=len(page["images"])) is not None
    provenance = Provenance(
        cloud=saved.cloud,
        query=redact_query(saved.query, cloud=saved.cloud, known=redacted.known),
        release=saved.release,
        source="imported",
        api_version=api_version(endpoint),
        complete=saved.query.is_whole and not has_more,
        redactions=redacted.counts,
        plugin=__version__,
    )
    recording = Recording(provenance=provenance, interactions=redacted.interactions)
    listing = read(recording, expect=None if saved.is_listing else saved.status_code)
    return Unwritten(listing=listing, known=redacted.known)


def _endpoint_of(images: list[dict[str, Any]]) -> str:
    """Return the endpoint that most self links lead to, or else most bookmarks."""
    for rel in ("self", "bookmark"):
        found = Counter(
            str(link.get("href", "")).rpartition("/images/")[0]
            for image in images
            for link in (image["links"] if isinstance(image.get("links"), list) else ())
            if isinstance(link, dict) and link.get("rel") == rel
        )
        for each, _ in found.most_common():
            if is_endpoint(each):
                return each if rel == "self" else _with_version(each)
    return _UNKNOWN


def _with_version(start: str) -> str:
    """Return the endpoint of bookmarks: what they begin with, and a version before a project."""
    last = urlsplit(start).path.rpartition("/")[2]
    if placeholders.is_id(last) or last.isdigit():
        return f"{start.removesuffix(last)}v2/{last}"
    return f"{start}/v2"
