"""Relations between answers, and what known deviations look like."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from pytest_imagedetail.check.asking import Answer, Cloud
from pytest_imagedetail.check.samples import Images, ids
from pytest_imagedetail.check.verdicts import Outcome
from pytest_imagedetail.model import Image
from pytest_imagedetail.report.text import cut

Predicate = Callable[[Outcome], bool]

_LONGEST: Final = 103  # characters of a value that a reason shows, with three dots
_MOVING: Final = ("progress", "status", "updated")


# What a known deviation shows.


def answered(*codes: int) -> Predicate:
    """Return a predicate: did the cloud answer with one of these statuses?"""
    return lambda outcome: outcome.answer.status in codes


def asked(then: Predicate, *texts: str) -> Predicate:
    """Return a predicate for requests with one of these texts, in either case."""
    return lambda outcome: (
        then(outcome) and any(each in outcome.answer.request.upper() for each in texts)
    )


def says(text: str) -> Predicate:
    """Return a predicate: does the problem have this text?"""
    return lambda outcome: text in outcome.problem


def lists_nothing(outcome: Outcome) -> bool:
    """Return whether the cloud answered with an empty listing."""
    return outcome.found is not None and not outcome.found


def lists_a_part(outcome: Outcome) -> bool:
    """Return whether the cloud lists a part of the images that it should."""
    return outcome.found is not None and set(outcome.found) < set(outcome.wanted)


def lists_instead(outcome: Outcome) -> bool:
    """Return whether the cloud lists the images that it should not, but is known to."""
    return outcome.found is not None and outcome.found == outcome.instead


# How answers are related.


def no_listing(answer: Answer) -> Outcome:
    """Return the outcome of an answer that should have been a listing."""
    return _failed(answer, f"was answered {answer.status}, without a listing")


def _failed(answer: Answer, how: str, image: Image | None = None) -> Outcome:
    """Return the outcome of an answer that is not as it should be, or is missing."""
    if answer.missing:
        return Outcome(answer=answer, missing=answer.missing)
    return Outcome(answer=answer, problem=f"{answer.request} {how}", image=image)


def same(
    answer: Answer,
    wanted: Images,
    found: Images | None = None,
    *,
    instead: Images | None = None,
    extra: str = "has an image that it should not have",
) -> Outcome:
    """Compare a listing with the images that it must have, in their order.

    Args:
        answer: The listing.
        wanted: Its images, as they must be.
        found: Its images with those of other pages, or without some.
        instead: Its images, if the cloud has a known deviation.
        extra: What to say of an image that is too many.
    """
    if not answer.is_listing:
        return no_listing(answer)
    images = answer.images if found is None else found
    problem, image = _difference(images, wanted, extra)
    return Outcome(
        answer=answer,
        problem=problem and f"{answer.request} {problem}",
        image=image,
        shows=bool(wanted),
        found=ids(images),
        wanted=ids(wanted),
        instead=None if instead is None else ids(instead),
    )


def _difference(found: Images, wanted: Images, extra: str) -> tuple[str, Image | None]:
    if ids(found) == ids(wanted):
        return "", None
    by_id = {each["id"]: each for each in found}
    expected = {each["id"]: each for each in wanted}
    for id_, image in expected.items():
        if id_ not in by_id:
            return "lacks an image", image
    for id_, image in by_id.items():
        if id_ not in expected:
            return extra, image
    repeated = [each for each, number in Counter(ids(found)).items() if number > 1]
    if repeated and len(found) > len(wanted):
        return "lists an image twice", by_id[repeated[0]]
    pairs = zip(found, wanted, strict=False)
    moved = next((one for one, other in pairs if one["id"] != other["id"]), wanted[-1])
    return "has another order, first for an image", moved


def status(answer: Answer, code: int) -> Outcome:
    """Compare the status of an answer."""
    if answer.status == code:
        return Outcome(answer=answer)
    return _failed(answer, f"was answered {answer.status}, not {code}")


def alike(
    answer: Answer, found: Image | None, wanted: Image, *, but: Sequence[str] = ()
) -> Outcome:
    """Compare two descriptions of one image; one that is being saved may have moved on."""
    if found is None or answer.missing:
        return _failed(answer, "does not show the image", wanted)
    is_moving = "SAVING" in [wanted.get("status"), found.get("status")]
    left = {*but, *(_MOVING if is_moving else ())}
    for key in [key for key in {**wanted, **found} if key not in left]:
        here, there = _text(found, key), _text(wanted, key)
        if here != there:
            what = f"shows another {key}: {cut(here, _LONGEST)}, not {cut(there, _LONGEST)}"
            return _failed(answer, what, wanted)
    return Outcome(answer=answer)


def all_alike(answer: Answer, wanted: Images, *, but: Sequence[str] = ()) -> Outcome:
    """Compare a listing with images, in their order and field by field."""
    outcome = same(answer, wanted)
    pairs = () if outcome.problem else zip(answer.images, wanted, strict=False)
    outcomes = (alike(answer, found, image, but=but) for found, image in pairs)
    return next((each for each in outcomes if each.problem), outcome)


def _text(image: Image, key: str) -> str:
    return json.dumps(image[key], sort_keys=True, ensure_ascii=False) if key in image else "none"


def filtered(
    cloud: Cloud, wanted: Images, filters: Mapping[str, object], *, instead: Images | None = None
) -> Outcome:
    """Ask with filters, and compare with the images that they must select."""
    return same(cloud.listing(filters), wanted, instead=instead)


def united(
    cloud: Cloud, wanted: Images, name: str, values: Iterable[str], *, instead: Images | None = None
) -> Outcome:
    """Ask with each value of a filter, and compare all together with the images."""
    found: list[Image] = []
    for value in values:
        answer = cloud.listing({name: value})
        if not answer.is_listing:
            return no_listing(answer)
        found += answer.images
    places = {id_: place for place, id_ in enumerate(ids(wanted))}
    found.sort(key=lambda each: places.get(each["id"], -1))
    return same(answer, wanted, found, instead=instead)


def element(answer: Answer) -> Image | None:
    """Return the image of `GET /images/{id}`."""
    found = answer.document.get("image") if isinstance(answer.document, dict) else None
    return found if isinstance(found, dict) else None
