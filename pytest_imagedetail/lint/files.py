"""Check one file: whether it is a cassette, intact, in its place, and redacted."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette import loads
from pytest_imagedetail.cassette.store import age_problem, is_at, own_name
from pytest_imagedetail.cassette.swapping import LOCK
from pytest_imagedetail.errors import (
    DamagedCassetteError,
    ImageDetailError,
    NoRecordingError,
    StaleCassetteError,
    UsageError,
)
from pytest_imagedetail.lint.rules import Finding, Origin
from pytest_imagedetail.lint.suspicious import suspicious
from pytest_imagedetail.listing import error_status
from pytest_imagedetail.model import Provenance, Recording
from pytest_imagedetail.record.recorder import follow, refuse_stale
from pytest_imagedetail.record.release_guard import Evidence
from pytest_imagedetail.redact import Known, redact_again
from pytest_imagedetail.redact.decodings import decodings_of
from pytest_imagedetail.redact.final_check import leaks_in
from pytest_imagedetail.redact.known import Search
from pytest_imagedetail.scrub import scrub, secrets_of
from pytest_imagedetail.scrub.reading import may_be_recording, read

_OTHER_FILES: Final = frozenset(
    {LOCK, ".gitattributes", ".gitignore", ".gitkeep", "README", "README.md", "README.rst"}
)
_KEYS: Final = (b"interactions", b'"entries"')  # of vcrpy, Ruby's VCR and betamax; of HAR files
_RULES_BY_KIND: Final = {  # rule and message by what redaction would replace, the worst first
    "secrets": ("secret", "a password, token or key"),
    "headers": ("header", "a header that cassettes do not keep"),
    "people": ("email", "an e-mail address"),
    "hosts": ("host", "a host that is not a placeholder"),
    "addresses": ("address", "an IP or MAC address in a field for addresses"),
    "ids": ("id", "an id of a project or user that is not a placeholder"),
}
_SENSITIVE: Final = ("secrets", "ids", "people", "addresses")
_OWN_KEY: Final = b"imagedetail"  # of the provenance
_SCRUBBED: Final = re.compile(rb"""^ *"?source"?: ["']?scrubbed""", re.MULTILINE)
_LINE: Final = re.compile(r"line (\d+)")
_MAX_LENGTH: Final = 200  # characters of a message

