"""What each release family of Nova promises of the fields of one image detail.

Sources: Nova's `views/images.py` at the tags named and its api-ref.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_imagedetail.contract.forms import ISOTIME, UUID
from pytest_imagedetail.contract.parts import Part
from pytest_imagedetail.contract.releases import reached

STATUSES: Final = frozenset({"ACTIVE", "SAVING", "DELETED", "ERROR", "UNKNOWN"})
"""The whole enumeration since Diablo (Nova `views/images.py`, `_get_status` and its callers)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What is promised of one field of an image detail.

    Attributes:
        types: JSON types it may have, as Python types.
        nullable: Whether null is allowed.
        since: First release that sends it.
        required_since: First release in which every image has it; None if it depends on the image.
        form: The form of a text; None for any.
        least: The smallest number; None for any.
        values: The values of an enumeration; none for any.
        names: What is promised of the keys of an object.
        source: Where the promise stands.
    """

    types: tuple[type, ...]
    since: str
    required_since: str | None
    nullable: bool = False
    form: str | None = None
    least: int | None = None
    values: frozenset[Any] = frozenset()
    names: Mapping[str, Part] = field(default_factory=dict)
    source: str


FIELDS: Final[dict[str, Field]] = {
    "id": Field(
        types=(str,),
        since="bexar",
        required_since="bexar",
        form=UUID,
        source="api-ref; UUID since Essex",
    ),
    "name": Field(
        types=(str,),
        since="bexar",
        required_since="bexar",
        nullable=True,
        source="schemas/images.py; Glance lets an image have no name",
    ),
    "status": Field(
        types=(str,),
        since="bexar",
        required_since="diablo",
        values=STATUSES,
        source="views/images.py",
    ),
    "progress": Field(
        types=(int,), since="cactus", required_since="diablo", least=0, source="views/images.py"
    ),
    "minRam": Field(
        types=(int,), since="essex", required_since="essex", least=0, source="views/images.py, MiB"
    ),
    "minDisk": Field(
        types=(int,), since="essex", required_since="essex", least=0, source="views/images.py, GiB"
    ),
    "created": Field(
        types=(str,), since="cactus", required_since="cactus", form=ISOTIME, source="api-ref"
    ),
    "updated": Field(
        types=(str,),
        since="cactus",
        required_since="cactus",
        nullable=True,
        form=ISOTIME,
        source="schemas/images.py allows null",
    ),
    "metadata": Field(types=(dict,), since="diablo", required_since="diablo", source="api-ref"),
    "links": Field(types=(list,), since="cactus", required_since="cactus", source="api-ref"),
    "server": Field(
        types=(dict,),
        since="diablo",
        required_since=None,
        names={"id": Part(types=(str,), form=UUID)},
        source="views/images.py: only with metadata.instance_uuid",
    ),
    "OS-EXT-IMG-SIZE:size": Field(
        types=(int,),
        since="grizzly",
        required_since="stein",
        source="Nova d2b553030e; an extension with a policy through Rocky",
    ),
    "OS-DCF:diskConfig": Field(
        types=(str,),
        since="diablo",
        required_since=None,
        values=frozenset({"AUTO", "MANUAL"}),
        source="views/images.py: only with metadata.auto_disk_config",
    ),
}

IMAGE: Final = Part(
    types=(dict,),
    names={
        name: Part(
            types=(*each.types, type(None)) if each.nullable else each.types,
            values=each.values,
            form=each.form,
            least=each.least,
            names=each.names,
        )
        for name, each in FIELDS.items()
    },
)
"""The same, of an image detail as a whole."""


def promises(field: str, release: str | None) -> bool:
    """Whether every image of this release has the field.

    An undeclared release promises what the newest does: a client written today relies on it.
    """
    promise = FIELDS.get(field)
    return (
        promise is not None
        and promise.required_since is not None
        and reached(release, promise.required_since)
    )


def offers(field: str, release: str | None) -> bool:
    """Whether this release can send the field at all; an undeclared one can send any."""
    promise = FIELDS.get(field)
    return promise is not None and reached(release, promise.since)


def allows(field: str, value: Any) -> bool:
    """Whether a value has a type that the contract names; True is no integer here."""
    promise = FIELDS.get(field)
    if promise is None:
        return True
    if value is None:
        return promise.nullable
    return type(value) in promise.types
