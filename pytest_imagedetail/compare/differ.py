"""Find the changes between values and between paired images; the only module that uses deepdiff.

Python's own equality finds the images and fields that differ. DeepDiff then gets the distinct pairs
of one field in one call, because a call costs more than the comparison of a field.
"""

import json
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from pytest_imagedetail.compare.severity import Change
from pytest_imagedetail.errors import ComparisonError
from pytest_imagedetail.model import MISSING
from pytest_imagedetail.normalize import Links, Normalized
from pytest_imagedetail.normalize.values import strictly_equal

SharedChange = tuple[Change, list[int]]
"""One change, and the positions in the baseline of the images that share it."""


def diff(pairs: Sequence[tuple[Any, Any]]) -> list[list[Change]]:
    """Compare the two JSON values of each pair by type and value; return each pair's changes.

    The values of a pair must be unequal; MISSING stands for an absent one. Raise ComparisonError if
    deepdiff finds no difference, so that the pair does not pass as equal.
    """
    from deepdiff import DeepDiff  # noqa: PLC0415  slow to import, and equal values need none

    numbers = [*map(str, range(len(pairs)))]  # as text, because deepdiff parses numbers
    tree = DeepDiff(
        {number: old for number, (old, _) in zip(numbers, pairs, strict=True)},
        {number: new for number, (_, new) in zip(numbers, pairs, strict=True)},
        view="tree",
        verbose_level=2,
        ignore_private_variables=False,
        zip_ordered_iterables=True,  # otherwise [1] equals [true]
        threshold_to_diff_deeper=0,  # otherwise three added keys become one changed object
        report_repetition=True,  # otherwise list items are paired by the text of their path
    )
    changes: list[list[Change]] = [[] for _ in pairs]
    for report, levels in tree.items():
        for level in levels:
            number, *path = level.path(output_format="list")
            change = Change(
                path=tuple(path),
                kind=_KINDS.get(report) or _kind(level.t1, level.t2),
                baseline=MISSING if report.endswith("_added") else level.t1,
                candidate=MISSING if report.endswith("_removed") else level.t2,
            )
            changes[int(number)].append(change)
    if not all(changes):
        raise ComparisonError(
            "deepdiff sees no difference between two values that are not equal",
            where=f"{pairs[changes.index([])]!r:.200}",
            remedy="report this as a defect of pytest-imagedetail, with both values",
        )
    return changes


_KINDS: Final = {
    "dictionary_item_added": "field_added",
    "dictionary_item_removed": "field_removed",
    "iterable_item_added": "item_added",
    "iterable_item_removed": "item_removed",
}
"""Kinds by deepdiff's report types; for other types, the two values decide."""


def _kind(before: Any, after: Any) -> str:
    if before is MISSING:
        return "field_added"
    if after is MISSING:
        return "field_removed"
    if before is None or after is None:
        return "null_changed"
    return "value_changed" if type(before) is type(after) else "type_changed"


def shared_changes(
    old: Normalized, new: Normalized, positions: Iterable[tuple[int, int]]
) -> list[SharedChange]:
    """Compare paired images; return each change with the images that share it."""
    shared: dict[Hashable, SharedChange] = {}
    for name, pairs in _unequal_fields(old, new, positions).items():
        changes = diff([(before, after) for before, after, _ in pairs])
        for (_, _, images), changes_of_pair in zip(pairs, changes, strict=True):
            for change_of_field in changes_of_pair:
                change = replace(change_of_field, path=(name, *change_of_field.path))
                key = change.path, *map(value_key, change.values)
                shared.setdefault(key, (change, []))[1].extend(images)
    return [(change, sorted(images)) for change, images in shared.values()]


def _unequal_fields(
    baseline: Normalized, candidate: Normalized, positions: Iterable[tuple[int, int]]
) -> dict[str, list[tuple[Any, Any, list[int]]]]:
    fields: dict[str, dict[Hashable, tuple[Any, Any, list[int]]]] = {}
    for position, match in positions:
        old, new = baseline.images[position], candidate.images[match]
        if strictly_equal(old, new):
            continue
        for name in {**old, **new}:
            before, after = old.get(name, MISSING), new.get(name, MISSING)
            if not strictly_equal(before, after):
                before, after = _comparable(before, after)
                key = value_key(before), value_key(after)
                fields.setdefault(name, {}).setdefault(key, (before, after, []))[2].append(position)
    return {name: [*pairs.values()] for name, pairs in fields.items()}


def value_key(value: Any) -> Hashable:
    """Return a key that is equal only for equal JSON values of the same type."""
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    return type(value), value


def _comparable(before: Any, after: Any) -> tuple[Any, Any]:
    """Convert links back to a list unless both sides have them by relation."""
    if isinstance(before, Links) and isinstance(after, Links):
        return before, after
    if type(before) is dict and type(after) is dict and "links" in before and "links" in after:
        old, new = _comparable(before["links"], after["links"])
        return {**before, "links": old}, {**after, "links": new}
    return _as_sent(before), _as_sent(after)


def _as_sent(value: Any) -> Any:
    if isinstance(value, Links):
        return value.as_sent()
    if isinstance(value, dict) and isinstance(value.get("links"), Links):
        return {**value, "links": value["links"].as_sent()}
    return value
