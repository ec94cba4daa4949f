"""Forecast which images turn a listing into an error, and how to fix them.

Nova 32 (2025.2) and later validate responses (`[api] response_validation`). With `error`, one image
that breaks the schema turns the whole listing into a 400. In Nova 19 to 34, a property that is not
JSON causes a 500, whatever is configured.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import resources
from typing import Any, Final
from uuid import UUID

from pytest_imagedetail.body import xml
from pytest_imagedetail.check.samples import metadata
from pytest_imagedetail.contract import JSON_PROPERTIES
from pytest_imagedetail.errors import BodyError, ImageDetailError
from pytest_imagedetail.model import LISTING_STATUSES, Response, dotted_path, shell_quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What a finding leads to: who is affected, since which release, under which setting."""

    status: int | None = None  # sent by Nova instead of the listing
    since: str | None = None
    option: str | None = None
    affected: str

    def __str__(self) -> str:
        under = f", under {self.option}" if self.option else ""
        return self.affected + under + (f" from {self.since} on" if self.since else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place that breaks the schema of "nova" or "tempest", or that Nova cannot read."""

    schema: str | None = None
    where: str  # the answer, as the caller names it
    path: str
    image: Mapping[str, Any] | None  # see `shown_of`; None if the place belongs to no image
    keys: tuple[str, ...] = ()  # names that are missing, not allowed, or have unreadable values
    value: Any = None
    error: str  # as Nova sends it, if the schema is Nova's
    consequence: Consequence
    command: str | None = None  # removes the properties at fault
    advice: str

    @property
    def place(self) -> str:
        """The path and the names: "images[8].metadata 'a/b'"."""
        return self.path + "".join(f" {key!r}" for key in self.keys)

    @property
    def kind(self) -> str:
        """The same place in any image: "images[*].metadata 'a/b'"."""
        return re.sub(r"^images\[\d+\]", "images[*]", self.place)


REFUSED: Final = Consequence(
    status=400,
    since="2025.2",  # Nova 32.0.0, the first that validates images/detail
    option="[api] response_validation = error",
    affected="everyone who lists this image gets 400 instead of the listing",
)
_REFUSED_FOR_ITSELF: Final = replace(
    REFUSED, affected="everyone who asks this gets 400 instead of the listing"
)
_UNTESTED: Final = Consequence(affected="tempest's tests of images fail on this cloud")
_UNREADABLE: Final = Consequence(
    status=500,
    since="2019.1",  # measured on Nova 19 to 34; older ones were not run
    affected="everyone who lists this image gets 500 instead of the listing",
)

_AS_OWNER: Final = "run it as the image's owner or an administrator; deleting the image also helps"
# Glance 19.0.4 to 33.0.0 glance/api/v2/images.py, _decode_json_pointer: it strips the name.
_STUCK: Final = (
    "Glance cannot remove a property whose name begins or ends with white space: save the image's "
    "data, create the image again without the property, and delete this one"
)
_LINK_PREFIX: Final = (
    "no property of the image is at fault: correct compute_link_prefix or glance_link_prefix in "
    "section [api] of nova.conf"
)
_OF_NOVA: Final = (
    "no property of the image is at fault: Nova itself writes this; if it is older than 2019.1, an "
    "upgrade adds what is missing, otherwise ask the vendor who changed it"
)


def forecast_response(response: Response, *, where: str) -> tuple[Finding, ...] | None:
    """Forecast one response; None unless it is a JSON listing: Nova validates nothing else."""
    if response.status_code not in LISTING_STATUSES or xml.is_xml(response.body):
        return None
    try:
        # Not `body.json`: Nova accepts NaN and takes the last value of a repeated key.
        document = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise BodyError(
            f"the body is not JSON: {error}", where=where, remedy="ask the cloud again"
        ) from error
    return forecast(document, where=where)


def forecast(document: Any, *, where: str) -> tuple[Finding, ...]:
    """Find every error in an answer that `json` parsed: Nova's in its order, then tempest's.

    If Nova's schema has errors, Nova sends the first one with a 400 in place of the listing.
    """
    return tuple(
        _finding(schema, error, document, where)
        for schema in ("nova", "tempest")
        for error in schema_errors(schema)(document)
    )


def forecast_glance(images: Iterable[Mapping[str, Any]], *, where: str) -> tuple[Finding, ...]:
    """Find Glance images with properties that Nova cannot read: a 500 for the whole listing."""
    return tuple(
        Finding(
            where=where,
            path=f"images[{place}].{name}",
            image=shown_of(image),
            keys=(name,),
            value=image[name],
            error=error,
            consequence=_UNREADABLE,
            command=_unset([name], image.get("id")),
            advice=_AS_OWNER,
        )
        for place, image in enumerate(images)
        for name in JSON_PROPERTIES
        if isinstance(image.get(name), str) and (error := _json_error(image[name]))
    )


def shown_of(image: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a finding shows of an image; None for what the answer does not contain."""
    return {key: image.get(key) for key in ("id", "name", "owner", "visibility")}


def _json_error(text: str) -> str | None:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _finding(schema: str, error: Any, document: Any, where: str) -> Finding:
    parts = tuple(error.absolute_path)
    image: Any = document["images"][parts[1]] if parts[:1] == ("images",) and parts[1:] else None
    keys, value = _names(error), error.instance
    if error.validator == "required":
        value = None  # the whole object would not help
    elif keys:
        value = {key: value[key] for key in keys}
    command, advice = None, _LINK_PREFIX if error.validator_value == "uri" else _OF_NOVA
    if schema == "nova" and (properties := _at_fault(image, parts, keys)):
        removable = [name for name in properties if name == name.strip()]
        command = _unset(removable, image.get("id")) if removable else None
        advice = _AS_OWNER if len(removable) == len(properties) else _STUCK
    consequence = REFUSED if image else _REFUSED_FOR_ITSELF
    return Finding(
        schema=schema,
        where=where,
        path=dotted_path(parts),
        # Nova writes the owner when it makes a snapshot.
        image=shown_of({**image, "owner": metadata(image).get("owner_id")})
        if isinstance(image, dict)
        else None,
        keys=keys,
        value=value,
        error=_nova_text(error) if schema == "nova" else error.message,
        consequence=consequence if schema == "nova" else _UNTESTED,
        command=command,
        advice=advice,
    )


def _names(error: Any) -> tuple[str, ...]:
    """Return the names that the schema does not allow, or the one that it requires."""
    if error.validator == "required":
        return tuple(n for n in error.validator_value if error.message.startswith(repr(n)))
    if error.validator != "additionalProperties":
        return ()
    patterns = error.schema.get("patternProperties", ())
    others = error.instance.keys() - error.schema.get("properties", {}).keys()
    return tuple(sorted(n for n in others if not any(re.search(p, n) for p in patterns)))


def _at_fault(image: Any, parts: Sequence[str | int], keys: tuple[str, ...]) -> tuple[str, ...]:
    if parts[2:] == ("metadata",):
        return keys
    # Nova copies this property to the id and the links of `server`.
    server = metadata(image).get("instance_uuid") if parts[2:3] == ("server",) else None
    return ("instance_uuid",) if isinstance(server, str) and not _is_uuid(server) else ()


def _unset(properties: Iterable[str], image: Any) -> str:
    words = ["openstack", "image", "unset"]
    for name in properties:
        words += [f"--property={name}"] if name.startswith("-") else ["--property", name]
    return " ".join(map(shell_quoted, [*words, str(image)]))


@cache
def schema_errors(owner: str) -> Callable[[Any], Iterator[Any]]:
    """Return a function that yields a document's errors in the order of the schema."""
    try:  # optional, and slow to import
        from jsonschema import validators  # noqa: PLC0415

        formats = _formats()
    except ImportError as missing:
        raise ImageDetailError(
            f"the forecast needs {missing.name}, which is not installed",
            remedy="install what Nova uses: pip install jsonschema rfc3986 iso8601",
        ) from None
    folder = resources.files("pytest_imagedetail.contract") / "schemas"
    schema = json.loads((folder / f"{owner}-images-detail.json").read_text(encoding="utf-8"))
    validator = validators.validator_for(schema)(schema, format_checker=formats)
    iter_errors: Callable[[Any], Iterator[Any]] = validator.iter_errors
    return iter_errors


def _nova_text(error: Any) -> str:
    """Word an error as Nova does: nova/api/validation/validators.py."""
    if not error.absolute_path:
        return str(error.message)
    name = error.absolute_path[-1]
    return f"Invalid input for field/attribute {name}. Value: {error.instance}. {error.message}"


def _is_uuid(text: str) -> bool:
    """Return whether Nova accepts a text as a UUID: oslo_utils/uuidutils.py, is_uuid_like."""
    plain = text.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "").lower()
    try:
        return UUID(text).hex == plain
    except ValueError:
        return False


def _formats() -> Any:
    """Return the formats of nova/api/validation/validators.py, with the libraries Nova uses."""
    import iso8601  # noqa: PLC0415
    import rfc3986  # noqa: PLC0415
    from jsonschema import FormatChecker  # noqa: PLC0415

    url = rfc3986.validators.Validator().require_presence_of("scheme", "host")
    url = url.check_validity_of("scheme", "userinfo", "host", "path", "query", "fragment")
    formats = FormatChecker(formats=())
    refused = (rfc3986.exceptions.RFC3986Exception, ValueError)  # for a lone surrogate
    for name, is_valid, raises in (
        ("date-time", iso8601.parse_date, ValueError),
        ("iso8601-date-time", iso8601.parse_date, ValueError),  # tempest's name for it
        ("uri", lambda text: url.validate(rfc3986.uri_reference(text)), refused),
        ("uuid", _is_uuid, ()),
    ):
        formats.checks(name, raises)(partial(_has_format, is_valid))
    return formats


def _has_format(is_valid: Callable[[str], object], value: object) -> bool:
    """Return True for non-strings and for strings that the library accepts."""
    return not isinstance(value, str) or is_valid(value) is not False
