"""The checks S1 to S3: the forecast of everything that a cloud answered."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail.check.asking import Answer, Cloud
from pytest_imagedetail.check.checks import CHECKS
from pytest_imagedetail.check.forecast import (
    Finding,
    forecast_glance,
    forecast_response,
    refused,
)
from pytest_imagedetail.check.relations import Outcome
from pytest_imagedetail.check.samples import Images
from pytest_imagedetail.check.verdicts import check
from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.report.text import count

# What breaks a schema breaks it whatever else changes meanwhile.
_forecast = partial(check, is_forecast=True, needs_rest=False)


@_forecast(
    "Will Nova's own response validation let every listing pass?",
    "every listing matches Nova's response schema of images/detail",
    shown_by="a listing",
)
def _s1(cloud: Cloud, images: Images) -> Iterator[Outcome]:
    yield _of_schema("nova", cloud, images)


@_forecast(
    "Do tempest's tests accept every listing?",
    "every listing matches tempest's response schema of images/detail",
    shown_by="a listing",
)
def _s2(cloud: Cloud, images: Images) -> Iterator[Outcome]:
    yield _of_schema("tempest", cloud, images)


def _of_schema(schema: str, cloud: Cloud, images: Images) -> Outcome:
    """Judge every answer that was received by a response schema."""
    whole, target = cloud.listing(), cloud.target
    listings = [
        (target.shown(f"GET {each.url.removeprefix(target.endpoint)}"), each.response)
        for each in cloud.received
        if urlsplit(each.url).path.endswith("/images/detail")
    ]
    cloud.trace.update(dict.fromkeys(where for where, _ in listings))
    try:
        forecasts = [forecast_response(response, where=where) for where, response in listings]
    except ImageDetailError as error:
        parts = (error.problem, error.where, error.remedy)
        return Outcome(answer=whole, missing="; ".join(filter(None, parts)))
    judged = [each for each in forecasts if each is not None]
    found = [one for each in judged for one in each if one.schema == schema]
    if schema == "nova" and not judged:
        found = [*_refused(cloud)]
    return _judged(whole, found, counted=count(len(judged), "listing"), shows=bool(images))


def _refused(cloud: Cloud) -> Iterator[Finding]:
    """Find the images that Nova refuses already: the brief listing is not validated."""
    for image in cloud.listing(path="/images").images:
        answer = cloud.get(f"/images/{image['id']}")
        fault = answer.document.get("badRequest")
        if answer.status == HTTPStatus.BAD_REQUEST and isinstance(fault, dict):
            yield refused(image, str(fault.get("message")), where=answer.request)


@_forecast(
    "Can Nova read every image of Glance?",
    "block_device_mapping and mappings of every image are JSON",
    shown_by="an image of Glance",
)
def _s3(cloud: Cloud, _: Images) -> Iterator[Outcome]:
    path: Any = "/v2/images?limit=1000"
    if cloud.target.glance is None:
        missing = "the service catalog has no image service"
        yield Outcome(answer=cloud.listing(), missing=missing)
        return
    images: list[dict[str, Any]] = []  # of all pages
    while isinstance(path, str):
        answer = cloud.get(path, base=cloud.target.glance)
        page = answer.document.get("images")
        if not isinstance(page, list):
            reason = answer.missing or f"Glance answered {answer.status}, without a listing"
            yield Outcome(answer=answer, missing=reason)
            return
        images += (each for each in page if isinstance(each, dict))
        path = answer.document.get("next")
    findings = forecast_glance(images, where="GET /v2/images")
    counted = f"{count(len(images), 'image')} of Glance"
    yield _judged(answer, findings, counted=counted, shows=bool(images))


def _judged(answer: Answer, found: Sequence[Finding], *, counted: str, shows: bool) -> Outcome:
    findings = tuple({_cause(each): each for each in reversed(found)}.values())[::-1]
    if not findings:
        return Outcome(answer=answer, counted=counted, shows=shows)
    first, consequence = findings[0].image, findings[0].consequence
    images = {each.image.id for each in findings if each.image}
    subject = count(len(images), "image") if images else "the answer"
    under = f", under {consequence.option}" if consequence.option else ""
    since = f" from {consequence.since} on" if consequence.since else ""
    return Outcome(
        answer=answer,
        problem=f"{subject}: {consequence.affected}{under}{since}",
        image={"id": first.id, "name": first.name} if first else None,
        counted=counted,
        findings=findings,
    )


def _cause(finding: Finding) -> tuple[object, ...]:
    """Return what makes findings in several answers the same."""
    image = finding.image and finding.image.id
    return image, re.sub(r"images\[\d+\]", "images[*]", finding.path), finding.keys


FORECASTS: Final = (_s1, _s2, _s3)
ALL: Final = (*CHECKS, *FORECASTS)
