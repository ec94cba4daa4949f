"""Compare what the images of two listings look like: presence, types, forms and values by path."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.compare.pairing import reference
from pytest_imagedetail.compare.severity import (
    FIXED,
    OTHER_ATTRIBUTE,
    RETYPED,
    WITHOUT_RELATION,
    Change,
    Judge,
    Verdict,
    difference,
    form_verdict,
    link_verdict,
    repeated_verdict,
)
from pytest_imagedetail.contract import JSON_TYPES, json_type
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import ANY_KEY, MISSING, Difference, ImageRef, path_of
from pytest_imagedetail.normalize import Links, Normalized

Path = tuple[str, ...]
"""Names below an image; metadata keys share one path, because the owner chooses them."""

_ENUMERATED: Final = frozenset({("status",), ("progress",), ("OS-DCF:diskConfig",)})
_FORMATTED: Final = frozenset({("id",), ("created",), ("updated",), ("server", "id")})
_FREE: Final = frozenset({"name", "metadata"})  # written by users

Seen = dict[Any, set[int]]
"""What was seen, and the positions of the images that show it."""

Traits = defaultdict[str, Seen]
"""What the images show at one path: its "types", "formats" and "values"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the images of a listing look like; `keys` are the metadata keys with a value."""

    traits: Mapping[Path, Traits]
    images: Sequence[ImageRef]
    keys: Sequence[frozenset[str]]

    @property
    def repeated(self) -> set[int]:
        """The images whose id occurred before."""
        first = {ref.id: position for position, ref in reversed([*enumerate(self.images)])}
        return {position for position, ref in enumerate(self.images) if first[ref.id] != position}

    def refs(self, positions: Iterable[int]) -> tuple[ImageRef, ...]:
        """Return references to images in the order of the listing."""
        return tuple(self.images[position] for position in sorted(positions))

    def presence(self, path: Path) -> tuple[set[int], set[int]]:
        """Return the images that have the path, and those that could have it but do not."""
        present, candidates = self._places(path), {*range(len(self.images))}
        if len(path) > 1:
            candidates = self._places(path[:-1]) if path[0] != "metadata" else set()
        elif (cause := _cause(path)) is not None:
            candidates = {position for position, keys in enumerate(self.keys) if cause in keys}
        return present, candidates - present

    def _places(self, path: Path) -> set[int]:
        return set().union(*self.traits[path]["types"].values()) if path in self.traits else set()


def describe(listing: Listing, normalized: Normalized) -> Shape:
    """Describe the images of a listing: links and metadata normalized, the rest as sent."""
    traits: defaultdict[Path, Traits] = defaultdict(lambda: defaultdict(dict))
    keys = []
    for position, (sent, image) in enumerate(zip(listing.images, normalized.images, strict=True)):
        for path, value in _values(sent, image):
            for aspect, value_shown in _aspects(path, value):
                traits[path][aspect].setdefault(value_shown, set()).add(position)
        metadata = sent.get("metadata")
        values = metadata.items() if isinstance(metadata, dict) else ()
        keys.append(frozenset(key for key, value in values if value is not None))
    return Shape(traits=traits, images=tuple(map(reference, listing.images)), keys=keys)


def _cause(path: Path) -> str | None:
    """Return the metadata key without which Nova does not send a field, if any."""
    return contract.FIELDS[path[0]].cause if path[0] in contract.FIELDS else None


def _values(sent: Mapping[str, Any], image: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    own = str(sent.get("id"))
    for name, value in sent.items():
        yield (name,), value
        if name == "links":
            yield from _links(("links",), image["links"], own, "<id>")
        elif name == "metadata" and isinstance(value, dict):
            for key, item in image["metadata"].items():  # an XML answer has no null
                yield ("metadata", key if key in contract.JSON_PROPERTIES else ANY_KEY), item
        elif name == "server" and isinstance(value, dict):
            for key, item in value.items():
                yield ("server", key), item
            links = image["server"].get("links")
            yield from _links(("server", "links"), links, str(value.get("id")), "<server>")


def _links(path: Path, links: Any, own: str, placeholder: str) -> Iterator[tuple[Path, Any]]:
    items = links.as_sent() if isinstance(links, Links) else links
    by_relation: dict[str, list[dict[str, Any]]] = {}
    for link in items if isinstance(items, list) else ():
        if isinstance(link, dict):
            rel = link.get("rel")
            name = rel if isinstance(rel, str) else WITHOUT_RELATION
            by_relation.setdefault(name, []).append(link)
    for rel, links_of_relation in by_relation.items():
        link_path = (*path, rel)
        yield link_path, links_of_relation[0] if len(links_of_relation) == 1 else links_of_relation
        for link in links_of_relation:
            for key, value in link.items():
                if key == "href" and isinstance(value, str):
                    yield (*link_path, key), _without_id(value, own, placeholder)
                elif key != "rel":
                    yield (*link_path, key), value


def _without_id(href: str, own: str, placeholder: str) -> str:
    """Replace the object's own id at the end of an address; a server's id can be any text."""
    end = f"/{own.strip('/')}"
    return f"{href.removesuffix(end)}/{placeholder}" if href.endswith(end) else href


def _aspects(path: Path, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a value shows: its JSON type, perhaps its format, and itself if enumerated."""
    yield "types", _type_of_links(value) if path[-1] == "links" else json_type(value)
    is_unknown = len(path) == 1 and path[0] not in contract.FIELDS and path[0] not in _FREE
    if isinstance(value, str) and (path in _FORMATTED or is_unknown):
        yield "formats", contract.text_format(value)
    elif type(value) is int and (sign := _sign_promised(contract.IMAGE.along(path))):
        yield "formats", sign if value >= 0 else "negative"
    if path == ("metadata",) and isinstance(value, dict):
        yield from (("values", key) for key in value)
    is_of_link = path[-1] in {"href", "type"} and "links" in path and isinstance(value, str)
    if is_of_link or (path in _ENUMERATED and isinstance(value, str | int)):
        yield "values", value


