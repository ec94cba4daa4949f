"""Two published response schemas of images/detail, by which a difference can be judged too.

Both describe today's Nova and no other release: tempest certifies by the one, Nova tests its own
answers with the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

CONTRACTS: Final = ("releases", "tempest", "nova")
"""By what differences are judged: the promises of both declared releases, or one of `SCHEMAS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a schema says of one image detail. Both refuse fields that they do not name.

    Attributes:
        name: Whose it is.
        types: The Python types that a field may have.
        required: The fields that every image must have.
        values: The values of an enumeration.
        source: The file, and since when it is there.
    """

    name: str
    types: Mapping[str, tuple[type, ...]]
    required: frozenset[str]
    values: Mapping[str, frozenset[Any]] = field(default_factory=dict)
    source: str

    def allows(self, name: str, value: Any) -> bool:
        """Whether a field may have a value of this type; True is no integer."""
        return name in self.types and type(value) in self.types[name]

    def knows(self, name: str, value: Any) -> bool:
        """Whether a value is one of the field's enumeration, if it has one."""
        return name not in self.values or value in self.values[name]


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
        types={
            "id": (str,),
            "name": (str, _NULL),
            "status": (str,),
            "progress": (int,),
            "minRam": (int,),
            "minDisk": (int,),
            "created": (str,),
            "updated": (str,),
            "metadata": (dict,),
            "links": (list,),
            "server": (dict,),
            "OS-EXT-IMG-SIZE:size": (int, _NULL),
            "OS-DCF:diskConfig": (str,),
        },
        required=_ALWAYS,
        values={"status": _FIVE},
        source="tempest 47.0.0 lib/api_schema/response/compute/v2_1/images.py",
    ),
    "nova": Schema(
        name="nova",
        types={
            "id": (str,),
            "name": (str, _NULL),
            "status": (str,),
            "progress": (int,),
            "minRam": (int,),
            "minDisk": (int,),
            "created": (str,),
            "updated": (str, _NULL),
            "metadata": (dict,),
            "links": (list,),
            "server": (dict,),
            "OS-EXT-IMG-SIZE:size": (int,),
            "OS-DCF:diskConfig": (str,),
        },
        required=_ALWAYS | {"OS-EXT-IMG-SIZE:size"},
        values={
            "status": _FIVE,
            "progress": frozenset({0, 25, 50, 100}),
            "OS-DCF:diskConfig": frozenset({"AUTO", "MANUAL"}),
        },
        source="Nova 32.0.0 (2025.2) api/openstack/compute/schemas/images.py",
    ),
}
