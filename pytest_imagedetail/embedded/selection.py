"""Glance's half of a query: which images a project sees, filtered, ordered and cut to a page."""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pytest_imagedetail.embedded.behavior import Behavior, ImageApi
from pytest_imagedetail.embedded.dates import parse_time
from pytest_imagedetail.embedded.faults import FaultError, glance_fault
from pytest_imagedetail.embedded.query import PROPERTY, ImageKind, Query
from pytest_imagedetail.embedded.seed import ImageRow

Condition = Callable[[ImageRow], bool]

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_TEXTS = frozenset({"id", "name", "status"})
_NUMBERS = frozenset({"min_ram", "min_disk", "size"})
_TIMES = frozenset({"created_at", "updated_at"})

_LIST_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)",?|([^,]+),?|,')


def select(
    rows: Sequence[ImageRow], query: Query, behavior: Behavior, project_id: str
) -> list[ImageRow]:
    """Choose the images that answer a query.

    Args:
        rows: Every image of the cloud, newest first.
        query: What was asked.
        behavior: The release; it says which Glance API is asked.
        project_id: Who asks.

    Returns:
        Newest first, after the marker, at most `query.limit` of them.

    Raises:
        FaultError: Glance refuses a filter or the marker.
    """
    conditions = list(_conditions(query, behavior, project_id))
    found = [
        row
        for row in _after(query.marker, rows, behavior, project_id)
        if all(condition(row) for condition in conditions)
    ]
    return found[: query.limit]


def is_visible(row: ImageRow, project_id: str) -> bool:
    """Whether a project may look at an image whose id it knows."""
    return row.visibility in {"public", "community"} or row.owner == project_id


def _after(
    marker: str | None, rows: Sequence[ImageRow], behavior: Behavior, project_id: str
) -> Sequence[ImageRow]:
    if marker is None:
        return rows
    for position, row in enumerate(rows):
        if row.id == marker and not row.deleted:
            if not is_visible(row, project_id):
                raise _forbidden_marker(marker, behavior)
            return rows[position + 1 :]
    raise _unknown_marker(marker, behavior)


def _unknown_marker(marker: str, behavior: Behavior) -> FaultError:
    if behavior.image_api is ImageApi.V1:
        return glance_fault(400, "Invalid marker. Image could not be found.", behavior)
    return glance_fault(400, f"No image found with ID {marker}", behavior)


def _forbidden_marker(marker: str, behavior: Behavior) -> FaultError:
    if behavior.image_api is ImageApi.V1:
        # The Glance v1 registry does not let on that the image exists.
        return _unknown_marker(marker, behavior)
    return glance_fault(403, f"Forbidding request, image {marker} not visible", behavior)


def _conditions(query: Query, behavior: Behavior, project_id: str) -> Iterator[Condition]:
    yield lambda row: not row.hidden
    yield from _of_kind(query.kind)
    if behavior.image_api is ImageApi.V1:
        yield _listed_for(project_id)
        yield from _version_1(query.filters, behavior)
    else:
        yield lambda row: not row.deleted and row.status != "killed"
        yield from _version_2(query.filters, behavior, project_id)


def _of_kind(kind: ImageKind) -> Iterator[Condition]:
    if kind is not ImageKind.ALL:
        from_server = kind is ImageKind.SERVER
        yield lambda row: ("instance_uuid" in row.properties) is from_server


def _listed_for(project_id: str) -> Condition:
    return lambda row: row.visibility == "public" or row.owner == project_id


def _version_1(filters: Mapping[str, str], behavior: Behavior) -> Iterator[Condition]:
    """Filters of the Glance v1 registry."""
    if "changes-since" not in filters:
        # Only here: the registry drops this condition as soon as changes-since is asked for, so
        # that a client can learn what is gone.
        yield lambda row: not row.deleted and row.status != "killed"
    for name, value in filters.items():
        if name == "changes-since":
            since = _time_or_refusal(value, "Unrecognized changes-since value", behavior)
            yield _compares("updated_at", "gt", since)
        elif name in _NUMBERS:
            yield _equals_number(name, value)
        elif name.startswith(PROPERTY):
            yield _has_property(name.removeprefix(PROPERTY), value)
        else:
            yield _compares(name, "eq", value)


