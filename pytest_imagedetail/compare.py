"""Compares two listings: what separates them, in whom, and how bad it is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pytest_imagedetail.answers import error_differences, status_difference
from pytest_imagedetail.changes import BUDGET, SharedChange, shared_changes
from pytest_imagedetail.comparison import Comparison
from pytest_imagedetail.contract import CONTRACTS, SCHEMAS
from pytest_imagedetail.errors import ComparisonError
from pytest_imagedetail.garbage import uncollected
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import (
    MISSING,
    SEVERITIES,
    Difference,
    FailOn,
    ImageRef,
    Side,
    path_of,
)
from pytest_imagedetail.nextlinks import next_link_differences
from pytest_imagedetail.normalize import (
    Normalized,
    counts_of,
    expected_absences,
    matched,
    vendors,
)
from pytest_imagedetail.pairing import Pairing, pair, reference, unpaired
from pytest_imagedetail.rules import NO_RULES, Applied, Rules, apply
from pytest_imagedetail.settings import (
    DEFAULT_LEVEL,
    DEFAULT_PROFILE,
    LEVELS,
    PROFILES,
    check_choice,
)
from pytest_imagedetail.severity import Change, Judge
from pytest_imagedetail.shape import describe, shape_differences, unseen
from pytest_imagedetail.strict import strictly_equal

_EXAMPLES: Final = 3


@uncollected()
def compare(
    baseline: Listing,
    candidate: Listing,
    *,
    level: str = DEFAULT_LEVEL,
    profile: str | None = None,
    fail_on: FailOn = "breaking",
    expect: int | None = None,
    rules: Rules = NO_RULES,
    contract: str = "releases",
) -> Comparison:
    """Say what separates the candidate from the baseline.

    Args:
        baseline: The old side.
        candidate: The new side.
        level: "facts": image by image; "shape": what the images of each side look like, for two
            clouds with different images.
        profile: How far to normalize; default cross-version.
        fail_on: From which severity on the result is not compatible.
        expect: An error status that both sides are wanted to answer with; then what the two errors
            say is compared.
        rules: Which differences are accepted; those about other clouds are passed over.
        contract: By what to judge: "releases", what both declared releases promise, or a published
            schema, "tempest" or "nova".

    An expected error on one side, or another error on each, is one difference of status. Two
    errors of one status are refused unless `expect` names it: that both failed does not make two
    clouds the same.

    Raises:
        ComparisonError: Both sides are errors of one status, or one is only a part of the images
            and the other whole, or at level shape one has no image: neither "same" nor "different"
            would be true.
        UsageError: An unknown level, profile or contract.
    """
    level = check_choice("level", level, LEVELS)
    profile = check_choice("profile", profile or DEFAULT_PROFILE, PROFILES)
    judge = Judge(
        baseline=baseline.provenance.release,
        candidate=candidate.provenance.release,
        schema=SCHEMAS.get(check_choice("contract", contract, CONTRACTS)),
    )
    concerned = rules.between(baseline.cloud, candidate.cloud)
    if _is_error(baseline) or _is_error(candidate):
        return _compared(
            baseline,
            candidate,
            apply(concerned, _answered_otherwise(baseline, candidate, judge, profile, expect)),
            level=level,
            profile=profile,
            contract=contract,
            fail_on=fail_on,
        )
    _check_complete(baseline, candidate)
    if level == "shape":
        return _shapes_compared(
            baseline,
            candidate,
            judge,
            concerned,
            profile=profile,
            contract=contract,
            fail_on=fail_on,
        )
    one, other = baseline.normalized(profile), candidate.normalized(profile)
    old, new = tuple(baseline.images), tuple(candidate.images)
    pairing = pair(old, new, across_clouds=profile == "cross-cloud")
    changes, renamed = shared_changes(
        *matched(one, other, pairing.pairs),
        pairing,
        together=baseline.numbering is not None and baseline.numbering is candidate.numbering,
    )
    differences = [
        *_answer_differences(one.answer, other.answer, judge),
        *next_link_differences(baseline, candidate, one, other, judge),
        *_vendor_differences(one, other, judge),
        *(found for each in changes for found in _judged(each, old, judge, concerned)),
        *_unpaired_differences(pairing, old, new, judge),
        *_order_differences(pairing, old, new, judge),
    ]
    differences += _form_differences(one.answer, other.answer, judge, differences)
    differences, absent = expected_absences(
        differences, baseline=judge.baseline, candidate=judge.candidate, profile=profile
    )
    return _compared(
        baseline,
        candidate,
        apply(concerned, _worst_first(differences)),
        profile=profile,
        contract=contract,
        fail_on=fail_on,
        paired=len(pairing.pairs),
        unpaired=unpaired(pairing, old, new),
        normalization=counts_of(one, other, pairs=pairing.pairs, absent=absent, renamed=renamed),
    )


def _shapes_compared(
    baseline: Listing,
    candidate: Listing,
    judge: Judge,
    rules: Rules,
    *,
    profile: str,
    **facts: Any,
) -> Comparison:
    _check_images(baseline, candidate)
    one, other = baseline.normalized(profile), candidate.normalized(profile)
    old, new = describe(baseline, profile), describe(candidate, profile)
    differences = [
        *_answer_differences(one.answer, other.answer, judge),
        *next_link_differences(baseline, candidate, one, other, judge),
        *shape_differences(old, new, judge),
    ]
    differences += _form_differences(one.answer, other.answer, judge, differences)
    differences, absent = expected_absences(
        differences, baseline=judge.baseline, candidate=judge.candidate, profile=profile
    )
    return _compared(
        baseline,
        candidate,
        apply(rules, _worst_first(differences)),
        level="shape",
        profile=profile,
        **facts,
        unseen=unseen(old, new),
        normalization=counts_of(one, other, pairs=(), absent=absent),
    )


def _check_images(baseline: Listing, candidate: Listing) -> None:
    for side, against in ((baseline, candidate), (candidate, baseline)):
        if not side.images and against.images:
            raise ComparisonError(
                f"{side.cloud} answered with no image, so there is no shape to compare",
                where=f"query {side.query} of {side.cloud}",
                remedy="record a query that some image matches, for example all of them",
            )


def _worst_first(differences: list[Difference]) -> list[Difference]:
    return sorted(
        differences, key=lambda each: (SEVERITIES.index(each.severity), each.kind, each.path)
    )


def _compared(baseline: Listing, candidate: Listing, applied: Applied, **facts: Any) -> Comparison:
    return Comparison(
        baseline=_side(baseline),
        candidate=_side(candidate),
        differences=applied.differences,
        expected=applied.expected,
        expired_rules=applied.expired,
        unused_rules=applied.unused,
        **facts,
    )


def _is_error(listing: Listing) -> bool:
    return listing.error is not None


def _answered_otherwise(
    baseline: Listing, candidate: Listing, judge: Judge, profile: str, expect: int | None
) -> tuple[Difference, ...]:
    """One side refuses, or each in its own way: differences of behavior, without any image."""
    if baseline.status_code != candidate.status_code:
        return (status_difference(baseline, candidate, judge),)
    if expect == baseline.status_code:
        return error_differences(baseline, candidate, judge, profile)
    raise ComparisonError(
        f"both sides answered {baseline.status_code}; two errors have no images to compare",
        where=f"query {baseline.query} of {baseline.cloud} and {candidate.cloud}",
        remedy="look at both: imagedetail show CLOUD, or .error in a test\n"
        f"to compare what they say: expect={baseline.status_code} in a test, "
        f"--expect {baseline.status_code} in a shell",
    )


def _check_complete(baseline: Listing, candidate: Listing) -> None:
    if baseline.complete != candidate.complete:
        partial = baseline if candidate.complete else candidate
        raise ComparisonError(
            f"{partial.cloud} holds a part of its images only, the other side all of them",
            where=f"query {partial.query} of {partial.cloud}",
            remedy="record every page: ask without limit and marker",
        )


def _side(listing: Listing) -> Side:
    provenance = listing.provenance
    return Side(
        cloud=provenance.cloud,
        query=provenance.query,
        release=provenance.release,
        images=0 if _is_error(listing) else len(listing.images),
        recorded_at=provenance.recorded_at,
        error=listing.status_code if _is_error(listing) else None,
        volatile=provenance.volatile,
    )


def _answer_differences(
    one: Mapping[str, Any], other: Mapping[str, Any], judge: Judge
) -> Iterator[Difference]:
    if one["status_code"] != other["status_code"]:
        yield judge.difference(
            "status_changed",
            "status_code",
            baseline=one["status_code"],
            candidate=other["status_code"],
        )
    if one["media_type"] != other["media_type"]:
        yield judge.difference(
            "header_changed",
            "headers.content-type",
            field="content-type",
            baseline=one["media_type"],
            candidate=other["media_type"],
        )
    for name in sorted({*one["top_level"], *other["top_level"]} - {"images_links"}):
        old, new = (side["top_level"].get(name, MISSING) for side in (one, other))
        if not strictly_equal(old, new):
            yield judge.difference(
                "answer_changed", path_of((name,)), field=name, baseline=old, candidate=new
            )


def _form_differences(
    one: Mapping[str, Any], other: Mapping[str, Any], judge: Judge, found: Sequence[Difference]
) -> Iterator[Difference]:
    """Forms of links that changed, but for those that a link's own difference shows already."""
    forms, other_forms = one.get("link_form", {}), other.get("link_form", {})
    for path in sorted(set(forms) & set(other_forms)):
        old, new = forms[path], other_forms[path]
        shown = any(each.any_image == path or _is_below(each.any_image, path) for each in found)
        if old == new or (shown and {*map(_left_out, old)} == {*map(_left_out, new)}):
            continue
        yield judge.difference(
            "link_changed", path, field="links", baseline=_alone(old), candidate=_alone(new)
        )


