"""Pair the images of both sides without guessing; report those left over, and their order."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pytest_imagedetail.body.json import is_repeated
from pytest_imagedetail.compare.severity import (
    Change,
    Judge,
    Verdict,
    difference,
    repeated_verdict,
)
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
        old=baseline,
        new=candidate,
        pairs=tuple(sorted(found.items())),
        old_only=one,
        new_only=other,
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


def _by_id(images: Sequence[Image], *, across_clouds: bool) -> dict[int, tuple[Hashable, ...]]:
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
    images: Sequence[Image],
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


def unpaired_differences(pairing: Pairing, query: Query, judge: Judge) -> Iterator[Difference]:
    """Yield the images of one side only, and the keys that they repeat, among them `id`.

    An added image is breaking if it does not fit a filter that all images of the baseline fit.
    """
    old, new = pairing.old, pairing.new
    kept = [each for each in query.params if old and all(_fits(one, each) for one in old)]
    ambiguous = frozenset(pairing.unpaired.ambiguous)
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
            wanted = "=".join(ignored[0])
            verdict = "breaking", f"the candidate ignores {wanted}, which the baseline keeps"
        elif ref in ambiguous:
            verdict = "data", _AMBIGUOUS
        path = path_of(("images", *change.path), ref)
        yield difference(change.kind, path, verdict, change.values, ref)


def _of_one_side(
    what: str, images: Sequence[Image], places: Iterable[int]
) -> Iterator[tuple[Image, Change]]:
    first = {str(images[place]["id"]): place for place in reversed(range(len(images)))}
    for place in places:
        image = images[place]
        # A repeated id is not another image.
        kind = f"image_{what}" if first[str(image["id"])] == place else "image_repeated"
        keys = ((f"field_{what}", *each) for each in _repeated_keys(image))
        for kind_, path, value in ((kind, (), image), *keys):
            old, new = (MISSING, value) if what == "added" else (value, MISSING)
            yield image, Change(kind=kind_, path=path, baseline=old, candidate=new)


def _repeated_keys(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if is_repeated(key):
            yield (*path, key), each
        elif isinstance(each, dict | list):
            yield from _repeated_keys(each, (*path, key))


def _fits(image: Image, parameter: tuple[str, str]) -> bool:
    """Return whether a filter lets an image through; True if the image does not show it.

    `minDisk` and `minRam` are minima, as the api-ref says; Nova's equality fits them as well.
    """
    name, value = parameter
    shown = image.get(name)
    if name == "status":
        return str(shown).upper() == value.upper()
    if name in {"minDisk", "minRam"} and value.isdecimal():
        return isinstance(shown, int) and shown >= int(value)
    return name != "name" or shown == value


def moved(pairing: Pairing) -> Iterator[Difference]:
    """Yield one difference if the paired images are in another order."""
    expected = sorted(right for _, right in pairing.pairs)
    for (left, right), place in zip(pairing.pairs, expected, strict=True):
        if right != place:
            names = str(reference(pairing.old[left])), str(reference(pairing.new[place]))
            verdict: Verdict = "data", "the images are in another order"
            yield difference("order_changed", "images", verdict, names)
            return
