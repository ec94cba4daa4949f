"""The checks S1 to S3: the forecast of everything that a cloud answered."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail.check.asking import Cloud, NotAskedError
from pytest_imagedetail.check.checks import CHECKS
from pytest_imagedetail.check.forecast import (
    Finding,
    forecast_glance,
    forecast_response,
)
from pytest_imagedetail.check.verdicts import Check, Verdict
from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.model import ImageRef, Interaction

_GLANCE: Final = "/v2/images?limit=1000"


def _of_schema(schema: str, check: Check, cloud: Cloud) -> Verdict:
    """Judge every answer that was received by a response schema."""
    verdict = Verdict(check=check, cloud=cloud.target.name, verdict="pass")
    try:
        cloud.listing()
        received = [each for each in cloud.received if _is_listing(each)]
        forecasts = [
            forecast_response(each.response, where=_request(each, cloud)) for each in received
        ]
    except (ImageDetailError, NotAskedError) as error:
        reason = str(error).replace("\n  next:  ", "; ")
        return replace(verdict, verdict="inconclusive", reason=reason)
    requests = tuple(dict.fromkeys(_request(each, cloud) for each in received))
    judged = [each for each in forecasts if each is not None]
    found = [one for each in judged for one in each.findings if one.schema == schema]
    counted = f"{len(judged)} listing{'s' if len(judged) != 1 else ''}"
    verdict = replace(verdict, requests=requests, counted=counted)
    return _judged(verdict, found) if judged else _vacuous(verdict)


def _is_listing(received: Interaction) -> bool:
    return urlsplit(received.url).path.endswith("/images/detail")


def _request(received: Interaction, cloud: Cloud) -> str:
    return cloud.target.shown(f"GET {received.url.removeprefix(cloud.target.endpoint)}")


def _of_glance(check: Check, cloud: Cloud) -> Verdict:
    """Judge the images of Glance by whether Nova can read them."""
    name, asked = cloud.target.name, f"GET {_GLANCE}"
    verdict = Verdict(check=check, cloud=name, verdict="pass", requests=(asked,))
    if cloud.target.glance is None:
        reason = "the service catalog has no image service"
        return replace(verdict, verdict="inconclusive", reason=reason)
    try:
        images = tuple(_glance_images(cloud))
    except NotAskedError as error:
        return replace(verdict, verdict="inconclusive", reason=str(error))
    found = forecast_glance(images, where=asked)
    verdict = replace(verdict, counted=f"{len(images)} images of Glance")
    return _judged(verdict, found) if images else _vacuous(verdict)


def _glance_images(cloud: Cloud) -> Iterator[Mapping[str, Any]]:
    """Yield the images of all pages of Glance's listing.

    Raises:
        NotAskedError: A page was not answered with images.
    """
    path: Any = _GLANCE
    while isinstance(path, str):
        answer = cloud.get(path, base=cloud.target.glance)
        page = answer.document if isinstance(answer.document, dict) else {}
        if not isinstance(page.get("images"), list):
            raise NotAskedError(f"Glance answered {answer.status}, without a listing")
        yield from (each for each in page["images"] if isinstance(each, dict))
        path = page.get("next")


def _judged(verdict: Verdict, found: Iterable[Finding]) -> Verdict:
    findings = tuple({_cause(each): each for each in reversed([*found])}.values())[::-1]
    if not findings:
        return verdict
    first = findings[0]
    images = {each.image.id for each in findings if each.image}
    number = f"{len(images)} image{'s' if len(images) != 1 else ''}"
    since = f" from {first.consequence.since} on" if first.consequence.since else ""
    under = f", under {first.consequence.option}{since}" if first.consequence.option else since
    subject = number if images else "the answer"
    reason = f"{subject}: {first.consequence.affected}{under}"
    image = ImageRef(id=str(first.image.id), name=first.image.name) if first.image else None
    return replace(verdict, verdict="fail", reason=reason, image=image, findings=findings)


def _vacuous(verdict: Verdict) -> Verdict:
    return replace(verdict, verdict="vacuous", reason=f"needs {verdict.check.shown_by}")


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