def _is_below(path: str, above: str) -> bool:
    return path.startswith((f"{above}.", f"{above}["))


def _left_out(form: str) -> tuple[bool, bool]:
    """What of a form is not in the link itself: whether it had a prefix, and a project.

    R8 takes a prefix and the project that asked out of links. Whatever else stands before the
    resource, another project say, stays in its link.
    """
    segments = form.split("/")
    resource = max(segments.index(each) for each in _RESOURCES if each in segments)
    before = segments[1:resource]
    return "<prefix>" in before[:1], bool(before) and _is_project(before[-1])


_RESOURCES: Final = ("images", "servers")


def _is_project(segment: str) -> bool:
    return segment == "<project>" or _PROJECT.fullmatch(segment) is not None


_PROJECT: Final = re.compile(r"0{24}[0-9a-f]{8}")  # redaction's placeholders


def _alone(values: Sequence[str]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _judged(
    shared: SharedChange, old: Sequence[Any], judge: Judge, rules: Rules
) -> Iterator[Difference]:
    change = Change(
        kind=shared.kind,
        field=str(shared.path[0]),
        below=shared.path[1:],
        baseline=shared.baseline,
        candidate=shared.candidate,
    )
    if change.is_of_link and shared.kind == "value_changed":
        change = replace(change, kind="link_changed")
    kind = change.kind
    severity, reason = judge.severity(change)
    if shared.whole:
        reason += f"; more than {BUDGET:,} lists differ, so this one was not looked into"

    def named(place: int) -> ImageRef:
        return reference(old[place])

    for rule, places in rules.by_rule(kind, shared.path, shared.places, named).items():
        alone = named(places[0]) if len(places) == 1 else None
        yield Difference(
            kind=kind,
            severity=severity,
            path=path_of(("images", *shared.path), alone),
            image=alone,
            baseline=shared.baseline,
            candidate=shared.candidate,
            count=len(places),
            examples=() if alone else tuple(map(named, places[:_EXAMPLES])),
            reason=reason,
            rule=rule,
        )


def _unpaired_differences(
    pairing: Pairing, old: Sequence[Any], new: Sequence[Any], judge: Judge
) -> Iterator[Difference]:
    for kind, places, side, against in (
        ("image_removed", pairing.baseline_only, old, new),
        ("image_added", pairing.candidate_only, new, old),
    ):
        if not places:
            continue
        known = {str(image["id"]) for image in against}
        first = {str(side[place]["id"]): place for place in reversed(range(len(side)))}
        for place in places:
            ref = reference(side[place])
            # An id that stood before, here or on the other side: no new image, but one repeated.
            repeated = ref.id in known or first[ref.id] != place
            actual = "image_repeated" if repeated else kind
            change = Change(kind=actual, field="", baseline=MISSING, candidate=MISSING)
            severity, reason = judge.severity(change)
            if actual == kind and ref in pairing.ambiguous:
                reason = "could be more than one image of the other side, so it was not paired"
            value = side[place]
            yield Difference(
                kind=actual,
                severity=severity,
                path=path_of((), ref),
                image=ref,
                baseline=value if side is old else MISSING,
                candidate=value if side is new else MISSING,
                reason=reason,
            )


def _order_differences(
    pairing: Pairing, old: Sequence[Any], new: Sequence[Any], judge: Judge
) -> Iterator[Difference]:
    """One difference if images of both sides stand in another order, with the first of them."""
    places = [right for _, right in pairing.pairs]
    expected = sorted(places)
    for position, (place, sorted_place) in enumerate(zip(places, expected, strict=True)):
        if place != sorted_place:
            left = pairing.pairs[position][0]
            yield judge.difference(
                "order_changed",
                "images",
                baseline=str(reference(old[left])),
                candidate=str(reference(new[sorted_place])),
            )
            return


def _vendor_differences(one: Normalized, other: Normalized, judge: Judge) -> Iterator[Difference]:
    """Vendors of one side only: their metadata is not compared, but its keys are listed."""
    if one.profile != "cross-cloud":
        return
    ours, theirs = vendors(one), vendors(other)
    for vendor in sorted({*ours} ^ {*theirs}):
        kind = "vendor_removed" if vendor in ours else "vendor_added"
        old, new = (side.get(vendor, MISSING) for side in (ours, theirs))
        yield judge.difference(
            kind, "images[*].metadata", field="metadata", baseline=old, candidate=new
        )
