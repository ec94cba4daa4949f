"""What other values say that keep their type: of two images, or of all images of both sides."""

from collections.abc import Collection
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.model import Path
from pytest_imagedetail.severity.change import Verdict
from pytest_imagedetail.severity.promise import Promise

_SENT_PROGRESS: Final = (0, 25, 50, 100)  # views/images.py, _get_progress


def value_verdict(path: Path, old: Collection[Any], new: Collection[Any]) -> Verdict | None:
    """The verdict on values that no promise rules out and Nova never sends; None for any others.

    Args:
        path: Where they stand in an image.
        old: Those of the baseline.
        new: Those of the candidate.
    """
    if path != ("progress",):
        return None
    if _are_sent(new) or not _are_sent(old):
        return None
    return "compatible", "Nova sends 0, 25, 50 and 100 only"


def form_verdict(promise: Promise, form: str, old: set[str], new: set[str]) -> Verdict:
    """The verdict on texts that are written in other forms than before.

    Args:
        promise: Knows whose it is.
        form: The promised one.
        old: Those of the baseline.
        new: Those of the candidate.
    """
    fresh = new - old - {form}
    if not fresh:
        return "compatible", f"the candidate writes what {promise.by} promises"
    if form == contract.ISOTIME and all(map(contract.is_isotime, fresh)):
        return "compatible", "a date in another writing; strict parsers refuse it"
    return "breaking", f"{promise.by} promises {form}"


def _are_sent(values: Collection[Any]) -> bool:
    return all(each in _SENT_PROGRESS for each in values)
