"""Resolve every option of a run once, into one frozen value; read `imagedetail.yaml`."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from textwrap import indent
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from pytest_imagedetail import contract
from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.errors import CassetteNotFoundError, SettingsError, UsageError, did_you_mean
from pytest_imagedetail.model import (
    FAIL_ON,
    RECORD_MODES,
    UNUSED,
    FailOn,
    Query,
    RecordMode,
    Types,
    Unused,
    check_types,
)
from pytest_imagedetail.network import Place

PROFILES: Final = ("wire", "same-cloud", "cross-version", "cross-cloud")
"""From comparing everything as sent to comparing different clouds; each includes the previous."""

DEFAULT_PROFILE: Final = "cross-version"

LEVELS: Final = ("facts", "shape")
"""Image by image, or by the fields, types and formats of all images of a side."""

DEFAULT_LEVEL: Final = "facts"
_REPORTS: Final = (".html", ".json", ".md", ".xml")
"""The suffixes of reports: HTML, JSON, Markdown, JUnit XML."""

CLOUDS_FILE: Final = "imagedetail.yaml"
RULES_FILE: Final = "imagedetail-rules.yaml"
_CHOICES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "record_mode": ("record mode", RECORD_MODES),
    "profile": ("profile", PROFILES),
    "fail_on": ("fail-on", FAIL_ON),
    "level": ("level", LEVELS),
    "unused": ("unused", UNUSED),
}
_EMPTY_CHOICES: Final = (("max_age", ""), ("rules", ()))
_LAYOUT: Final = "it holds `clouds:` (name: {os_cloud, release}) and `baseline:`, nothing else"
_FILES: Final = yamltext.Files(SettingsError, _LAYOUT)
_ROOT_FILES: Final = ("pyproject.toml", "pytest.ini", "tox.ini", CLOUDS_FILE)
WILDCARDS: Final = frozenset("*?[")
_MOST_NAMES: Final = 12  # clouds in a message
_LONGEST_AGE: Final = 6  # digits; some 2,700 years, which dates still support

Choice = TypeVar("Choice", bound=str)

RuleSource = str | Path | Mapping[str, Any]
"""A rules file, or one rule as a mapping."""

RuleSources = RuleSource | Sequence[RuleSource]

_RULES_HELP: Final = "a file, a rule as a dict, or a list of them"
_RULE_TYPE: Final[Types] = {"rules": (str | Path | Mapping, _RULES_HELP)}
RULES_TYPE: Final = (str | Path | Mapping | list | tuple, _RULES_HELP)
"""The type of `RuleSources`, as for `check_types`."""

Choices = dict[str, Any]
"""The values set in one place (command line, marker, ini file), by the names of `Settings`.

None, "" and () mean unset, except that a `max_age` of "" is refused, and `rules` of () are none.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudDeclaration:
    """A cloud in `imagedetail.yaml`: names and release, never credentials."""

    name: str  # in tests and cassettes
    os_cloud: str  # in clouds.yaml
    release: str | None = None  # for example "2026.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The resolved options of one run."""

    cassette_dir: Path
    clouds_file: Path = Path(CLOUDS_FILE)  # may not exist
    record_mode: RecordMode = "none"
    clouds: tuple[str, ...] = ()  # names or globs; empty for all recorded or declared
    declared: Mapping[str, CloudDeclaration]
    baseline: str | None = None
    profile: str = DEFAULT_PROFILE
    fail_on: FailOn = "breaking"
    level: str = DEFAULT_LEVEL
    query: Mapping[str, Any] = field(default_factory=dict)  # as for `Query.of`
    reports: tuple[Path, ...] = ()
    max_age: int | None = None  # days
    unused: Unused = "warn"
    rules: tuple[Path | Mapping[str, Any], ...] = ()
    allowed_hosts: tuple[Place, ...] = ()  # neither recorded nor replayed

    def declaration(self, cloud: str) -> CloudDeclaration:
        """Return a cloud's declaration; an undeclared one only has its name."""
        return self.declared.get(cloud) or CloudDeclaration(name=cloud, os_cloud=cloud)

    def select(self, available: Iterable[str]) -> tuple[str, ...]:
        """Return the selected clouds out of `available` and the declared ones, in order, each once.

        Declared clouds without a cassette are included, so that a lost recording fails. Raise
        UsageError for a name or glob that matches no cloud.
        """
        names = tuple(dict.fromkeys([*available, *self.declared]))
        if not self.clouds:
            return names
        selected: list[str] = []
        for pattern in self.clouds:
            matches = [name for name in names if fnmatchcase(name, pattern)]
            if not matches and self.record_mode != "none" and WILDCARDS.isdisjoint(pattern):
                matches = [pattern]  # a name in clouds.yaml, to be recorded
            if not matches:
                raise unknown_cloud(pattern, names, where=self.cassette_dir)
            selected += matches
        return tuple(dict.fromkeys(selected))


