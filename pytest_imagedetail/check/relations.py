"""Relations between answers, and which images and values are asked for."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, overload

from pytest_imagedetail.check.asking import Answer, Cloud, NotAskedError
from pytest_imagedetail.check.verdicts import Outcome, ref
from pytest_imagedetail.model import Image
from pytest_imagedetail.record.retry import NOT_ANSWERED

Images = Sequence[Image]

FEW: Final = 5  # values of one filter that are asked
_LONGEST: Final = 100  # characters of a value that a reason shows
_UNAUTHORIZED: Final = 401
_MOVING: Final = ("progress", "status", "updated")


# What an outcome can be.


def refused(outcome: Outcome) -> bool:
    """Return whether the cloud answered 400."""
    return outcome.answer is not None and outcome.answer.status == 400  # noqa: PLR2004


def empty(outcome: Outcome) -> bool:
    """Return whether the cloud answered with an empty listing."""
    return outcome.answer is not None and outcome.answer.images == []


def listed(outcome: Outcome) -> list[Any] | None:
    """Return the ids that the cloud answered with; None if it answered with no listing."""
    return ids(outcome.answer.images) if outcome.answer is not None else None


def selects(wanted: Images) -> Callable[[Outcome], bool]:
    """Return a predicate: did the cloud answer with these images?"""
    return lambda outcome: listed(outcome) == ids(wanted)


def within(wanted: Images) -> Callable[[Outcome], bool]:
    """Return a predicate: did the cloud answer with a part of these images?"""
    return lambda outcome: (found := listed(outcome)) is not None and set(found) < set(ids(wanted))


# How answers are related.


@overload
def ids(images: Images) -> list[Any]: ...
@overload
def ids(images: None) -> None: ...
@overload
def ids(images: Images | None) -> list[Any] | None: ...
def ids(images: Images | None) -> list[Any] | None:
    """Return the ids of images, in order; None if there is no listing."""
    return None if images is None else [each["id"] for each in images]


def no_listing(answer: Answer) -> Outcome:
    """Return the outcome of an answer that should have been a listing."""
    refuse_outage(answer)
    problem = f"{answer.request} was answered {answer.status}, without a listing"
    return Outcome(answer=answer, problem=problem)


def refuse_outage(answer: Answer) -> None:
    """Raise NotAskedError if an answer says nothing about its request, as 503 does."""
    if answer.status in NOT_ANSWERED and answer.status != _UNAUTHORIZED:
        raise NotAskedError(f"{answer.request} was answered {answer.status}: try again later")


def same(answer: Answer, wanted: Images, found: Images | None = None) -> Outcome:
    """Compare a listing with the images that it must have, in their order."""
    images = answer.images if found is None else found
    if images is None:
        return no_listing(answer)
    problem, image = _difference(images, wanted)
    text = f"{answer.request} {problem}" if problem else ""
    place = None if image is None else ref(image)
    return Outcome(answer=answer, problem=text, image=place, shows=bool(wanted))


def _difference(found: Images, wanted: Images) -> tuple[str, Image | None]:
    if ids(found) == ids(wanted):
        return "", None
    by_id = {each["id"]: each for each in found}
    expected = {each["id"]: each for each in wanted}
    for id_, image in expected.items():
        if id_ not in by_id:
            return "lacks an image", image
    for id_, image in by_id.items():
        if id_ not in expected:
            return "has an image that it should not have", image
    repeated = [each for each, number in Counter(ids(found)).items() if number > 1]
    if repeated and len(found) > len(wanted):
        return "lists an image twice", by_id[repeated[0]]
    pairs = zip(found, wanted, strict=False)
    moved = next((one for one, other in pairs if one["id"] != other["id"]), wanted[-1])
    return "has another order, first for an image", moved


def status(answer: Answer, *codes: int) -> Outcome:
    """Compare the status of an answer."""
    refuse_outage(answer)
    wanted = " or ".join(map(str, codes))
    problem = f"{answer.request} was answered {answer.status}, not {wanted}"
    return Outcome(answer=answer, problem="" if answer.status in codes else problem)


def alike(
    answer: Answer, found: Image | None, wanted: Image, *, but: Sequence[str] = ()
) -> Outcome:
    """Compare two descriptions of one image; one that is being saved may have moved on."""
    if found is None:
        refuse_outage(answer)
    statuses = [wanted.get("status"), (found or {}).get("status")]
    left = {*but, *(_MOVING if "SAVING" in statuses else ())}
    one, other = (
        {key: value for key, value in (each or {}).items() if key not in left}
        for each in (found, wanted)
    )
    differing = [key for key in {**other, **one} if _text(one, key) != _text(other, key)]
    if found is not None and not differing:
        return Outcome(answer=answer)
    key = differing[0] if differing else ""
    here, there = (_shortened(_text(each, key)) for each in (one, other))
    what = f"shows another {key}: {here}, not {there}"
    problem = "does not show the image" if found is None else what
    return Outcome(answer=answer, problem=f"{answer.request} {problem}", image=ref(wanted))


def all_alike(answer: Answer, wanted: Images, *, but: Sequence[str] = ()) -> Outcome:
    """Compare a listing with images, in their order and field by field."""
    outcome = same(answer, wanted)
    if outcome.problem:
        return outcome
    pairs = zip(answer.images or (), wanted, strict=True)
    outcomes = (alike(answer, found, image, but=but) for found, image in pairs)
    return next((each for each in outcomes if each.problem), outcome)


def _text(image: Image, key: str) -> str:
    return json.dumps(image[key], sort_keys=True, ensure_ascii=False) if key in image else "none"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def filtered(cloud: Cloud, wanted: Images, filters: Mapping[str, object]) -> Outcome:
    """Ask with filters, and compare with the images that they must select."""
    return same(cloud.listing(filters), wanted)


# Which images and values are asked for.


def distinct(values: Iterable[Any], most: int = FEW) -> list[Any]:
    """Return the first distinct values."""
    return list(dict.fromkeys(values))[:most]


def having(images: Images, key: str, value: object) -> Images:
    """Return the images that have a value."""
    return [each for each in images if each.get(key) == value]


def tagged(images: Images, key: str, value: object) -> Images:
    """Return the images that have a value in their metadata."""
    return [each for each in images if metadata(each).get(key) == value]


def tags(images: Images, key: str) -> list[str]:
    """Return the distinct texts of a key of metadata."""
    found = (metadata(each).get(key) for each in images)
    return distinct(each for each in found if isinstance(each, str))


def sample(images: Images) -> Images:
    """Return the first image of each status, and the first snapshot."""
    firsts = {str(each.get("status")): each for each in reversed(images)}
    snapshots = [each for each in images if "server" in each][:1]
    return distinct_images([*firsts.values(), *snapshots])


def distinct_images(images: Images) -> Images:
    """Return images, each once."""
    return list({each["id"]: each for each in images}.values())


def in_order(found: Images, images: Images) -> Images:
    """Return images in the order of others."""
    order = {id_: place for place, id_ in enumerate(ids(images))}
    return sorted(found, key=lambda each: order.get(each["id"], -1))


def metadata(image: Image) -> dict[str, Any]:
    """Return the metadata of an image; what is none has no keys."""
    found = image.get("metadata")
    return found if isinstance(found, dict) else {}


def hrefs(holder: Any) -> dict[str, str]:
    """Return the addresses of the links of an image or a server, by relation."""
    links = holder.get("links") if isinstance(holder, dict) else None
    found = links if isinstance(links, list) else []
    return {str(each.get("rel")): str(each.get("href")) for each in found if isinstance(each, dict)}


def server_of(image: Image) -> Any:
    """Return the id of the server that an image was made from, or None."""
    server = image.get("server")
    return server.get("id") if isinstance(server, dict) else None


def element(answer: Answer) -> Image | None:
    """Return the image of `GET /images/{id}`."""
    found = answer.document.get("image") if isinstance(answer.document, dict) else None
    return found if isinstance(found, dict) else None
