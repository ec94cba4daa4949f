"""The values that normalizing takes and returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from pytest_imagedetail.model import Image

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What of a listing is compared, of all its pages: as sent, images in their order."""

    images: tuple[Image, ...]
    status_code: int
    top_level: Mapping[str, Any] = field(default_factory=dict)  # beside `images`
    complete: bool = True
    media_types: tuple[str, ...] = (JSON,)
    asked_for: tuple[str, ...] = (JSON,)


class Links(dict[str, Any]):
    """Links by relation; a type of its own, so that an object sent for a list stays different.

    Images whose links are equal share one object, so it must not be changed.
    """

    def as_sent(self) -> list[dict[str, Any]]:
        """Return the links as a list again, relations included."""
        return [
            {"rel": rel, **link}
            for rel, found in self.items()
            for link in (found if isinstance(found, list) else [found])
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """An answer in comparable form.

    Attributes:
        ids: The images' ids, as sent.
        media_type: That of the bodies or, under R10, whether it is the one that was asked for.
        link_forms: Under R8, by the path of a link, the links as they were before it: of each one
            with and without a prefix, with and without a project.
        counts: How often each rule of the profile changed something.
    """

    profile: str
    images: tuple[Image, ...]
    ids: tuple[str, ...]
    status_code: int
    media_type: str
    top_level: Mapping[str, Any]
    link_forms: Mapping[str, Mapping[tuple[bool, bool], str]]
    counts: Mapping[str, int]

    @property
    def facts(self) -> dict[str, Any]:
        """Everything that makes two answers equal; images that share an id stay apart."""
        names = {each.name for each in fields(self)} - {"profile", "counts"}
        return {name: getattr(self, name) for name in names}
