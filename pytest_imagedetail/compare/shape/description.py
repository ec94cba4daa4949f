"""Describes a listing by what its images show: presence, types, forms and values at each path."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.compare.pairing import reference
from pytest_imagedetail.compare.severity import WITHOUT_RELATION
from pytest_imagedetail.contract import json_type
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import ANY_KEY, ImageRef
from pytest_imagedetail.normalize import Links, Normalized

Path = tuple[str, ...]
"""Names below an image; all keys of its metadata are one, for they belong to its owner."""

# Nova decodes these two from JSON; all other metadata is text.
_DECODED: Final = ("block_device_mapping", "mappings")

_ENUMERATED: Final = frozenset({("status",), ("progress",), ("OS-DCF:diskConfig",)})
_FORMATTED: Final = frozenset({("id",), ("created",), ("updated",), ("server", "id")})
_FREE: Final = frozenset({"name", "metadata"})  # what people write

Places = list[int]
"""Which images show something, by their places in the listing."""

Seen = dict[Any, Places]


@dataclass(slots=True)
class Trait:
    """What the images show at one path.

    Attributes:
        types: JSON types; of links also what in their list is no object, for that is no link.
        formats: Forms of texts, where the form is the cloud's and not the image owner's, and signs
            of integers that must not be negative.
        values: Values of an enumeration, keys of the metadata, or forms of a link.
    """

    types: Seen = field(default_factory=dict)
    formats: Seen = field(default_factory=dict)
    values: Seen = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One image: who it is, which paths it has, which metadata keys."""

    ref: ImageRef
    paths: frozenset[Path]
    keys: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the images of a listing look like.

    Attributes:
        traits: What was seen at each path that some image has.
        order: "newest first", "oldest first" or "neither", by `created`; None if that cannot be
            told.
    """

    traits: Mapping[Path, Trait]
    order: str | None
    entries: Sequence[_Entry] = field(repr=False)

    @property
    def repeated(self) -> Places:
        """The images whose id stood before."""
        seen: set[str] = set()
        found = []
        for place, entry in enumerate(self.entries):
            if entry.ref.id in seen:
                found.append(place)
            seen.add(entry.ref.id)
        return found

    @property
    def images(self) -> int:
        """How many images were described."""
        return len(self.entries)

    def refs(self, places: Iterable[int]) -> tuple[ImageRef, ...]:
        """The images at these places."""
        return tuple(self.entries[place].ref for place in places)

    def presence(self, path: Path) -> tuple[Places, Places]:
        """The images that have the path, and those that could have it and do not.

        An image without the key that brings a conditional field, or without what the path lies in,
        says nothing about it.
        """
        present, lacking = [], []
        for place, entry in enumerate(self.entries):
            if path in entry.paths:
                present.append(place)
            elif _could_have(path, entry):
                lacking.append(place)
        return present, lacking


def describe(listing: Listing, normalized: Normalized) -> Shape:
    """Describe a listing.

    Args:
        listing: Not an error answer.
        normalized: The same in comparable form, of which links and metadata are described; all
            else is described as sent.

    Raises:
        ComparisonError: The listing is an error answer.
    """
    traits: dict[Path, Trait] = {}
    entries = []
    sets: dict[frozenset[Path], frozenset[Path]] = {}  # most images have the same paths
    for place, (sent, image) in enumerate(zip(listing.images, normalized.images, strict=True)):
        paths = []
        for path, value in _values(sent, image):
            paths.append(path)
            _see(traits.setdefault(path, Trait()), path, value, place)
        found = frozenset(paths)
        metadata = sent.get("metadata")
        values = metadata.items() if isinstance(metadata, dict) else ()
        keys = frozenset(key for key, value in values if value is not None)
        entries.append(_Entry(ref=reference(sent), paths=sets.setdefault(found, found), keys=keys))
    return Shape(traits=traits, order=_order(normalized.images), entries=entries)


def _could_have(path: Path, entry: _Entry) -> bool:
    if len(path) > 1:
        return path[:-1] in entry.paths and path[0] != "metadata"
    cause = contract.FIELDS[path[0]].cause if path[0] in contract.FIELDS else None
    return cause is None or cause in entry.keys


def _values(sent: Mapping[str, Any], image: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Every path of an image with its value; a link's value is its form."""
    own = str(sent.get("id"))
    for name, value in sent.items():
        yield (name,), value
        if name == "links":
            yield from _links(("links",), image["links"], own, "<id>")
        elif name == "metadata" and isinstance(value, dict):
            for key, each in image["metadata"].items():  # an XML answer has no null
                yield ("metadata", key if key in _DECODED else ANY_KEY), each
        elif name == "server" and isinstance(value, dict):
            for key, each in value.items():
                yield ("server", key), each
            links = image["server"].get("links")
            yield from _links(("server", "links"), links, str(value.get("id")), "<server>")


