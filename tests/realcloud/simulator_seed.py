"""A seed for the simulator with the images of the real clouds."""

import json
from pathlib import Path
from typing import Any

from .images import IMAGES, Image

STRANGER = "5eed00000000400080000000000000ff"
"""The id of the other project, which is random in real clouds."""


def write(path: Path) -> Path:
    """Write the seed file."""
    path.write_text(json.dumps([_row(image) for image in IMAGES], indent=1), encoding="utf-8")
    return path


def _row(image: Image) -> dict[str, Any]:
    return {
        "id": image.id,
        "name": image.name,
        "status": _status(image),
        "visibility": image.visibility,
        "owner": "$project" if image.project == "demo" else STRANGER,
        "hidden": image.hidden,
        "deleted": image.deleted,
        "size": image.data if image.size is None else image.size,
        "min_ram": image.min_ram,
        "min_disk": image.min_disk,
        "created_at": image.created.replace(" ", "T") + "Z",
        "updated_at": image.updated.replace(" ", "T") + "Z",
        "properties": dict(image.properties),
    }


def _status(image: Image) -> str:
    if image.deleted:
        return "deleted"
    if image.deactivated:
        return "deactivated"
    return image.status or ("queued" if image.data is None else "active")
