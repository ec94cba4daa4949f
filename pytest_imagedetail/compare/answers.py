"""Compares two answers apart from their images: status, error, headers, the form of links."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pytest_imagedetail.compare.differ import diff
from pytest_imagedetail.compare.severity import Judge
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import MISSING, Difference, path_of
from pytest_imagedetail.normalize import LinkForm, Normalized, rules_of, without_hosts
from pytest_imagedetail.normalize.equality import strictly_equal

# Headers that say something about one request, or repeat what the body and the host say.
_OF_ONE_REQUEST: Final = frozenset({"content-length", "location", "retry-after"})


def status_difference(baseline: Listing, candidate: Listing, judge: Judge) -> Difference:
    """Compare the statuses of a listing and an error, or of two errors."""
    return judge.difference(
        "status_changed", "status_code", baseline=_status(baseline), candidate=_status(candidate)
    )


def answer_differences(one: Normalized, other: Normalized, judge: Judge) -> Iterator[Difference]:
    """Compare two listings apart from their images: status, media type, other fields."""
    old, new = one.answer, other.answer
    if old.status_code != new.status_code:
        yield judge.difference(
            "status_changed", "status_code", baseline=old.status_code, candidate=new.status_code
        )
    if old.media_type != new.media_type:
        yield judge.difference(
            "header_changed",
            "headers.content-type",
            field="content-type",
            baseline=old.media_type,
            candidate=new.media_type,
        )
    for name in sorted({*old.top_level, *new.top_level} - {"images_links"}):
        before, after = (side.top_level.get(name, MISSING) for side in (old, new))
        if not strictly_equal(before, after):
            yield judge.difference(
                "answer_changed", path_of((name,)), field=name, baseline=before, candidate=after
            )


def error_differences(
    baseline: Listing, candidate: Listing, judge: Judge, profile: str
) -> tuple[Difference, ...]:
    """Compare two errors of one status, value by value."""
    one, other = (_normalized(_error(each), profile) for each in (baseline, candidate))
    if strictly_equal(one, other):
        return ()
    (found,) = diff([(one, other)])
    return tuple(
        judge.difference(
            "error_changed",
            path_of(each.path),
            field=str(each.path[-1]),
            baseline=each.baseline,
            candidate=each.candidate,
        )
        for each in found
    )


def header_differences(
    baseline: Listing, candidate: Listing, judge: Judge, profile: str
) -> tuple[Difference, ...]:
    """Compare the response headers of the first page; repeated ones in their order."""
    one, other = (_normalized(_headers(each), profile) for each in (baseline, candidate))
    listings = baseline.error is None and candidate.error is None
    if listings and baseline.media_types != candidate.media_types:
        for side in (one, other):  # comparing the listings has judged in which form they came
            side.pop("content-type", None)
    return tuple(_header_differences(one, other, judge))


def _header_differences(
    one: Mapping[str, Any], other: Mapping[str, Any], judge: Judge
) -> Iterator[Difference]:
    for name in sorted({*one, *other}):
        before, after = one.get(name, MISSING), other.get(name, MISSING)
        if not strictly_equal(before, after):
            yield judge.difference(
                "header_changed",
                path_of(("headers", name)),
                field=name,
                baseline=before,
                candidate=after,
            )


def link_form_differences(
    one: Normalized, other: Normalized, judge: Judge, *, found: Iterable[Difference]
) -> Iterator[Difference]:
    """Compare how the links of both answers are written, once for each relation.

    R7 and R8 take a prefix, the version and the caller's project out of links, for every image has
    them alike. That they came or went is one difference of the whole answer, unless a difference
    of the links themselves shows it already.

    Args:
        one: The baseline.
        other: The candidate.
        judge: Says how bad it is.
        found: The differences of images and pages.
    """
    old, new = one.answer.link_forms, other.answer.link_forms
    paths = [each.any_image for each in found]
    for path in sorted(old.keys() & new.keys()):
        shown = any(_is_at_or_below(each, path) for each in paths)
        if old[path] == new[path] or (shown and _left_out(old[path]) == _left_out(new[path])):
            continue
        yield judge.difference(
            "link_changed",
            path,
            field="links",
            baseline=_written(old[path]),
            candidate=_written(new[path]),
        )


def _is_at_or_below(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))


def _left_out(forms: Iterable[LinkForm]) -> set[tuple[bool, bool]]:
    """Return what of the forms the links themselves do not show: prefix and project."""
    return {(each.prefix, bool(each.project)) for each in forms}


def _written(forms: Iterable[LinkForm]) -> Any:
    """Return a form, or the list of them."""
    texts = sorted(map(str, forms))
    return texts[0] if len(texts) == 1 else texts


def _normalized(document: dict[str, Any], profile: str) -> dict[str, Any]:
    """Put the same name of a host in place of each cloud's own."""
    wanted = any(rule.id == "R2" for rule in rules_of(profile))
    return dict(without_hosts(document)) if wanted else document


def _headers(listing: Listing) -> dict[str, Any]:
    """Return the value or values of each header, by its name in lower case."""
    found: dict[str, Any] = {}
    for name in {each.lower() for each in listing.headers} - _OF_ONE_REQUEST:
        values = listing.headers.all(name)
        found[name] = values[0] if len(values) == 1 else list(values)
    return found


def _status(listing: Listing) -> int | str:
    """Return the status, of an error with its message: "400 Bad marker"."""
    if listing.error is None:
        return listing.status_code
    return f"{listing.status_code} {listing.error['message']}"


def _error(listing: Listing) -> dict[str, Any]:
    """Return the error's JSON, or its text if it is not JSON (a routing 404 is HTML)."""
    return dict(listing.document) or {"body": listing.body}
