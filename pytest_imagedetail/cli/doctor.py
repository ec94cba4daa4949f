"""Check step by step whether a cloud can be recorded: `doctor`."""

import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail import text
from pytest_imagedetail.cli.arguments import Options, add_verb, value
from pytest_imagedetail.cli.output import IMPOSSIBLE, SAME, cell, complain, print_json, waiting
from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import clouds, recorder
from pytest_imagedetail.record.release_guard import Evidence, looks_like
from pytest_imagedetail.settings import Settings
from pytest_imagedetail.transport.http import Access

_STEPS: Final = (
    "openstacksdk",
    "configuration",
    "auth type",
    "token",
    "compute endpoint",
    "max microversion",
    "release",
    "images/detail",
)


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    summary = "check credentials, endpoint and one answer; shows nothing secret, writes nothing"
    parser = add_verb(verbs, "doctor", _doctor, summary, "--json")
    cloud = parser.add_mutually_exclusive_group()
    value(cloud, "cloud", "NAME", "a cloud of imagedetail.yaml or clouds.yaml", nargs="?")
    about = (
        "a cloud of clouds.yaml, or envvars (default: $OS_CLOUD, the OS_* variables, or the "
        "only cloud there is)"
    )
    value(cloud, "--os-cloud", "NAME", about)


def _doctor(options: Options) -> int:
    settings = options.settings
    os_cloud = settings.declaration(options.cloud).os_cloud if options.cloud else options.os_cloud
    findings = _findings(os_cloud, options.cloud, settings)
    steps: list[dict[str, str]] = []
    failed, needs, width = None, "", max(map(len, _STEPS))
    for name in _STEPS:
        try:
            with waiting(f"{name} ..."):
                verdict, finding = next(findings, ("skipped", needs))
        except ImageDetailError as error:  # the generator has ended as well
            failed, needs, verdict, finding = error, f"needs: {name}", "failed", error.problem
        steps.append({"step": name, "verdict": verdict, "finding": finding})
        if not options.json:
            print(f"{verdict:<7}  {name:<{width}}  {cell(finding)}", flush=True)
    if options.json:
        print_json({"schema": 1, "ok": failed is None, "steps": steps})
    if failed is None:
        return SAME
    complain(failed, options)
    return IMPOSSIBLE


def _findings(
    os_cloud: str | None, name: str | None, settings: Settings
) -> Iterator[tuple[str, str]]:
    """Yield the verdict and finding of each of `_STEPS`; raise at the one that fails."""
    yield "ok", clouds.sdk_version()
    configuration = clouds.configure(os_cloud, declared=settings.declared)
    files = " and ".join(map(str, configuration.files)) or "the OS_* variables"
    yield "ok", f"cloud {configuration.cloud!r} of {files}"
    yield "ok", configuration.auth_type
    login = clouds.authenticate(configuration)
    expiry = login.token and login.token.expires
    lifetime = f"valid until {expiry:%Y-%m-%d %H:%M} UTC" if expiry else "its lifetime is not known"
    yield "ok", lifetime
    access = clouds.access(login)
    region = f"region {configuration.region or 'not named'}"
    yield "ok", f"{_path(access)}, {region}, interface {configuration.interface}"
    newest = access.max_microversion
    yield "ok", newest or "none: older than microversions, or its version document cannot be read"
    declaration = settings.declaration(name or configuration.cloud)
    yield _release_finding(declaration.release, newest)
    yield _one_image(access, declaration.name)


def _path(access: Access) -> str:
    path = urlsplit(access.endpoint).path
    project = recorder.known_of(access).project
    return (path.replace(project, "<project>") if project else path) or "/"


def _release_finding(declared: str | None, newest: str | None) -> tuple[str, str]:
    label = f"declared: {declared}" if declared else "not declared"
    if newest is None:
        return "ok", f"{label}; the cloud does not show it"
    finding = f"{label}; {newest} looks like {looks_like(newest)}"
    evidence = Evidence(where="", release=declared, max_microversion=newest)
    return "warning" if evidence.contradicts_itself else "ok", finding


def _one_image(access: Access, cloud: str) -> tuple[str, str]:
    """Request one image as the recorder does, and discard the redacted answer."""
    started = time.monotonic()
    live = recorder.LiveCloud(access=access, name=cloud)
    listing = recorder.ask(live, Query.of(limit=1)).listing
    images = text.count(len(listing.images), "image")
    milliseconds = round((time.monotonic() - started) * 1000)
    finding = f"{listing.status_code}, {images} with limit=1, {milliseconds} ms"
    if not listing.images:
        return "warning", f"{finding}: this project sees none"
    return "ok", finding
