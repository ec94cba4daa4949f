"""Microversions of the compute API, as `/v2.1` reads them from two headers."""

import re

from pytest_imagedetail.embedded.faults import FaultError
from pytest_imagedetail.embedded.wire import Headers, Request

Microversion = tuple[int, int]

MINIMUM: Microversion = (2, 1)
IMAGES_REMOVED: Microversion = (2, 36)
"""From here on the image proxy is a 404 (Nova 14.0.0)."""

_HEADER = "OpenStack-API-Version"
_LEGACY_HEADER = "X-OpenStack-Nova-API-Version"
_FORM = re.compile(r"([1-9]\d*)\.([1-9]\d*|0)")


def asked_microversion(request: Request, maximum: Microversion) -> Microversion:
    """The microversion a request asks for, supported or not; none asked for is 2.1.

    Args:
        request: The request; the newer of the two headers wins if it speaks of compute.
        maximum: What "latest" stands for.

    Raises:
        FaultError: 400, the text is no microversion.
    """
    text = _compute_part(request.header(_HEADER)) or request.header(_LEGACY_HEADER).strip()
    if not text:
        return MINIMUM
    if text == "latest":
        return maximum
    match = _FORM.fullmatch(text)
    if match is None:
        raise FaultError(
            400,
            f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum.",
        )
    return int(match[1]), int(match[2])


def check_supported(asked: Microversion, maximum: Microversion) -> None:
    """Refuse what lies outside the release.

    Raises:
        FaultError: 406, as a computeFault.
    """
    if not MINIMUM <= asked <= maximum:
        raise FaultError(
            406,
            f"Version {spelled(asked)} is not supported by the API. "
            f"Minimum is {spelled(MINIMUM)} and maximum is {spelled(maximum)}.",
        )


def spelled(microversion: Microversion) -> str:
    """As in headers, "2.36"."""
    return f"{microversion[0]}.{microversion[1]}"


def microversion_headers(microversion: Microversion) -> Headers:
    """What `/v2.1` adds to an answer: the version twice, and two separate Vary headers."""
    text = spelled(microversion)
    return (
        (_HEADER, f"compute {text}"),
        (_LEGACY_HEADER, text),
        ("Vary", _HEADER),
        ("Vary", _LEGACY_HEADER),
    )


def _compute_part(header: str) -> str:
    """From "image 2.9, compute 2.36" the last version of compute, or an empty string."""
    for part in reversed(header.split(",")):
        service, _, version = part.strip().partition(" ")
        if service.lower() == "compute":
            return version.strip()
    return ""
