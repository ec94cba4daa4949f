"""The images in Glance: read from a seed file, or generated."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

DEFAULT_SEED = Path(__file__).with_name("seed.json")
"""The images of every cloud: one for each special case of images/detail."""

OWN = "$project"  # in a seed: the project of the cloud's user
_FIRST = datetime(2015, 1, 1, tzinfo=UTC)
_NAMESPACE = UUID("6d9f6f0e-3a1c-5c7e-9a52-0d7b8b7a4e10")


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
    """Read a seed file: a JSON array of objects with the fields of `ImageRow`."""

    def owner(value):
        return project_id if value == OWN else value

    return [
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


def generated_rows(count, project_id):
    """Generate plain active images, always the same."""
    for number in range(count):
        created = _FIRST + number * timedelta(minutes=97)
        yield ImageRow(
            id=str(uuid5(_NAMESPACE, str(number))),
            name=f"generated-{number:06d}",
            status="active",
            owner=project_id,
            size=(number + 1) * 65536,
            min_disk=number % 8,
            created_at=created,
            updated_at=created + timedelta(minutes=number % 60),
            properties={"architecture": "x86_64", "generated": str(number)},
        )


def newest_first(rows):
    """Sort as Glance does by default: by created_at, then id, both descending."""
    return sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)
