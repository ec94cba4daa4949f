"""Compare the answers of a cloud with what a relation requires."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from pytest_imagedetail.check.asking import Answer, Cloud
from pytest_imagedetail.check.samples import Images, collated, ids, selected
from pytest_imagedetail.check.verdicts import Outcome, Problem
from pytest_imagedetail.model import Image
from pytest_imagedetail.text import cut

_LONGEST: Final = 103  # characters of a value in a reason, including three dots
_MOST_PAGES: Final = 10
_MOVING: Final = ("progress", "status", "updated")


def not_a_listing(answer: Answer) -> Outcome:
    """Return the failure of an answer that is not a listing."""
    return failure(answer, f"was answered {answer.status}, without a listing")


def failure(answer: Answer, what: str, image: Image | None = None, *, subject: str = "") -> Outcome:
    """Return the outcome of a wrong or missing answer; values in `what` follow a colon."""
    if answer.missing:
        return Outcome(answer=answer, missing=answer.missing)
    text, kind = f"{subject or answer.request} {what}", what.partition(": ")[0]
    problem = Problem(answer=answer, text=text, kind=kind, image=image)
    return Outcome(answer=answer, problems=(problem,))


def merge(outcome: Outcome, others: Iterable[Outcome]) -> Outcome:
    """Add the problems of other outcomes of one question, the first of each kind."""
    kinds: dict[tuple[str, str], Problem] = {}
    for other in (outcome, *others):
        for problem in other.problems:
            kinds.setdefault((problem.answer.request, problem.kind), problem)
    return replace(outcome, problems=tuple(kinds.values()))


def compare_ids(
    answer: Answer, expected: Images, actual: Images | None = None, *, instead: Images | None = None
) -> Outcome:
    """Compare the ids of a listing, or of the `actual` images, with the expected ones."""
    if not answer.is_listing:
        return not_a_listing(answer)
    images = answer.images if actual is None else actual
    actual_ids, expected_ids = ids(images), ids(expected)
    conditions = {
        "nothing": not actual_ids,
        "a part": {*actual_ids} < {*expected_ids},
        "instead": instead is not None and actual_ids == ids(instead),
    }
    listed = tuple(name for name, is_met in conditions.items() if is_met)
    failures = (failure(answer, *pair) for pair in _differences(images, expected))
    outcome = merge(Outcome(answer=answer, vacuous=not expected), failures)
    problems = tuple(replace(problem, listed=listed) for problem in outcome.problems)
    return replace(outcome, problems=problems)


def _differences(actual: Images, expected: Images) -> list[tuple[str, Image]]:
    counts, expected_counts = Counter(ids(actual)), Counter(ids(expected))
    problems = [("lacks an image", image) for image in expected if image["id"] not in counts]
    for image in actual:
        if image["id"] not in expected_counts:
            problems.append(("has an image that it should not have", image))
        elif counts[image["id"]] > expected_counts[image["id"]]:
            problems.append(("lists an image twice", image))
    pairs = () if problems else zip(actual, expected, strict=False)
    order = "has another order, first for an image"
    return problems or [(order, image) for image, other in pairs if image["id"] != other["id"]]


def compare_status(answer: Answer, expected: int) -> Outcome:
    """Compare the status of an answer with the expected one."""
    if answer.status == expected:
        return Outcome(answer=answer)
    return failure(answer, f"was answered {answer.status}, not {expected}")


def compare_image(
    answer: Answer, actual: Image | None, expected: Image, *, ignored: Sequence[str] = ()
) -> Outcome:
    """Compare two descriptions of one image; `_MOVING` may differ while it is being saved."""
    if actual is None or answer.missing:
        return failure(answer, "does not show the image", expected)
    is_moving = "SAVING" in [expected.get("status"), actual.get("status")]
    skipped = {*ignored, *(_MOVING if is_moving else ())}
    pairs = {key: (_text(actual, key), _text(expected, key)) for key in {**expected, **actual}}
    problems = (
        f"shows another {key}: {cut(value, _LONGEST)}, not {cut(expected_value, _LONGEST)}"
        for key, (value, expected_value) in pairs.items()
        if value != expected_value and key not in skipped
    )
    return merge(Outcome(answer=answer), (failure(answer, what, expected) for what in problems))


def compare_images(
    answer: Answer, expected: Images, actual: Images | None = None, *, ignored: Sequence[str] = ()
) -> Outcome:
    """Compare a listing, or the `actual` images, with the expected ones: ids and fields."""
    images = answer.images if actual is None else actual
    by_id = {image["id"]: image for image in images}
    pairs = [(by_id[image["id"]], image) for image in expected if image["id"] in by_id]
    outcomes = (compare_image(answer, *pair, ignored=ignored) for pair in pairs)
    return merge(compare_ids(answer, expected, images), outcomes)


def _text(image: Image, key: str) -> str:
    return json.dumps(image[key], sort_keys=True, ensure_ascii=False) if key in image else "none"


def check_filter(
    cloud: Cloud, images: Images, filters: Mapping[str, object], *, instead: Images | None = None
) -> Outcome:
    """Request a listing with filters; compare it with the images that they select.

    `instead` is what a known deviation lists; by default, what MySQL's collation selects.
    """
    alternative = collated(images, filters) if instead is None else instead
    return compare_ids(cloud.listing(filters), selected(images, filters), instead=alternative)


def check_union(
    cloud: Cloud, images: Images, name: str, values: Iterable[str], *, instead: Images | None = None
) -> Outcome:
    """Request a listing for each value of a filter; compare their union with the images."""
    answers = [cloud.listing({name: value}) for value in values]
    refused = [not_a_listing(answer) for answer in answers if not answer.is_listing]
    if refused:
        return merge(refused[0], refused)
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