def _version_2(
    filters: Mapping[str, str], behavior: Behavior, project_id: str
) -> Iterator[Condition]:
    """Filters of the Glance v2 API, as Nova spells them."""
    translated = dict(_translate(name, value) for name, value in filters.items())
    yield _has_visibility(translated.pop("visibility", ""), behavior, project_id)
    for name, value in translated.items():
        if name in _TEXTS:
            yield _matches_text(name, value, behavior)
        elif name in _NUMBERS:
            yield _equals_number(name, value)
        elif name in _TIMES:
            yield _matches_time(name, value, behavior)
        elif name == "owner":
            yield _compares(name, "eq", value)
        else:
            yield _has_property(name, value)


def _translate(name: str, value: str) -> tuple[str, str]:
    if name == "changes-since":
        return "updated_at", f"gte:{value}"
    if name.startswith(PROPERTY):
        # Not a prefix: str.lstrip takes a set of characters, and so does Nova since commit
        # 8eca306ab0. "property-os_distro" asks for the property "s_distro".
        return name.lstrip(PROPERTY), value
    return name, value


def _compares(attribute: str, comparison: str, value: object) -> Condition:
    compare = _COMPARISONS[comparison]
    return lambda row: compare(getattr(row, attribute), value)


def _equals_number(attribute: str, value: str) -> Condition:
    try:
        return _compares(attribute, "eq", int(value))
    except ValueError:
        return lambda _: False


def _has_property(name: str, value: str) -> Condition:
    return lambda row: row.properties.get(name) == value


def _matches_text(attribute: str, expression: str, behavior: Behavior) -> Condition:
    comparison, value = _split(expression)
    if comparison == "in":
        wanted = frozenset(_list_items(value))
        return lambda row: getattr(row, attribute) in wanted
    if comparison == "eq":
        return _compares(attribute, "eq", value)
    raise glance_fault(400, f"Unable to filter by unknown operator '{comparison}'.", behavior)


def _matches_time(attribute: str, expression: str, behavior: Behavior) -> Condition:
    comparison, value = _split(expression)
    message = f'Bad "{attribute}" query filter format. Use ISO 8601 DateTime notation.'
    time = _time_or_refusal(value, message, behavior)
    if comparison not in _COMPARISONS:
        raise glance_fault(400, "Unable to filter on a unknown operator.", behavior)
    return _compares(attribute, comparison, time)


def _split(expression: str) -> tuple[str, str]:
    """Take Glance's `operator:value` apart; a date keeps its colons, no colon means equality."""
    comparison, colon, value = expression.partition(":")
    if not colon or _is_time(expression):
        return "eq", expression
    return comparison, value


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except ValueError:
        return False
    return True


def _time_or_refusal(text: str, message: str, behavior: Behavior) -> datetime:
    try:
        return parse_time(text)
    except ValueError:
        raise glance_fault(400, message, behavior) from None


def _list_items(value: str) -> Iterable[str]:
    return (match[1] or match[2] or "" for match in _LIST_ITEM.finditer(value))


def _has_visibility(visibility: str, behavior: Behavior, project_id: str) -> Condition:
    """What `property-visibility` makes of a listing; empty is the ordinary one."""
    match visibility:
        case "":
            return _listed_for(project_id)
        case "all":
            return lambda row: is_visible(row, project_id)
        case "public" | "community":
            return lambda row: row.visibility == visibility
        case "shared" | "private":
            return lambda row: row.visibility == visibility and row.owner == project_id
        case _:
            raise glance_fault(400, f"Invalid visibility value: {visibility}", behavior)
