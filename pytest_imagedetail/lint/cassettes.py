"""Check one cassette: whether it is intact, in its place, and redacted; and other recordings."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette import loads
from pytest_imagedetail.cassette.age import too_old, too_young
from pytest_imagedetail.cassette.store import is_at, own_name
from pytest_imagedetail.errors import (
    DamagedCassetteError,
    ImageDetailError,
    LeakError,
    NoRecordingError,
    StaleCassetteError,
    UsageError,
)
from pytest_imagedetail.lint.rules import Finding
from pytest_imagedetail.lint.suspicious import suspicious
from pytest_imagedetail.listing import error_status
from pytest_imagedetail.model import Provenance, Recording
from pytest_imagedetail.record.recorder import follow, refuse_stale
from pytest_imagedetail.redact import SHAPES, SHAPES_AND_EMAIL, Known, redact
from pytest_imagedetail.redact.final_check import refuse_leaks
from pytest_imagedetail.scrub import scrub, secrets_of
from pytest_imagedetail.scrub.reading import read

_REPLACED: Final = {  # rule and message by what redaction would replace, the worst first
    "secrets": ("secret", "a password, token or key"),
    "headers": ("header", "a header that cassettes do not keep"),
    "people": ("email", "an e-mail address"),
    "hosts": ("host", "a host that is not a placeholder"),
    "addresses": ("address", "an IP or MAC address in a field for addresses"),
    "ids": ("id", "an id of a project or user that is not a placeholder"),
}
_SENSITIVE: Final = ("secrets", "ids", "people", "addresses")
_LINE: Final = re.compile(r"line (\d+)")
_LONGEST: Final = 200  # characters of a message

_Problem = tuple[str, str, str]
"""Rule, message, and place: the path of a key in the file."""


def leaks(path: Path, data: bytes) -> Iterator[Finding]:
    """Run the final check over a file; yield its first secret, if any."""
    text = data.decode("utf-8", errors="replace")
    try:
        refuse_leaks(text.encode("utf-8"), known=Known(), where="")
    except LeakError as error:
        problem = "something in the shape of a token, a key or a password"
        yield Finding(path=path, line=_line_in(error.where), rule="secret", message=problem)


def foreign(path: Path) -> list[Finding] | None:
    """Return the finding of a recording that holds what must not be committed.

    Hosts alone are no reason, nor are harmless headers. None for a file of another kind.
    """
    try:
        source = read(path)
    except NoRecordingError:
        return None
    except DamagedCassetteError as error:
        return [_damaged(path, error)]
    known = secrets_of([source])
    done = scrub(source, cloud="scrubbed", known=known)
    counts = {"logins": done.keystone, **done.removed}
    if not (done.keystone or known.secrets or any(counts.get(kind) for kind in _SENSITIVE)):
        return []
    removed = ", ".join(f"{kind} {number}" for kind, number in counts.items() if number)
    problem = f"recorded by {source.tool}; scrub would remove: {removed}"
    return [Finding(path=path, line=1, rule="foreign", message=problem)]


def _damaged(path: Path, error: DamagedCassetteError) -> Finding:
    """Return the finding of a file that cannot be read as a recording."""
    line = _line_in(error.where.removeprefix(str(path)))
    return Finding(path=path, line=line, rule=error.rule, message=error.problem[:_LONGEST])


def _line_in(where: str) -> int:
    """Return the line that an error names, or 1."""
    found = _LINE.search(where)
    return int(found.group(1)) if found else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Linter:
    """What cassettes are judged by.

    Attributes:
        releases: Of the declared clouds, by name; None where the release is not known.
        max_age: In days; None judges no age.
        now: The time, with a zone.
        folder: The project's cassettes, where every file has to be one.
    """

    releases: Mapping[str, str | None]
    max_age: int | None
    now: datetime
    folder: Path

    def is_inside(self, path: Path) -> bool:
        """Return whether a file is among the project's cassettes."""
        return path.absolute().is_relative_to(self.folder.absolute())

    def look(self, path: Path) -> tuple[list[Finding], Provenance | None]:
        """Return what is wrong with a cassette, and its provenance if it is intact."""
        try:
            data = yamltext.content(path)
        except ValueError as fault:  # too large
            problem = f"not a readable YAML file: {fault}"
            return [Finding(path=path, line=1, rule="format", message=problem)], None
        try:
            recording = loads(path)
        except DamagedCassetteError as error:
            # Ruby's VCR has YAML that ours has not.
            found = foreign(path) if error.rule in {"foreign", "format"} else None
            # Beside a cloud's listings, where nothing of another tool is replayed, it is damage.
            is_listing = path.absolute().parent.parent == self.folder.absolute()
            if error.rule == "format" and found and found[0].rule != "foreign":
                found = None  # nor can another reader make sense of it
            if found is None or (is_listing and not found):
                found = [_damaged(path, error)]
            return [*found, *leaks(path, data)], None
        text = data.decode("utf-8")
        found = [
            Finding(path=path, line=line_of(text, place), rule=rule, message=message)
            for rule, message, place in self._problems(recording, path, data)
        ]
        if {"secret", "header"}.isdisjoint(each.rule for each in found):
            found += leaks(path, data)
        return found, recording.provenance

    def _problems(self, recording: Recording, path: Path, data: bytes) -> Iterator[_Problem]:
        provenance = recording.provenance
        yield from _in_its_place(provenance, path, data)
        try:
            refuse_stale(recording, self.releases.get(provenance.cloud))
        except StaleCassetteError as error:
            yield "release", error.problem, "imagedetail.release"
        yield from self._age(provenance)
        if provenance.test is None:
            try:
                follow(recording, expect=error_status(recording))
            except ImageDetailError as error:
                yield "replay", error.problem, "interactions"
        shapes = SHAPES if provenance.test is None else SHAPES_AND_EMAIL
        redacted = redact(
            recording.interactions, cloud=provenance.cloud, known=Known(), shapes=shapes
        )
        for place, kind in _worst(redacted.places).items():
            rule, what = _REPLACED[kind]
            yield rule, f"{what}: {place}", place
        for what, place in suspicious(redacted.interactions):
            yield "suspicious", f"{what}: {place}", place

    def _age(self, provenance: Provenance) -> Iterator[_Problem]:
        old = too_old(provenance, max_age=self.max_age, now=self.now)
        if (problem := old or too_young(provenance, now=self.now)) is not None:
            key = "recorded_at" if provenance.recorded_at is not None else "source"
            yield "age", problem, f"imagedetail.{key}"
        elif self.max_age is not None and provenance.recorded_at is None:
            problem = f"{provenance.source} without a date, so its age is not judged"
            yield "undated", problem, "imagedetail.source"


