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


def no_listing(answer: Answer) -> Outcome:
    """Return the outcome of an answer that should have been a listing."""
    return failed(answer, f"was answered {answer.status}, without a listing")


def failed(answer: Answer, how: str, image: Image | None = None, *, subject: str = "") -> Outcome:
    """Return the outcome of a wrong or missing answer; values in `how` follow a colon."""
    if answer.missing:
        return Outcome(answer=answer, missing=answer.missing)
    text, kind = f"{subject or answer.request} {how}", how.partition(": ")[0]
    problem = Problem(answer=answer, text=text, kind=kind, image=image)
    return Outcome(answer=answer, problems=(problem,))


def together(held: Outcome, others: Iterable[Outcome]) -> Outcome:
    """Add the problems of other outcomes of one question, the first of each kind."""
    kinds: dict[tuple[str, str], Problem] = {}
    for each in (held, *others):
        for problem in each.problems:
            kinds.setdefault((problem.answer.request, problem.kind), problem)
    return replace(held, problems=tuple(kinds.values()))


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
    here, there = ids(images), ids(wanted)
    ways = {
        "nothing": not here,
        "a part": {*here} < {*there},
        "instead": instead is not None and here == ids(instead),
    }
    lists = tuple(way for way, is_so in ways.items() if is_so)
    held = Outcome(answer=answer, shows=bool(wanted))
    broken = together(held, (failed(answer, *each) for each in _differences(images, wanted)))
    return replace(broken, problems=tuple(replace(each, lists=lists) for each in broken.problems))


def _differences(found: Images, wanted: Images) -> list[tuple[str, Image]]:
    here, there = Counter(ids(found)), Counter(ids(wanted))
    problems = [("lacks an image", each) for each in wanted if each["id"] not in here]
    for image in found:
        if image["id"] not in there:
            problems.append(("has an image that it should not have", image))
        elif here[image["id"]] > there[image["id"]]:
            problems.append(("lists an image twice", image))
    pairs = () if problems else zip(found, wanted, strict=False)
    order = "has another order, first for an image"
    return problems or [(order, each) for each, other in pairs if each["id"] != other["id"]]


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
    pairs = {key: (_text(found, key), _text(wanted, key)) for key in {**wanted, **found}}
    problems = (
        f"shows another {key}: {cut(here, _LONGEST)}, not {cut(there, _LONGEST)}"
        for key, (here, there) in pairs.items()
        if here != there and key not in left
    )
    return together(Outcome(answer=answer), (failed(answer, each, wanted) for each in problems))


def all_alike(
    answer: Answer, wanted: Images, found: Images | None = None, *, but: Sequence[str] = ()
) -> Outcome:
    """Compare a listing with images, in order and field by field."""
    images = answer.images if found is None else found
    others = {each["id"]: each for each in images}
    pairs = [(others[each["id"]], each) for each in wanted if each["id"] in others]
    compared = (alike(answer, *pair, but=but) for pair in pairs)
    return together(same(answer, wanted, images), compared)


def _text(image: Image, key: str) -> str:
    return json.dumps(image[key], sort_keys=True, ensure_ascii=False) if key in image else "none"


def filtered(
    cloud: Cloud, images: Images, filters: Mapping[str, object], *, instead: Images | None = None
) -> Outcome:
    """Request a listing with filters; compare it with those of the images that they select.

    If `instead` is None, it is what they select where MySQL compares the texts.
    """
    known = collated(images, filters) if instead is None else instead
    return same(cloud.listing(filters), selected(images, filters), instead=known)


def united(
    cloud: Cloud, wanted: Images, name: str, values: Iterable[str], *, instead: Images | None = None
) -> Outcome:
    """Request a listing for each value of a filter; compare their union with the images."""
    answers = [cloud.listing({name: value}) for value in values]
    refused = [no_listing(each) for each in answers if not each.is_listing]
    if refused:
        return together(refused[0], refused)
    found = [image for each in answers for image in each.images]
    places = {id_: place for place, id_ in enumerate(ids(wanted))}
    found.sort(key=lambda each: places.get(each["id"], -1))
    return same(answers[-1], wanted, found, instead=instead)


def paged(cloud: Cloud, wanted: Images, size: int) -> Outcome:
    """Request at most `_MOST_PAGES` pages; compare them with the images that they must hold."""
    found: list[Image] = []
    marker = None
    for _ in range(_MOST_PAGES):
        answer = cloud.listing({"limit": size, "marker": marker})
        if not answer.is_listing:
            return no_listing(answer)
        if len(answer.images) > size:
            what = f"has more images than its limit: {len(answer.images)}"
            return failed(answer, what, answer.images[size])
        found += answer.images
        if answer.next_page is None or not answer.images:
            return same(answer, wanted, found)
        marker = found[-1]["id"]
    return same(answer, wanted[: len(found)], found)
