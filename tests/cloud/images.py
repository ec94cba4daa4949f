"""The images that a project sees in Glance, and how Glance selects some of them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from tests.cloud.wsgi import FaultError
from tests.realcloud.images import IMAGES, LISTED_TO_DEMO

PROPERTY = "property-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    id: str
    name: str | None
    status: str
    size: int | None
    min_ram: int
    min_disk: int
    created_at: datetime
    updated_at: datetime
    properties: dict[str, str]


def default_rows():
    """Return the images that the real clouds in the library list."""
    return [_row(image) for image in IMAGES if image.id in LISTED_TO_DEMO]


def _row(image):
    status = "queued" if image.data is None else "active"
    return ImageRow(
        id=image.id,
        name=image.name,
        status="deactivated" if image.deactivated else image.status or status,
        size=image.size or image.data,
        min_ram=image.min_ram,
        min_disk=image.min_disk,
        created_at=time_of(image.created),
        updated_at=time_of(image.updated),
        properties=dict(image.properties),
    )


def time_of(text):
    """Parse an ISO 8601 date as Glance does; without a time zone it is UTC."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def newest_first(rows):
    return sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)


def select(rows, query):
    """Return the images that a query selects: after the marker, up to the limit."""
    if query.marker:
        ids = [row.id for row in rows]
        if query.marker not in ids:
            raise FaultError(400)
        rows = rows[ids.index(query.marker) + 1 :]
    conditions = [_condition(*each) for each in query.filters.items()]
    return [row for row in rows if all(each(row) for each in conditions)][: query.limit]


def _condition(name, value):
    # str.lstrip takes a set of characters, not a prefix. Nova has this bug since commit 8eca306ab0:
    # "property-os_distro" filters by "s_distro".
    name = name.lstrip(PROPERTY) if name.startswith(PROPERTY) else name
    if name == "changes-since":
        return lambda row: row.updated_at >= time_of(value)
    if name == "name" and ":" in value:  # an operator, such as `in:`
        raise FaultError(400)
    if name in {"name", "status"}:
        return lambda row: getattr(row, name) == value
    if name in {"min_ram", "min_disk"}:
        return lambda row: getattr(row, name) == int(value)
    return lambda row: row.properties.get(name) == value
