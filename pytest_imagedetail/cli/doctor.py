"""`imagedetail doctor`: from the credentials to one answer, step by step; shows nothing secret."""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail.cli.arguments import add_json, add_verb, settings
from pytest_imagedetail.cli.output import IMPOSSIBLE, SAME, cell, complain, print_json
from pytest_imagedetail.cli.progress import Progress
from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import clouds, recorder
from pytest_imagedetail.record.release_guard import Evidence, looks_like
from pytest_imagedetail.redact import project_in_path
from pytest_imagedetail.report import text
from pytest_imagedetail.settings import CloudDeclaration, Settings
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
_WIDTH: Final = max(map(len, _STEPS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step and how it went.

    Attributes:
        name: One of `_STEPS`.
        verdict: "ok", "warning", "failed" or "skipped".
        finding: What was found, in one line.
        error: Why it failed.
    """

    name: str
    verdict: str
    finding: str
    error: ImageDetailError | None = None

    def __str__(self) -> str:
        return f"{self.verdict:<7}  {self.name:<{_WIDTH}}  {cell(self.finding)}"


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    summary = "check credentials, endpoint and one answer; shows nothing secret, writes nothing"
    parser = add_verb(verbs, "doctor", _run, summary)
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument(
        "cloud", nargs="?", metavar="CLOUD", help="a cloud of imagedetail.yaml or clouds.yaml"
    )
    whom.add_argument(
        "--os-cloud",
        metavar="NAME",
        help="a cloud of clouds.yaml, or envvars (default: $OS_CLOUD, the OS_* variables, or the "
        "only cloud there is)",
    )
    add_json(parser)


def _run(options: argparse.Namespace) -> int:
    chosen, steps = settings(options), []
    os_cloud = chosen.declaration(options.cloud).os_cloud if options.cloud else options.os_cloud
    for step in _examined(_findings(os_cloud, options.cloud, chosen)):
        steps.append(step)
        if not options.json:
            print(step, flush=True)
    failed = [step.error for step in steps if step.error is not None]
    if options.json:
        document = [
            {"step": each.name, "verdict": each.verdict, "finding": each.finding} for each in steps
        ]
        print_json({"schema": 1, "ok": not failed, "steps": document})
    for error in failed:
        complain(error, IMPOSSIBLE)
    return IMPOSSIBLE if failed else SAME


def _declaration(os_cloud: str, chosen: Settings) -> CloudDeclaration:
    """What imagedetail.yaml says of a cloud of clouds.yaml; its name alone if that is nothing."""
    known = (each for each in chosen.declared.values() if each.os_cloud == os_cloud)
    return next(known, CloudDeclaration(name=os_cloud, os_cloud=os_cloud))


def _examined(findings: Iterator[tuple[str, str]]) -> Iterator[Step]:
    """Each step with its finding; one that fails lets those after it be skipped."""
    failed, progress = "", Progress()
    for name in _STEPS:
        if failed:
            yield Step(name=name, verdict="skipped", finding=f"needs: {failed}")
            continue
        try:
            with progress.waiting(f"{name} ..."):
                verdict, finding = next(findings)
        except ImageDetailError as error:
            failed = name
            yield Step(name=name, verdict="failed", finding=error.problem, error=error)
        else:
            yield Step(name=name, verdict=verdict, finding=finding)


def _findings(
    os_cloud: str | None, name: str | None, chosen: Settings
) -> Iterator[tuple[str, str]]:
    """Verdict and finding of each of `_STEPS`; raises at the one that fails."""
    yield "ok", clouds.sdk_version()
    configuration = clouds.configure(os_cloud)
    yield "ok", _source(configuration)
    yield "ok", configuration.auth_type
    login = clouds.authenticate(configuration)
    yield "ok", _lifetime(login.expires_at)
    access = clouds.access(login)
    region = f"region {configuration.region or 'not named'}"
    yield "ok", f"{_path(access)}, {region}, interface {configuration.interface}"
    newest = access.max_microversion
    yield "ok", newest or "none: older than microversions, or its version document cannot be read"
    # Which cloud it is, OS_CLOUD and the only one there is included, is known by now.
    declared = chosen.declaration(name) if name else _declaration(configuration.cloud, chosen)
    yield _release(declared.release, newest)
    yield _one_image(access, declared.name)


def _source(configuration: clouds.Configuration) -> str:
    files = " and ".join(map(str, configuration.files))
    return f"cloud {configuration.cloud!r} of {files or 'the OS_* variables'}"


def _lifetime(expires_at: datetime | None) -> str:
    if expires_at is None:
        return "as configured; nobody says how long it is valid"
    hours, minutes = divmod(round((expires_at - datetime.now(UTC)).total_seconds() / 60), 60)
    return f"valid for {hours} h {minutes} min" if hours else f"valid for {minutes} min"


def _path(access: Access) -> str:
    """The endpoint as its path, without host and project."""
    path = urlsplit(access.endpoint).path
    project = project_in_path(f"{path}/images") or access.project_id
    return (path.replace(project, "<project>") if project else path) or "/"


def _one_image(access: Access, cloud: str) -> tuple[str, str]:
    """Ask for one image, as the recorder does; the redacted answer is looked at and forgotten."""
    from pytest_imagedetail.cassette.capture import capture  # noqa: PLC0415  loads vcrpy

    with capture():  # loads every HTTP client that there is, which is none of the cloud's time
        pass
    begun = time.monotonic()
    listing = recorder.ask(access, Query.of(limit=1), cloud=cloud).listing
    milliseconds = round((time.monotonic() - begun) * 1000)
    images = text.count(len(listing.images), "image")
    finding = f"{listing.status_code}, {images} with limit=1, {milliseconds} ms"
    if not listing.images:
        return "warning", f"{finding}: this project sees none"
    return "ok", finding


def _release(declared: str | None, newest: str | None) -> tuple[str, str]:
    if newest is None:
        known = f"declared: {declared}; nothing of the cloud shows it" if declared else ""
        return "ok", known or "not declared, and nothing shows it"
    looks = f"{newest} looks like {looks_like(newest)}"
    if declared is None:
        return "ok", f"not declared; {looks}"
    if Evidence(where="", release=declared, max_microversion=newest).contradicts_itself:
        return "warning", f"declared: {declared}, but {looks}"
    return "ok", f"declared: {declared}; {looks}"
