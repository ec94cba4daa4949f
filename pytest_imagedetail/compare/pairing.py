"""Pair the images of a baseline with those of a candidate, without guessing."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from pytest_imagedetail.contract import is_uuid
from pytest_imagedetail.model import Image, ImageRef, Unpaired


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """The pairs of images by their places on both sides, and the places of those without one."""

    pairs: tuple[tuple[int, int], ...]
    baseline_only: tuple[int, ...]
    candidate_only: tuple[int, ...]
    unpaired: Unpaired


def pair(
    baseline: tuple[Image, ...], candidate: tuple[Image, ...], *, across_clouds: bool
) -> Pairing:
    """Pair image details by id and, across clouds, by unique name, then by name and size.

    Repeated ids are paired occurrence by occurrence, so that a surplus one is left over.
    """
    sides = baseline, candidate
    ids = [_by_id(side, across_clouds=across_clouds) for side in sides]
    found = _unique_matches(*ids)
    for key in (_name, _name_and_size) if across_clouds else ():
        paired = found.keys(), {*found.values()}
        left, right = (
            {
                place: value
                for place, image in enumerate(side)
                if place not in taken and not ids_of_side[place][1]  # a repeated id is a fault
                if (value := key(image))
            }
            for side, taken, ids_of_side in zip(sides, paired, ids, strict=True)
        )
        found |= _unique_matches(left, right)
    one, other = (
        tuple(place for place in range(len(side)) if place not in taken)
        for side, taken in zip(sides, (found.keys(), {*found.values()}), strict=True)
    )
    alone = [baseline[place] for place in one], [candidate[place] for place in other]
    return Pairing(
        pairs=tuple(sorted(found.items())),
        baseline_only=one,
        candidate_only=other,
        unpaired=Unpaired(
            baseline=tuple(map(reference, alone[0])),
            candidate=tuple(map(reference, alone[1])),
            ambiguous=_ambiguous(*alone) if across_clouds else (),
        ),
    )


def reference(image: Image) -> ImageRef:
    """Return the id and name by which a report names an image."""
    name = image.get("name")
    return ImageRef(id=str(image["id"]), name=None if name is None else str(name))


def _by_id(images: tuple[Image, ...], *, across_clouds: bool) -> dict[int, tuple[Hashable, ...]]:
    """Return, by place, the id of each image and how often it came before.

    Across clouds, a number is an id that every cloud gives; it counts with the name of its image.
    """
    seen: dict[str, int] = {}
    keys: dict[int, tuple[Hashable, ...]] = {}
    for place, image in enumerate(images):
        id_ = str(image["id"])
        number = seen[id_] = seen.get(id_, -1) + 1
        is_counted = across_clouds and not is_uuid(id_.lower())
        keys[place] = (id_, number, _name(image)) if is_counted else (id_, number)
    return keys


def _name(image: Image) -> str | None:
    name = image.get("name")
    return name if isinstance(name, str) else None


def _name_and_size(image: Image) -> tuple[Hashable, ...] | None:
    name, size = _name(image), image.get("OS-EXT-IMG-SIZE:size")
    return (name, size) if name and size and isinstance(size, int | float) else None


def _unique_matches(one: Mapping[int, Hashable], other: Mapping[int, Hashable]) -> dict[int, int]:
    """Return the places whose key occurs exactly once on each side."""
    ones, others = _unique(one), _unique(other)
    return {ones[key]: others[key] for key in ones.keys() & others.keys()}


def _unique(keys: Mapping[int, Hashable]) -> dict[Hashable, int]:
    found: dict[Hashable, int] = {}
    for place, key in keys.items():
        found[key] = -1 if key in found else place
    return {key: place for key, place in found.items() if place >= 0}


def _ambiguous(one: list[Image], other: list[Image]) -> tuple[ImageRef, ...]:
    """Return the remaining images whose name both sides still have."""
    shared = {*filter(None, map(_name, one))} & {*map(_name, other)}
    return tuple(reference(image) for image in (*one, *other) if _name(image) in shared)
