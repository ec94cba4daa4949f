"""How Glance answers a query: the images that a project sees, filtered and cut to a page."""

import operator
import re
from datetime import UTC, datetime

from tests.cloud.query import PROPERTY
from tests.cloud.wsgi import glance_error

_COMPARISONS = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_TEXTS = {"id", "name", "status"}
_NUMBERS = {"min_ram", "min_disk", "size"}
_TIMES = {"created_at", "updated_at"}
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
    translated = dict(_translated(name, value) for name, value in filters.items())
    for name, value in translated.items():
        if name in _TEXTS:
            yield _matches_text(name, value)
        elif name in _NUMBERS:
            yield _equals_number(name, value)
        elif name in _TIMES:
            yield _matches_time(name, value)
        else:
            yield _has_property(name, value)


def _translated(name, value):
    if name == "changes-since":
        return "updated_at", f"gte:{value}"
    if name.startswith(PROPERTY):
        # str.lstrip takes a set of characters, not a prefix. Nova has this bug since commit
        # 8eca306ab0: "property-os_distro" filters by "s_distro".
        return name.lstrip(PROPERTY), value
    return name, value


def _compares(attribute, comparison, value):
    compare = _COMPARISONS[comparison]
    return lambda row: compare(getattr(row, attribute), value)


def _equals_number(attribute, value):
    try:
        return _compares(attribute, "eq", int(value))
    except ValueError:
        return lambda _: False


def _has_property(name, value):
    return lambda row: row.properties.get(name) == value


def _matches_text(attribute, expression):
    comparison, value = _split(expression)
    if comparison == "in":
        wanted = {each[1] or each[2] or "" for each in _LIST_ITEM.finditer(value)}
        return lambda row: getattr(row, attribute) in wanted
    if comparison == "eq":
        return _compares(attribute, "eq", value)
    raise glance_error(400, f"Unable to filter by unknown operator '{comparison}'.")


def _matches_time(attribute, expression):
    comparison, value = _split(expression)
    try:
        time = parse_time(value)
    except ValueError:
        message = f'Bad "{attribute}" query filter format. Use ISO 8601 DateTime notation.'
        raise glance_error(400, message) from None
    if comparison not in _COMPARISONS:
        raise glance_error(400, "Unable to filter on a unknown operator.")
    return _compares(attribute, comparison, time)


def _split(expression):
    """Split `operator:value`; a date, or a text without a colon, means equality."""
    comparison, colon, value = expression.partition(":")
    try:
        parse_time(expression)
    except ValueError:
        return (comparison, value) if colon else ("eq", expression)
    return "eq", expression


def parse_time(text):
    """Parse an ISO 8601 date as Glance does; without a time zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