def _links(path: Path, links: Any, own: str, placeholder: str) -> Iterator[tuple[Path, Any]]:
    listed = links.as_sent() if isinstance(links, Links) else links
    by_relation: dict[str, list[dict[str, Any]]] = {}
    for link in listed if isinstance(listed, list) else ():
        if isinstance(link, dict):
            rel = link.get("rel")
            name = rel if isinstance(rel, str) else WITHOUT_RELATION
            by_relation.setdefault(name, []).append(link)
    for rel, found in by_relation.items():
        named = (*path, rel)
        yield named, found[0] if len(found) == 1 else found
        for link in found:
            for key, value in link.items():
                if key == "href" and isinstance(value, str):
                    yield (*named, key), _without_id(value, own, placeholder)
                elif key != "rel":
                    yield (*named, key), value


def _without_id(href: str, own: str, placeholder: str) -> str:
    """Replace the own id at the end of an address; that of a server can be any text."""
    end = f"/{own.strip('/')}"
    return f"{href.removesuffix(end)}/{placeholder}" if href.endswith(end) else href


def _see(trait: Trait, path: Path, value: Any, place: int) -> None:
    _add(trait.types, _type_of_links(value) if path[-1] == "links" else json_type(value), place)
    if isinstance(value, str) and _is_formatted(path):
        _add(trait.formats, contract.text_format(value), place)
    elif type(value) is int and (sign := sign_promised(contract.IMAGE.along(path))):
        _add(trait.formats, sign if value >= 0 else "negative", place)
    if path == ("metadata",) and isinstance(value, dict):
        for key in value:
            _add(trait.values, key, place)
    elif isinstance(value, str | int) and _is_enumerated(path):
        _add(trait.values, value, place)


def _type_of_links(links: Any) -> str:
    """The JSON type, and which others than objects are in the list: "array with null, string"."""
    others = {json_type(each) for each in links} - {"object"} if isinstance(links, list) else ()
    return json_type(links) + (f" with {', '.join(sorted(others))}" if others else "")


def sign_promised(part: contract.Part) -> str | None:
    """What an integer is promised to be, as a form; None if nothing is."""
    return None if part.least is None else f"{part.least} or more"


def _add(seen: Seen, value: Any, place: int) -> None:
    places = seen.setdefault(value, [])
    if places[-1:] != [place]:  # several metadata keys of one image are one image
        places.append(place)


def _is_formatted(path: Path) -> bool:
    unknown = len(path) == 1 and path[0] not in contract.FIELDS and path[0] not in _FREE
    return path in _FORMATTED or unknown


def _is_enumerated(path: Path) -> bool:
    return path in _ENUMERATED or (path[-1] in {"href", "type"} and "links" in path)


def _order(images: Sequence[Mapping[str, Any]]) -> str | None:
    """How the images stand by date; equal dates say nothing, for the body has whole seconds."""
    dates = [image.get("created") for image in images]
    texts = [each for each in dates if isinstance(each, str)]
    forms = {contract.text_format(each) for each in texts}
    if len(texts) != len(dates) or len(set(texts)) < 2 or len(forms) != 1:  # noqa: PLR2004
        return None
    if not contract.is_isotime(forms.pop()):
        return None
    if all(before >= after for before, after in pairwise(texts)):
        return "newest first"
    if all(before <= after for before, after in pairwise(texts)):
        return "oldest first"
    return "neither"
