"""The images Glance holds: reading them from a seed file, and making more of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from pytest_imagedetail.embedded.errors import SeedError

DEFAULT_SEED = Path(__file__).with_name("seed.json")
"""The images every cloud starts with: one for each oddity of images/detail."""

OWN = "$project"
"""In a seed: the project of the cloud's user. Any other owner is a stranger."""

_STATUSES = frozenset(
    {
        "active",
        "deactivated",
        "deleted",
        "importing",
        "killed",
        "pending_delete",
        "queued",
        "saving",
        "uploading",
    }
)
_VISIBILITIES = frozenset({"public", "community", "shared", "private"})

# One created every 97 minutes from here: pages then differ in hours, days and months.
_GENERATED_FROM = datetime(2015, 1, 1, tzinfo=UTC)
_GENERATED_EVERY = timedelta(minutes=97)
_GENERATED_IDS = UUID("6d9f6f0e-3a1c-5c7e-9a52-0d7b8b7a4e10")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    """One image as Glance keeps it.

    Attributes:
        id: UUID.
        name: Name; Glance allows none at all.
        status: Glance's status word, lower case.
        visibility: public, community, shared or private.
        owner: Project id.
        hidden: os_hidden: left out of listings.
        deleted: Deleted, but still a row.
        size: Bytes; None before there is data.
        min_ram: MiB.
        min_disk: GiB.
        created_at: Aware, UTC.
        updated_at: Aware, UTC.
        properties: Extra properties, all text, as they become Nova's metadata.
    """

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


def load_rows(path: Path, project_id: str) -> tuple[ImageRow, ...]:
    """Read a seed file.

    Args:
        path: A JSON array of objects with the fields of `ImageRow`.
        project_id: Put wherever the seed says `$project`, as owner or as a property.

    Raises:
        SeedError: The file cannot be read, is not JSON, or holds something that is no image; the
            message names file, line, column and reason.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SeedError(path, f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise SeedError(path, f"is not UTF-8 (byte {error.start})") from error
    rows = []
    for offset, fields in _elements(path, text):
        try:
            rows.append(_row(fields, project_id))
        except (TypeError, ValueError, KeyError) as error:
            line, column = _position(text, offset)
            raise SeedError(path, _reason(error), line=line, column=column) from error
    return tuple(rows)


def generated_rows(count: int, project_id: str) -> Iterator[ImageRow]:
    """Make plain active images, the same ones for the same count.

    Args:
        count: How many.
        project_id: Their owner.
    """
    for number in range(count):
        created = _GENERATED_FROM + number * _GENERATED_EVERY
        yield ImageRow(
            id=str(uuid5(_GENERATED_IDS, str(number))),
            name=f"generated-{number:06d}",
            status="active",
            owner=project_id,
            size=(number + 1) * 65536,
            min_disk=number % 8,
            created_at=created,
            updated_at=created + timedelta(minutes=number % 60),
            properties={"architecture": "x86_64", "generated": str(number)},
        )


def newest_first(rows: Iterable[ImageRow]) -> tuple[ImageRow, ...]:
    """Glance's default order: created_at, then id, both descending."""
    return tuple(sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True))


def _elements(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Each element of a JSON array with the offset where it begins."""
    decoder = json.JSONDecoder()
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise SeedError(path, error.msg, line=error.lineno, column=error.colno) from error
    if not isinstance(document, list):
        raise SeedError(path, "is not a JSON array")
    offset = text.index("[") + 1
    for _ in document:
        offset += len(text[offset:]) - len(text[offset:].lstrip(" \t\r\n,"))
        element, end = decoder.raw_decode(text, offset)
        yield offset, element
        offset = end


def _position(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _row(fields: Any, project_id: str) -> ImageRow:
    if not isinstance(fields, dict):
        raise TypeError(f"an image must be an object, not {json.dumps(fields)}")
    row = ImageRow(
        **{
            **fields,
            "id": str(UUID(fields["id"])),
            "owner": project_id if fields["owner"] == OWN else fields["owner"],
            "created_at": _time(fields["created_at"]),
            "updated_at": _time(fields["updated_at"]),
            "properties": {
                key: project_id if value == OWN else value
                for key, value in fields["properties"].items()
            },
        }
    )
    _one_of("status", row.status, _STATUSES)
    _one_of("visibility", row.visibility, _VISIBILITIES)
    return row


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC)


def _one_of(field: str, value: str, allowed: frozenset[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{field} {value!r} is none of {', '.join(sorted(allowed))}")


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"the image has no {error}"
    return str(error).replace("ImageRow.__init__()", "the image").removesuffix(".")
