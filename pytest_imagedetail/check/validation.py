"""Validate an answer by the response schemas of Nova and tempest, exactly as these do."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from math import isfinite
from typing import Any
from uuid import UUID

from pytest_imagedetail.errors import ImageDetailError


@cache
def validator(owner: str) -> Callable[[Any], Iterator[Any]]:
    """Return a function that yields the errors of a document, in the order of the schema.

    Args:
        owner: Whose schema, "nova" or "tempest".

    Raises:
        ImageDetailError: The extra `check` is not installed.
    """
    try:  # optional, and slow to import
        from jsonschema import validators  # noqa: PLC0415

        formats = _formats()
    except ImportError as missing:
        raise ImageDetailError(
            f"the forecast needs {missing.name}, which is not installed",
            remedy="install the extra: pip install 'pytest-imagedetail[check]'",
        ) from None
    folder = resources.files("pytest_imagedetail.contract") / "schemas"
    schema = json.loads((folder / f"{owner}-images-detail.json").read_text(encoding="utf-8"))
    draft = validators.validator_for(schema)

    def minimum(itself: Any, bound: Any, value: Any, place: Any) -> Iterator[Any]:
        # Nova's validators.py cuts fractions off before it compares, which shows in its texts.
        number = int(value) if isinstance(value, float) and isfinite(value) else value
        return draft.VALIDATORS["minimum"](itself, bound, number, place)  # type: ignore[no-any-return]

    as_nova = validators.extend(draft, {"minimum": minimum})
    errors: Callable[[Any], Iterator[Any]] = as_nova(schema, format_checker=formats).iter_errors
    return errors


def nova_text(error: Any) -> str:
    """Return the message that Nova makes of an error: nova/api/validation/validators.py."""
    if not error.absolute_path:
        return str(error.message)
    name = error.absolute_path[-1]
    return f"Invalid input for field/attribute {name}. Value: {error.instance}. {error.message}"


def is_uuid(text: str) -> bool:
    """Tell whether Nova takes a text for a UUID: oslo_utils/uuidutils.py, is_uuid_like."""
    plain = text.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "").lower()
    try:
        return UUID(text).hex == plain
    except ValueError:
        return False


def _formats() -> Any:
    """Return the formats of nova/api/validation/validators.py, by the libraries that Nova uses."""
    import iso8601  # noqa: PLC0415
    import rfc3986  # noqa: PLC0415
    from jsonschema import FormatChecker  # noqa: PLC0415

    url = rfc3986.validators.Validator().require_presence_of("scheme", "host")
    url = url.check_validity_of("scheme", "userinfo", "host", "path", "query", "fragment")
    formats = FormatChecker(formats=())
    refused = rfc3986.exceptions.RFC3986Exception
    for name, check, raises in (
        ("date-time", iso8601.parse_date, ValueError),
        ("iso8601-date-time", iso8601.parse_date, ValueError),  # tempest's name for it
        ("uri", lambda text: url.validate(rfc3986.uri_reference(text)), refused),
        ("uuid", is_uuid, ()),
    ):
        formats.checks(name, raises)(_of_text(check))
    return formats


def _of_text(check: Callable[[str], object]) -> Callable[[object], bool]:
    """Return a check that passes what is no text, and what the given one does not refuse."""
    return lambda value: not isinstance(value, str) or check(value) is not False