def resolve(*layers: Choices, root: Path) -> Settings:
    """Turn layers of choices into settings; the first layer that sets a choice wins.

    Raises:
        UsageError: A value is unknown.
        SettingsError: The clouds file is invalid.
    """
    choices: Choices = {}
    for layer in reversed(layers):
        choices |= {
            name: value for name, value in layer.items() if value or (name, value) in _EMPTY_CHOICES
        }
    for name, (what, values) in _CHOICES.items():
        if name in choices:
            check_choice(what, choices[name], values)
    Query.of(**{str(name): value for name, value in choices.get("query", {}).items()})
    reports = choices.get("reports", ())
    for report in reports:
        check_choice("report suffix", Path(report).suffix, _REPORTS)
    clouds_file = root / choices.get("clouds_file", CLOUDS_FILE)
    declared, baseline = _read_clouds(clouds_file, required="clouds_file" in choices)
    resolved = {
        "cassette_dir": root / choices.get("cassette_dir", "cassettes"),
        "clouds_file": clouds_file,
        "declared": declared,
        "allowed_hosts": tuple(map(_host, choices.get("allowed_hosts", ()))),
        "reports": tuple(root / report for report in reports),
        "max_age": _days(choices.get("max_age")),
        "rules": _rules(root, choices.get("rules")),
    }
    return Settings(**{"baseline": baseline, **choices, **resolved})


def _rules(
    root: Path, sources: tuple[RuleSource, ...] | None
) -> tuple[Path | Mapping[str, Any], ...]:
    """Return the rules and rules files; by default, the default file if it exists."""
    if sources is None:
        path = root / RULES_FILE
        return (path,) if path.exists() else ()
    return tuple(source if isinstance(source, Mapping) else root / source for source in sources)


def rule_sources(rules: RuleSources, *, place: str = "") -> tuple[RuleSource, ...]:
    """Return the rules and rules files of an argument; raise UsageError for anything else."""
    sources = (rules,) if isinstance(rules, str | Path | Mapping) else tuple(rules)
    for source in sources:
        check_types({"rules": source}, _RULE_TYPE, place=place)
    return sources


def check_choice(what: str, value: str, choices: tuple[Choice, ...]) -> Choice:
    """Return the value; raise UsageError with a suggestion if it is not one of the choices."""
    for choice in choices:
        if value == choice:
            return choice
    remedy = f"{did_you_mean(str(value), choices)}known: {', '.join(choices)}"
    raise UsageError(f"unknown {what} {value!r}", remedy=remedy)


