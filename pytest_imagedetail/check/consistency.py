"""What must hold within one image, whatever other images there are."""

from collections.abc import Iterator
from typing import Final

from pytest_imagedetail import contract
from pytest_imagedetail.check.asking import hrefs
from pytest_imagedetail.check.samples import metadata, server_of
from pytest_imagedetail.model import Image

STATUSES: Final = ("ACTIVE", "SAVING", "DELETED", "ERROR", "UNKNOWN")
"""What Nova shows."""

_PROGRESS: Final = {"ACTIVE": {100}, "SAVING": {25, 50}}


def inconsistent(image: Image, release: str | None) -> Iterator[str]:
    """Yield what is wrong with an image."""
    for name, promise in contract.FIELDS.items():
        if name not in image and contract.promises(name, release):
            yield f"lacks {name}"
        elif name in image and type(image[name]) not in promise.part_in(release).types:
            yield f"has another type of {name}: {contract.json_type(image[name])}"
    shown, progress = image.get("status"), image.get("progress")
    if shown not in STATUSES:
        yield f"has the status {shown}, which Nova never sends"
    is_old = release is not None and not contract.reached(release, "essex")
    if progress not in _PROGRESS.get(str(shown), {0}) and not (is_old and progress == 0):
        yield f"has the status {shown} and the progress {progress}"
    if server_of(image) != metadata(image).get("instance_uuid"):
        yield "has another server than metadata.instance_uuid"
    for rel, href in hrefs(image).items():
        if href.rpartition("/")[2] != str(image["id"]):
            yield f"has a link to another image: {rel}"
    if str(image.get("updated") or "9") < str(image.get("created")):
        yield "was updated before it was created"


def disk_config(image: Image) -> Iterator[str]:
    """Yield what is wrong with its OS-DCF:diskConfig."""
    has, wanted = "OS-DCF:diskConfig" in image, "auto_disk_config" in metadata(image)
    if has != wanted:
        yield f"{'has' if has else 'lacks'} OS-DCF:diskConfig, unlike metadata.auto_disk_config"
