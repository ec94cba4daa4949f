"""Describe how Nova maps Glance's images and filters, and which images are inconsistent."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.check.asking import PROPERTY, hrefs
from pytest_imagedetail.check.samples import metadata, server_of
from pytest_imagedetail.model import Image

STORED: Final = (
    *("ACTIVE", "SAVING", "queued", "killed", "deactivated"),
    *("pending_delete", "importing", "uploading"),
)
"""The values of `status` that partition Glance's images."""

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
OWN_FILTERS: Final = (
    f"{PROPERTY}(changes-since|container_format|deleted|disk_format|limit|locations|"
    "member_status|size_max|size_min|sort|sort_dir|sort_key)="
)
"""A pattern of property filters whose property has the name of a Glance filter."""

_PROGRESS: Final = {"ACTIVE": [100], "SAVING": [25, 50]}


def projected(glance_image: Mapping[str, Any]) -> Image:
    """Return what Nova shows of a Glance image."""
    image: Image = {name: glance_image.get(theirs) for name, theirs in _NAMES.items()}
    image["status"] = _SHOWN_AS.get(str(glance_image.get("status")), "UNKNOWN")
    image["OS-EXT-IMG-SIZE:size"] = glance_image.get("size") or 0
    return image


def stripped(key: str) -> str:
    """Strip the name of a property in a filter as Nova does since Newton."""
    return key.lstrip(PROPERTY)


def inconsistent(image: Image, release: str | None) -> Iterator[str]:
    """Yield what is wrong with an image."""
    for name, promise in contract.FIELDS.items():
        if name not in image and contract.promises(name, release):
            yield f"lacks {name}"
        elif name in image and type(image[name]) not in promise.part_in(release).types:
            yield f"has another type of {name}: {contract.json_type(image[name])}"
    status, progress = image.get("status"), image.get("progress")
    if status not in contract.STATUSES:
        yield f"has a status that Nova never sends: {status}"
    if progress not in _PROGRESS.get(str(status), [0]):
        yield f"has a progress that does not fit its status: {progress}, {status}"
    if server_of(image) != metadata(image).get("instance_uuid"):
        yield "has another server than metadata.instance_uuid"
    own = f"/{image['id']}"
    others = (rel for rel, href in hrefs(image).items() if not f"/{href}".endswith(own))
    yield from (f"has a link to another image ({rel})" for rel in others)
    if str(image.get("updated") or "9") < str(image.get("created")):
        yield "was updated before it was created"
    has, expected = "OS-DCF:diskConfig" in image, "auto_disk_config" in metadata(image)
    if has != expected:
        yield f"{'has' if has else 'lacks'} OS-DCF:diskConfig, unlike metadata.auto_disk_config"
