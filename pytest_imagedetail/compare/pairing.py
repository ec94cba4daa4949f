"""Finds which image of a candidate is which image of a baseline, and never guesses."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pytest_imagedetail.model import Image, ImageRef, Unpaired

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d(?=[T ])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Which image is which.

    Attributes:
        pairs: Places of the same image in baseline and candidate, in the baseline's order.
        baseline_only: Places of images that only the baseline has.
        candidate_only: Places of images that only the candidate has.
        ambiguous: Images that could be paired in more than one way, of both sides.
    """

    pairs: tuple[tuple[int, int], ...]
    baseline_only: tuple[int, ...]
    candidate_only: tuple[int, ...]
    ambiguous: tuple[ImageRef, ...] = ()


def pair(
    baseline: tuple[Image, ...], candidate: tuple[Image, ...], *, across_clouds: bool
) -> Pairing:
    """Pair images by id and, across clouds, by unique name, then by what else tells namesakes.

    An id that stands twice on a side is paired occurrence by occurrence, so that a repeated image
    is left over and can be reported; keying by id alone would swallow it.

    Args:
        baseline: Image details as sent.
        candidate: Image details as sent.
        across_clouds: Whether images with different ids can be the same image.
    """
    same = _same_ids(baseline, candidate)
    if same is not None and not across_clouds:
        return Pairing(pairs=same, baseline_only=(), candidate_only=())
    found: dict[int, int] = {}
    open_baseline = dict(enumerate(baseline))
    open_candidate = dict(enumerate(candidate))
    repeated: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())
    keys: list[Callable[[dict[int, Image]], _Keys]] = [_by_occurrence]
    if across_clouds:
        keys = [_by_id_of_one_cloud, _by_name, _by_name_and_size, _by_name_disk_and_day]
        repeated = _repeated(baseline), _repeated(candidate)
    for key in keys:
        ones, others = key(open_baseline), key(open_candidate)
        if key is not keys[0]:  # an id that stands again is a fault, not another image
            ones, others = _but(ones, repeated[0]), _but(others, repeated[1])
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
    """The images of one side only, as references."""
    return Unpaired(
        baseline=tuple(reference(baseline[place]) for place in pairing.baseline_only),
        candidate=tuple(reference(candidate[place]) for place in pairing.candidate_only),
        ambiguous=pairing.ambiguous,
    )


def reference(image: Image) -> ImageRef:
    """How a report names an image."""
    name = image.get("name")
    return ImageRef(id=str(image["id"]), name=None if name is None else str(name))


def _same_ids(
    baseline: tuple[Image, ...], candidate: tuple[Image, ...]
) -> tuple[tuple[int, int], ...] | None:
    """The pairs, if both sides have the same ids and each of them once."""
    places = {str(image["id"]): place for place, image in enumerate(candidate)}
    ids = [str(image["id"]) for image in baseline]
    if len(places) != len(candidate) or len(ids) != len(places) or places.keys() != {*ids}:
        return None
    return tuple(enumerate(map(places.__getitem__, ids)))


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
    """Ids as one cloud gives them: only a UUID is nobody else's, 1361 is some image of each."""
    occurrences = _by_occurrence(images)
    return {
        place: key if _UUID.fullmatch(key[0]) else (*key, _name(images[place]))
        for place, key in occurrences.items()
    }


def _repeated(images: tuple[Image, ...]) -> frozenset[int]:
    """Places of images whose id stood before."""
    keys = _by_occurrence(dict(enumerate(images)))
    return frozenset(place for place, (_, number) in keys.items() if number)


def _but(keys: _Keys, places: frozenset[int]) -> _Keys:
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
    """For releases before Grizzly, whose images have no size that could contradict."""
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
    """Places whose key stands exactly once on each side."""
    ones, others = _unique(one), _unique(other)
    return {ones[key]: others[key] for key in ones if key in others}


def _unique(keys: _Keys) -> dict[Hashable, int]:
    counts = Counter(keys.values())
    return {key: place for place, key in keys.items() if counts[key] == 1}


def _ambiguous(one: dict[int, Image], other: dict[int, Image]) -> tuple[ImageRef, ...]:
    """Images left over whose name both sides still have: any pairing of them would be a guess."""
    names: dict[str, list[set[int]]] = defaultdict(lambda: [set(), set()])
    for side, images in enumerate((one, other)):
        for place, name in _by_name(images).items():
            names[str(name)][side].add(place)
    shared = {name for name, (left, right) in names.items() if left and right}
    return tuple(reference(image) for image in _images(one, other) if _name(image) in shared)


def _images(*sides: dict[int, Image]) -> Iterable[Image]:
    for side in sides:
        yield from side.values()
