"""Compare the answers of a cloud with what a relation requires."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pytest_imagedetail.check.asking import Answer, Cloud
from pytest_imagedetail.check.samples import Images, ids
from pytest_imagedetail.check.verdicts import Outcome
from pytest_imagedetail.model import Image
from pytest_imagedetail.text import cut

_LONGEST: Final = 103  # characters of a value in a reason, including three dots
_MOST_PAGES: Final = 10
_MOVING: Final = ("progress", "status", "updated")


def no_listing(answer: Answer) -> Outcome:
    """Return the outcome of an answer that should have been a listing."""
    return failed(answer, f"was answered {answer.status}, without a listing")


def failed(answer: Answer, how: str, image: Image | None = None) -> Outcome:
    """Return the outcome of a wrong or missing answer."""
    if answer.missing:
        return Outcome(answer=answer, missing=answer.missing)
    return Outcome(answer=answer, problem=f"{answer.request} {how}", image=image)


def same(
    answer: Answer,
    wanted: Images,
    found: Images | None = None,
    *,
    instead: Images | None = None,
) -> Outcome:
    """Compare the images of a listing, or `found`, with those that it must have."""
    if not answer.is_listing:
        return no_listing(answer)
    images = answer.images if found is None else found
    problem, image = _difference(images, wanted)
    here, there = ids(images), ids(wanted)
    ways = {
        "nothing": not here,
        "a part": {*here} < {*there},
        "instead": instead is not None and here == ids(instead),
    }
    return Outcome(
        answer=answer,
        problem=problem and f"{answer.request} {problem}",
        image=image,
        shows=bool(wanted),
        lists=tuple(way for way, is_so in ways.items() if is_so),
    )


def _difference(found: Images, wanted: Images) -> tuple[str, Image | None]:
    here, there = Counter(ids(found)), Counter(ids(wanted))
    for image in wanted:
        if image["id"] not in here:
            return "lacks an image", image
    for image in found:
        if image["id"] not in there:
            return "has an image that it should not have", image
        if here[image["id"]] > there[image["id"]]:
            return "lists an image twice", image
    for image, expected in zip(found, wanted, strict=False):
        if image["id"] != expected["id"]:
            return "has another order, first for an image", image
    return "", None


def status(answer: Answer, code: int) -> Outcome:
    """Compare the status of an answer."""
    if answer.status == code:
        return Outcome(answer=answer)
    return failed(answer, f"was answered {answer.status}, not {code}")


def alike(
    answer: Answer, found: Image | None, wanted: Image, *, but: Sequence[str] = ()
) -> Outcome:
    """Compare two descriptions of one image; `_MOVING` may differ while it is being saved."""
    if found is None or answer.missing:
        return failed(answer, "does not show the image", wanted)
    is_moving = "SAVING" in [wanted.get("status"), found.get("status")]
    left = {*but, *(_MOVING if is_moving else ())}
    for key in [key for key in {**wanted, **found} if key not in left]:
        here, there = _text(found, key), _text(wanted, key)
        if here != there:
            what = f"shows another {key}: {cut(here, _LONGEST)}, not {cut(there, _LONGEST)}"
            return failed(answer, what, wanted)
    return Outcome(answer=answer)


def all_alike(
    answer: Answer, wanted: Images, found: Images | None = None, *, but: Sequence[str] = ()
) -> Outcome:
    """Compare a listing with images, in order and field by field."""
    images = answer.images if found is None else found
    outcome = same(answer, wanted, images)
    pairs = () if outcome.problem else zip(images, wanted, strict=False)
    outcomes = (alike(answer, each, image, but=but) for each, image in pairs)
    return next((each for each in outcomes if each.problem), outcome)


def _text(image: Image, key: str) -> str:
    return json.dumps(image[key], sort_keys=True, ensure_ascii=False) if key in image else "none"


def filtered(
    cloud: Cloud, wanted: Images, filters: Mapping[str, object], *, instead: Images | None = None
) -> Outcome:
    """Request a listing with filters; compare it with the images that they must select."""
    return same(cloud.listing(filters), wanted, instead=instead)


def united(
    cloud: Cloud, wanted: Images, name: str, values: Iterable[str], *, instead: Images | None = None
) -> Outcome:
    """Request a listing for each value of a filter; compare their union with the images."""
    found: list[Image] = []
    for value in values:
        answer = cloud.listing({name: value})
        if not answer.is_listing:
            return no_listing(answer)
        found += answer.images
    places = {id_: place for place, id_ in enumerate(ids(wanted))}
    found.sort(key=lambda each: places.get(each["id"], -1))
    return same(answer, wanted, found, instead=instead)


def paged(cloud: Cloud, wanted: Images, size: int) -> Outcome:
    """Request at most `_MOST_PAGES` pages; compare them with the images that they must hold."""
    found: list[Image] = []
    marker = None
    for _ in range(_MOST_PAGES):
        answer = cloud.listing({"limit": size, "marker": marker})
        if not answer.is_listing:
            return no_listing(answer)
        if len(answer.images) > size:
            return failed(answer, f"has {len(answer.images)} images", answer.images[size])
        found += answer.images
        if answer.next_page is None or not answer.images:
            return same(answer, wanted, found)
        marker = found[-1]["id"]
    return same(answer, wanted[: len(found)], found)
