"""What a severity rests on, with sources: releases, and what filters do."""

import re
import shlex
from collections.abc import Iterator

from pytest_imagedetail import contract
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.contract import JSON_TYPES
from pytest_imagedetail.model import MISSING, Difference, path_of

_STATUS = re.compile(r"\d{3}\b")


def evidence(
    difference: Difference, comparison: Comparison, *, path: str, typed: str
) -> tuple[str, ...]:
    """Why a difference has its severity, one fact a line, and how to accept it.

    Args:
        difference: One of the comparison's.
        comparison: Knows releases and query.
        path: Where it is to be accepted: its own path, or that of all that read like it.
        typed: The two sides and the options by which they were compared, as a shell reads them.
    """
    return (
        *_of_field(difference, comparison),
        *_of_link(difference),
        *_of_status(difference),
        *_of_query(comparison),
        _acceptance(difference.kind, path, typed),
    )


def _of_field(difference: Difference, comparison: Comparison) -> Iterator[str]:
    name = _first_key(difference)
    if name not in contract.FIELDS:
        if name:
            yield f"contract: no release of Nova sends {name}"
        return
    promise = contract.FIELDS[name]
    types = promise.part.types
    since = contract.release_name(contract.release_index(promise.since) or 0)
    always = "with every image" if promise.since == promise.required_since else "not with every one"
    if promise.required_since not in {None, promise.since}:
        required = contract.release_name(contract.release_index(promise.required_since) or 0)
        always = f"with every image since {required}"
    yield f"contract: {name} is {_types(types)}, sent since {since}, {always}; {promise.source}"
    for side in (comparison.baseline, comparison.candidate):
        if side.release is None:
            yield f"{side.cloud} declares no release, so it is judged as the newest"


def _types(types: tuple[type, ...]) -> str:
    return " or ".join(JSON_TYPES[each] for each in types)


def _of_link(difference: Difference) -> Iterator[str]:
    if _first_key(difference) == "links":
        for rel, note in contract.LINKS.items():
            if f"links.{rel}" in difference.path:
                yield f"link {rel}: {note.text}; {note.source}"


def _of_status(difference: Difference) -> Iterator[str]:
    if difference.kind != "status_changed":
        return
    for value in (difference.baseline, difference.candidate):
        found = None if value is MISSING else _STATUS.match(str(value))
        note = contract.STATUS_CODES.get(int(found.group())) if found else None
        if found and note:
            yield f"status {found.group()}: {note.text}; {note.source}"


def _of_query(comparison: Comparison) -> Iterator[str]:
    for name, _ in dict.fromkeys(comparison.baseline.query.params):
        known = "property-" if name.startswith("property-") else name
        if note := contract.FILTERS.get(known):
            yield f"filter {name}: {note.text}; {note.source}"


def _acceptance(kind: str, path: str, typed: str) -> str:
    sign = "=" if path.startswith("-") else " "  # or argparse would take it for an option
    what = f"--path{sign}{shlex.quote(path)} --kind {kind}"
    return f"to accept it: imagedetail accept {typed} {what} --reason WHY --expires DAY"


def _first_key(difference: Difference) -> str:
    """The field of the image detail, or nothing for the answer as a whole."""
    start = "images[*]" if difference.image is None else path_of((), difference.image)
    rest = difference.path.removeprefix(start)
    if rest == difference.path or not rest.startswith("."):
        return ""
    known = [name for name in contract.FIELDS if re.match(rf"\.{re.escape(name)}(?![^.\[])", rest)]
    return known[0] if known else re.split(r"[.\[]", rest[1:], maxsplit=1)[0]
