"""What separates two answers as answers: status, the words of an error, headers. No image is seen.

Nova's releases from 2019.1 to 2026.2 answer the same images; what they changed stands here.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pytest_imagedetail.differ import diff
from pytest_imagedetail.equality import strictly_equal
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import MISSING, Difference, path_of
from pytest_imagedetail.normalize import Normalized, rules_of, without_hosts
from pytest_imagedetail.severity import Judge

# Headers that say something about one request, or repeat what the body and the host say.
_OF_ONE_REQUEST: Final = frozenset({"content-length", "location", "retry-after"})


def status_difference(baseline: Listing, candidate: Listing, judge: Judge) -> Difference:
    """The difference between a listing and an error, or between errors of two statuses."""
    return judge.difference(
        "status_changed", "status_code", baseline=_status(baseline), candidate=_status(candidate)
    )


def answer_differences(one: Normalized, other: Normalized, judge: Judge) -> Iterator[Difference]:
    """What two listings say beside their images: status, form of the bodies, other fields."""
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
    """Response headers of the first page that differ; repeated ones in their order."""
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


def _normalized(said: dict[str, Any], profile: str) -> dict[str, Any]:
    """What is said beside images, with its placeholder hosts as every cloud would have them."""
    wanted = any(rule.id == "R2" for rule in rules_of(profile))
    return dict(without_hosts(said)) if wanted else said


def _headers(listing: Listing) -> dict[str, Any]:
    """Header names in lower case, for HTTP does not tell them apart, with their value or values."""
    found: dict[str, Any] = {}
    for name in {each.lower() for each in listing.headers} - _OF_ONE_REQUEST:
        values = listing.headers.all(name)
        found[name] = values[0] if len(values) == 1 else list(values)
    return found


def _status(listing: Listing) -> int | str:
    """The status, and what an error says: "400 Bad marker"."""
    if listing.error is None:
        return listing.status_code
    return f"{listing.status_code} {listing.error['message']}"


def _error(listing: Listing) -> dict[str, Any]:
    """The error's JSON, or its text where it is none (a routing 404 is HTML)."""
    return dict(listing.document) or {"body": listing.body}