def _worst(places: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the worst kind of value by place; writing a cassette adds Content-Length."""
    kinds = list(_REPLACED)
    worst_last = sorted(places, key=lambda each: kinds.index(each[0]), reverse=True)
    return {place: kind for kind, place in worst_last if not place.endswith(": Content-Length")}


def line_of(text: str, place: str) -> int:
    """Return the line of a place in a cassette, or of the nearest key above it."""
    return _line_of(text, place.partition(": ")[0])


@lru_cache(maxsize=32)  # most findings of a file are in one body
def _line_of(text: str, key: str) -> int:
    keys = (int(each) if each.isdigit() else each for each in re.findall(r"\w+", key))
    return yamltext.line_of(text, *keys)


def _in_its_place(provenance: Provenance, path: Path, data: bytes) -> Iterator[_Problem]:
    try:
        own = own_name(provenance)
    except UsageError as error:
        yield "provenance", error.problem, "imagedetail.cloud"
        return
    if is_at(path.absolute(), own) or provenance.source == "scrubbed":
        return  # what was scrubbed in place is where its test looks for it
    is_in_cloud = provenance.cloud in path.absolute().parts[:-1]
    key = "cloud" if not is_in_cloud else "query" if provenance.test is None else "test"
    original = path.parent.parent / own
    if original.is_file() and original.read_bytes() == data:
        yield "duplicate", f"a copy of {original}", f"imagedetail.{key}"
    else:
        yield "misplaced", f"by its provenance it is {own}", f"imagedetail.{key}"
