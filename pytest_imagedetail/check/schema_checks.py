"""The checks S1 to S3: the forecast of everything that a cloud answered."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail.check.asking import Cloud
from pytest_imagedetail.check.checks import CHECKS
from pytest_imagedetail.check.forecast import (
    Finding,
    forecast_glance,
    forecast_response,
    refused,
)
from pytest_imagedetail.check.verdicts import Check, Verdict
from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.model import ImageRef
from pytest_imagedetail.report.text import count

_GLANCE: Final = "/v2/images?limit=1000"


def _of_schema(schema: str, check: Check, cloud: Cloud) -> Verdict:
    """Judge every answer that was received by a response schema."""
    target = cloud.target
    listings = [
        (target.shown(f"GET {each.url.removeprefix(target.endpoint)}"), each.response)
        for each in cloud.received
        if urlsplit(each.url).path.endswith("/images/detail")
    ]
    verdict = Verdict(check=check, cloud=target.name, verdict="inconclusive")
    try:
        forecasts = [forecast_response(response, where=where) for where, response in listings]
    except ImageDetailError as error:
        parts = (error.problem, error.where, error.remedy)
        return replace(verdict, reason="; ".join(filter(None, parts)))
    judged = [each for each in forecasts if each is not None]
    verdict = replace(
        verdict,
        requests=tuple(dict.fromkeys(where for where, _ in listings)),
        counted=count(len(judged), "listing"),
    )
    found = [one for each in judged for one in each if one.schema == schema]
    if schema == "nova" and not judged:
        found = [*_refused(cloud)]
    whole = cloud.listing()
    return _judged(verdict, found, curl=whole.curl, is_vacuous=not (found or whole.images))


def _refused(cloud: Cloud) -> Iterator[Finding]:
    """Find the images that Nova refuses already: the brief listing is not validated."""
    for image in cloud.listing(path="/images").images:
        answer = cloud.get(f"/images/{image['id']}")
        fault = answer.document.get("badRequest")
        if answer.status == HTTPStatus.BAD_REQUEST and isinstance(fault, dict):
            yield refused(image, str(fault.get("message")), where=answer.request)


def _of_glance(check: Check, cloud: Cloud) -> Verdict:
    """Judge the images of Glance, on all pages of its listing, by whether Nova can read them."""
    asked = f"GET {_GLANCE}"
    verdict = Verdict(
        check=check, cloud=cloud.target.name, verdict="inconclusive", requests=(asked,)
    )
    if cloud.target.glance is None:
        return replace(verdict, reason="the service catalog has no image service")
    images: list[dict[str, Any]] = []
    path: Any = _GLANCE
    while isinstance(path, str):
        answer = cloud.get(path, base=cloud.target.glance)
        found = answer.document.get("images")
        if not isinstance(found, list):
            reason = answer.missing or f"Glance answered {answer.status}, without a listing"
            return replace(verdict, reason=reason)
        images += (each for each in found if isinstance(each, dict))
        path = answer.document.get("next")
    verdict = replace(verdict, counted=f"{count(len(images), 'image')} of Glance")
    findings = forecast_glance(images, where=asked)
    return _judged(verdict, findings, curl=answer.curl, is_vacuous=not images)


def _judged(verdict: Verdict, found: Sequence[Finding], *, curl: str, is_vacuous: bool) -> Verdict:
    if is_vacuous:
        return replace(verdict, verdict="vacuous", reason=f"needs {verdict.check.shown_by}")
    findings = tuple({_cause(each): each for each in reversed(found)}.values())[::-1]
    if not findings:
        return replace(verdict, verdict="pass")
    first, consequence = findings[0].image, findings[0].consequence
    images = {each.image.id for each in findings if each.image}
    subject = count(len(images), "image") if images else "the answer"
    under = f", under {consequence.option}" if consequence.option else ""
    since = f" from {consequence.since} on" if consequence.since else ""
    return replace(
        verdict,
        verdict="fail",
        reason=f"{subject}: {consequence.affected}{under}{since}",
        image=ImageRef(id=str(first.id), name=first.name) if first else None,
        curl=curl,
        findings=findings,
    )


def _cause(finding: Finding) -> tuple[object, ...]:
    """Return what makes findings in several answers the same."""
    image = finding.image and finding.image.id
    return image, re.sub(r"images\[\d+\]", "images[*]", finding.path), finding.keys


FORECASTS: Final = (
    Check(
        id="S1",
        title="Will Nova's own response validation let every listing pass?",
        relation="every listing matches Nova's response schema of images/detail",
        shown_by="a listing",
        judge=partial(_of_schema, "nova"),
    ),
    Check(
        id="S2",
        title="Do tempest's tests accept every listing?",
        relation="every listing matches tempest's response schema of images/detail",
        shown_by="a listing",
        judge=partial(_of_schema, "tempest"),
    ),
    Check(
        id="S3",
        title="Can Nova read every image of Glance?",
        relation="block_device_mapping and mappings of every image are JSON",
        shown_by="an image of Glance",
        judge=_of_glance,
    ),
)
"""The forecast, in the order of the numbers."""

ALL: Final = (*CHECKS, *FORECASTS)
