"""How Nova reads a query: what it refuses, and which filters it passes to Glance."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from tests.cloud.wsgi import FaultError, unexpected

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
_INTEGERS = ("limit", "page_size", "offset")
_OF_SCHEMA = {*_GLANCE_NAMES, *_INTEGERS, "marker"}
_DIGITS = re.compile("^[0-9]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The query of one request.

    Attributes:
        parameters: The names and values that a next link repeats, in their order.
        filters: Values by Glance's names; properties still have their `property-` prefix.
    """

    parameters: tuple[tuple[str, str], ...]
    filters: Mapping[str, str]
    limit: int | None
    marker: str | None


def read_query(text, release):
    """Parse a query string; the last value of a repeated name counts.

    Raises:
        FaultError: 400 for what the release refuses, 500 for what it fails on.
    """
    parameters = _decoded(text, release)
    _check_integers(parameters, release)
    values = dict(parameters)
    if release.has_schema:
        # Nova 30.0.0 strips what its schema does not name (_strip_additional_query_parameters).
        parameters = tuple(
            each for each in parameters if each[0] in _OF_SCHEMA or each[0].startswith(PROPERTY)
        )
    return Query(
        parameters=parameters,
        filters=_filters(values),
        limit=int(values.get("limit", "0")) or None,
        marker=values.get("marker") or None,
    )


def _decoded(text, release):
    try:
        text = text.encode("latin-1").decode("utf-8")
        return tuple(parse_qsl(text, keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError as error:
        if release.has_schema:
            raise FaultError(400, "Query string is not UTF-8 encoded") from error
        raise unexpected(error) from error


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


def _check_integers(parameters, release):
    if release.has_schema:
        for name, value in parameters:
            if name in _INTEGERS:
                _check_schema(name, value)
    for name, value in dict(parameters).items():
        if name in _INTEGERS and not (release.is_essex and name != "limit"):
            _check_integer(name, value, "{} param must be {}" if release.is_essex else _REFUSED)


_REFUSED = "Invalid input received: {} must be {}"


def _check_integer(name, value, refused):
    try:
        negative = int(value) < 0
    except ValueError:
        raise FaultError(400, refused.format(name, "an integer")) from None
    if negative:
        bound = ">= 0" if refused == _REFUSED else "positive"
        raise FaultError(400, refused.format(name, bound))


def _check_schema(name, value):
    """Check like the schema `positive_integer`, with the messages of jsonschema."""
    problem = ""
    if not _DIGITS.match(value):
        problem = f"'{value}' does not match '{_DIGITS.pattern}'"
    elif not value:
        problem = "'' should be non-empty"
    elif not value.strip("0"):
        problem = "0 is less than the minimum of 1"
    if problem:
        text = f"Invalid input for query parameters {name}. Value: {value}. {problem}"
        raise FaultError(400, text)
