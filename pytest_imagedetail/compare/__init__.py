"""Compare two listings: what differs, in which images, and how bad it is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.compare.answers import (
    answer_differences,
    error_differences,
    error_of,
    header_differences,
)
from pytest_imagedetail.compare.comparison import Comparison, side_of
from pytest_imagedetail.compare.differ import SharedChange, shared_changes
from pytest_imagedetail.compare.pairing import (
    Pairing,
    order_differences,
    pair,
    reference,
    unpaired_differences,
)
from pytest_imagedetail.compare.severity import NOT_OFFERED, Judge, difference, is_link_change
from pytest_imagedetail.compare.shape import describe, shape_differences, unseen
from pytest_imagedetail.errors import ComparisonError
from pytest_imagedetail.gc_paused import paused_gc
from pytest_imagedetail.listing import Listing, normalize_both, same_errors
from pytest_imagedetail.model import MISSING, SEVERITIES, Difference, FailOn, Path, path_of
from pytest_imagedetail.normalize import Normalized, match_ids, vendors
from pytest_imagedetail.redact import placeholders
from pytest_imagedetail.rules import Rules, between, is_accepted, split_by_rule, unused, with_rule
from pytest_imagedetail.settings import (
    DEFAULT_LEVEL,
    DEFAULT_PROFILE,
    LEVELS,
    PROFILES,
    check_choice,
)

_EXAMPLES: Final = 3
_FIXED: Final = (
    placeholders.SECRET_IN_URL.encode(),  # part of all the others
    placeholders.IPV4.encode(),
    placeholders.IPV6.encode(),
    placeholders.MAC.encode(),
)


@paused_gc()
def compare(
    baseline: Listing,
    candidate: Listing,
    *,
    level: str = DEFAULT_LEVEL,
    profile: str | None = None,
    fail_on: FailOn = "breaking",
    expect: int | None = None,
    rules: Rules = (),
) -> Comparison:
    """Compare the candidate with the baseline; `Harness.compare` describes the arguments.

    One error, or errors with different statuses, are one difference of status. Two errors with the
    same status are refused unless `expect` names it: failing alike does not make clouds the same.

    Raises:
        ComparisonError: Neither "same" nor "different" would be true.
        UsageError: An unknown level or profile.
    """
    empty = Comparison(
        baseline=side_of(baseline),
        candidate=side_of(candidate),
        profile=check_choice("profile", DEFAULT_PROFILE if profile is None else profile, PROFILES),
        level=check_choice("level", level, LEVELS),
        fail_on=fail_on,
        expect=expect,
        listings=(baseline, candidate),
    )
    applicable = between(rules, baseline.cloud, candidate.cloud, baseline.query)
    try:
        if level == "shape":
            result = _compare_shapes(empty, baseline, candidate)
        elif baseline.error is None and candidate.error is None:
            result = _compare_facts(empty, baseline, candidate, applicable)
        else:
            result = _compare_errors(empty, baseline, candidate)
    except RecursionError:
        raise ComparisonError(
            "an answer is nested too deeply to be compared",
            where=f"query {baseline.query} of {baseline.cloud} and {candidate.cloud}",
            remedy="look at its metadata: imagedetail show CLOUD; Nova itself nests four levels",
        ) from None
    found = [*result.differences]
    if baseline.status_code == candidate.status_code:
        found += header_differences(baseline, candidate)
    if not (found or rules):
        return result
    worst_first = sorted(
        found, key=lambda each: (SEVERITIES.index(each.severity), each.kind, each.path)
    )
    differences = [with_rule(each, applicable, baseline.query) for each in worst_first]
    used_rules = dict.fromkeys(each.rule for each in differences)
    return replace(
        result,
        differences=tuple(each for each in differences if not is_accepted(each)),
        expected=tuple(filter(is_accepted, differences)),
        expired_rules=tuple(rule for rule in used_rules if rule is not None and rule.expired),
        unused_rules=unused(rules, applicable, used_rules),
    )


def _compare_facts(
    empty: Comparison, baseline: Listing, candidate: Listing, rules: Rules
) -> Comparison:
    _check_complete(baseline, candidate)
    judge = Judge(baseline=empty.baseline.release, candidate=empty.candidate.release)
    old, new = normalize_both(baseline, candidate, empty.profile)
    across_clouds = empty.profile == "cross-cloud"
    pairing = pair(baseline.images, candidate.images, across_clouds=across_clouds)
    comparable = match_ids(old, new, pairing.pairs)
    differences = (
        *answer_differences(baseline, candidate, old, new),
        *_vendor_differences(old, new),
        *(
            judged
            for change in shared_changes(*comparable, pairing.pairs)
            for part in _by_cause(change, pairing)
            for judged in _judge(part, pairing, judge, rules)
        ),
        *unpaired_differences(pairing, baseline.query, judge),
        *order_differences(pairing),
    )
    renamed = sum(old.ids[before] != new.ids[after] for before, after in pairing.pairs)
    return replace(
        empty,
        differences=differences,
        paired=len(pairing.pairs),
        unpaired=pairing.unpaired,
        normalization=_counts(*comparable, differences, renamed=renamed),
        not_compared=tuple(_not_compared(empty.listings, comparable, pairing)),
    )


def _compare_shapes(empty: Comparison, baseline: Listing, candidate: Listing) -> Comparison:
    _check_shapes(baseline, candidate)
    _check_complete(baseline, candidate)
    judge = Judge(baseline=empty.baseline.release, candidate=empty.candidate.release)
    one, other = baseline.normalized(empty.profile), candidate.normalized(empty.profile)
    old, new = describe(baseline, one), describe(candidate, other)
    differences = (
        *answer_differences(baseline, candidate, one, other),
        *shape_differences(old, new, judge),
    )
    return replace(
        empty,
        differences=differences,
        unseen=unseen(old, new),
        normalization=_counts(one, other, differences),
    )


def _counts(
    old: Normalized, new: Normalized, differences: Iterable[Difference], *, renamed: int = 0
) -> dict[str, int]:
    """Return how often each rule changed something; `renamed` images have two ids."""
    absent = sum(each.count for each in differences if each.reason.startswith(NOT_OFFERED))
    special = {"R11": absent, "R12": renamed}
    return {rule: special.get(rule, count + new.counts[rule]) for rule, count in old.counts.items()}


def _check_shapes(baseline: Listing, candidate: Listing) -> None:
    for side in (baseline, candidate):
        if side.error is not None:
            raise ComparisonError(
                f"{side.cloud} answered {side.status_code}, and an error has no shape to compare",
                where=f"query {side.query} of {side.cloud}",
                remedy="compare the answers themselves, at level facts",
            )
    for side, other in ((baseline, candidate), (candidate, baseline)):
        if not side.images and other.images:
            raise ComparisonError(
                f"{side.cloud} answered with no image, so there is no shape to compare",
                where=f"query {side.query} of {side.cloud}",
                remedy="record a query that some image matches, for example all of them",
            )


def _compare_errors(empty: Comparison, baseline: Listing, candidate: Listing) -> Comparison:
    differences = error_differences(baseline, candidate)
    if baseline.status_code != candidate.status_code:
        return replace(empty, differences=differences)
    if empty.expect != baseline.status_code:
        raise same_errors(baseline, candidate)
    redacted = _redacted_in_both(error_of(baseline), error_of(candidate))
    return replace(empty, differences=differences, not_compared=tuple(map(path_of, redacted)))


def _check_complete(baseline: Listing, candidate: Listing) -> None:
    if baseline.complete != candidate.complete:
        partial = baseline if candidate.complete else candidate
        raise ComparisonError(
            f"{partial.cloud} has only a part of its images, the other side has all",
            where=f"query {partial.query} of {partial.cloud}",
            remedy="record every page: ask without limit and marker",
        )


def _not_compared(
    listings: Iterable[Listing], comparable: tuple[Normalized, Normalized], pairing: Pairing
) -> Iterator[str]:
    """Yield the paths where both sides contain a fixed word of redaction."""
    if not all(map(_may_hold_fixed_words, listings)):
        return
    old, new = comparable
    for position, match in pairing.pairs:
        for path in _redacted_in_both(old.images[position], new.images[match]):
            yield path_of(("images", *path), reference(pairing.old[position]))
    yield from map(path_of, _redacted_in_both(old.top_level, new.top_level))


def _may_hold_fixed_words(listing: Listing) -> bool:
    bodies = [interaction.response.body for interaction in listing.recording.interactions]
    return any(word in body for word in _FIXED for body in bodies)


def _redacted_in_both(old: Any, new: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(old, str) and isinstance(new, str):
        if placeholders.holds_fixed_word(old) and placeholders.holds_fixed_word(new):
            yield path
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in old:
            if key in new:
                yield from _redacted_in_both(old[key], new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for position, values in enumerate(zip(old, new, strict=False)):
            yield from _redacted_in_both(*values, (*path, position))


def _by_cause(shared: SharedChange, pairing: Pairing) -> Iterator[SharedChange]:
    """Split a removed field by whether the metadata still has the key that causes it."""
    change, places = shared
    promise = None if change.subpath else contract.FIELDS.get(change.field)
    if change.kind != "field_removed" or promise is None or promise.cause is None:
        yield shared
        return
    parts: dict[str | None, list[int]] = {}
    candidate_of = dict(pairing.pairs)
    for position in places:
        metadata = pairing.new[candidate_of[position]].get("metadata")
        has_cause = isinstance(metadata, dict) and metadata.get(promise.cause) is not None
        parts.setdefault(promise.cause if has_cause else None, []).append(position)
    for cause, positions in parts.items():
        yield replace(change, cause=cause), positions


def _judge(
    shared: SharedChange, pairing: Pairing, judge: Judge, rules: Rules
) -> Iterator[Difference]:
    change, places = shared
    if is_link_change(change) and change.kind == "value_changed":
        change = replace(change, kind="link_changed")
    verdict = judge.severity(change)
    refs = [reference(pairing.old[position]) for position in places]
    for rule, images in split_by_rule(rules, change.kind, change.path, refs).items():
        image = images[0] if len(images) == 1 else None
        path = path_of(("images", *change.path), image)
        result = difference(change.kind, path, verdict, change.values, image)
        examples = () if image else tuple(images[:_EXAMPLES])
        yield replace(result, count=len(images), examples=examples, rule=rule)


def _vendor_differences(one: Normalized, other: Normalized) -> Iterator[Difference]:
    """Yield the keys of vendor metadata that only one side has; their values are not compared."""
    if one.profile != "cross-cloud":
        return
    old, new = vendors(one), vendors(other)
    for vendor in sorted({*old} ^ {*new}):
        kind, side = ("removed", "candidate") if vendor in old else ("added", "baseline")
        reason = f"a vendor's own metadata; the {side} has none of this vendor's"
        keys = old.get(vendor, MISSING), new.get(vendor, MISSING)
        yield difference(f"vendor_{kind}", "images[*].metadata", ("data", reason), keys)
