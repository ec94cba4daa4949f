"""Looks at one cassette: whether it is what was written, where it belongs, and safe."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette import loads
from pytest_imagedetail.cassette.age import too_old, too_young
from pytest_imagedetail.cassette.format import SCHEMAS, VCR_VERSION, is_as_written
from pytest_imagedetail.cassette.store import own_name
from pytest_imagedetail.errors import (
    DamagedCassetteError,
    ImageDetailError,
    StaleCassetteError,
    UsageError,
)
from pytest_imagedetail.lint.lines import CREDENTIALS, Lines
from pytest_imagedetail.lint.rules import Finding
from pytest_imagedetail.listing import error_status
from pytest_imagedetail.model import Recording
from pytest_imagedetail.record.recorder import follow, refuse_stale
from pytest_imagedetail.record.release_guard import Evidence
from pytest_imagedetail.redact import (
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    is_placeholder_id,
    owners_in,
    project_in_path,
)

_LINE: Final = re.compile(r", line (\d+)(?:, column \d+)?$")
_QUOTED: Final = re.compile(r"^ *(?:- |[\w-]+: )+(?:\"|!!binary)", re.MULTILINE)
_OF_CLOUDS: Final = frozenset({"host", "address", "email"})
_LONGEST: Final = 200  # characters of a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Linter:
    """What all files are judged by.

    Attributes:
        releases: Of the declared clouds, by name; None where the release is not known.
        max_age: In days; None judges no age.
        now: The time, with a zone.
    """

    releases: Mapping[str, str | None]
    max_age: int | None
    now: datetime
    _lines: Lines = field(default_factory=Lines)
    _undeclared: set[str] = field(default_factory=set)
    _evidence: dict[str, Evidence] = field(default_factory=dict)

    def cassette(self, path: Path) -> Iterator[Finding]:
        """What is wrong with one file that can be read."""
        try:
            raw = yamltext.content(path)
        except ValueError as fault:  # too large
            problem = f"not a readable YAML file: {fault}"
            yield Finding(path=path, line=1, rule="format", message=problem)
            return
        text = raw.decode("utf-8", errors="replace")
        try:
            recording = loads(path)
        except DamagedCassetteError as error:
            yield _damage(path, error)
            yield from self._spill(path, text, is_ours=False)
            return
        yield from self._name(path, raw, text, recording)
        yield from self._agreement(path, text, recording)
        if recording.provenance.test is None:
            try:
                follow(recording, expect=error_status(recording))
            except ImageDetailError as error:
                yield _at(path, text, "replay", error.problem, "interactions")
        for rule, message, *keys in _unredacted(recording):
            yield _at(path, text, rule, message, "interactions", *keys)
        yield from self._spill(path, text, is_ours=True)
        if _QUOTED.search(text):  # what YAML has escaped or folded cannot be read in its lines
            for line, hidden in _hidden(recording, text):
                spots = self._lines.spots(hidden, is_ours=True)
                for rule, message in dict.fromkeys((rule, message) for _, rule, message in spots):
                    yield Finding(path=path, line=line, rule=rule, message=message)

    def _name(self, path: Path, raw: bytes, text: str, recording: Recording) -> Iterator[Finding]:
        provenance = recording.provenance
        try:
            own = own_name(provenance)
        except UsageError as error:
            yield _at(path, text, "provenance", error.problem, "imagedetail", "cloud")
            return
        parts = path.absolute().parts
        if parts[-len(own.parts) :] == own.parts:
            return
        at_home = provenance.cloud in parts[:-1]
        key = "cloud" if not at_home else "query" if provenance.test is None else "test"
        rightful = path.parent.parent / own
        if rightful.is_file() and rightful.read_bytes() == raw:
            yield _at(path, text, "duplicate", f"a copy of {rightful}", "imagedetail", key)
        else:
            yield _at(path, text, "misplaced", f"it is {own} by its provenance", "imagedetail", key)

    def _agreement(self, path: Path, text: str, recording: Recording) -> Iterator[Finding]:
        """Whether a recording is of what is declared, and as young as is asked for."""
        provenance = recording.provenance
        if self.releases and provenance.cloud not in {*self.releases, *self._undeclared}:
            self._undeclared.add(provenance.cloud)
            problem = f"imagedetail.yaml declares clouds, and {provenance.cloud} is none of them"
            yield _at(path, text, "undeclared", problem, "imagedetail", "cloud")
        try:
            refuse_stale(recording, self.releases.get(provenance.cloud))
        except StaleCassetteError as error:
            yield _at(path, text, "release", error.problem, "imagedetail", "release")
        evidence = Evidence.of(provenance, where=str(path))
        first = self._evidence.setdefault(provenance.cloud, evidence)
        if first.contradicts(evidence):
            problem = f"{first.where} is another release of this cloud: {first.text}"
            yield _at(path, text, "release", problem, "imagedetail", "release")
        old = too_old(provenance, max_age=self.max_age, now=self.now)
        if (odd := old or too_young(provenance, now=self.now)) is not None:
            key = "recorded_at" if provenance.recorded_at is not None else "source"
            yield _at(path, text, "age", odd, "imagedetail", key)
        elif self.max_age is not None and provenance.recorded_at is None:
            problem = f"{provenance.source}, and nobody knows when, so its age is not judged"
            yield _at(path, text, "undated", problem, "imagedetail", "source")

    def _spill(self, path: Path, text: str, *, is_ours: bool) -> Iterator[Finding]:
        spots = list(self._lines.spots(text, is_ours=is_ours))
        named = yamltext.line_of(text, "imagedetail", "test") if spots and is_ours else None
        for line, rule, message in spots:
            if line == named and rule in _OF_CLOUDS:
                continue  # a test has its name from its author, not from a cloud
            yield Finding(path=path, line=line, rule=rule, message=message)


def _damage(path: Path, error: DamagedCassetteError) -> Finding:
    """Which rule a file breaks that cannot be loaded; the first one, as loading stops there."""
    try:
        document = yamltext.read(path, error=DamagedCassetteError, remedy=error.remedy)
    except DamagedCassetteError as fault:
        place = _LINE.search(fault.where)
        line = int(place.group(1)) if place else 1
        return Finding(path=path, line=line, rule="format", message=fault.problem[:_LONGEST])
    facts = document.get("imagedetail") if isinstance(document, dict) else None
    if not isinstance(facts, dict) and _is_foreign(document):
        problem = "not recorded by this tool, so nobody has looked for secrets in it"
        return Finding(path=path, line=1, rule="foreign", message=problem)
    place = _LINE.search(error.where)
    return Finding(
        path=path,
        line=int(place.group(1)) if place else 1,
        rule=_broken(document, facts),
        message=error.problem[:_LONGEST],
    )


def _is_foreign(document: Any) -> bool:
    """Whether it is a cassette of another tool: vcrpy, betamax, or Ruby's VCR."""
    return isinstance(document, dict) and not {"interactions", "http_interactions"}.isdisjoint(
        document
    )


