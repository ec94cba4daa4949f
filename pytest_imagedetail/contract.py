"""What each release family of Nova promises in one image detail, as data with sources.

Sources: Nova's `views/images.py` and `schemas/images.py` at the tags named, its api-ref, and
tempest's `list_images_details` response schema.
"""

from dataclasses import dataclass
from typing import Any, Final

# In order of publication: codename, year-based name.
_RELEASES: Final = (
    ("bexar", "2011.1"),
    ("cactus", "2011.2"),
    ("diablo", "2011.3"),
    ("essex", "2012.1"),
    ("folsom", "2012.2"),
    ("grizzly", "2013.1"),
    ("havana", "2013.2"),
    ("icehouse", "2014.1"),
    ("juno", "2014.2"),
    ("kilo", "2015.1"),
    ("liberty", "2015.2"),
    ("mitaka", "2016.1"),
    ("newton", "2016.2"),
    ("ocata", "2017.1"),
    ("pike", "2017.2"),
    ("queens", "2018.1"),
    ("rocky", "2018.2"),
    ("stein", "2019.1"),
    ("train", "2019.2"),
    ("ussuri", "2020.1"),
    ("victoria", "2020.2"),
    ("wallaby", "2021.1"),
    ("xena", "2021.2"),
    ("yoga", "2022.1"),
    ("zed", "2022.2"),
    ("antelope", "2023.1"),
    ("bobcat", "2023.2"),
    ("caracal", "2024.1"),
    ("dalmatian", "2024.2"),
    ("epoxy", "2025.1"),
    ("flamingo", "2025.2"),
    ("gazpacho", "2026.1"),
    ("hibiscus", "2026.2"),
)

MAX_MICROVERSIONS: Final = {
    "kilo": (2, 3),
    "liberty": (2, 12),
    "mitaka": (2, 25),
    "newton": (2, 38),
    "ocata": (2, 42),
    "pike": (2, 53),
    "queens": (2, 60),
    "rocky": (2, 65),
    "stein": (2, 72),
    "train": (2, 79),
    "ussuri": (2, 87),
    "victoria": (2, 87),
    "wallaby": (2, 88),
    "xena": (2, 90),
    "yoga": (2, 90),
    "zed": (2, 93),
    "antelope": (2, 95),
    "bobcat": (2, 95),
    "caracal": (2, 96),
    "dalmatian": (2, 96),
    "epoxy": (2, 100),
    "flamingo": (2, 100),
    "gazpacho": (2, 103),
    "hibiscus": (2, 104),
}
"""The newest microversion of each release that has any.

Source: `_MAX_API_VERSION` in Nova's `api_version_request.py` (15.1.5 to 33.0.2), before that
`rest_api_version_history.rst`; of 2026.2 the recordings here.
"""

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
        source: Where the promise stands.
    """

    types: tuple[type, ...]
    since: str
    required_since: str | None
    nullable: bool = False
    source: str


FIELDS: Final[dict[str, Field]] = {
    "id": Field(
        types=(str,), since="bexar", required_since="bexar", source="api-ref; UUID since Essex"
    ),
    "name": Field(
        types=(str,),
        since="bexar",
        required_since="bexar",
        nullable=True,
        source="schemas/images.py; Glance lets an image have no name",
    ),
    "status": Field(types=(str,), since="bexar", required_since="diablo", source="views/images.py"),
    "progress": Field(
        types=(int,), since="cactus", required_since="diablo", source="views/images.py"
    ),
    "minRam": Field(
        types=(int,), since="essex", required_since="essex", source="views/images.py, MiB"
    ),
    "minDisk": Field(
        types=(int,), since="essex", required_since="essex", source="views/images.py, GiB"
    ),
    "created": Field(types=(str,), since="cactus", required_since="cactus", source="api-ref"),
    "updated": Field(
        types=(str,),
        since="cactus",
        required_since="cactus",
        nullable=True,
        source="schemas/images.py allows null",
    ),
    "metadata": Field(types=(dict,), since="diablo", required_since="diablo", source="api-ref"),
    "links": Field(types=(list,), since="cactus", required_since="cactus", source="api-ref"),
    "server": Field(
        types=(dict,),
        since="diablo",
        required_since=None,
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
        source="views/images.py: only with metadata.auto_disk_config",
    ),
}


def release_index(name: str | None) -> int | None:
    """The place of a release in time, or None when it is unknown or not declared.

    Takes codenames and year-based names in any case: "Juno", "2014.2", "2026.2".
    """
    if name is None:
        return None
    for index, names in enumerate(_RELEASES):
        if name.lower() in names:
            return index
    return None


def release_names() -> tuple[str, ...]:
    """Every release known, as "codename (year-based name)", oldest first."""
    return tuple(release_name(index) for index in range(len(_RELEASES)))


def release_name(index: int) -> str:
    """The release at a place in time, as "codename (year-based name)"."""
    codename, number = _RELEASES[index]
    return f"{codename} ({number})"


def newest_release() -> int:
    """The place of the newest release known."""
    return len(_RELEASES) - 1


def promises(field: str, release: str | None) -> bool:
    """Whether every image of this release has the field.

    An undeclared release promises what the newest does: a client written today relies on it.
    """
    promise = FIELDS.get(field)
    return (
        promise is not None
        and promise.required_since is not None
        and _reached(release, promise.required_since)
    )


def offers(field: str, release: str | None) -> bool:
    """Whether this release can send the field at all; an undeclared one can send any."""
    promise = FIELDS.get(field)
    return promise is not None and _reached(release, promise.since)


def allows(field: str, value: Any) -> bool:
    """Whether a value has a type that the contract names; True is no integer here."""
    promise = FIELDS.get(field)
    if promise is None:
        return True
    if value is None:
        return promise.nullable
    return type(value) in promise.types


def _reached(release: str | None, first: str) -> bool:
    index, bound = release_index(release), release_index(first)
    return index is None or bound is None or index >= bound
