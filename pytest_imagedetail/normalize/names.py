"""Names for what each cloud numbers in its own way: servers, users, images (R13, R14).

Within one answer the same id has the same name and another id another one, so that a mix-up is
still seen. Between two answers names are matched by the images that were paired: what `<user-2>`
is on one side, one user and no other is on the other.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pytest_imagedetail.normalize.answer import Image, Normalized
from pytest_imagedetail.normalize.values import vendor_of

REFERENCES: Final = ("base_image_ref", "kernel_id", "ramdisk_id")
"""Metadata that names another image."""

_NAME: Final = re.compile(r"<(server|user|unmatched)-\d+>")
_ID: Final = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}")


@dataclass(slots=True)
class Names:
    """The names of one answer, numbered as they are met."""

    given: dict[tuple[str, str], str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def of(self, what: str, id_: str) -> str:
        """The name of a server, a user or an unmatched image."""
        if (what, id_) not in self.given:
            self.numbers[what] = self.numbers.get(what, 0) + 1
            self.given[what, id_] = f"<{what}-{self.numbers[what]}>"
        return self.given[what, id_]


def is_id(value: str) -> bool:
    """Whether a reference has the form of an image's id; `nokernel` and `None` have not."""
    return _ID.fullmatch(value) is not None


def matched(
    one: Normalized, other: Normalized, pairs: Iterable[tuple[int, int]]
) -> tuple[Normalized, Normalized]:
    """Both answers with the candidate's names and image references in the baseline's words.

    Metadata of vendors that only one side has is left out; the two are not to be compared.

    Args:
        one: The baseline.
        other: The candidate.
        pairs: Places of the same image in both.
    """
    if one.profile != "cross-cloud":
        return one, other
    places = tuple(pairs)
    shared = {*vendors(one)} & {*vendors(other)}
    words = _partners(one, other, places)
    partner = {other.ids[right]: one.ids[left] for left, right in places}
    return (
        replace(one, images=tuple(_translated(each, {}, None, shared) for each in one.images)),
        replace(
            other, images=tuple(_translated(each, partner, words, shared) for each in other.images)
        ),
    )


def vendors(side: Normalized) -> dict[str, list[str]]:
    """The metadata keys of each vendor."""
    keys: dict[str, set[str]] = {}
    for image in side.images:
        metadata = image.get("metadata")
        for key in metadata if isinstance(metadata, dict) else ():
            if (vendor := vendor_of(key)) is not None:
                keys.setdefault(vendor, set()).add(key)
    return {vendor: sorted(found) for vendor, found in keys.items()}


def _partners(
    one: Normalized, other: Normalized, pairs: Iterable[tuple[int, int]]
) -> dict[str, str]:
    """The baseline's name for each name of the candidate, one for one; the first pair decides."""
    partner: dict[str, str] = {}
    taken: set[str] = set()
    for left, right in pairs:
        theirs = dict(_named(other.images[right]))
        for place, name in _named(one.images[left]):
            found = theirs.get(place)
            if found is None or found in partner or name in taken or _what(found) != _what(name):
                continue
            partner[found] = name
            taken.add(name)
    return partner


def _named(image: Image) -> Iterator[tuple[str, str]]:
    """The names in an image, each with the place where it stands."""
    server, metadata = image.get("server"), image.get("metadata")
    if isinstance(server, dict) and _is_name(server.get("id")):
        yield "server", server["id"]
    for key, value in metadata.items() if isinstance(metadata, dict) else ():
        if _is_name(value):
            yield key, value


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _what(name: str) -> str:
    return name.partition("-")[0]


def _translated(
    image: Image, partner: Mapping[str, str], words: Mapping[str, str] | None, shared: set[str]
) -> Image:
    new = dict(image)
    if isinstance(new.get("server"), dict) and "id" in new["server"]:
        new["server"] = {**new["server"], "id": _word(new["server"]["id"], words)}
    if isinstance(new.get("metadata"), dict):
        new["metadata"] = {
            key: partner.get(value, value)
            if key in REFERENCES and isinstance(value, str) and not _is_name(value)
            else _word(value, words)
            for key, value in new["metadata"].items()
            if vendor_of(key) in {None, *shared}
        }
    return new


def _word(value: Any, words: Mapping[str, str] | None) -> Any:
    if words is None or not _is_name(value):
        return value
    return words.get(value, f"{_what(value)} of another image>")
