"""Compares two shapes and judges what differs."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.compare.severity import (
    MENDED,
    OTHER_ATTRIBUTE,
    RETYPED,
    Change,
    Judge,
    Verdict,
    form_verdict,
    moved,
    value_verdict,
)
from pytest_imagedetail.compare.shape.description import (
    Path,
    Places,
    Seen,
    Shape,
    sign_promised,
)
from pytest_imagedetail.contract import JSON_TYPES
from pytest_imagedetail.model import (
    ANY_KEY,
    MISSING,
    SEVERITIES,
    Difference,
    ImageRef,
    path_of,
)

_ALWAYS, _SOME, _NEVER = "always", "some", "never"
_EXAMPLES: Final = 3
_REFUSED_TYPE: Final[Verdict] = "breaking", f"{contract.BY} does not allow this JSON type here"
_DEPENDS: Final = "depends on which images there are"

_Judgement = Callable[[Path, set[Any], set[Any], Judge], Verdict]


def shape_differences(one: Shape, other: Shape, judge: Judge) -> Iterator[Difference]:
    """Compare what the images of the candidate look like with what those of the baseline do.

    Args:
        one: The baseline.
        other: The candidate.
        judge: Knows the releases of both.
    """
    for path in sorted({*one.traits, *other.traits}):
        if not _tells(other.presence(path)):
            continue
        if not _tells(one.presence(path)):
            yield from _unpromised(path, other, judge)
            continue
        yield from _presence(path, one, other, judge)
        if path in one.traits and path in other.traits:
            yield from _traits(path, one, other, judge)
    if bool(one.repeated) != bool(other.repeated):
        yield _repeated(one, other, judge)
    if one.order and other.order and one.order != other.order:
        yield Difference(
            kind="order_changed",
            severity="data" if "neither" not in {one.order, other.order} else "compatible",
            path="images",
            baseline=one.order,
            candidate=other.order,
            reason="Glance sorts by creation, newest first; no schema promises it",
        )


def _unpromised(path: Path, other: Shape, judge: Judge) -> Iterator[Difference]:
    """Report what only the candidate could show if it breaks a promise."""
    types = other.traits[path].types
    wrong = _not_allowed(path, types, judge)
    if wrong:
        places = sorted({place for each in wrong for place in types[each]})
        yield _difference(
            "field_added",
            path,
            _REFUSED_TYPE,
            before=MISSING,
            after=_listed(wrong),
            images=other.refs(places),
        )


def _repeated(one: Shape, other: Shape, judge: Judge) -> Difference:
    side = other if other.repeated else one
    text = f"{len(side.repeated)} of {side.images}"
    before, after = (text if each.repeated else MISSING for each in (one, other))
    change = Change(kind="image_repeated", baseline=before, candidate=after)
    return _difference(
        "image_repeated",
        ("id",),
        judge.severity(change),
        before=before,
        after=after,
        images=side.refs(side.repeated),
    )


def unseen(one: Shape, other: Shape) -> tuple[str, ...]:
    """Return the paths that one side has and no image of the other could show."""
    return tuple(
        path_of(("images", *path))
        for path in sorted({*one.traits, *other.traits})
        if len(path) == 1
        if not all(_tells(side.presence(path)) for side in (one, other))
    )


def _tells(presence: tuple[Places, Places]) -> bool:
    return any(presence)


def _how_often(presence: tuple[Places, Places]) -> str:
    present, lacking = presence
    if not present:
        return _NEVER
    return _SOME if lacking else _ALWAYS


def _presence(path: Path, one: Shape, other: Shape, judge: Judge) -> Iterator[Difference]:
    before, after = one.presence(path), other.presence(path)
    old, new = _how_often(before), _how_often(after)
    if old == new:
        return
    kind = "presence_changed"
    if _NEVER in {old, new}:
        kind = "field_removed" if new == _NEVER else "field_added"
    fewer = old == _ALWAYS or new == _NEVER
    yield _difference(
        kind,
        path,
        _lessened(path, kind, judge) if fewer else _added(path, other, judge),
        before=MISSING if old == _NEVER else _share(before),
        after=MISSING if new == _NEVER else _share(after),
        images=other.refs(after[1] if fewer else after[0]),
    )


def _share(presence: tuple[Places, Places]) -> str:
    present, lacking = map(len, presence)
    return f"in {present} of {present + lacking}"


def _added(path: Path, other: Shape, judge: Judge) -> Verdict:
    """Judge an added field by the worst of what came with it."""
    verdicts = [
        _REFUSED_TYPE
        if _not_allowed(each, other.traits[each].types, judge)
        else judge.severity(
            Change(
                kind="field_added",
                path=(each[0], "key") if each[1:] == (ANY_KEY,) else each,
                baseline=MISSING,
                candidate=MISSING,
            )
        )
        for each in sorted(other.traits)
        if each[: len(path)] == path
    ]
    return min(verdicts, key=lambda each: SEVERITIES.index(each[0]))


def _lessened(path: Path, kind: str, judge: Judge) -> Verdict:
    field = path[0]
    change = Change(
        kind="field_removed",
        path=path,
        baseline="",
        candidate=MISSING,
        cause=contract.FIELDS[field].cause if field in contract.FIELDS else None,
    )
    severity, reason = judge.severity(change)
    if kind == "presence_changed" and severity != "breaking":
        return severity, "some images lack it now"
    return severity, reason


def _traits(path: Path, one: Shape, other: Shape, judge: Judge) -> Iterator[Difference]:
    old, new = one.traits[path], other.traits[path]
    others = [set(each.types) - {"null"} for each in (old, new)]
    nulls_only = not all(others) or others[0] == others[1]
    of_values = "link_changed" if path[-1] == "href" else "enumeration_changed"
    aspects: list[tuple[str, Seen, Seen, _Judgement]] = [
        ("null_changed" if nulls_only else "type_changed", old.types, new.types, _type_verdict),
        ("format_changed", old.formats, new.formats, _format_verdict),
    ]
    if path != ("metadata",):
        aspects.append((of_values, old.values, new.values, _value_verdict))
    for kind, before, after, verdict in aspects:
        if before and after and set(before) != set(after):
            yield _difference(
                kind,
                path,
                verdict(path, set(before), set(after), judge),
                before=_listed(before),
                after=_listed(after),
                images=_showing(one, other, before, after),
            )
    if path == ("metadata",) and set(old.values) != set(new.values):
        yield _difference(
            "enumeration_changed",
            path,
            ("data", "metadata belongs to the images; keys of one side only"),
            before=_listed(set(old.values) - set(new.values)),
            after=_listed(set(new.values) - set(old.values)),
            images=_showing(one, other, old.values, new.values),
        )


def _showing(one: Shape, other: Shape, before: Seen, after: Seen) -> tuple[ImageRef, ...]:
    """Return the images with what only one side has: the candidate, or else the baseline."""
    fresh = {place for value in after if value not in before for place in after[value]}
    if fresh:
        return other.refs(sorted(fresh))
    gone = {place for value in before if value not in after for place in before[value]}
    return one.refs(sorted(gone))


def _type_verdict(path: Path, old: set[Any], new: set[Any], judge: Judge) -> Verdict:
    allowed = _allowed_types(path, judge)
    if allowed is None and path[0] == "metadata":
        return "data", "metadata belongs to the images"
    if allowed is None:
        return ("data", _DEPENDS) if old & new else ("breaking", RETYPED)
    if fresh := new - old - allowed:
        if fresh == {"null"}:
            return "breaking", f"{contract.BY} does not allow null here"
        return _REFUSED_TYPE
    if old - new - allowed:
        return MENDED
    return "data", f"{contract.BY} allows all of them; it {_DEPENDS}"


def _not_allowed(path: Path, seen: Iterable[str], judge: Judge) -> set[str]:
    allowed = _allowed_types(path, judge)
    return set() if allowed is None else set(seen) - allowed


def _allowed_types(path: Path, judge: Judge) -> set[str] | None:
    types = judge.part(path).types
    return {JSON_TYPES[each] for each in types} if types else None


def _format_verdict(path: Path, old: set[Any], new: set[Any], judge: Judge) -> Verdict:
    part = judge.part(path)
    promised = part.form or sign_promised(part)
    if promised is not None:
        return form_verdict(promised, old, new)
    if new - old == {contract.image_in(judge.candidate).along(path).form}:
        return "compatible", "the candidate writes what its own release promises"
    return "data", "no release promises a form"


def _value_verdict(path: Path, old: set[Any], new: set[Any], judge: Judge) -> Verdict:
    if path[-1] == "href":
        return moved(path[-2], old, new)
    part = judge.part(path)
    if part.values:
        if new - old - part.values:
            return "breaking", f"no {path[-1]} of {contract.BY}"
        if old - new - part.values:
            return MENDED
    if path[-1] == "type":
        return "compatible", OTHER_ATTRIBUTE
    return value_verdict(path, old, new) or ("data", _DEPENDS)


def _listed(values: Collection[Any]) -> Any:
    if len(values) == 1:
        return next(iter(values))
    return sorted(values, key=lambda each: (str(type(each)), each))


def _difference(
    kind: str, path: Path, verdict: Verdict, *, before: Any, after: Any, images: Sequence[ImageRef]
) -> Difference:
    severity, reason = verdict
    return Difference(
        kind=kind,
        severity=severity,
        path=path_of(("images", *path)),
        baseline=before,
        candidate=after,
        count=max(len(images), 1),
        examples=tuple(images[:_EXAMPLES]),
        reason=reason,
    )
