"""Forecast which images turn a listing into an error, and how to fix them.

Nova 32 (2025.2) and later validate responses (`[api] response_validation`). With `error`, one image
that breaks the schema turns the whole listing into a 400. In Nova 19 to 34, a property that is not
JSON causes a 500, whatever is configured.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from http import HTTPStatus
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from pytest_imagedetail.body import xml
from pytest_imagedetail.body.json import objects_in
from pytest_imagedetail.check.asking import Answer, Cloud
from pytest_imagedetail.check.samples import Images, metadata
from pytest_imagedetail.check.verdicts import (
    Consequence,
    Finding,
    FindingImage,
    Outcome,
    Problem,
    check,
)
from pytest_imagedetail.contract import JSON_PROPERTIES
from pytest_imagedetail.errors import BodyError, ImageDetailError
from pytest_imagedetail.model import LISTING_STATUSES, Response, dotted_path, shell_quoted
from pytest_imagedetail.text import count

_OF_IMAGE: Final = ("id", "name", "owner", "visibility")

_REFUSED: Final = Consequence(
    status=400,
    since="2025.2",  # Nova 32.0.0, the first that validates images/detail
    option="[api] response_validation = error",
    affected="everyone who lists this image gets 400 instead of the listing",
)
_REFUSED_FOR_ITSELF: Final = replace(
    _REFUSED, affected="everyone who asks this gets 400 instead of the listing"
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
            image=FindingImage(**{key: image.get(key) for key in _OF_IMAGE}),
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
    consequence = _REFUSED if image else _REFUSED_FOR_ITSELF
    return Finding(
        schema=schema,
        where=where,
        path=dotted_path(parts),
        # Nova writes the owner when it makes a snapshot.
        image=FindingImage(
            id=image.get("id"), name=image.get("name"), owner=metadata(image).get("owner_id")
        )
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


# A schema error remains one even if the listing changes meanwhile.
_forecast = partial(check, is_forecast=True, needs_stability=False)


@_forecast(
    "Will Nova's own response validation let every listing pass?",
    "every listing matches Nova's response schema of images/detail",
    needs="a listing",
)
def _s1(cloud: Cloud, images: Images) -> Iterator[Outcome]:
    yield _of_schema("nova", cloud, images)


@_forecast(
    "Do tempest's tests accept every listing?",
    "every listing matches tempest's response schema of images/detail",
    needs="a listing",
)
def _s2(cloud: Cloud, images: Images) -> Iterator[Outcome]:
    yield _of_schema("tempest", cloud, images)


def _of_schema(schema: str, cloud: Cloud, images: Images) -> Outcome:
    answer, target = cloud.listing(), cloud.target
    listings = [
        (target.redact(f"GET {page.url.removeprefix(target.endpoint)}"), page.response)
        for page in cloud.received
        if urlsplit(page.url).path.endswith("/images/detail")
    ]
    cloud.trace.update(dict.fromkeys(where for where, _ in listings))
    try:
        forecasts = [forecast_response(response, where=where) for where, response in listings]
    except ImageDetailError as error:
        parts = (error.problem, error.where, error.remedy)
        return Outcome(answer=answer, missing="; ".join(filter(None, parts)))
    judged = [findings for findings in forecasts if findings is not None]
    found = [finding for findings in judged for finding in findings if finding.schema == schema]
    if schema == "nova" and not judged:
        found = [*_refused(cloud)]
    vacuous = not (images and judged)
    return _outcome(answer, found, counted=count(len(judged), "listing"), vacuous=vacuous)


def _refused(cloud: Cloud) -> Iterator[Finding]:
    """Find images that Nova already refuses; the brief listing is not validated."""
    for image in cloud.listing(path="/images").images:
        answer = cloud.get(f"/images/{image['id']}")
        fault = answer.document.get("badRequest")
        if answer.status == HTTPStatus.BAD_REQUEST and isinstance(fault, dict):
            yield Finding(
                schema="nova",
                where=cloud.target.redact(answer.request),
                path="image",
                image=FindingImage(id=image["id"], name=image.get("name")),
                error=str(fault.get("message")),
                consequence=_REFUSED,
                advice="remove the property that the answer names, as its owner or an "
                f"administrator: openstack image unset --property NAME {image['id']}",
            )


@_forecast(
    "Can Nova read every image of Glance?",
    "block_device_mapping and mappings of every image are JSON",
    needs="an image of Glance",
)
def _s3(cloud: Cloud, _: Images) -> Iterator[Outcome]:
    path: Any = "/v2/images?limit=1000"
    if cloud.target.glance is None:
        missing = "the service catalog has no image service"
        yield Outcome(answer=cloud.listing(), missing=missing)
        return
    images: list[dict[str, Any]] = []  # of all pages
    asked: set[str] = set()
    while isinstance(path, str):
        asked.add(path)
        answer = cloud.get(path, base=cloud.target.glance)
        path = answer.document.get("next")
        if not isinstance(answer.document.get("images"), list) or path in asked:
            problem = "and its pages lead in a circle" if path in asked else "without a listing"
            missing = answer.missing or f"Glance answered {answer.status}, {problem}"
            yield Outcome(answer=answer, missing=missing)
            return
        images += objects_in(answer.document, "images")
    findings = forecast_glance(images, where="GET /v2/images")
    counted = f"{count(len(images), 'image')} of Glance"
    yield _outcome(answer, findings, counted=counted, vacuous=not images)


def _outcome(answer: Answer, found: Sequence[Finding], *, counted: str, vacuous: bool) -> Outcome:
    faults: dict[tuple[object, str], Finding] = {}
    for finding in found:  # one fault can be in several answers
        faults.setdefault((finding.image and str(finding.image.id), finding.kind), finding)
    findings = tuple(faults.values())
    if not findings:
        return Outcome(answer=answer, counted=counted, vacuous=vacuous)
    consequence = findings[0].consequence
    images = {str(finding.image.id) for finding in findings if finding.image}
    subject = count(len(images), "image") if images else "the answer"
    under = f", under {consequence.option}" if consequence.option else ""
    since = f" from {consequence.since} on" if consequence.since else ""
    text = f"{subject}: {consequence.affected}{under}{since}"
    problem = Problem(answer=answer, text=text, findings=findings)
    return Outcome(answer=answer, problems=(problem,), counted=counted)


FORECASTS: Final = (_s1, _s2, _s3)
