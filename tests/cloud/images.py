"""The images in Glance, read from a seed file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

DEFAULT_SEED = Path(__file__).with_name("seed.json")
"""The images of every cloud: one for each special case of images/detail."""

OWN = "$project"  # in a seed: the project of the cloud's user


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    id: str
    name: str | None
    status: str
    visibility: str = "private"
    owner: str
    hidden: bool = False
    deleted: bool = False
    size: int | None = None
    min_ram: int = 0
    min_disk: int = 0
    created_at: datetime
    updated_at: datetime
    properties: Mapping[str, str | None]

    def is_visible(self, project_id):
        """Return whether a project may see the image if it knows the id."""
        return self.visibility in {"public", "community"} or self.owner == project_id


def load_rows(path, project_id):
    """Read a seed file, a JSON array of images, and sort them as Glance does by default."""

    def owner(value):
        return project_id if value == OWN else value

    rows = [
        ImageRow(
            **{
                **fields,
                "owner": owner(fields["owner"]),
                "created_at": datetime.fromisoformat(fields["created_at"]),
                "updated_at": datetime.fromisoformat(fields["updated_at"]),
                "properties": {key: owner(text) for key, text in fields["properties"].items()},
            }
        )
        for fields in json.loads(Path(path).read_text(encoding="utf-8"))
    ]
    return sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)