def _type_of_links(links: Any) -> str:
    """Return the JSON type, with the types of other items than links: "array with null, string"."""
    others = {json_type(item) for item in links} - {"object"} if isinstance(links, list) else ()
    return json_type(links) + (f" with {', '.join(sorted(others))}" if others else "")


def _sign_promised(part: contract.Part) -> str | None:
    """Return an integer's promised range as a format; None if it has none."""
    return None if part.least is None else f"{part.least} or more"


_EXAMPLES: Final = 3
_REFUSED_TYPE: Final[Verdict] = "breaking", "the contract does not allow this JSON type here"
_DEPENDS: Final = "depends on which images there are"

_Judgment = Callable[[Path, set[Any], set[Any], Judge], Verdict]


def shape_differences(baseline: Shape, candidate: Shape, judge: Judge) -> Iterator[Difference]:
    """Compare the shape of the candidate with the baseline's."""
    for path in _paths(baseline, candidate):
        if any(baseline.presence(path)) and any(candidate.presence(path)):
            yield from _presence(path, baseline, candidate, judge)
            if path in baseline.traits and path in candidate.traits:
                yield from _traits(path, baseline, candidate, judge)
        elif path in candidate.traits:
            yield from _only_candidate(path, candidate, judge)
    if bool(baseline.repeated) != bool(candidate.repeated):
        yield _repeated(baseline, candidate)


def unseen(baseline: Shape, candidate: Shape) -> tuple[str, ...]:
    """Return the fields that one side has and no image on the other could have."""
    return tuple(
        path_of(("images", *path))
        for path in _paths(baseline, candidate)
        if len(path) == 1 and not (any(baseline.presence(path)) and any(candidate.presence(path)))
    )


def _paths(baseline: Shape, candidate: Shape) -> list[Path]:
    return sorted({*baseline.traits, *candidate.traits})


def _only_candidate(path: Path, candidate: Shape, judge: Judge) -> Iterator[Difference]:
    """Yield a path that no baseline image could have, if it breaks a promise."""
    verdict = _more_verdict(path, candidate, judge)
    if verdict[0] == "breaking":
        present, _ = candidate.presence(path)
        values = MISSING, _one_or_sorted(candidate.traits[path]["types"])
        yield _difference("field_added", path, verdict, values, candidate.refs(present))


def _repeated(baseline: Shape, candidate: Shape) -> Difference:
    side = candidate if candidate.repeated else baseline
    text = f"{len(side.repeated)} of {len(side.images)}"
    before, after = (text if shape.repeated else MISSING for shape in (baseline, candidate))
    images, verdict = side.refs(side.repeated), repeated_verdict(after)
    return _difference("image_repeated", ("id",), verdict, (before, after), images)


def _presence(path: Path, baseline: Shape, candidate: Shape, judge: Judge) -> Iterator[Difference]:
    before, after = baseline.presence(path), candidate.presence(path)
    if [*map(bool, before)] == [*map(bool, after)]:
        return
    kind = "presence_changed"
    if not (before[0] and after[0]):
        kind = "field_removed" if before[0] else "field_added"
    fewer = not before[1] or not after[0]
    verdict = _fewer_verdict(path, kind, judge) if fewer else _more_verdict(path, candidate, judge)
    shares = _share(before), _share(after)
    yield _difference(kind, path, verdict, shares, candidate.refs(after[1] if fewer else after[0]))


