"""Compare the answers of a cloud with what a relation requires."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pytest_imagedetail.check.asking import Answer, Cloud
from pytest_imagedetail.check.forecast import Finding
from pytest_imagedetail.check.samples import Images, collated, ids, selected
from pytest_imagedetail.model import Image
from pytest_imagedetail.text import cut

_LONGEST: Final = 103  # characters of a value in a reason, including three dots
_MOST_PAGES: Final = 10
_MOVING: Final = ("progress", "status", "updated")

Broken = tuple[str, Image | None]
"""What is wrong with an answer, and an example; values in the text follow a colon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One way in which an answer breaks a relation."""

    answer: Answer
    text: str
    kind: str  # the same without request and values
    image: Mapping[str, Any] | None = None  # an example
    instead: bool = False  # the answer lists the images of a known deviation
    finding: Finding | None = None  # of a forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one question to the cloud showed."""

    problems: Sequence[Problem] = ()  # one of each kind
    vacuous: bool = False  # agreement proves nothing: no image could have matched
    missing: str = ""  # why it is inconclusive
    counted: str = ""  # what was judged, if not the cloud's images


def outcome(
    answer: Answer,
    broken: Iterable[Broken],
    *,
    subject: str = "",
    instead: bool = False,
    **facts: Any,
) -> Outcome:
    """Return what an answer showed; `facts` are of the outcome, the others of its problems."""
    if answer.missing:
        return Outcome(missing=answer.missing)
    problems: dict[str, Problem] = {}
    for what, image in broken:
        text, kind = f"{subject or answer.request} {what}", what.partition(": ")[0]
        problem = Problem(answer=answer, text=text, kind=kind, image=image, instead=instead)
        problems.setdefault(kind, problem)
    return Outcome(problems=[*problems.values()], **facts)


def failure(answer: Answer, what: str, image: Image | None = None) -> Outcome:
    """Return the outcome of an answer that is wrong, or missing."""
    return outcome(answer, [(what, image)])


def not_a_listing(answer: Answer) -> Outcome:
    """Return the failure of an answer that is not a listing."""
    return failure(answer, f"was answered {answer.status}, without a listing")


def compare_status(answer: Answer, expected: int) -> Outcome:
    """Compare the status of an answer with the expected one."""
    what = f"was answered {answer.status}, not {expected}"
    return outcome(answer, [] if answer.status == expected else [(what, None)])


def compare_ids(
    answer: Answer, expected: Images, actual: Images | None = None, *, instead: Images | None = None
) -> Outcome:
    """Compare the ids of a listing, or of the `actual` images, with the expected ones.

    `instead` are the images that a known deviation lists.
    """
    if not answer.is_listing:
        return not_a_listing(answer)
    images = answer.images if actual is None else actual
    is_known = instead is not None and ids(images) == ids(instead)
    return outcome(answer, _differences(images, expected), instead=is_known, vacuous=not expected)


def _differences(actual: Images, expected: Images) -> Iterator[Broken]:
    counts, expected_counts = Counter(ids(actual)), Counter(ids(expected))
    others = [("lacks an image", image) for image in expected if image["id"] not in counts]
    for image in actual:
        if image["id"] not in expected_counts:
            others.append(("has an image that it should not have", image))
        elif counts[image["id"]] > expected_counts[image["id"]]:
            others.append(("lists an image twice", image))
    yield from others
    for image, other in () if others else zip(actual, expected, strict=False):
        if image["id"] != other["id"]:
            yield "has another order, first for an image", image


def compare_image(answer: Answer, actual: Any, expected: Image) -> Outcome:
    """Compare two descriptions of one image."""
    if not isinstance(actual, dict):
        return failure(answer, "does not show the image", expected)
    return outcome(answer, _changes(actual, expected, ()))


def compare_images(
    answer: Answer, expected: Images, actual: Images | None = None, *, ignored: Sequence[str] = ()
) -> Outcome:
    """Compare a listing, or the `actual` images, with the expected ones: ids and fields."""
    if not answer.is_listing:
        return not_a_listing(answer)
    images = answer.images if actual is None else actual
    by_id = {image["id"]: image for image in images}
    pairs = [(by_id[image["id"]], image) for image in expected if image["id"] in by_id]
    changes = [change for pair in pairs for change in _changes(*pair, ignored)]
    return outcome(answer, [*_differences(images, expected), *changes], vacuous=not expected)


def _changes(actual: Image, expected: Image, ignored: Sequence[str]) -> Iterator[Broken]:
    """Yield the fields that differ; `_MOVING` may, while the image is being saved."""
    is_moving = "SAVING" in [expected.get("status"), actual.get("status")]
    skipped = {*ignored, *(_MOVING if is_moving else ())}
    for key in (key for key in {**expected, **actual} if key not in skipped):
        value, expected_value = _text(actual, key), _text(expected, key)
        if value != expected_value:
            values = f"{cut(value, _LONGEST)}, not {cut(expected_value, _LONGEST)}"
            yield f"shows another {key}: {values}", expected


def _text(image: Image, key: str) -> str:
    return json.dumps(image[key], sort_keys=True, ensure_ascii=False) if key in image else "none"


def check_filter(
    cloud: Cloud, images: Images, filters: Mapping[str, object], *, instead: Images | None = None
) -> Outcome:
    """Request a listing with filters; compare it with the images that they select.

    `instead` is what a known deviation lists; by default, what MySQL's collation selects.
    """
    alternative = selected(images, filters, collated) if instead is None else instead
    return compare_ids(cloud.listing(filters), selected(images, filters), instead=alternative)


def check_union(
    cloud: Cloud, images: Images, name: str, values: Iterable[str], *, instead: Images | None = None
) -> Outcome:
    """Request a listing for each value of a filter; compare their union with the images."""
    answers = [cloud.listing({name: value}) for value in values]
    refused = [not_a_listing(answer) for answer in answers if not answer.is_listing]
    if refused:
        return replace(refused[0], problems=[each for one in refused for each in one.problems])
    listed = [image for answer in answers for image in answer.images]
    positions = {each: position for position, each in enumerate(ids(images))}
    listed.sort(key=lambda image: positions.get(image["id"], -1))
    return compare_ids(answers[-1], images, listed, instead=instead)


def check_pages(cloud: Cloud, images: Images, size: int) -> Outcome:
    """Request at most `_MOST_PAGES` pages; compare their images with the expected ones."""
    listed: list[Image] = []
    marker = None
    for _ in range(_MOST_PAGES):
        answer = cloud.listing({"limit": size, "marker": marker})
        if not answer.is_listing:
            return not_a_listing(answer)
        if len(answer.images) > size:
            what = f"has more images than its limit: {len(answer.images)}"
            return failure(answer, what, answer.images[size])
        listed += answer.images
        if answer.next_page is None or not answer.images:
            return compare_ids(answer, images, listed)
        marker = listed[-1]["id"]
    return compare_ids(answer, images[: len(listed)], listed)
