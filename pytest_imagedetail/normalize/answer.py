"""What of a listing is compared, before and after it was made comparable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Image = dict[str, Any]

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What of a listing is compared: its images in order and the facts about the whole.

    Attributes:
        images: The images of all pages, as sent.
        status_code: 203 if any page was answered so, else 200.
        cloud: The name of the cloud.
        top_level: The fields beside `images`.
        complete: Whether these are all images that match; a part leads to the next one.
        media_types: Of each page's body.
        asked_for: The media types that the pages were asked for.
    """

    images: tuple[Image, ...]
    status_code: int
    cloud: str
    top_level: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = True
    media_types: tuple[str, ...] = (JSON,)
    asked_for: tuple[str, ...] = (JSON,)


class Links(dict[str, Any]):
    """Links by relation; of its own type, so that an object sent for a list stays different.

    Images whose links say the same share one, so it must not be changed.
    """

    def as_sent(self) -> list[dict[str, Any]]:
        """The links as a list again, relations included."""
        return [
            {"rel": rel, **link}
            for rel, found in self.items()
            for link in (found if isinstance(found, list) else [found])
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """An answer in comparable form.

    Attributes:
        profile: The profile that made it.
        images: The images in the cloud's order, links keyed by relation unless the profile is wire.
        ids: The images' ids in the same order, as sent.
        answer: Facts about the whole answer: status code, fields beside `images`, forms of links.
        counts: How often each rule of the profile changed something.
    """

    profile: str
    images: tuple[Image, ...]
    ids: tuple[str, ...]
    answer: Mapping[str, Any]
    counts: Mapping[str, int]

    @property
    def facts(self) -> dict[str, Any]:
        """Everything that makes two answers equal; images that share an id stay apart."""
        return {"ids": self.ids, "images": self.images, "answer": dict(self.answer)}
