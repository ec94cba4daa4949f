"""Two published response schemas of images/detail, by which a difference can be judged too.

Both describe today's Nova and no other release: tempest certifies by the one, Nova tests its own
answers with the other. Both refuse what they do not name: in the answer, in an image detail, in its
server and in links.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pytest_imagedetail.contract.forms import ISOTIME, UUID
from pytest_imagedetail.contract.parts import ANYTHING, Part

CONTRACTS: Final = ("releases", "tempest", "nova")
"""By what differences are judged: the promises of both declared releases, or one of `SCHEMAS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a schema says of the answer to images/detail.

    Attributes:
        name: Whose it is.
        image: What stands in an image detail, the links by their relation.
        beside: What stands beside `images`.
        required: The fields that every image must have.
        source: The file, and since when it is there.
    """

    name: str
    image: Part
    beside: Part
    required: frozenset[str]
    source: str

    @property
    def types(self) -> dict[str, tuple[type, ...]]:
        """The Python types that each field may have."""
        return {name: each.types for name, each in self.image.names.items()}


_NULL: Final = type(None)
_FIVE: Final = frozenset({"ACTIVE", "SAVING", "DELETED", "ERROR", "UNKNOWN"})
_ALWAYS: Final = frozenset(
    {
        *("id", "name", "status", "progress", "minRam", "minDisk"),
        *("created", "updated", "metadata", "links"),
    }
)
_TEXT: Final = Part(types=(str,))
# `format: iso8601-date-time` and `format: date-time`: both are oslo_utils' parse_isotime.
_DATE: Final = Part(types=(str,), form=ISOTIME)


def _link(**attributes: Part) -> Part:
    """A link; one that several of its relation stand for is a list of such."""
    return Part(types=(dict,), names={"rel": _TEXT, "href": _TEXT, **attributes}, several=True)


def _links(*, others: Part | None = None, **relations: Part) -> Part:
    """Links in the order of their relations; any others only if the schema takes them."""
    return Part(types=(list,), names=relations, rows=tuple(relations.values()), others=others)


_LINK: Final = _link()
_NEXT: Final = Part(types=(dict,), names={"images_links": _links(others=_LINK)})

SCHEMAS: Final[Mapping[str, Schema]] = {
    "tempest": Schema(
        name="tempest",
        image=Part(
            types=(dict,),
            names={
                "id": _TEXT,
                "name": Part(types=(str, _NULL)),
                "status": Part(types=(str,), values=_FIVE),
                "progress": Part(types=(int,)),
                "minRam": Part(types=(int,)),
                "minDisk": Part(types=(int,)),
                "created": _DATE,
                "updated": _DATE,
                "metadata": Part(types=(dict,), others=ANYTHING),
                "links": _links(others=_link(type=_TEXT)),
                "server": Part(types=(dict,), names={"id": _TEXT, "links": _links(others=_LINK)}),
                "OS-EXT-IMG-SIZE:size": Part(types=(int, _NULL)),
                "OS-DCF:diskConfig": _TEXT,
            },
        ),
        beside=_NEXT,
        required=_ALWAYS,
        source="tempest 47.0.0 lib/api_schema/response/compute/v2_1/images.py",
    ),
    "nova": Schema(
        name="nova",
        image=Part(
            types=(dict,),
            names={
                "id": Part(types=(str,), form=UUID),
                "name": Part(types=(str, _NULL)),
                "status": Part(types=(str,), values=_FIVE),
                "progress": Part(types=(int,), values=frozenset({0, 25, 50, 100})),
                "minRam": Part(types=(int,), least=0),
                "minDisk": Part(types=(int,), least=0),
                "created": _DATE,
                "updated": Part(types=(str, _NULL), form=ISOTIME),
                "metadata": Part(
                    types=(dict,), others=ANYTHING, keys=re.compile(r"[a-zA-Z0-9\-_:. ]{1,255}")
                ),
                "links": _links(
                    self=_LINK,
                    bookmark=_LINK,
                    alternate=_link(
                        type=Part(
                            types=(str,), values=frozenset({"application/vnd.openstack.image"})
                        )
                    ),
                ),
                "server": Part(
                    types=(dict,),
                    names={
                        "id": Part(types=(str,), form=UUID),
                        "links": _links(self=_LINK, bookmark=_LINK),
                    },
                ),
                "OS-EXT-IMG-SIZE:size": Part(types=(int,)),
                "OS-DCF:diskConfig": Part(types=(str,), values=frozenset({"AUTO", "MANUAL"})),
            },
        ),
        beside=_NEXT,
        required=_ALWAYS | {"OS-EXT-IMG-SIZE:size"},
        source="Nova 32.0.0 (2025.2) api/openstack/compute/schemas/images.py",
    ),
}
