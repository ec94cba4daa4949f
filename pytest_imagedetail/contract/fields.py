"""List what each release of Nova promises of image details, and how it treats query parameters.

Sources: Nova's `views/images.py` at the tags named and its api-ref.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from pytest_imagedetail.contract.releases import reached
from pytest_imagedetail.contract.values import ANYTHING, ISOTIME, UUID, Part

# The whole enumeration since Diablo: Nova views/images.py, _get_status and its callers.
_STATUSES: Final = frozenset({"ACTIVE", "SAVING", "DELETED", "ERROR", "UNKNOWN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What is promised of one field of an image detail.

    Attributes:
        part: What is promised of its value.
        since: The first release that sends it.
        required_since: The first release in which every image has it; None if some images lack it.
        source: Where the promise is documented.
        earlier: Releases before which something else was promised of its value, oldest first.
        cause: The metadata key for which Nova sends the field; None if it needs none.
    """

    part: Part
    since: str
    required_since: str | None
    source: str
    earlier: tuple[tuple[str, Part], ...] = ()
    cause: str | None = None

    def part_in(self, release: str | None) -> Part:
        """Return what a release promises of the value; the newest if none is declared."""
        older = (part for first, part in self.earlier if not reached(release, first))
        return next(older, self.part)


_TEXT: Final = Part(types=(str,))
_METADATA: Final = Part(
    types=(dict,),
    # Nova decodes these two from JSON (views/images.py); all other values are texts of Glance.
    names={"block_device_mapping": ANYTHING, "mappings": ANYTHING},
    others=Part(types=(str, type(None))),
)
_LINKS: Final = Part(
    types=(list,),
    others=Part(types=(dict,), names={"rel": _TEXT, "href": _TEXT}, others=ANYTHING, several=True),
)

FIELDS: Final[dict[str, Field]] = {
    "id": Field(
        part=Part(types=(str,), form=UUID),
        since="bexar",
        required_since="bexar",
        source="api-ref; UUID since Essex, counted by Glance before, a number before Diablo",
        earlier=(("diablo", Part(types=(int,))), ("essex", _TEXT)),
    ),
    "name": Field(
        part=Part(types=(str, type(None))),
        since="bexar",
        required_since="bexar",
        source="schemas/images.py; Glance lets an image have no name",
    ),
    "status": Field(
        part=Part(types=(str,), values=_STATUSES),
        since="bexar",
        required_since="diablo",
        source="views/images.py",
        earlier=(("diablo", _TEXT),),
    ),
    "progress": Field(
        part=Part(types=(int,), least=0),
        since="cactus",
        required_since="diablo",
        source="views/images.py",
    ),
    "minRam": Field(
        part=Part(types=(int,), least=0),
        since="essex",
        required_since="essex",
        source="views/images.py, MiB",
    ),
    "minDisk": Field(
        part=Part(types=(int,), least=0),
        since="essex",
        required_since="essex",
        source="views/images.py, GiB",
    ),
    "created": Field(
        part=Part(types=(str,), form=ISOTIME),
        since="cactus",
        required_since="cactus",
        source="api-ref",
    ),
    "updated": Field(
        part=Part(types=(str, type(None)), form=ISOTIME),
        since="cactus",
        required_since="cactus",
        source="schemas/images.py allows null",
    ),
    "metadata": Field(part=_METADATA, since="diablo", required_since="diablo", source="api-ref"),
    "links": Field(part=_LINKS, since="cactus", required_since="cactus", source="api-ref"),
    "server": Field(
        part=Part(
            types=(dict,),
            # Nova copies instance_uuid, which any user may set to any text.
            names={"id": _TEXT, "links": _LINKS},
            others=ANYTHING,
        ),
        since="diablo",
        required_since=None,
        source="views/images.py: only with metadata.instance_uuid",
        cause="instance_uuid",
    ),
    "OS-EXT-IMG-SIZE:size": Field(
        part=Part(types=(int,)),
        since="grizzly",
        required_since="stein",
        source="Nova d2b553030e; an extension with a policy through Rocky",
    ),
    "OS-DCF:diskConfig": Field(
        part=Part(types=(str,), values=frozenset({"AUTO", "MANUAL"})),
        since="diablo",
        required_since=None,
        source="views/images.py: only with metadata.auto_disk_config",
        cause="auto_disk_config",
    ),
}


def promises(field: str, release: str | None) -> bool:
    """Tell whether a release promises the field for every image.

    An undeclared release promises what the newest does: a client written today relies on it.
    """
    promise = FIELDS.get(field)
    return (
        promise is not None
        and promise.required_since is not None
        and reached(release, promise.required_since)
    )


def offers(field: str, release: str | None) -> bool:
    """Tell whether a release can send the field at all; an undeclared one can send any."""
    promise = FIELDS.get(field)
    return promise is not None and reached(release, promise.since)


@cache
def image_in(release: str | None) -> Part:
    """Return what a release promises of an image detail; the newest if none is declared."""
    names = {name: each.part_in(release) for name, each in FIELDS.items() if offers(name, release)}
    return Part(types=(dict,), names=names, others=ANYTHING)


IMAGE: Final = image_in(None)
"""What the newest release promises of an image detail."""

_SUPPORTED: Final = "Nova api/openstack/compute/images.py, SUPPORTED_FILTERS"

FILTERS: Final[Mapping[str, str]] = {
    "name": "equality; since Newton a colon in it is taken for an operator, which is a 400; "
    "Glance 13.0.0 db/sqlalchemy/api.py, split_filter_op",
    "status": "a status of Glance in lower case since Essex: SAVING finds no queued image, ERROR "
    "and UNKNOWN find none; Nova ff716dee03",
    "server": "since Essex the last segment of the URL is the id; a trailing slash finds nothing; "
    "Nova api/openstack/compute/images.py, _get_filters",
    "type": "equality with metadata.image_type (snapshot, backup); BASE, SERVER and ALL are "
    f"documented and were never in Nova, so they find nothing; {_SUPPORTED}",
    "changes-since": "through Mitaka deleted images are included and the bound is not; since "
    "Newton the other way round; Nova 14.0.0 conf/glance.py, use_glance_v1; Glance v1 and v2",
    "minRam": f"equality, although the documents say at least; {_SUPPORTED}",
    "minDisk": f"equality, although the documents say at least; {_SUPPORTED}",
    "limit": "0 means no limit through 2024.1; since 2024.2 the schema refuses it; Nova 30.0.0, "
    "commit 41b436bff7; Nova 29.4.0 has no such schema; recordings of 2023.1 and 2024.2",
    "marker": "the id of the last image seen; Diablo takes integers only; Nova 2011.3 "
    "api/openstack/common.py",
    "property-": "since Newton letters of `property-` are cut from the key, too: os_type is asked "
    "as s_type; Nova 8eca306ab0",
}
"""How Nova treats query parameters, by name; `property-` stands for all that begin with it."""
