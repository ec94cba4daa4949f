"""How Glance answers a query: the images that a project sees, filtered and cut to a page."""

import re
from datetime import UTC, datetime

from tests.cloud.query import PROPERTY
from tests.cloud.wsgi import glance_error

_TEXTS = {"id", "name", "status"}
_NUMBERS = {"min_ram", "min_disk", "size"}
_LIST_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)",?|([^,]+),?|,')


def select(rows, query, project_id):
    """Return the images that a query selects: after the marker, up to the limit.

    Raises:
        FaultError: Glance refuses a filter or the marker.
    """
    conditions = list(_conditions(query.filters, project_id))
    rows = _after(query.marker, rows, project_id)
    return [row for row in rows if all(each(row) for each in conditions)][: query.limit]


def _after(marker, rows, project_id):
    if marker is None:
        return rows
    for position, row in enumerate(rows):
        if row.id == marker and not row.deleted:
            if not row.is_visible(project_id):
                raise glance_error(403, f"Forbidding request, image {marker} not visible")
            return rows[position + 1 :]
    raise glance_error(400, f"No image found with ID {marker}")


def _conditions(filters, project_id):
    yield lambda row: row.visibility == "public" or row.owner == project_id
    yield lambda row: not (row.hidden or row.deleted or row.status == "killed")
    # str.lstrip takes a set of characters, not a prefix. Nova has this bug since commit 8eca306ab0:
    # "property-os_distro" filters by "s_distro".
    stripped = {
        name.lstrip(PROPERTY) if name.startswith(PROPERTY) else name: value
        for name, value in filters.items()
    }
    for name, value in stripped.items():
        if name == "changes-since":
            yield _updated_since(value)
        elif name in _TEXTS:
            yield _matches_text(name, value)
        elif name in _NUMBERS:
            yield _equals(name, int(value))
        else:
            yield _has_property(name, value)


def _updated_since(text):
    try:
        time = parse_time(text)
    except ValueError:
        message = 'Bad "updated_at" query filter format. Use ISO 8601 DateTime notation.'
        raise glance_error(400, message) from None
    return lambda row: row.updated_at >= time


def _equals(attribute, value):
    return lambda row: getattr(row, attribute) == value


def _has_property(name, value):
    return lambda row: row.properties.get(name) == value


def _matches_text(attribute, expression):
    """Match `operator:value`; a text without a colon means equality."""
    operator, colon, value = expression.partition(":")
    if not colon:
        return _equals(attribute, expression)
    if operator != "in":
        raise glance_error(400, f"Unable to filter by unknown operator '{operator}'.")
    wanted = {each[1] or each[2] or "" for each in _LIST_ITEM.finditer(value)}
    return lambda row: getattr(row, attribute) in wanted


def parse_time(text):
    """Parse an ISO 8601 date as Glance does; without a time zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
