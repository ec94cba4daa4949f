"""Follow a listing from page to page, in a live cloud or in a cassette."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from pytest_imagedetail.body import xml as xmltext
from pytest_imagedetail.body.json import objects_in
from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.listing import Listing, read_page
from pytest_imagedetail.model import LISTING_STATUSES, Headers, Query, Response

_LINKS: Final = "images_links"

Ask = Callable[[Query], Response]


def walk(ask: Ask, query: Query, *, where: str) -> Sequence[Response]:
    """Request a page and, unless the query is for one page, all pages after it.

    A BodyError quotes the unreadable page unredacted.
    """
    pages = [ask(query)]
    seen: set[str] = set()
    while query.is_whole and "marker" in (following := _next_parameters(pages[-1])):
        marker = following["marker"]
        if marker in seen:
            raise RecordingError(
                f"the pages do not end: page {len(pages)} links back to an earlier one",
                where=where,
                remedy="the cloud's paging is broken; record one page with limit=1000",
            )
        seen.add(marker)
        # The link itself is not followed: through Juno it leads to /images, which lacks details,
        # and before Kilo its query is not encoded. So use our filters with its marker and limit.
        limit = {"limit": following["limit"]} if following.get("limit") else {}
        pages.append(ask(query.replaced(marker=marker, **limit)))
    return pages


def _next_parameters(page: Response) -> dict[str, str]:
    may_link = _LINKS.encode() in page.body or xmltext.is_xml(page.body)
    if page.status_code not in LISTING_STATUSES or not may_link:
        return {}
    for link in objects_in(read_page(page.body, where="a page of the listing"), _LINKS):
        if link.get("rel") == "next":
            with suppress(ValueError):  # such as "http://["
                href = str(link.get("href", ""))
                return dict(parse_qsl(urlsplit(href).query, keep_blank_values=True))
    return {}


def refuse_further_page(listing: Listing, headers: Headers) -> None:
    """Raise RecordingError if the last page or its headers show a further page."""
    if not listing.complete or listing.error is not None:
        return
    pages, fields = listing.recording.interactions, dict[str, Any](headers.fields)
    total = headers.get("Content-Range", "").rpartition("/")[2]
    fields |= {"Link": [*headers.all("Link")], "total": total}
    if listing.document.keys() != {"images"}:
        fields |= read_page(pages[-1].response.body, where="the last page")
    sign = further_page(fields, images=len(listing.images), pages=len(pages))
    if sign is not None:
        raise RecordingError(
            f"the cloud shows a further page in an unknown form: {sign!r}",
            where=f"cloud {listing.cloud}, query {listing.query}, page {len(pages)}",
            remedy="the listing would not be complete, so it was dropped\n"
            "record a part, which is marked as one: --query limit=1000 in a shell, limit=1000 in a "
            "test",
        )


def further_page(fields: Mapping[str, Any], *, images: int, pages: int = 1) -> str | None:
    """Return the path of a field of the last page that may show a further page, or None.

    Nova sends only `images` and `images_links`. Other fields are a vendor's, and most are not about
    paging. A number may be the total of images or of pages.
    """
    pending = [("", name, value) for name, value in fields.items() if name != "images"]
    while pending:
        prefix, name, value = pending.pop()
        if value is False and _words(name) & _END:
            return prefix + name
        if not value or (isinstance(value, str) and value.strip().lower() in _EMPTY):
            continue
        words = _words(name)
        is_about_rest = words & _REST and not (words | _words(prefix)) & _OTHER
        if words & _MORE or is_about_rest or _is_next_link(name, value):
            return prefix + name
        remaining = words - _NUMBER
        is_total = remaining <= _ITEMS and words & (_COUNTED if remaining else _TOTAL)
        if _words(prefix) <= _ABOUT_PAGES and (
            (is_total and _exceeds(value, images))
            or (remaining and remaining <= _PAGES and _exceeds(value, pages))
        ):
            return prefix + name
        if isinstance(value, dict):
            pending += ((f"{prefix}{name}.", key, item) for key, item in value.items())
        elif isinstance(value, list):
            pending += ((prefix, name, item) for item in value)
    return None


_MORE: Final = frozenset(
    {
        *("continuation", "continue", "cursor", "cursors", "evaluated", "following", "forward"),
        *("incomplete", "marker", "more", "next", "older", "partial", "resume", "resumption"),
        *("scroll", "skiptoken", "truncated"),
    }
)
"""Words in the name of a field that shows a further page, unless the value is empty."""

_REST: Final = frozenset({"after", "left", "remaining", "rest"})
"""Words with the same meaning, unless the name is about requests, as in `rateLimitRemaining`."""

_OTHER: Final = frozenset({"api", "limit", "quota", "rate", "ratelimit", "requests", "retry"})
"""Words of a name that is about requests."""

_END: Final = frozenset({"complete", "done", "end", "eof", "final", "last"})
"""Words in the name of a field that shows a further page if it is false."""

_TOTAL: Final = frozenset({"count", "found", "total"})
_COUNTED: Final = _TOTAL | {"num", "number"}
"""Words of a total beside the name of what is counted: `num_results`."""

_NUMBER: Final = _COUNTED | {"available", "last", "of", "x"}
_PAGES: Final = frozenset({"page", "pages"})
_ITEMS: Final = frozenset(
    {"element", "elements", "entries", "entry", "hit", "hits", "image", "images", "item", "items"}
    | {"object", "objects", "record", "records", "result", "results"}
)
_ABOUT_PAGES: Final = _ITEMS | {
    *("info", "links", "meta", "metadata", "page", "pages", "pagination", "paging", "response"),
    "resultset",
}
_EMPTY: Final = frozenset({"", "0", "false", "no", "none", "null"})
_REL: Final = re.compile(r';\s*rel\s*=\s*"?([^";,]*)', re.IGNORECASE)
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def _words(name: Any) -> frozenset[str]:
    """Return the words of a name, in lower case: "nextPage", "next_page" and "Next-Page" alike."""
    return frozenset(word.lower() for word in _WORD.findall(str(name)))


def _is_next_link(name: str, value: Any) -> bool:
    """Return whether a value is a next link, or `images_links` is not a list of links."""
    if isinstance(value, dict):
        is_next = bool(_words(value.get("rel")) & _MORE)
        return is_next or (name == _LINKS and "rel" not in value)
    if isinstance(value, str) and any(_words(rel) & _MORE for rel in _REL.findall(value)):
        return True
    return name == _LINKS and not isinstance(value, list)


def _exceeds(value: Any, received: int) -> bool:
    try:
        return int(value) > received
    except (TypeError, ValueError):
        return False
