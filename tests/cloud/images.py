"""The images that a project sees in Glance, and how a query selects some of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from tests.cloud.wsgi import FaultError
from tests.realcloud.images import IMAGES, LISTED_TO_DEMO

PROPERTY = "property-"
# SUPPORTED_FILTERS of Nova's images controller, unchanged from Essex to 34.0.0.
_GLANCE_NAMES = {
    "name": "name",
    "status": "status",
    "changes-since": "changes-since",
    "server": "property-instance_uuid",
    "type": "property-image_type",
    "minRam": "min_ram",
    "minDisk": "min_disk",
}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The query of one request."""

    parameters: tuple[tuple[str, str], ...]  # those that a next link repeats
    filters: Mapping[str, str]  # by Glance's names; properties still have their prefix
    limit: int | None
    marker: str | None


def read_query(text, release):
    """Parse a query string; raise FaultError for a limit that the release refuses."""
    parameters = tuple(parse_qsl(text, keep_blank_values=True))
    values = dict(parameters)
    limit = values.get("limit", "1")
    if not limit.isdecimal() or (release.has_schema and int(limit) == 0):
        raise FaultError(400)
    if release.has_schema:
        # Nova 30.0.0 strips what its schema does not name (_strip_additional_query_parameters).
        known = {*_GLANCE_NAMES, "limit", "marker"}
        parameters = tuple(
            each for each in parameters if each[0] in known or each[0].startswith(PROPERTY)
        )
    return Query(
        parameters=parameters,
        filters=_filters(values),
        limit=int(values.get("limit", "0")) or None,
        marker=values.get("marker") or None,
    )


def _filters(values):
    filters = {
        _GLANCE_NAMES.get(name, name): value
        for name, value in values.items()
        if name in _GLANCE_NAMES or name.startswith(PROPERTY)
    }
    if "property-instance_uuid" in filters:
        # A URL or an id: the text after the last slash counts, even if it is empty.
        filters["property-instance_uuid"] = filters["property-instance_uuid"].rpartition("/")[2]
    if "status" in filters:
        filters["status"] = filters["status"].lower()
    return filters


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
