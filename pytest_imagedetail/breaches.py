"""What of a listing no release of Nova sends, by the promises of `contract`."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.contract.json_types import JSON_TYPES, json_type
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import ANY_KEY, path_of

Path = tuple[str, ...]

_UNKNOWN_FIELD: Final = "Nova views/images.py"
_GONE: Final = {"serverId": (int, "cactus")}
"""Fields that no later release sends: their type, and the last release with them."""

_KINDS: Final = {
    **{each: f"an {each}" for each in ("array", "integer", "integer in a string", "object")},
    **{each: each for each in ("empty", "hexadecimal", "null", "text")},
    contract.ISOTIME: "an ISO 8601 time",
    contract.UUID: "a UUID",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """What some images have, or lack, as no release sends it.

    Attributes:
        path: Where, as reports write it: "images[*].minRam".
        seen: What: "minRam is a string, not an integer".
        until: The last release that sent it so, as an index of `contract`; None if none did.
        source: Where the promise stands.
        images: How many images show it.
    """

    path: str
    seen: str
    until: int | None
    source: str
    images: int = 1

    def is_sent_by(self, release: int) -> bool:
        """Whether a release sends what was seen."""
        return self.until is not None and release <= self.until


def unsent(listings: Iterable[Listing]) -> tuple[Unsent, ...]:
    """What the images of some listings have, or lack, as not every release sends it.

    Which releases can have sent the listing, other clues say: ask `Unsent.is_sent_by` of those.
    """
    found: dict[tuple[str, str], Unsent] = {}
    for listing in listings:
        if listing.error is not None:
            continue
        here: dict[tuple[str, str], Unsent] = {}
        for image in listing.images:
            of_image = {(each.path, each.seen): each for each in _of_image(image)}
            for key, each in of_image.items():  # several keys of its metadata are one image
                known = here.get(key)
                here[key] = each if known is None else replace(each, images=known.images + 1)
        for key, each in here.items():
            if key not in found or found[key].images < each.images:
                found[key] = each
    return tuple(found.values())


def _of_image(image: Mapping[str, Any]) -> Iterator[Unsent]:
    for name, promise in contract.FIELDS.items():
        if name in image:
            until = _last_that_promises(promise, image[name], name)
            for each in _of_value(image[name], promise.part, (name,), promise.source):
                yield replace(each, until=until)
        elif promise.required_since is not None:
            since = contract.release_index(promise.required_since) or 0
            yield Unsent(
                path=_path((name,)),
                seen=f"{name} is missing",
                until=since - 1 if since else None,
                source=promise.source,
            )
    for name, value in image.items():
        if name not in contract.FIELDS:
            kind, last = _GONE.get(name, (None, None))
            yield Unsent(
                path=_path((name,)),
                seen=f"{path_of((name,))} is sent",
                until=contract.release_index(last) if type(value) is kind else None,
                source=_UNKNOWN_FIELD,
            )


def _of_value(value: Any, part: contract.Part, path: Path, source: str) -> Iterator[Unsent]:
    """The value, and what is below it under a name of which something is promised."""
    if part.breach(value, path[-1]) is not None:
        yield Unsent(
            path=_path(path),
            seen=f"{path_of(path)} is {_instead(value, part)}",
            until=None,
            source=source,
        )
    elif isinstance(value, dict):
        for name, each in value.items():
            below = part.at(name)
            # The keys of metadata are anybody's, so that what is wrong with them is one thing.
            shown = name if name in part.names else ANY_KEY
            yield from _of_value(each, below, (*path, shown), source)


def _last_that_promises(promise: contract.Field, value: Any, name: str) -> int | None:
    """The last release whose promise the value keeps, if a later one made another."""
    for first, part in reversed(promise.earlier):
        counted = name != "id" or isinstance(value, int) or value.isdecimal()  # Glance 2011.3 does
        if part.refusal(value, name) is None and counted:
            since = contract.release_index(first) or 0
            return since - 1
    return None


def _instead(value: Any, part: contract.Part) -> str:
    """The value, or what kind of value it is, and what was promised."""
    if part.types and type(value) not in part.types:
        promised = " or ".join(_a(JSON_TYPES[each]) for each in part.types)
        return f"{_a(json_type(value))}, not {promised}"
    if part.form is not None and isinstance(value, str):
        return f"{_a(contract.text_format(value))}, not {_a(part.form)}"
    return f"less than {part.least}" if part.least is not None else json.dumps(value)


def _a(kind: str) -> str:
    """A kind of value with its article, if it takes one: "an integer", "null"."""
    return _KINDS.get(kind, f"a {kind}")


def _path(path: Path) -> str:
    return path_of(("images", *path))