def _share(presence: tuple[set[int], set[int]]) -> Any:
    present, lacking = map(len, presence)
    return f"in {present} of {present + lacking}" if present else MISSING


def _more_verdict(path: Path, candidate: Shape, judge: Judge) -> Verdict:
    allowed = _allowed_types(path, judge)
    if allowed is not None and candidate.traits[path]["types"].keys() - allowed:
        return _REFUSED_TYPE
    added = Change(kind="field_added", path=path, baseline=MISSING, candidate=MISSING)
    return judge.severity(added)


def _fewer_verdict(path: Path, kind: str, judge: Judge) -> Verdict:
    cause = _cause(path)
    lost = Change(kind="field_removed", path=path, baseline="", candidate=MISSING, cause=cause)
    severity, reason = judge.severity(lost)
    if kind == "presence_changed" and severity != "breaking":
        return severity, "some images lack it now"
    return severity, reason


def _traits(path: Path, baseline: Shape, candidate: Shape, judge: Judge) -> Iterator[Difference]:
    old, new = baseline.traits[path], candidate.traits[path]
    types = [set(traits["types"]) - {"null"} for traits in (old, new)]
    nulls_only = not all(types) or types[0] == types[1]
    of_values = "link_changed" if path[-1] == "href" else "enumeration_changed"
    aspects: list[tuple[str, str, _Judgment]] = [
        ("types", "null_changed" if nulls_only else "type_changed", _type_verdict),
        ("formats", "format_changed", _format_verdict),
        ("values", of_values, _value_verdict),
    ]
    for aspect, kind, judged_by in aspects:
        before, after = old[aspect], new[aspect]
        left, right = set(before), set(after)
        if path == ("metadata",) and kind == of_values:  # show only the keys of one side
            left, right = left - right, right - left
        elif not left or not right:
            continue
        if left != right:
            verdict = judged_by(path, left, right, judge)
            images = _changed_images(baseline, candidate, before, after)
            values = _one_or_sorted(left), _one_or_sorted(right)
            yield _difference(kind, path, verdict, values, images)


def _changed_images(
    baseline: Shape, candidate: Shape, before: Seen, after: Seen
) -> tuple[ImageRef, ...]:
    added = set().union(*(after[value] for value in after.keys() - before.keys()))
    removed = set().union(*(before[value] for value in before.keys() - after.keys()))
    return candidate.refs(added) if added else baseline.refs(removed)


def _type_verdict(path: Path, old: set[Any], new: set[Any], judge: Judge) -> Verdict:
    allowed = _allowed_types(path, judge)
    if allowed is None and path[0] == "metadata":
        return "data", "metadata belongs to the images"
    if allowed is None:
        return ("data", _DEPENDS) if old & new else ("breaking", RETYPED)
    if added := new - old - allowed:
        if added == {"null"}:
            return "breaking", "the contract does not allow null here"
        return _REFUSED_TYPE
    if old - new - allowed:
        return FIXED
    return "data", f"the contract allows all of them; it {_DEPENDS}"


def _allowed_types(path: Path, judge: Judge) -> set[str] | None:
    types = judge.part(path).types
    return {JSON_TYPES[each] for each in types} if types else None


def _format_verdict(path: Path, old: set[Any], new: set[Any], judge: Judge) -> Verdict:
    part = judge.part(path)
    promised = part.form or _sign_promised(part)
    if promised is not None:
        return form_verdict(promised, old, new)
    if new - old == {contract.image_in(judge.candidate).along(path).form}:
        return "compatible", "the candidate writes what its own release promises"
    return "data", "no release promises a form"


def _value_verdict(path: Path, old: set[Any], new: set[Any], judge: Judge) -> Verdict:
    if path == ("metadata",):
        return "data", "metadata belongs to the images; keys of one side only"
    if path[-1] == "href":
        return link_verdict(path[-2], old, new)
    part = judge.part(path)
    if part.values:
        if new - old - part.values:
            return "breaking", f"no {path[-1]} of the contract"
        if old - new - part.values:
            return FIXED
    if path[-1] == "type":
        return "compatible", OTHER_ATTRIBUTE
    return "data", _DEPENDS


def _one_or_sorted(values: Collection[Any]) -> Any:
    if len(values) == 1:
        return next(iter(values))
    return sorted(values, key=lambda value: (str(type(value)), value))


def _difference(
    kind: str, path: Path, verdict: Verdict, values: tuple[Any, Any], images: tuple[ImageRef, ...]
) -> Difference:
    result = difference(kind, path_of(("images", *path)), verdict, values)
    return replace(result, count=max(len(images), 1), examples=images[:_EXAMPLES])
