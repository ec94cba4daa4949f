"""Compare two answers apart from their images: status, error, headers, links, the next page."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.body.json import is_repeated
from pytest_imagedetail.compare.differ import diff
from pytest_imagedetail.compare.severity import REPEATED, Change, Verdict, difference
from pytest_imagedetail.listing import Listing, comparable_headers
from pytest_imagedetail.model import MISSING, Difference, Query, path_of
from pytest_imagedetail.normalize import Normalized, is_compute, is_own_project, without_hosts
from pytest_imagedetail.normalize.values import strictly_equal
from pytest_imagedetail.redact import placeholders

_NEXT: Final = "images_links"
_HOST: Final = re.compile(r"<([a-z-]+)>(?=[/?]|$)|(?:\w+:)?//[^/?]*")
_PAGING: Final = frozenset({"limit", "marker", "page_size", "offset"})


def _status_difference(old: int | str, new: int | str) -> Difference:
    """Compare statuses: a number for a listing, a text that begins with it for an error."""
    verdict: Verdict = "compatible", "both refuse, each with its own status"
    if isinstance(new, int) and isinstance(old, int):
        verdict = "compatible", "200 and 203 both carry a whole listing"
    elif isinstance(new, int):
        verdict = "compatible", "the candidate answers what the baseline refused"
    elif isinstance(old, int):
        verdict = "breaking", "the candidate refuses what the baseline answered"
    elif new.startswith("5") and not old.startswith("5"):
        verdict = "breaking", "the candidate fails, where the baseline refused"
    return difference("status_changed", "status_code", verdict, (old, new))


def answer_differences(
    baseline: Listing, candidate: Listing, one: Normalized, other: Normalized
) -> Iterator[Difference]:
    """Compare two listings, `one` and `other` once normalized, apart from their images."""
    if one.status_code != other.status_code:
        yield _status_difference(one.status_code, other.status_code)
    if one.media_type != other.media_type:
        yield _header_difference("content-type", one.media_type, other.media_type)
    for name, (old, new) in _unequal(one.top_level, other.top_level):
        verdict: Verdict = "compatible", "another field beside `images`"
        if is_repeated(name) and old is MISSING:
            verdict = REPEATED
        if name != _NEXT:
            yield difference("answer_changed", path_of((name,)), verdict, (old, new))
    yield from _next_link_differences(baseline, candidate, one, other)
    yield from _link_form_differences(one, other)


def error_differences(baseline: Listing, candidate: Listing) -> tuple[Difference, ...]:
    """Compare an error with a listing or an error of another status, or two errors by value."""
    if baseline.status_code != candidate.status_code:
        return (_status_difference(_status_of(baseline), _status_of(candidate)),)
    one, other = (without_hosts(error_of(listing)) for listing in (baseline, candidate))
    if strictly_equal(one, other):
        return ()
    (changes,) = diff([(one, other)])
    return tuple(
        difference("error_changed", path_of(change.path), _error_verdict(change), change.values)
        for change in changes
    )


def _error_verdict(change: Change) -> Verdict:
    old, new = change.values
    if old is MISSING and not is_repeated(change.path[-1]):
        return "compatible", "an error with another field"
    are_texts = isinstance(old, str) and isinstance(new, str)
    if are_texts and change.path[-1] in {"message", "title", "body"}:
        return "compatible", "the same error with another text"
    return "breaking", "clients read an error's code and message under these names"


def header_differences(baseline: Listing, candidate: Listing) -> Iterator[Difference]:
    """Compare the response headers of the first pages; the order of repeated headers counts."""
    one, other = comparable_headers(baseline, candidate)
    are_listings = baseline.error is None and candidate.error is None
    is_compared = are_listings and baseline.media_types != candidate.media_types
    for name, values in _unequal(one, other):
        if name != "content-type" or not is_compared:  # compared by `answer_differences`
            yield _header_difference(name, *map(_one_or_all, values))


def _header_difference(name: str, old: Any, new: Any) -> Difference:
    verdict: Verdict = "compatible", "a header, which is not part of the body"
    before, after = (str(media_type).partition(";")[0] for media_type in (old, new))
    if name == "content-type" and before != after:
        verdict = "breaking", "clients choose how to read a body by its media type"
    return difference("header_changed", path_of(("headers", name)), verdict, (old, new))


def _link_form_differences(one: Normalized, other: Normalized) -> Iterator[Difference]:
    """Compare what R2 and R8 removed from the links of all images, the latter once per relation."""
    hosts = one.link_host, other.link_host
    if all(hosts) and hosts[0] != hosts[1]:
        moved: Verdict = "compatible", "one cloud's links lead to its endpoint, the other's do not"
        yield difference("link_changed", "images[*].links", moved, hosts)
    for path in sorted(one.link_forms.keys() & other.link_forms.keys()):
        old, new = one.link_forms[path], other.link_forms[path]
        if old.keys() != new.keys():
            verdict: Verdict = "compatible", "all links of this relation have another form"
            before, after = (_one_or_all(sorted(form.values())) for form in (old, new))
            yield difference("link_changed", path, verdict, (before, after))


def _unequal(
    one: Mapping[str, Any], other: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for name in sorted({*one, *other}):
        old, new = one.get(name, MISSING), other.get(name, MISSING)
        if not strictly_equal(old, new):
            yield name, (old, new)


def _one_or_all(values: Any) -> Any:
    if values is MISSING:
        return MISSING
    return values[0] if len(values) == 1 else list(values)


def _status_of(listing: Listing) -> int | str:
    """Return the status, with the message of an error: "400 Bad marker"."""
    if listing.error is None:
        return listing.status_code
    return f"{listing.status_code} {listing.error['message']}"


def error_of(listing: Listing) -> dict[str, Any]:
    """Return the error's JSON, or its text if it is not JSON (a routing 404 is HTML)."""
    return dict(listing.document) or {"body": listing.body}


