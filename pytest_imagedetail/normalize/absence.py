"""Fields that a declared release never had (R11): not offered, which is not lost.

The release is what whoever recorded the cloud declared. It is never inferred from the answer: a
cloud that lost a field would else explain its own loss.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from pytest_imagedetail import contract
from pytest_imagedetail.model import Difference, path_of
from pytest_imagedetail.normalize.rules import rules_of

_ALTERNATE: Final = ("links", "alternate")
_ALTERNATE_SINCE: Final = "essex"  # Nova views/images.py: two links before, three since


def expected_absences(
    differences: Iterable[Difference], *, baseline: str | None, candidate: str | None, profile: str
) -> tuple[list[Difference], int]:
    """The differences, those of a field that one side's release never had marked as such.

    A mark changes the reason only. Whether it breaks a client is the judge's to say: one that
    relied on the newer release's field fails on the older release, whoever promised what.

    Args:
        differences: As judged.
        baseline: The old side's declared release, if any.
        candidate: The new side's.
        profile: Decides whether the rule applies.

    Returns:
        The differences in their order, and how many images' fields were not offered.
    """
    found = list(differences)
    if all(rule.id != "R11" for rule in rules_of(profile)):
        return found, 0
    count = 0
    for place, each in enumerate(found):
        release = {"field_added": baseline, "field_removed": candidate}.get(each.kind)
        if release is None or not _never_had(each, release):
            continue
        count += each.count
        found[place] = replace(each, reason=_reason(each, release))
    return found, count


def _never_had(difference: Difference, release: str) -> bool:
    """Whether a difference is about a whole field, or the alternate link, that came later."""
    field = next((name for name in contract.FIELDS if _is_at(difference, name)), None)
    if field is not None:
        return not contract.offers(field, release)
    index = contract.release_index(release)
    first = contract.release_index(_ALTERNATE_SINCE)
    too_old = index is not None and first is not None and index < first
    return too_old and _is_at(difference, *_ALTERNATE)


def _is_at(difference: Difference, *path: str) -> bool:
    return difference.path == path_of(("images", *path), difference.image)


def _reason(difference: Difference, release: str) -> str:
    never = f"not offered: {release} never had it"
    return never if difference.kind == "field_added" else f"{never}; the baseline's release has"
