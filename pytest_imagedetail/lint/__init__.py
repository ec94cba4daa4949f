"""Looks through cassettes for what should not be committed. Asks nobody, writes nothing."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette.swapping import LOCK
from pytest_imagedetail.lint.cassettes import Linter
from pytest_imagedetail.lint.rules import RULES, Finding, Rule

__all__ = ["RULES", "Finding", "Linted", "Linter", "Rule", "lint"]

_WELCOME: Final = frozenset(
    {".gitattributes", ".gitignore", ".gitkeep", "README", "README.md", "README.rst"}
)
_CASSETTES: Final = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """What was looked at, and what was found.

    Attributes:
        files: How many files.
        is_empty: Whether folders were looked through, and no cassette or stranger lies in them.
        findings: By path and line.
    """

    files: int
    is_empty: bool
    findings: tuple[Finding, ...]


def lint(paths: Iterable[Path], linter: Linter) -> Linted:
    """Look through files, and through folders with everything that lies in them.

    Args:
        paths: Files and folders.
        linter: What they are judged by.
    """
    given = tuple(paths)
    seen = tuple(dict.fromkeys(each for path in given for each in _files(path)))
    files = tuple(each for each in seen if isinstance(each, Path))
    findings = [each for each in seen if isinstance(each, Finding)]
    findings += [found for file in files for found in _look(file, linter)]
    findings += _alike(files)
    return Linted(
        files=len(files),
        is_empty=all(
            isinstance(each, Path) and each.name in _WELCOME and each not in given for each in seen
        ),
        findings=tuple(sorted(findings)),
    )


def _files(path: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path | Finding]:
    """Files, and folders that nobody can look into: what lies in them is not known.

    Links are followed, as replaying does, but to no folder that they lie in.
    """
    # Not glob: it passes over a folder that may not be read, and its cassettes would be missing.
    try:
        if not path.is_dir():
            yield path
            return
        if (real := path.resolve()) in above:
            return
        inside = sorted(each for each in path.iterdir() if each.name != LOCK)
    except OSError as error:
        yield _unreadable(path, error)
        return
    for each in inside:
        if each.suffix in _CASSETTES:
            yield each
        else:
            yield from _files(each, above | {real})


def _look(path: Path, linter: Linter) -> Iterator[Finding]:
    try:
        is_file, exists = path.is_file(), path.exists()
    except OSError as error:
        yield _unreadable(path, error)
        return
    if not is_file:  # nor is a pipe or a device, which might never end
        problem = "no regular file" if exists else "there is no such file"
        yield Finding(path=path, line=1, rule="unreadable", message=problem)
        return
    if path.name in _WELCOME:
        return
    try:
        if path.suffix in _CASSETTES:
            yield from linter.cassette(path)
        else:
            yield _stranger(path)
    except OSError as error:
        yield _unreadable(path, error)


def _unreadable(path: Path, error: OSError) -> Finding:
    problem = f"cannot be read: {error.strerror}"
    return Finding(path=path, line=1, rule="unreadable", message=problem)


def _stranger(path: Path) -> Finding:
    """What a file that is no YAML does among cassettes."""
    if path.suffix in {".json", ".har"} and _is_recording(path):
        problem = "not recorded by this tool, so nobody has looked for secrets in it"
        return Finding(path=path, line=1, rule="foreign", message=problem)
    what = {".tmp": "left over from a write that was killed"}
    problem = what.get(path.suffix, "no cassette, and nothing reads it")
    return Finding(path=path, line=1, rule="orphan", message=problem)


def _is_recording(path: Path) -> bool:
    try:
        document: Any = json.loads(yamltext.content(path))
    except (ValueError, RecursionError):
        return False
    known = {"interactions", "http_interactions", "log"}
    return isinstance(document, dict) and not known.isdisjoint(document)


def _alike(files: Sequence[Path]) -> Iterator[Finding]:
    """Files of which a file system without capitals keeps one."""
    first: dict[str, Path] = {}
    for path in files:
        other = first.setdefault(str(path).lower(), path)
        if other != path:
            problem = f"differs from {other} in capitals only"
            yield Finding(path=path, line=1, rule="case", message=problem)
