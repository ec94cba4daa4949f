"""What is unequal in paired images, each distinct change once; the only module that knows deepdiff.

A type-strict walk finds what is unequal. deepdiff sees only what of that has a structure, which
objects are taken apart into already: two lists at a time. Handing it whole listings costs a hundred
times more, and with `ignore_order` it pairs different images as soon as most of them changed.
"""

import json
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pytest_imagedetail.model import MISSING
from pytest_imagedetail.normalize import (
    Links,
    Normalized,
    could_be_the_same,
    in_words_of,
    numbered,
)
from pytest_imagedetail.pairing import Pairing
from pytest_imagedetail.strict import Path, strictly_equal, unequal

BUDGET: Final = 1_000
"""How many pairs of lists deepdiff looks into, at some 0.2 ms each; further ones stay whole."""


@dataclass(slots=True, kw_only=True)
class SharedChange:
    """One change, and which images share it.

    Attributes:
        path: Below an image.
        kind: What happened.
        baseline: The old value, or MISSING.
        candidate: The new value, or MISSING.
        whole: Whether two lists were left whole because the budget was used up.
        places: The images, by their places in the baseline.
    """

    path: Path
    kind: str
    baseline: Any
    candidate: Any
    whole: bool = False
    places: list[int] = field(default_factory=list)


def shared_changes(
    one: Normalized, other: Normalized, pairing: Pairing, *, together: bool
) -> tuple[list[SharedChange], int]:
    """What separates paired images, and how many values R16 renamed in the candidate to say so.

    Args:
        one: The baseline.
        other: The candidate.
        pairing: Which image is which.
        together: Whether equal placeholders mean equal values. Two recordings are numbered apart.
    """
    found, renamed = _unequal(one, other, pairing), 0
    which = numbered(one.profile, together=together)
    if any(could_be_the_same(each.before, each.after, which) for each in found):
        other, renamed = in_words_of(one, other, pairing.pairs, which)
        found = _unequal(one, other, pairing)
    return [*_shared(found)], renamed


class _Unequal(NamedTuple):
    """One unequal value of the image at a place of the baseline."""

    place: int
    path: Path
    before: Any
    after: Any


def _unequal(one: Normalized, other: Normalized, pairing: Pairing) -> list[_Unequal]:
    return [
        _Unequal(left, path, _as_sent(before), _as_sent(after))
        for left, right in pairing.pairs
        if not strictly_equal(one.images[left], other.images[right])  # the fastest way to see it
        for path, before, after in unequal(one.images[left], other.images[right])
    ]


def _as_sent(value: Any) -> Any:
    if isinstance(value, Links):
        return value.as_sent()
    if isinstance(value, dict):
        return {key: _as_sent(each) for key, each in value.items()}
    return value


def _shared(found: list[_Unequal]) -> Iterator[SharedChange]:
    changes: dict[tuple[Path, Hashable, Hashable], list[SharedChange]] = {}
    left = BUDGET
    for place, path, before, after in found:
        key = (path, _key(before), _key(after))
        alike = changes.get(key)
        if alike is None:
            in_lists = isinstance(before, list) and isinstance(after, list)
            left -= in_lists
            inside = _structural(path, before, after) if in_lists and left >= 0 else ()
            # No structure in common, or none that deepdiff knows: unequal all the same.
            alike = list(inside) or [_whole(path, before, after, unseen=in_lists and left < 0)]
            changes[key] = alike
        for each in alike:
            each.places.append(place)
    for alike in changes.values():
        yield from alike


def _key(value: Any) -> Hashable:
    """What tells one JSON value from another, their types included."""
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return type(value), value


def _whole(path: Path, before: Any, after: Any, *, unseen: bool) -> SharedChange:
    return SharedChange(
        path=path, kind=_kind(before, after), baseline=before, candidate=after, whole=unseen
    )


def _kind(before: Any, after: Any) -> str:
    """What happened to a value, going by what it became."""
    if before is MISSING:
        return "field_added"
    if after is MISSING:
        return "field_removed"
    if before is None or after is None:
        return "null_changed"
    return "value_changed" if type(before) is type(after) else "type_changed"


def _structural(path: Path, before: list[Any], after: list[Any]) -> Iterator[SharedChange]:
    """What deepdiff says of two unequal lists, in our kinds."""
    from deepdiff import DeepDiff  # noqa: PLC0415  slow to import, and most listings need none

    tree = DeepDiff(
        before,
        after,
        view="tree",
        ignore_private_variables=False,
        verbose_level=2,
        zip_ordered_iterables=True,  # otherwise [1] and [true] are equal to it
    )
    for report, levels in tree.items():
        for level in levels:
            below: Path = tuple(level.path(output_format="list"))
            yield SharedChange(
                path=(*path, *below),
                kind=_KINDS.get(report) or _kind(level.t1, level.t2),
                baseline=MISSING if report.endswith("_added") else level.t1,
                candidate=MISSING if report.endswith("_removed") else level.t2,
            )


_KINDS: Final = {
    "dictionary_item_added": "field_added",
    "dictionary_item_removed": "field_removed",
    "iterable_item_added": "item_added",
    "iterable_item_removed": "item_removed",
}
"""Of what deepdiff reports; what else it reports, the two values tell."""
