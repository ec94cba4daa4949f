"""What two answers need together: ids of paired images (R13), vendors (R15), absences (R11)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from pytest_imagedetail import contract
from pytest_imagedetail.model import Difference, Image, path_of
from pytest_imagedetail.normalize.answer import Normalized
from pytest_imagedetail.normalize.rules import rules_of
from pytest_imagedetail.normalize.values import REFERENCES, vendor_of

_ALTERNATE: Final = ("links", "alternate")
_ALTERNATE_SINCE: Final = "essex"  # Nova views/images.py: two links before, three since


def matched(
    one: Normalized, other: Normalized, pairs: Iterable[tuple[int, int]]
) -> tuple[Normalized, Normalized]:
    """Return both answers with the candidate's image references in the baseline's ids.

    Metadata of vendors that only one side has is left out. Only `cross-cloud` changes anything.

    Args:
        one: The baseline.
        other: The candidate.
        pairs: Positions of the same image in both.
    """
    if one.profile != "cross-cloud":
        return one, other
    shared = {*vendors(one)} & {*vendors(other)}
    partner = {other.ids[right]: one.ids[left] for left, right in pairs}
    return (
        replace(one, images=tuple(_translated(each, {}, shared) for each in one.images)),
        replace(other, images=tuple(_translated(each, partner, shared) for each in other.images)),
    )


def vendors(side: Normalized) -> dict[str, list[str]]:
    """Return the metadata keys of each vendor."""
    keys: dict[str, set[str]] = {}
    for image in side.images:
        metadata = image.get("metadata")
        for key in metadata if isinstance(metadata, dict) else ():
            if (vendor := vendor_of(key)) is not None:
                keys.setdefault(vendor, set()).add(key)
    return {vendor: sorted(found) for vendor, found in keys.items()}


def _translated(image: Image, partner: Mapping[str, str], shared: set[str]) -> Image:
    if not isinstance(image.get("metadata"), dict):
        return image
    metadata = {
        key: partner.get(value, value) if key in REFERENCES and isinstance(value, str) else value
        for key, value in image["metadata"].items()
        if vendor_of(key) in {None, *shared}
    }
    return {**image, "metadata": metadata}


def expected_absences(
    differences: Iterable[Difference], *, baseline: str | None, candidate: str | None, profile: str
) -> tuple[list[Difference], int]:
    """Mark the differences that are about a field which one side's release never had (R11).

    Only the reason changes, not the severity. The release is the declared one. Inferring it from
    the answer would let a cloud that lost a field explain its own loss.

    Args:
        differences: With their severity.
        baseline: The declared release of the old side, if any.
        candidate: That of the new side.
        profile: Decides whether the rule applies.

    Returns:
        The differences in their order, and how many images' fields were not offered.
    """
    found = list(differences)
    if all(rule.id != "R11" for rule in rules_of(profile)):
        return found, 0
    count = 0
    for position, each in enumerate(found):
        release = {"field_added": baseline, "field_removed": candidate}.get(each.kind)
        if release is None or not _never_had(each, release):
            continue
        reason = f"not offered: {release} never had it"
        if each.kind == "field_removed":
            reason += "; the baseline's release has"
        found[position] = replace(each, reason=reason)
        count += each.count
    return found, count


def _never_had(difference: Difference, release: str) -> bool:
    """Return whether a difference is about a whole field, or the alternate link, added later."""
    field = next((name for name in contract.FIELDS if _is_at(difference, name)), None)
    if field is not None:
        return not contract.offers(field, release)
    index = contract.release_index(release)
    first = contract.release_index(_ALTERNATE_SINCE)
    too_old = index is not None and first is not None and index < first
    return too_old and _is_at(difference, *_ALTERNATE)


def _is_at(difference: Difference, *path: str) -> bool:
    return difference.path == path_of(("images", *path), difference.image)
