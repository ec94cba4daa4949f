"""What Nova makes of Glance's images and filters."""

from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail.check.outcomes import Outcome
from pytest_imagedetail.model import Image

PROPERTY: Final = "property-"
STATUSES: Final = (
    *("ACTIVE", "SAVING", "queued", "killed", "deactivated"),
    *("pending_delete", "importing", "uploading"),
)
"""Values of `status` that divide the images of Glance."""

_SHOWN_AS: Final = {"active": "ACTIVE", "queued": "SAVING", "saving": "SAVING"} | {
    **dict.fromkeys(("deleted", "pending_delete"), "DELETED"),
    "killed": "ERROR",
}
_NAMES: Final = {
    "id": "id",
    "name": "name",
    "minRam": "min_ram",
    "minDisk": "min_disk",
    "created": "created_at",
    "updated": "updated_at",
}
_FILTERS: Final = frozenset(
    {"changes-since", "container_format", "deleted", "disk_format", "limit", "locations"}
    | {"member_status", "size_max", "size_min", "sort", "sort_dir", "sort_key"}
)


def projected(document: Any) -> Image:
    """Return what Nova shows of an image of Glance."""
    found = document if isinstance(document, dict) else {}
    shown = {name: found.get(theirs) for name, theirs in _NAMES.items()}
    shown["status"] = _SHOWN_AS.get(str(found.get("status")), "UNKNOWN")
    shown["OS-EXT-IMG-SIZE:size"] = found.get("size") or 0
    return shown


def stripped(key: str) -> str:
    """Return what Nova makes of the name of a property in a filter since Newton."""
    return key.lstrip(PROPERTY)


def is_own_filter(outcome: Outcome) -> bool:
    """Return whether the property that was asked for has the name of a filter of Glance."""
    name = urlsplit(outcome.answer.request).query.partition("=")[0]
    return stripped(name.removeprefix(PROPERTY)) in _FILTERS