def _broken(document: Any, facts: Any) -> str:
    """The rule that a readable document breaks; as it is loaded."""
    if not isinstance(document, dict) or "interactions" not in document:
        return "format"
    if document.get("version") != VCR_VERSION:
        return "version"
    if not isinstance(facts, dict):
        return "provenance"
    if facts.get("schema") not in SCHEMAS:
        return "schema"
    if not document["interactions"]:
        return "format"
    return "provenance" if is_as_written(document) else "hash"


def _unredacted(recording: Recording) -> Iterator[tuple[Any, ...]]:
    """What redaction leaves in no request and no answer: rule, message, and the way to it."""
    own = (f".{recording.provenance.cloud.lower()}.invalid", "//unknown.invalid")  # of an import
    for number, each in enumerate(recording.interactions):
        parts = urlsplit(each.url)
        host = f"//{parts.netloc.lower()}"
        if host.endswith(".invalid") and not host.endswith(own):
            yield "host", "a placeholder of another cloud", number, "request", "uri"
        project = project_in_path(unquote(parts.path))
        if project is not None and not is_placeholder_id(project):
            yield "id", "a project that is no placeholder", number, "request", "uri"
        elif not all(map(is_placeholder_id, owners_in(parts))):
            yield "id", "a project or a user that is no placeholder", number, "request", "uri"
        for message, headers, kept in (
            ("request", each.request_headers, REQUEST_HEADERS),
            ("response", each.response.headers, RESPONSE_HEADERS | {"content-length"}),
        ):
            for name in headers:
                if name.lower() not in kept and not CREDENTIALS.fullmatch(f"{name}:"):
                    problem = f"a header of the {message} that no recording keeps"
                    yield "header", problem, number, message, "headers", name


def _hidden(recording: Recording, text: str) -> Iterator[tuple[int, str]]:
    """Texts of a recording that its file does not show as they are, with their lines."""
    shown = {line.strip() for line in text.split("\n")}
    for number, each in enumerate(recording.interactions):
        fields = [*each.request_headers.fields, *each.response.headers.fields]
        for value in (each.url, each.response.reason, *(value for _, value in fields)):
            if value not in text:
                yield yamltext.line_of(text, "interactions", number), value
        for raw, *keys in (
            (each.request_body, "request", "body"),
            (each.response.body, "response", "body", "string"),
        ):
            body = raw.decode("utf-8", errors="replace")
            if not all(line.strip() in shown for line in body.split("\n")):
                yield yamltext.line_of(text, "interactions", number, *keys), body


def _at(path: Path, text: str, rule: str, message: str, *keys: str | int) -> Finding:
    line = yamltext.line_of(text, *keys)
    return Finding(path=path, line=line, rule=rule, message=message)
