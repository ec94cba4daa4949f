"""How Nova reads a query: what it refuses, and which filters it passes to Glance."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from tests.cloud.images import PROPERTY
from tests.cloud.wsgi import FaultError

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
