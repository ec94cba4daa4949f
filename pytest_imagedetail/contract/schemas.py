"""Two published response schemas of images/detail, by which a difference can be judged too.

Both describe today's Nova and no other release: tempest certifies by the one, Nova tests its own
answers with the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pytest_imagedetail.contract.parts import Part

CONTRACTS: Final = ("releases", "tempest", "nova")
"""By what differences are judged: the promises of both declared releases, or one of `SCHEMAS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a schema says of one image detail. Both refuse fields that they do not name.

    Attributes:
        name: Whose it is.
        image: What stands in an image detail.
        required: The fields that every image must have.
        source: The file, and since when it is there.
    """

    name: str
    image: Part
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

SCHEMAS: Final[Mapping[str, Schema]] = {
    "tempest": Schema(
        name="tempest",
        image=Part(
            types=(dict,),
            names={
                "id": Part(types=(str,)),
                "name": Part(types=(str, _NULL)),
                "status": Part(types=(str,), values=_FIVE),
                "progress": Part(types=(int,)),
                "minRam": Part(types=(int,)),
                "minDisk": Part(types=(int,)),
                "created": Part(types=(str,)),
                "updated": Part(types=(str,)),
                "metadata": Part(types=(dict,)),
                "links": Part(types=(list,)),
                "server": Part(types=(dict,)),
                "OS-EXT-IMG-SIZE:size": Part(types=(int, _NULL)),
                "OS-DCF:diskConfig": Part(types=(str,)),
            },
        ),
        required=_ALWAYS,
        source="tempest 47.0.0 lib/api_schema/response/compute/v2_1/images.py",
    ),
    "nova": Schema(
        name="nova",
        image=Part(
            types=(dict,),
            names={
                "id": Part(types=(str,)),
                "name": Part(types=(str, _NULL)),
                "status": Part(types=(str,), values=_FIVE),
                "progress": Part(types=(int,), values=frozenset({0, 25, 50, 100})),
                "minRam": Part(types=(int,)),
                "minDisk": Part(types=(int,)),
                "created": Part(types=(str,)),
                "updated": Part(types=(str, _NULL)),
                "metadata": Part(types=(dict,)),
                "links": Part(types=(list,)),
                "server": Part(types=(dict,)),
                "OS-EXT-IMG-SIZE:size": Part(types=(int,)),
                "OS-DCF:diskConfig": Part(types=(str,), values=frozenset({"AUTO", "MANUAL"})),
            },
        ),
        required=_ALWAYS | {"OS-EXT-IMG-SIZE:size"},
        source="Nova 32.0.0 (2025.2) api/openstack/compute/schemas/images.py",
    ),
}