def _days(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_AGE:
        raise UsageError(
            f"the maximum age is a whole number of days, not {text!r}",
            remedy="for example --imagedetail-max-age 90; without it, recordings of any age are "
            "replayed",
        )
    return int(text)


def _host(text: str) -> Place:
    with suppress(ValueError):  # of an invalid port or address
        parts = urlsplit(f"//{text}")
        if parts.hostname and parts.port != 0 and parts.netloc.partition("@")[0] == text:
            return parts.hostname, parts.port
    raise UsageError(
        f"a host is HOST or HOST:PORT, not {text!r}",
        remedy="for example --imagedetail-allow-host localhost:5432",
    )


def check_release(name: str | None) -> str | None:
    """Return a known OpenStack release or None unchanged; raise UsageError for other names."""
    if name is not None and contract.release_index(name) is None:
        raise UsageError(
            f"unknown release {name!r}",
            remedy=f"the newest known: {_newest_releases()}\n"
            "a codename (juno) or a year-based name (2014.2); leave it out if it is not known",
        )
    return name


def unknown_cloud(name: str, known: Iterable[str], *, where: Path) -> UsageError:
    """Return the error for a name or glob of a cloud that is neither recorded nor declared."""
    names = tuple(known)
    clouds = ", ".join(names[:_MOST_NAMES]) or "none"
    if len(names) > _MOST_NAMES:
        clouds += f" and {len(names) - _MOST_NAMES} more: imagedetail clouds lists them"
    is_glob = not WILDCARDS.isdisjoint(name)
    record = "" if is_glob else f"\nor record it: imagedetail record {shlex.quote(name)}"
    if not where.is_dir():
        record += "\nor go to the project that has the recordings: this folder does not exist"
    return UsageError(
        f"no cloud matches {name!r}" if is_glob else f"unknown cloud {name!r}",
        where=str(where),
        remedy=f"{did_you_mean(name, names)}known clouds: {clouds}{record}",
    )


def only(pattern: str, matches: Sequence[str]) -> str:
    """Return the only cloud that matches a name or a glob."""
    if len(matches) > 1:
        raise UsageError(
            f"{pattern!r} matches {len(matches)} clouds, and exactly one is needed",
            remedy=f"name one of them: {', '.join(matches)}",
        )
    return matches[0]


def nothing_selected(settings: Settings) -> CassetteNotFoundError:
    """Return the error for a test that needs a cloud when none is recorded or declared."""
    return CassetteNotFoundError(
        "there is no cloud to run for: nothing is recorded, and no cloud is declared",
        where=str(settings.cassette_dir),
        remedy="record one: imagedetail record --os-cloud NAME\n"
        "or import a saved answer: imagedetail import FILE --cloud NAME\n"
        f"or declare clouds in {CLOUDS_FILE} and run with --imagedetail-record-mode=once",
    )


def find_root(folder: Path) -> Path:
    """Return the nearest folder upwards with a project file, or else the folder itself."""
    for parent in (folder, *folder.parents):
        if any((parent / name).is_file() for name in _ROOT_FILES):
            return parent
    return folder


def declare(cloud: CloudDeclaration, path: Path) -> bool:
    """Add a cloud to a clouds file, creating it if needed; return whether it was added.

    Comments and layout stay. A file with an unusual layout, or one that cannot be written, is left
    alone.
    """
    declared, baseline = _read_clouds(path, required=False)
    if declared.get(cloud.name) == cloud:
        return True  # added by another process meanwhile
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    release = {} if cloud.release is None else {"release": cloud.release}
    entry = yamltext.dump({cloud.name: {"os_cloud": cloud.os_cloud, **release}})
    new = _with_entry(old, entry)
    try:
        document = _FILES.parse(new, where=str(path))
        if _parse_clouds(document, path) != ({**declared, cloud.name: cloud}, baseline):
            return False
        with yamltext.replacing(path) as temporary:
            temporary.write_text(new, encoding="utf-8")
    except (OSError, SettingsError):
        return False
    return True


def _with_entry(text: str, entry: str) -> str:
    """Insert an entry at the top of the `clouds:` block, or append the block."""
    text = re.sub(r"(?m)^clouds:[ \t]*(\{\}|null|~)(?=\s)", "clouds:", f"{text.rstrip()}\n")
    key = re.search(r"^clouds:[ \t]*(#.*)?\n", text, re.MULTILINE)
    head, block = (text[: key.end()], text[key.end() :]) if key else (f"{text}clouds:\n", "")
    margin = block[: len(block) - len(block.lstrip(" "))] or "  "
    return "".join([head, indent(entry, margin), block]).lstrip()


def _read_clouds(path: Path, *, required: bool) -> tuple[dict[str, CloudDeclaration], str | None]:
    if not path.exists() and not required:
        return {}, None
    return _parse_clouds(_FILES.read(path), path)


def _parse_clouds(document: Any, path: Path) -> tuple[dict[str, CloudDeclaration], str | None]:
    def invalid(problem: str) -> SettingsError:
        return SettingsError(problem, where=str(path), remedy=_LAYOUT)

    def mapping(value: Any, what: str, *keys: str) -> dict[str, Any]:
        content = {} if value is None else value
        if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
            raise invalid(f"{what} must be a mapping with names as keys")
        unknown = sorted(set(content).difference(keys)) if keys else ()
        if unknown:
            raise invalid(f"{what} has unknown keys: {', '.join(unknown)}")
        return content

    def declaration(name: str, value: Any) -> CloudDeclaration:
        content = mapping(value, f"cloud {name!r}", "os_cloud", "release")
        os_cloud, release = content.get("os_cloud") or name, content.get("release")
        for what, text in (("os_cloud", os_cloud), ("the release", release)):
            if text is not None and not isinstance(text, str):
                raise invalid(f"cloud {name!r}: quote {what}, {text!r} is not a string")
        if release is not None and contract.release_index(release) is None:
            newest = f"the newest known: {_newest_releases()}"
            raise invalid(f"cloud {name!r}: unknown release {release!r}; {newest}")
        return CloudDeclaration(name=name, os_cloud=os_cloud, release=release)

    content = mapping(document, "the file", "clouds", "baseline")
    clouds = mapping(content.get("clouds"), "`clouds`")
    declared = {name: declaration(name, value) for name, value in clouds.items()}
    baseline = content.get("baseline")
    if baseline is not None and not isinstance(baseline, str):
        raise invalid(f"`baseline` must be the name of a cloud, not {baseline!r}")
    return declared, baseline


def _newest_releases() -> str:
    return ", ".join(contract.release_names()[-4:])
