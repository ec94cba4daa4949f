"""Pair the images of both sides without guessing; report those left over, and their order."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pytest_imagedetail.body.json import is_repeated
from pytest_imagedetail.compare.severity import Change, Judge, Verdict, difference, repeated_verdict
from pytest_imagedetail.contract import is_uuid
from pytest_imagedetail.model import (
    MISSING,
    Difference,
    Image,
    ImageRef,
    Path,
    Query,
    Unpaired,
    path_of,
)

_AMBIGUOUS: Final = "could be more than one image of the other side, so it was not paired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Images of both sides, the positions of each pair, and the positions of the others."""

    old: Sequence[Image]
    new: Sequence[Image]
    pairs: tuple[tuple[int, int], ...]
    old_only: tuple[int, ...]
    new_only: tuple[int, ...]
    unpaired: Unpaired


def pair(baseline: Sequence[Image], candidate: Sequence[Image], *, across_clouds: bool) -> Pairing:
    """Pair image details by id and, across clouds, by unique name, then by name and size.

    Repeated ids are paired occurrence by occurrence; a surplus one stays unpaired.
    """
    ids = [_by_id(side, across_clouds=across_clouds) for side in (baseline, candidate)]
    matches = _unique_matches(*ids)
    for key in (_name, _name_and_size) if across_clouds else ():
        old_keys = _keyed(baseline, ids[0], {*matches}, key)
        new_keys = _keyed(candidate, ids[1], {*matches.values()}, key)
        matches |= _unique_matches(old_keys, new_keys)
    paired = {*matches.values()}
    old_only = tuple(position for position in range(len(baseline)) if position not in matches)
    new_only = tuple(position for position in range(len(candidate)) if position not in paired)
    unpaired = [baseline[index] for index in old_only], [candidate[index] for index in new_only]
    return Pairing(
        old=baseline,
        new=candidate,
        pairs=tuple(sorted(matches.items())),
        old_only=old_only,
        new_only=new_only,
        unpaired=Unpaired(
            baseline=tuple(map(reference, unpaired[0])),
            candidate=tuple(map(reference, unpaired[1])),
            ambiguous=_ambiguous(*unpaired) if across_clouds else (),
        ),
    )


def reference(image: Image) -> ImageRef:
    """Return the id and name by which a report names an image."""
    name = image.get("name")
    return ImageRef(id=str(image["id"]), name=None if name is None else str(name))


def _by_id(images: Sequence[Image], *, across_clouds: bool) -> dict[int, tuple[Hashable, ...]]:
    """Return the id of each image and how often it occurred before, by position.

    Across clouds, an id that is not a UUID is paired only together with the image's name.
    """
    seen: dict[str, int] = {}
    keys: dict[int, tuple[Hashable, ...]] = {}
    for position, image in enumerate(images):
        image_id = str(image["id"])
        number = seen[image_id] = seen.get(image_id, -1) + 1
        keys[position] = image_id, number
        if across_clouds and not is_uuid(image_id.lower()):
            keys[position] += (_name(image),)
    return keys


def _keyed(
    images: Sequence[Image],
    ids: Mapping[int, tuple[Hashable, ...]],
    paired: set[int],
    key: Callable[[Image], Hashable],
) -> dict[int, Hashable]:
    """Return the keys of unpaired images by position, except where an id is repeated."""
    unpaired = (position for position in ids if position not in paired and not ids[position][1])
    return {position: value for position in unpaired if (value := key(images[position]))}


def _name(image: Image) -> str | None:
    name = image.get("name")
    return name if isinstance(name, str) else None


def _name_and_size(image: Image) -> tuple[Hashable, ...] | None:
    name, size = _name(image), image.get("OS-EXT-IMG-SIZE:size")
    return (name, size) if name and size and isinstance(size, int | float) else None


def _unique_matches(old: Mapping[int, Hashable], new: Mapping[int, Hashable]) -> dict[int, int]:
    left, right = _unique(old), _unique(new)
    return {left[key]: right[key] for key in left.keys() & right.keys()}


