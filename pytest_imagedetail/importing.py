"""Makes a recording of a body that was saved by hand."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
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
from pytest_imagedetail.recorder import Live
from pytest_imagedetail.redact import Numbering, Secrets, project_in_path, redact, redact_query
from pytest_imagedetail.request import api_version, url_of


def imported(
    body: bytes,
    *,
    cloud: str,
    query: Query,
    status_code: int,
    release: str | None,
    where: str,
    numbering: Numbering | None = None,
    beside: str | None = None,
) -> Live:
    """Make a recording of a body that was saved by hand; redacted and checked like any other.

    Args:
        body: The answer's body.
        cloud: The name to keep it under.
        query: What was asked.
        status_code: What the cloud answered with; a body alone does not say.
        release: The cloud's release, if known.
        where: What to call the body in an error.
        numbering: That of another body which this one will be compared with; nothing of either is
            kept.
        beside: The endpoint that the other body shows, in case this one has lost its own.

    Raises:
        BodyError: It is not a listing, with line and column.
    """
    expect = None if status_code in LISTING_STATUSES else status_code
    endpoint, complete = "https://unknown.invalid/v2", query.is_whole
    if expect is None:
        page = read_page(body, where=where)
        endpoint = _endpoint_of(page, beside) or endpoint
        complete = complete and not page.get("images_links")
    url = url_of(endpoint, query)
    response = Response(
        status_code=status_code,
        reason=_REASONS.get(status_code, ""),
        headers=Headers([("Content-Type", media_type(body))]),
        body=body,
    )
    secrets = Secrets(project_id=project_in_path(f"{urlsplit(endpoint).path}/images"))
    interaction = Interaction(url=url, request_headers=_accept(body), response=response)
    redacted = redact([interaction], cloud=cloud, secrets=secrets, numbering=numbering)
    provenance = Provenance(
        cloud=cloud,
        query=redact_query(query, endpoint=endpoint, cloud=cloud, secrets=secrets),
        release=release,
        source="imported",
        api_version=api_version(endpoint),
        complete=complete,
        redactions=redacted.counts,
        plugin=__version__,
    )
    recording = Recording(provenance=provenance, interactions=redacted.interactions)
    listing = replace(read(recording, expect=expect), numbering=numbering)
    return Live(listing=listing, secrets=redacted.replaced)


_PROJECT: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{5,}")
_REASONS: Final = {200: "OK", 203: "Non-Authoritative Information"}


def _accept(body: bytes) -> Headers:
    """What was asked for: whoever saved XML asked for it."""
    return Headers([("Accept", media_type(body))])


def shown_endpoint(body: bytes, *, where: str) -> str | None:
    """The endpoint that an answer was asked at, as most of its self links show it; None if none do.

    Raises:
        BodyError: It is not a listing, with line and column.
    """
    return _most(read_page(body, where=where), "self")


def _endpoint_of(page: dict[str, Any], beside: str | None) -> str | None:
    """The endpoint by self links, by those of another answer of the same host, or by bookmarks."""
    shown, bookmark = _most(page, "self"), _most(page, "bookmark")
    if shown is not None:
        return shown
    if beside is not None and (bookmark is None or _origin(bookmark) == _origin(beside)):
        return beside
    return None if bookmark is None else _versioned(bookmark)


def _most(page: dict[str, Any], rel: str) -> str | None:
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
