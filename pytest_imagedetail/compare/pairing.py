"""Pair the images of a baseline with those of a candidate, without guessing."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Final

from pytest_imagedetail.model import Image, ImageRef, Unpaired

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d(?=[T ])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """The pairs of images, and the images that have no partner.

    Attributes:
        pairs: Places of the same image in baseline and candidate, in the baseline's order.
        baseline_only: Places of images that only the baseline has.
        candidate_only: Places of images that only the candidate has.
        ambiguous: Images of both sides that could be paired in more than one way.
    """

    pairs: tuple[tuple[int, int], ...]
    baseline_only: tuple[int, ...]
    candidate_only: tuple[int, ...]
    ambiguous: tuple[ImageRef, ...] = ()


def pair(
    baseline: tuple[Image, ...], candidate: tuple[Image, ...], *, across_clouds: bool
) -> Pairing:
    """Pair image details by id and, across clouds, by unique name, name and size, or name and day.

    Repeated ids are paired occurrence by occurrence, so that a surplus one is left over.
    """
    found: dict[int, int] = {}
    open_baseline = dict(enumerate(baseline))
    open_candidate = dict(enumerate(candidate))
    keys: list[Callable[[dict[int, Image]], _Keys]] = [_by_occurrence]
    if across_clouds:
        keys = [_by_id_of_one_cloud, _by_name, _by_name_and_size, _by_name_disk_and_day]
    repeated = _repeated(baseline), _repeated(candidate)
    for key in keys:
        ones, others = key(open_baseline), key(open_candidate)
        if key is not keys[0]:  # a repeated id is a fault, not another image
            ones, others = _without(ones, repeated[0]), _without(others, repeated[1])
        matches = _unique_matches(ones, others)
        found.update(matches)
        for one, other in matches.items():
            del open_baseline[one], open_candidate[other]
    ambiguous = _ambiguous(open_baseline, open_candidate) if across_clouds else ()
    return Pairing(
        pairs=tuple(sorted(found.items())),
        baseline_only=tuple(open_baseline),
        candidate_only=tuple(open_candidate),
        ambiguous=ambiguous,
    )


def unpaired(
    pairing: Pairing, baseline: tuple[Image, ...], candidate: tuple[Image, ...]
) -> Unpaired:
    """Return references to the images without a partner."""
    return Unpaired(
        baseline=tuple(reference(baseline[place]) for place in pairing.baseline_only),
        candidate=tuple(reference(candidate[place]) for place in pairing.candidate_only),
        ambiguous=pairing.ambiguous,
    )


def reference(image: Image) -> ImageRef:
    """Return the id and name by which a report names an image."""
    name = image.get("name")
    return ImageRef(id=str(image["id"]), name=None if name is None else str(name))


_Keys = Mapping[int, Hashable]


def _by_occurrence(images: dict[int, Image]) -> dict[int, tuple[str, int]]:
    seen: Counter[str] = Counter()
    keys: dict[int, tuple[str, int]] = {}
    for place, image in images.items():
        id_ = str(image["id"])
        keys[place] = (id_, seen[id_])
        seen[id_] += 1
    return keys


def _by_id_of_one_cloud(images: dict[int, Image]) -> _Keys:
    """Key images by UUID; by id and name if the id is a number that every cloud uses."""
    occurrences = _by_occurrence(images)
    return {
        place: key if _UUID.fullmatch(key[0]) else (*key, _name(images[place]))
        for place, key in occurrences.items()
    }


def _repeated(images: tuple[Image, ...]) -> frozenset[int]:
    """Return the places of images whose id stood before."""
    keys = _by_occurrence(dict(enumerate(images)))
    return frozenset(place for place, (_, number) in keys.items() if number)


def _without(keys: _Keys, places: frozenset[int]) -> _Keys:
    return {place: key for place, key in keys.items() if place not in places}


def _by_name(images: dict[int, Image]) -> _Keys:
    return {place: name for place, image in images.items() if (name := _name(image))}


def _by_name_and_size(images: dict[int, Image]) -> _Keys:
    return {
        place: (name, size)
        for place, image in images.items()
        if (name := _name(image)) and (size := _size(image))
    }


def _by_name_disk_and_day(images: dict[int, Image]) -> _Keys:
    """Key images without a size, which are of releases before Grizzly."""
    return {
        place: (name, image["minDisk"], day.group())
        for place, image in images.items()
        if (name := _name(image)) and not _size(image)
        if type(image.get("minDisk")) is int
        and (day := _DAY.match(str(image.get("created")))) is not None
    }


def _name(image: Image) -> str | None:
    name = image.get("name")
    return name if isinstance(name, str) else None


def _size(image: Image) -> float | None:
    size = image.get("OS-EXT-IMG-SIZE:size")
    return size if isinstance(size, int | float) else None


def _unique_matches(one: _Keys, other: _Keys) -> dict[int, int]:
    """Return the places whose key stands exactly once on each side."""
    ones, others = _unique(one), _unique(other)
    return {ones[key]: others[key] for key in ones if key in others}


def _unique(keys: _Keys) -> dict[Hashable, int]:
    counts = Counter(keys.values())
    return {key: place for place, key in keys.items() if counts[key] == 1}


def _ambiguous(one: dict[int, Image], other: dict[int, Image]) -> tuple[ImageRef, ...]:
    """Return the remaining images whose name both sides still have."""
    names = [{*_by_name(images).values()} for images in (one, other)]
    shared = names[0] & names[1]
    images = (*one.values(), *other.values())
    return tuple(reference(image) for image in images if _name(image) in shared)
