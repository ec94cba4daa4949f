"""Make a recording of a body that was saved by hand."""

from collections import Counter
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail import __version__
from pytest_imagedetail.body.json import objects_in
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
from pytest_imagedetail.record.recorder import NewAnswer
from pytest_imagedetail.redact import Known, project_in_path, redact, redact_query
from pytest_imagedetail.transport.request import api_version, is_endpoint, url_of

_ALL: Final = Query()
_UNKNOWN: Final = "https://unknown.invalid/v2"  # for a body without self links
_REASONS: Final = {200: "OK", 203: "Non-Authoritative Information"}


def import_body(
    body: bytes,
    *,
    cloud: str,
    where: str,
    query: Query = _ALL,
    status_code: int = 200,
    release: str | None = None,
) -> NewAnswer:
    """Make a recording of a body that was saved by hand; `where` names it in errors.

    Raise BodyError if the status is that of a listing but the body is not a listing.
    """
    page = read_page(body, where=where) if status_code in LISTING_STATUSES else {"images": []}
    endpoint, kind = _endpoint_of(page["images"]), media_type(body)
    interaction = Interaction(
        url=url_of(endpoint, query),
        request_headers=Headers([("Accept", kind)]),
        response=Response(
            status_code=status_code,
            reason=_REASONS.get(status_code, ""),
            headers=Headers([("Content-Type", kind)]),
            body=body,
        ),
    )
    known = Known(project=project_in_path(f"{urlsplit(endpoint).path}/images"))
    redacted = redact([interaction], cloud=cloud, known=known)
    has_more = further_page(page, images=len(page["images"])) is not None
    provenance = Provenance(
        cloud=cloud,
        query=redact_query(query, cloud=cloud, known=redacted.known),
        release=release,
        source="imported",
        api_version=api_version(endpoint),
        complete=query.is_whole and not has_more,
        redactions=redacted.counts,
        plugin=__version__,
    )
    recording = Recording(provenance=provenance, interactions=redacted.interactions)
    listing = read(recording, expect=status_code)
    return NewAnswer(listing=listing, known=redacted.known)


def _endpoint_of(images: list[dict[str, Any]]) -> str:
    """Return the endpoint that most self links of images start with."""
    starts = Counter(
        str(link.get("href", "")).rpartition("/images/")[0]
        for image in images
        for link in objects_in(image, "links")
        if link.get("rel") == "self"
    )
    return next((start for start, _ in starts.most_common() if is_endpoint(start)), _UNKNOWN)
