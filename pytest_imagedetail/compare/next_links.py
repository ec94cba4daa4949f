"""Compares where two answers say that the next page is.

A fault shows in the link and in what was asked. Only a fault that the baseline does not have breaks
a client of the baseline; one that is gone is compatible.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from pytest_imagedetail import contract
from pytest_imagedetail.compare.severity import Verdict
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import MISSING, Difference
from pytest_imagedetail.normalize import Normalized
from pytest_imagedetail.normalize.equality import strictly_equal
from pytest_imagedetail.redact import placeholder

_FIELD: Final = "images_links"
_HOST: Final = re.compile(r"<([a-z]+)(?:-\d+)?>|https?://([^/?]*)")
_COMPUTE: Final = re.compile(r"compute(-\d+)?(\..+\.invalid)?")
_PAGING: Final = frozenset({"limit", "marker", "page_size", "offset"})

_NO_LINK: Final = "clients look for a list of links whose relation is next"
_NO_DETAIL: Final = "from the second page on, images come without their details"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """What one side says of the next page, and what to check it by.

    Attributes:
        links: `images_links` as far as the profile keeps it, or MISSING.
        ends: The ids that a marker may name.
        asked: The filters of the query.
        release: The declared release, if any.
    """

    links: Any
    ends: frozenset[str]
    asked: frozenset[tuple[str, str]]
    release: str | None


_Fault = tuple[str, Any]
"""A reason, and what is wrong; two links with the same fault have equal ones."""


def next_link_differences(
    baseline: Listing, candidate: Listing, one: Normalized, other: Normalized
) -> Iterator[Difference]:
    """Compare the next links; yield one difference at most.

    Args:
        baseline: The old side.
        candidate: The new side.
        one: The baseline's answer in comparable form.
        other: The candidate's.
    """
    old, new = _page(baseline, one), _page(candidate, other)
    if strictly_equal(old.links, new.links):
        return
    severity, reason = _verdict(old, new)
    before, after = (_shown(each.links) for each in (old, new))
    if strictly_equal(before, after):
        before, after = old.links, new.links
    yield Difference(
        kind="page_changed",
        severity=severity,
        path=_FIELD,
        baseline=before,
        candidate=after,
        reason=reason,
    )


def _page(listing: Listing, normalized: Normalized) -> _Page:
    ids = normalized.ids if listing.complete else normalized.ids[-1:]
    return _Page(
        links=normalized.answer.top_level.get(_FIELD, MISSING),
        ends=frozenset(ids),
        asked=frozenset(each for each in listing.query.params if _is_filter(each[0])),
        release=listing.provenance.release,
    )


def _shown(links: Any) -> Any:
    """Return the address alone if there is one link, else all that was sent."""
    hrefs = _hrefs(links)
    return hrefs[0] if hrefs is not None and len(hrefs) == 1 else links


def _hrefs(links: Any) -> list[str] | None:
    """Return the addresses; None if this is not a list of next links."""
    if not isinstance(links, list) or not links:
        return None
    if not all(isinstance(each, dict) and each.get("rel") == "next" for each in links):
        return None
    hrefs = [each.get("href") for each in links]
    return hrefs if all(isinstance(each, str) and each for each in hrefs) else None


def _verdict(old: _Page, new: _Page) -> Verdict:
    if old.links is MISSING or new.links is MISSING:
        return "data", "there is a next link if the page is full, which depends on the images"
    before, after = _faults(old), _faults(new)
    if fresh := [each for each in after if each not in before]:
        reason = fresh[0][0]
        if reason == _NO_DETAIL and not contract.reached(new.release, "kilo"):
            reason += ", as in every release through Juno"
        return "breaking", reason
    if gone := [each for each in before if each not in after]:
        if gone[0][0] == _NO_DETAIL:
            return "compatible", "pages after the first have their details, as since Kilo"
        return "compatible", "the candidate's next link leads on, the baseline's did not"
    if _unknown(old.links) != _unknown(new.links):
        return "compatible", "Nova drops parameters that it does not know since 2024.2"
    return "compatible", "the next link is written in another form"


def _is_filter(name: str) -> bool:
    """Tell whether Nova selects images by a parameter; it ignores those that it does not know."""
    known = name in contract.FILTERS or name.startswith("property-")
    return known and name not in _PAGING


def _unknown(links: Any) -> set[tuple[str, str]]:
    """Return what next links ask that Nova does not know."""
    asked = (each for href in _hrefs(links) or () for each in _parameters(href.partition("?")[2]))
    return {each for each in asked if not _is_filter(each[0]) and each[0] not in _PAGING}


def _parameters(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, errors="surrogateescape")


def _faults(page: _Page) -> list[_Fault]:
    hrefs = _hrefs(page.links)
    if hrefs is None:
        return [(_NO_LINK, str(page.links))]
    return [fault for href in hrefs for fault in _faults_of(href, page)]


def _faults_of(href: str, page: _Page) -> Iterator[_Fault]:
    path, _, query = href.partition("#")[0].partition("?")  # a client keeps a fragment to itself
    host = _HOST.match(path)
    segments = path[host.end() if host else 0 :].split("/")[1:]
    name = (host.group(1) or host.group(2)) if host else None
    if name is None or not _COMPUTE.fullmatch(name):
        yield "the next link leads to another host than those of Compute", name
    place = len(segments) - 1 - segments[::-1].index("images") if "images" in segments else None
    if place is None or segments[place + 1 :] not in ([], ["detail"]):
        yield "the next link leads to no list of images", path
        return
    projects = [each for each in segments[:place] if placeholder.is_id(each)]
    others = [each for each in projects if each != placeholder.CALLER]
    if others:
        yield "the next link leads to another project", others
    if place == len(segments) - 1:
        yield _NO_DETAIL, None
    yield from _faults_of_query(query, page)


def _faults_of_query(query: str, page: _Page) -> Iterator[_Fault]:
    """Check marker and filters; under R5, a marker without a value is right."""
    asked = _parameters(query)
    markers = [value for name, value in asked if name == "marker"]
    if not markers:
        yield "the next link has no marker, so it leads to the first page again", None
    elif "marker" not in query.split("&") and not page.ends.issuperset(markers):
        yield "the next link does not go on from the last image", markers
    filters = {each for each in asked if _is_filter(each[0])}
    if filters != page.asked:
        yield "the next link asks with other filters than the request", sorted(filters)
