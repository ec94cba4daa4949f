"""Nova's half of a query: which parameters count, which are refused, what Glance is asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qsl

from pytest_imagedetail.embedded.behavior import Behavior, IntegerCheck
from pytest_imagedetail.embedded.faults import FaultError, unexpected_fault

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

_DIGITS = re.compile("^[0-9]*$")


class ImageKind(Enum):
    """The documented values of `type`, which only a vendor ever gave a meaning."""

    BASE = "BASE"
    SERVER = "SERVER"
    ALL = "ALL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One request's query, understood as its release does.

    Attributes:
        parameters: Name and value in the order sent, for the next link.
        filters: Value by Glance's name; properties still have their `property-` prefix.
        kind: What `type` means where it is an enumeration.
        limit: Greatest number of images; None means no limit.
        marker: Id of the last image already seen.
    """

    parameters: tuple[tuple[str, str], ...] = ()
    filters: Mapping[str, str]
    kind: ImageKind = ImageKind.ALL
    limit: int | None = None
    marker: str | None = None


def read_query(query_string: str, behavior: Behavior) -> Query:
    """Understand a query string.

    Parameters that nobody knows are ignored, as in every release; of a repeated one the last wins.

    Args:
        query_string: As sent, quoted, without the question mark.
        behavior: The release.

    Raises:
        FaultError: 400 for what the release refuses, 500 for what it stumbles over.
    """
    parameters = _known(_decode(query_string, behavior), behavior)
    _check_integers(parameters, behavior)
    values = dict(parameters)
    kind = ImageKind.ALL
    if behavior.type_is_enumeration:
        kind = _kind(values.pop("type", ImageKind.ALL.value))
    return Query(
        parameters=parameters,
        filters=_filters(values),
        kind=kind,
        limit=int(values.get("limit", "0")) or None,
        marker=values.get("marker") or None,
    )


def _decode(query_string: str, behavior: Behavior) -> tuple[tuple[str, str], ...]:
    try:
        text = query_string.encode("latin-1").decode("utf-8")
        return tuple(parse_qsl(text, keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError as error:
        if behavior.bad_encoding_is_client_error:
            raise FaultError(400, "Query string is not UTF-8 encoded") from error
        raise unexpected_fault(error, behavior) from error


def _known(
    parameters: tuple[tuple[str, str], ...], behavior: Behavior
) -> tuple[tuple[str, str], ...]:
    only = behavior.only_parameters
    if only is not None:
        return tuple((name, value) for name, value in parameters if name in only)
    if behavior.integer_check is IntegerCheck.SCHEMA:  # the schema drops what it does not name
        known = {*_GLANCE_NAMES, *behavior.integer_parameters, "marker"}
        return tuple(
            (name, value)
            for name, value in parameters
            if name in known or name.startswith(PROPERTY)
        )
    return parameters


def _filters(values: Mapping[str, str]) -> Mapping[str, str]:
    filters = {
        _GLANCE_NAMES.get(name, name): value
        for name, value in values.items()
        if name in _GLANCE_NAMES or name.startswith(PROPERTY)
    }
    if "property-instance_uuid" in filters:
        # Whatever URL or bare id was sent: the text after the last slash, even if it is empty.
        filters["property-instance_uuid"] = filters["property-instance_uuid"].rpartition("/")[2]
    if "status" in filters:
        filters["status"] = filters["status"].lower()
    return filters


def _kind(value: str) -> ImageKind:
    # K5's manual names the valid values and is silent about others. Nova refuses what it cannot
    # read in its query with a 400, and silently listing everything would hide a typing error.
    try:
        return ImageKind(value)
    except ValueError:
        valid = ", ".join(kind.value for kind in ImageKind)
        message = f"Invalid input received: type must be one of {valid}"
        raise FaultError(400, message) from None


def _check_integers(parameters: tuple[tuple[str, str], ...], behavior: Behavior) -> None:
    if behavior.integer_check is IntegerCheck.SCHEMA:
        for name, value in parameters:
            if name in behavior.integer_parameters:
                _check_schema(name, value)
    for name, value in dict(parameters).items():
        if name in behavior.integer_parameters:
            _check_integer(name, value, behavior.integer_check)


def _check_schema(name: str, value: str) -> None:
    """The schema `positive_integer` of Nova 30.0.0 in the words of jsonschema."""
    problem = ""
    if not _DIGITS.match(value):
        problem = f"'{value}' does not match '{_DIGITS.pattern}'"
    elif not value:
        problem = "'' should be non-empty"
    elif not value.strip("0"):
        problem = "0 is less than the minimum of 1"
    if problem:
        raise FaultError(
            400, f"Invalid input for query parameters {name}. Value: {value}. {problem}"
        )


def _check_integer(name: str, value: str, check: IntegerCheck) -> None:
    try:
        negative = int(value) < 0
    except ValueError:
        raise FaultError(400, _wording(name, "an integer", check)) from None
    if negative:
        bound = "positive" if check is IntegerCheck.PARAM else ">= 0"
        raise FaultError(400, _wording(name, bound, check))


def _wording(name: str, demand: str, check: IntegerCheck) -> str:
    if check is IntegerCheck.PARAM:
        return f"{name} param must be {demand}"
    return f"Invalid input received: {name} must be {demand}"
