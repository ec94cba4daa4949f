"""Makes a recording of a body that was saved by hand."""

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

    Raises:
        BodyError: It is not a listing, with line and column.
    """
    expect = None if status_code in LISTING_STATUSES else status_code
    endpoint, complete = "https://unknown.invalid/v2", query.is_whole
    if expect is None:
        page = read_page(body, where=where)
        endpoint = _endpoint_of(page) or endpoint
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


_REASONS: Final = {200: "OK", 203: "Non-Authoritative Information"}


def _accept(body: bytes) -> Headers:
    """What was asked for: whoever saved XML asked for it."""
    return Headers([("Accept", media_type(body))])


def _endpoint_of(page: dict[str, object]) -> str | None:
    """The endpoint that an answer was asked at, as most of its self links show it."""
    found = Counter(href.rpartition("/images/")[0] for href in _self_links(page["images"]))
    return next((each for each, _ in found.most_common() if _split(each).netloc), None)


def _self_links(images: Any) -> Iterator[str]:
    for image in images:
        links = image.get("links")
        for link in links if isinstance(links, list) else []:
            if isinstance(link, dict) and link.get("rel") == "self":
                yield str(link.get("href", ""))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # a bracket that opens no address: a link to nowhere
        return urlsplit("")