_Problem = tuple[str, str, str]
"""Rule, message, and place: the path of a key in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linter:
    """The settings of a check, and the releases of the clouds that it has seen."""

    releases: Mapping[str, str | None]  # of the declared clouds; None if unknown
    max_age: int | None  # days; None allows any age
    now: datetime
    folder: Path  # the project's cassettes; every file in it must be one
    seen: dict[str, Evidence] = field(default_factory=dict)  # of each cloud's first recording


def check_file(path: Path, linter: Linter, *, strays: bool) -> Sequence[Finding] | None:
    """Check a file; return None for one that is not a recording, unless `strays`."""
    if not strays and not may_be_recording(path):
        return None
    try:
        data = yamltext.content(path)
    except OSError as error:
        return [unreadable(path, error.strerror)]
    if not strays and not any(key in data for key in _KEYS) and _is_utf8(data):
        return None
    if yamltext.is_yaml(path):
        findings = _check_cassette(path, data, linter)
    else:
        findings = [*_leaks(path, data), *_check_other(path, strays=strays)]
    origin: Origin = "recorded"
    if _SCRUBBED.search(data):
        origin = "scrubbed"
    elif not _is_ours(path, data, linter) or any(each.rule == "foreign" for each in findings):
        origin = "other"
    return [replace(finding, origin=origin) for finding in findings]


def _is_ours(path: Path, data: bytes, linter: Linter) -> bool:
    """Return whether a file, even a damaged one, is one that this plugin records."""
    return _OWN_KEY in data or path.absolute().is_relative_to(linter.folder.absolute())


def _is_utf8(data: bytes) -> bool:
    try:
        return "\0" not in data.decode("utf-8")  # as in UTF-16 without a byte order mark
    except UnicodeDecodeError:
        return False


def unreadable(path: Path, reason: str | None) -> Finding:
    """Return the finding for a file or folder that cannot be read."""
    return Finding(path=path, line=1, rule="unreadable", message=f"cannot be read: {reason}")


def _check_cassette(path: Path, data: bytes, linter: Linter) -> Sequence[Finding]:
    try:
        recording = loads(data, where=str(path))
    except DamagedCassetteError as error:
        return [*_check_damaged(path, error, linter), *_leaks(path, data)]
    text = data.decode("utf-8")
    findings = []
    for rule, message, place in _problems(recording, path, data, linter):
        line = _line_of(text, place.partition(": ")[0])
        findings.append(Finding(path=path, line=line, rule=rule, message=message))
    if {"secret", "header"}.isdisjoint(finding.rule for finding in findings):
        findings += _leaks(path, data)
    return findings


def _leaks(path: Path, data: bytes) -> Iterator[Finding]:
    for form, _, number in leaks_in(decodings_of(data), Search(Known())):
        problem = "something in the shape of a token, a key or a password"
        line = number if form == "as written" else 1
        yield Finding(path=path, line=line, rule="secret", message=problem)
        return


def _check_other(path: Path, *, strays: bool) -> Sequence[Finding]:
    findings = _check_foreign(path) if may_be_recording(path) else None
    if findings is None and strays and path.name not in _OTHER_FILES:
        findings = [Finding(path=path, line=1, rule="orphan", message="not a recording")]
    return findings or []


def _check_damaged(path: Path, error: DamagedCassetteError, linter: Linter) -> Sequence[Finding]:
    # Ruby's VCR writes YAML that the loader for cassettes refuses.
    findings = _check_foreign(path) if error.rule in {"foreign", "format"} else None
    if findings and "foreign" in {findings[0].rule, error.rule}:
        return findings
    # Among listings, where no recording of another tool is replayed, it is damage.
    is_listing = path.absolute().parent.parent == linter.folder.absolute()
    return [] if findings == [] and not is_listing else [_damaged(path, error)]


def _check_foreign(path: Path) -> list[Finding] | None:
    """Return the findings for a recording of another tool; None for any other file.

    Hosts and harmless headers alone are not findings.
    """
    try:
        source = read(path)
    except NoRecordingError:
        return None
    except DamagedCassetteError as error:
        return [_damaged(path, error)]
    known = secrets_of([source])
    result = scrub(source, cloud="scrubbed", known=known)
    counts = {"logins": result.keystone, **result.removed}
    if not (result.keystone or known.secrets or any(counts.get(kind) for kind in _SENSITIVE)):
        return []
    removed = ", ".join(f"{kind} {number}" for kind, number in counts.items() if number)
    problem = f"{source.tool} recording; scrub would remove: {removed}"
    return [Finding(path=path, line=1, rule="foreign", message=problem)]


def _damaged(path: Path, error: DamagedCassetteError) -> Finding:
    match = _LINE.search(error.where.removeprefix(str(path)))
    line = int(match[1]) if match else 1
    return Finding(path=path, line=line, rule=error.rule, message=error.problem[:_MAX_LENGTH])


def _problems(recording: Recording, path: Path, data: bytes, linter: Linter) -> Iterator[_Problem]:
    provenance = recording.provenance
    yield from _misplaced(provenance, path, data)
    try:
        refuse_stale(recording, linter.releases.get(provenance.cloud))
    except StaleCassetteError as error:
        yield "release", error.problem, "imagedetail.release"
    yield from _age_problems(provenance, linter)
    if provenance.test is None:
        try:
            follow(recording, expect=error_status(recording))
        except ImageDetailError as error:
            yield "replay", error.problem, "interactions"
    redacted = redact_again(recording, known=Known())
    for place, kind in _worst_kinds(redacted.places).items():
        rule, description = _RULES_BY_KIND[kind]
        yield rule, f"{description}: {place}", place
    for description, place in suspicious(redacted.interactions):
        yield "suspicious", f"{description}: {place}", place
    yield from _cloud_problems(provenance, path, linter)


def _age_problems(provenance: Provenance, linter: Linter) -> Iterator[_Problem]:
    problem = age_problem(provenance, max_age=linter.max_age, now=linter.now)
    if problem is not None:
        key = "recorded_at" if provenance.recorded_at is not None else "source"
        yield "age", problem, f"imagedetail.{key}"
    elif linter.max_age is not None and provenance.recorded_at is None:
        problem = f"{provenance.source} without a date, so its age is not judged"
        yield "undated", problem, "imagedetail.source"


def _worst_kinds(places: Iterable[tuple[str, str]]) -> dict[str, str]:
    kinds = list(_RULES_BY_KIND)
    worst_last = sorted(places, key=lambda pair: kinds.index(pair[0]), reverse=True)
    return {place: kind for kind, place in worst_last}


def _cloud_problems(provenance: Provenance, path: Path, linter: Linter) -> Iterator[_Problem]:
    cloud = provenance.cloud
    if linter.releases and cloud not in linter.releases and cloud not in linter.seen:
        problem = f"imagedetail.yaml declares clouds, but not {cloud}"
        yield "undeclared", problem, "imagedetail.cloud"
    evidence = Evidence.of(provenance, where=str(path))
    first = linter.seen.setdefault(cloud, evidence)
    if first.contradicts(evidence):
        problem = f"{first.where} is another release of this cloud: {first.text}"
        yield "release", problem, "imagedetail.release"


@lru_cache(maxsize=32)  # most findings of a file are in one body
def _line_of(text: str, key: str) -> int:
    keys = (int(part) if part.isdigit() else part for part in re.findall(r"\w+", key))
    return yamltext.line_of(text, *keys)


def _misplaced(provenance: Provenance, path: Path, data: bytes) -> Iterator[_Problem]:
    try:
        own = own_name(provenance)
    except UsageError as error:
        yield "provenance", error.problem, "imagedetail.cloud"
        return
    if is_at(path.absolute(), own) or provenance.source == "scrubbed":
        return  # scrubbed in place, it is where its test looks for it
    is_in_cloud = provenance.cloud in path.absolute().parts[:-1]
    key = "cloud" if not is_in_cloud else "query" if provenance.test is None else "test"
    original = path.parent.parent / own
    if original.is_file() and original.read_bytes() == data:
        yield "duplicate", f"a copy of {original}", f"imagedetail.{key}"
    else:
        yield "misplaced", f"its provenance says it is {own}", f"imagedetail.{key}"
