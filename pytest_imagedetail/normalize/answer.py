"""Answers before and after normalization."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from pytest_imagedetail.model import Image

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The compared parts of a listing, over all its pages: as sent, images in their order."""

    images: tuple[Image, ...]
    status_code: int
    top_level: Mapping[str, Any] = field(default_factory=dict)  # beside `images`
    complete: bool = True
    limit: str | None = None  # the page size that was asked for
    media_types: tuple[str, ...] = (JSON,)
    requested_types: tuple[str, ...] = (JSON,)


class Links(dict[str, Any]):
    """Links by relation; a separate type, so that an object sent in place of a list still differs.

    Images with equal links share one object, so it must not be changed.
    """

    def as_sent(self) -> list[dict[str, Any]]:
        """Return the links as a list, with their relations."""
        return [
            {"rel": rel, **link}
            for rel, links in self.items()
            for link in (links if isinstance(links, list) else [links])
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """An answer in comparable form.

    Attributes:
        ids: The images' ids, as sent.
        media_type: The media type of the bodies or, under R10, whether it is the requested one.
        link_host: The role of the host of the images' links: "compute", or "compute-links" if it is
            not the endpoint's; "" in the profile `wire`.
        link_forms: Under R8, by the path of a link, an example of each form before R8: with or
            without a prefix, with or without a project.
        counts: How often each rule of the profile changed something.
    """

    profile: str
    images: tuple[Image, ...]
    ids: tuple[str, ...]
    status_code: int
    media_type: str
    top_level: Mapping[str, Any]
    link_host: str
    link_forms: Mapping[str, Mapping[tuple[bool, bool], str]]
    counts: Mapping[str, int]

    @property
    def facts(self) -> dict[str, Any]:
        """Everything that must be equal in equal answers."""
        names = {each.name for each in fields(self)} - {"profile", "counts"}
        return {name: getattr(self, name) for name in names}