_Fault = tuple[str, Any]
"""A reason, and the wrong value; equal for links with the same fault."""


def _next_link_differences(
    baseline: Listing, candidate: Listing, one: Normalized, other: Normalized
) -> Iterator[Difference]:
    """Compare the next links; yield one difference at most.

    A fault that the baseline does not have is breaking; a fixed one is compatible.
    """
    old, new = (normalized.top_level.get(_NEXT, MISSING) for normalized in (one, other))
    if strictly_equal(old, new):
        return
    old_faults = [] if old is MISSING else [*_faults(old, baseline, one)]
    new_faults = [] if new is MISSING else [*_faults(new, candidate, other)]
    if new is MISSING and _is_full(candidate):
        new_faults = [("the page is full, and clients stop without a next link", None)]
    unknown = _unknown(old), _unknown(new)
    verdict = _changed_faults(old_faults, new_faults)
    if verdict[0] != "breaking" and (old is MISSING or new is MISSING):
        verdict = "data", "there is a next link if the page is full, which depends on the images"
    elif old_faults == new_faults and (unknown[0] < unknown[1] or unknown[1] < unknown[0]):
        verdict = "compatible", "since 2024.2 Nova drops parameters that it does not know"
    # Show only the addresses if each side has one and they differ.
    before, after = (hrefs[0] if len(hrefs := _hrefs(side)) == 1 else side for side in (old, new))
    if strictly_equal(before, after):
        before, after = old, new
    yield difference("page_changed", _NEXT, verdict, (before, after))


def _is_full(listing: Listing) -> bool:
    """Return whether a page has as many images as its query allows."""
    limits = [value for name, value in listing.query.params if name == "limit"]
    return any(limit.isdecimal() and 0 < int(limit) <= len(listing.images) for limit in limits)


def _changed_faults(old: list[_Fault], new: list[_Fault]) -> Verdict:
    if added := [fault for fault in new if fault not in old]:
        return "breaking", added[0][0]
    if any(fault not in new for fault in old):
        return "compatible", "the candidate fixes the baseline's next link"
    return "compatible", "the next link is written in another form"


def _hrefs(links: Any) -> list[str]:
    """Return the addresses in a list of next links; [] for anything else."""
    items = links if isinstance(links, list) else []
    rels = [isinstance(link, dict) and link.get("rel") == "next" for link in items]
    hrefs = [link.get("href") for link in items] if all(rels) else []
    return hrefs if all(isinstance(href, str) and href for href in hrefs) else []


def _is_filter(name: str) -> bool:
    """Return whether a query parameter is a filter of Nova, which ignores unknown ones."""
    is_known = name in contract.FILTERS or name.startswith("property-")
    return is_known and name not in _PAGING


def _unknown(links: Any) -> set[tuple[str, str]]:
    pairs = (pair for href in _hrefs(links) for pair in Query.parse(href.partition("?")[2]).params)
    return {pair for pair in pairs if not _is_filter(pair[0]) and pair[0] not in _PAGING}


def _faults(links: Any, listing: Listing, normalized: Normalized) -> Iterator[_Fault]:
    hrefs = _hrefs(links)
    if not hrefs:
        yield "clients look for a list of links whose relation is next", str(links)
    for href in hrefs:
        yield from _faults_of(href, listing, normalized)


def _faults_of(href: str, listing: Listing, normalized: Normalized) -> Iterator[_Fault]:
    path, _, query = href.partition("#")[0].partition("?")  # clients do not send a fragment
    host = _HOST.match(path)
    segments = path[host.end() if host else 0 :].split("/")[1:]
    if host is None or not is_compute(host[1] or ""):
        yield "the next link leads to a host that is not Compute's", host and host[0]
    has_details = segments[-1:] == ["detail"]
    parents = segments[:-1] if has_details else segments
    if parents[-1:] != ["images"]:
        yield "the next link does not lead to a list of images", path
        return
    owners = filter(placeholders.is_owner_placeholder, parents)
    if foreign := [owner for owner in owners if not is_own_project(owner)]:
        yield "the next link leads to another project", foreign
    if not has_details:
        yield "from the second page on, images come without their details", None
    parameters = Query.parse(query).params
    last_ids = normalized.ids if listing.complete else normalized.ids[-1:]
    markers = {value for name, value in parameters if name == "marker"}
    if "marker" in query.split("&"):  # R5 empties right ones
        markers -= {""}
    elif not markers:
        yield "the next link has no marker, so it leads to the first page again", None
    if not markers <= {*last_ids}:
        yield "the next link does not go on from the last image", sorted(markers)
    filters = {pair for pair in parameters if _is_filter(pair[0])}
    if filters != {pair for pair in listing.query.params if _is_filter(pair[0])}:
        yield "the next link asks with other filters than the request", sorted(filters)