def _unique(keys: Mapping[int, Hashable]) -> dict[Hashable, int]:
    positions: dict[Hashable, int] = {}
    for position, key in keys.items():
        positions[key] = -1 if key in positions else position
    return {key: position for key, position in positions.items() if position >= 0}


def _ambiguous(old: list[Image], new: list[Image]) -> tuple[ImageRef, ...]:
    shared = {*filter(None, map(_name, old))} & {*map(_name, new)}
    return tuple(reference(image) for image in (*old, *new) if _name(image) in shared)


def unpaired_differences(pairing: Pairing, query: Query, judge: Judge) -> Iterator[Difference]:
    """Yield the images of one side only, and the keys that they repeat, among them `id`.

    An added image is breaking if it does not fit a filter that all images of the baseline fit, or
    breaks a promise that they keep.
    """
    old, new = pairing.old, pairing.new
    kept = [each for each in query.params if old and all(_fits(image, each) for image in old)]
    ambiguous = frozenset(pairing.unpaired.ambiguous)
    added = [new[position] for position in pairing.new_only]
    broken = dict(zip(map(id, added), judge.added_images(added, old), strict=True))
    removed = _of_one_side("removed", old, pairing.old_only)
    for image, change in (*removed, *_of_one_side("added", new, pairing.new_only)):
        ref = reference(image)
        side = "baseline" if change.candidate is MISSING else "candidate"
        verdict: Verdict = "data", f"only the {side} has this image"
        if change.path:
            verdict = judge.severity(change)
        elif change.kind == "image_repeated":
            verdict = repeated_verdict(change.candidate)
        elif ignored := [each for each in kept if not _fits(image, each)]:
            parameter = "=".join(ignored[0])
            verdict = "breaking", f"the candidate ignores {parameter}, which the baseline keeps"
        elif promise := broken.get(id(image)):
            verdict = "breaking", f"the added image {promise}"
        elif ref in ambiguous:
            verdict = "data", _AMBIGUOUS
        path = path_of(("images", *change.path), ref)
        yield difference(change.kind, path, verdict, change.values, ref)


def _of_one_side(
    change: str, images: Sequence[Image], positions: Iterable[int]
) -> Iterator[tuple[Image, Change]]:
    first = {str(images[position]["id"]): position for position in reversed(range(len(images)))}
    for position in positions:
        image = images[position]
        # A repeated id is not another image.
        whole = f"image_{change}" if first[str(image["id"])] == position else "image_repeated"
        keys = ((f"field_{change}", *key) for key in _repeated_keys(image))
        for kind, path, value in ((whole, (), image), *keys):
            old, new = (MISSING, value) if change == "added" else (value, MISSING)
            yield image, Change(kind=kind, path=path, baseline=old, candidate=new)


def _repeated_keys(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if is_repeated(key):
            yield (*path, key), item
        elif isinstance(item, dict | list):
            yield from _repeated_keys(item, (*path, key))


def _fits(image: Image, parameter: tuple[str, str]) -> bool:
    """Return whether a filter lets an image through; True if the image does not show it.

    `minDisk` and `minRam` are minima, as the api-ref says; Nova's equality fits them as well.
    """
    name, value = parameter
    actual = image.get(name)
    if name == "status":
        return str(actual).upper() == value.upper()
    if name in {"minDisk", "minRam"} and value.isdecimal():
        return isinstance(actual, int) and actual >= int(value)
    return name != "name" or actual == value


def order_differences(pairing: Pairing) -> Iterator[Difference]:
    """Yield one difference if the paired images are in another order."""
    expected = sorted(match for _, match in pairing.pairs)
    for (old, actual), new in zip(pairing.pairs, expected, strict=True):
        if actual != new:
            names = str(reference(pairing.old[old])), str(reference(pairing.new[new]))
            verdict: Verdict = "data", "the images are in another order"
            yield difference("order_changed", "images", verdict, names)
            return
