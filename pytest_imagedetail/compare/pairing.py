"""Pair the images of a baseline with those of a candidate, without guessing."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from pytest_imagedetail.contract import is_uuid
from pytest_imagedetail.model import Image, ImageRef, Unpaired


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Paired images by their positions on both sides, and the positions of the others."""

    pairs: tuple[tuple[int, int], ...]
    baseline_only: tuple[int, ...]
    candidate_only: tuple[int, ...]
    unpaired: Unpaired


def pair(
    baseline: tuple[Image, ...], candidate: tuple[Image, ...], *, across_clouds: bool
) -> Pairing:
    """Pair image details by id and, across clouds, by unique name, then by name and size.

    Repeated ids are paired occurrence by occurrence; a surplus one stays unpaired.
    """
    ids = [_by_id(side, across_clouds=across_clouds) for side in (baseline, candidate)]
    found = _unique_matches(*ids)
    for key in (_name, _name_and_size) if across_clouds else ():
        left = _keyed(baseline, ids[0], {*found}, key)
        right = _keyed(candidate, ids[1], {*found.values()}, key)
        found |= _unique_matches(left, right)
    paired = {*found.values()}
    one = tuple(place for place in range(len(baseline)) if place not in found)
    other = tuple(place for place in range(len(candidate)) if place not in paired)
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
    """Return the id of each image and how often it occurred before, by position.

    Across clouds, an id that is not a UUID is paired only together with the image's name.
    """
    seen: dict[str, int] = {}
    keys: dict[int, tuple[Hashable, ...]] = {}
    for place, image in enumerate(images):
        id_ = str(image["id"])
        number = seen[id_] = seen.get(id_, -1) + 1
        is_counted = across_clouds and not is_uuid(id_.lower())
        keys[place] = (id_, number, _name(image)) if is_counted else (id_, number)
    return keys


def _keyed(
    images: tuple[Image, ...],
    ids: Mapping[int, tuple[Hashable, ...]],
    paired: set[int],
    key: Callable[[Image], Hashable],
) -> dict[int, Hashable]:
    """Return the keys of unpaired images by position, except where an id is repeated."""
    free = (place for place in ids if place not in paired and not ids[place][1])
    return {place: value for place in free if (value := key(images[place]))}


def _name(image: Image) -> str | None:
    name = image.get("name")
    return name if isinstance(name, str) else None


def _name_and_size(image: Image) -> tuple[Hashable, ...] | None:
    name, size = _name(image), image.get("OS-EXT-IMG-SIZE:size")
    return (name, size) if name and size and isinstance(size, int | float) else None


def _unique_matches(one: Mapping[int, Hashable], other: Mapping[int, Hashable]) -> dict[int, int]:
    ones, others = _unique(one), _unique(other)
    return {ones[key]: others[key] for key in ones.keys() & others.keys()}


def _unique(keys: Mapping[int, Hashable]) -> dict[Hashable, int]:
    found: dict[Hashable, int] = {}
    for place, key in keys.items():
        found[key] = -1 if key in found else place
    return {key: place for key, place in found.items() if place >= 0}


def _ambiguous(one: list[Image], other: list[Image]) -> tuple[ImageRef, ...]:
    shared = {*filter(None, map(_name, one))} & {*map(_name, other)}
    return tuple(reference(image) for image in (*one, *other) if _name(image) in shared)
