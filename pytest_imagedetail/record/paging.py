"""Follow a listing from page to page, in a live cloud or in a cassette."""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from pytest_imagedetail.body import xml as xmltext
from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.listing import read_page
from pytest_imagedetail.model import LISTING_STATUSES, Query, Response

_MAX_PAGES: Final = 10_000

Ask = Callable[[Query], Response]


def walk(ask: Ask, query: Query, *, where: str) -> Sequence[Response]:
    """Ask for a page and, unless the query is for one page, for all that follow it.

    Args:
        ask: Answers one query.
        query: The first.
        where: What to call the listing in an error.

    Raises:
        RecordingError: The pages do not end.
        BodyError: A page cannot be read; the message quotes it unredacted.
    """
    pages = [ask(query)]
    seen: set[str] = set()
    while query.is_whole and (marker := _next_marker(pages[-1])) is not None:
        if marker in seen:
            raise _endless(f"page {len(pages)} links back to an earlier one", where)
        if len(pages) >= _MAX_PAGES:
            raise _endless(f"page {len(pages)} still links to another", where)
        seen.add(marker)
        pages.append(ask(_next_query(query, pages[-1], marker)))
    return pages


def _endless(why: str, where: str) -> RecordingError:
    return RecordingError(
        f"the pages do not end: {why}",
        where=where,
        remedy="the cloud's paging is broken; record one page with limit=1000",
    )


def _next_query(query: Query, page: Response, marker: str) -> Query:
    """Return the query of the next page: our own filters, the cloud's marker and limit.

    The cloud's own link is not followed as it stands: through Juno it leads to /images, which
    lacks the details, and before Kilo its query is not encoded.
    """
    limit = dict(_next_link(page)).get("limit")
    return query.replaced(marker=marker, **({"limit": limit} if limit else {}))


def _next_marker(page: Response) -> str | None:
    return dict(_next_link(page)).get("marker")


def _next_link(page: Response) -> list[tuple[str, str]]:
    may_link = b"images_links" in page.body or xmltext.is_xml(page.body)
    if page.status_code not in LISTING_STATUSES or not may_link:
        return []
    links = read_page(page.body, where="a page of the listing").get("images_links")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("rel") == "next":
            return _pairs(str(link.get("href", "")))
    return []


def _pairs(href: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(href).query, keep_blank_values=True)
    except ValueError:  # such as "http://["
        return []
