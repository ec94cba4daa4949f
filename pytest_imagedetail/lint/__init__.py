"""Looks through cassettes for what should not be committed. Asks nobody, writes nothing."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

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
        findings: By path and line.
    """

    files: int
    findings: tuple[Finding, ...]


def lint(paths: Iterable[Path], linter: Linter) -> Linted:
    """Look through files, and through folders with everything that lies in them.

    Args:
        paths: Files and folders.
        linter: What they are judged by.
    """
    files = tuple(dict.fromkeys(file for path in paths for file in _files(path)))
    findings = [found for file in files for found in _look(file, linter)]
    return Linted(files=len(files), findings=tuple(sorted([*findings, *_alike(files)])))


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for each in sorted(path.rglob("*")):
        if not each.is_dir() or each.suffix in _CASSETTES:
            yield each


def _look(path: Path, linter: Linter) -> Iterator[Finding]:
    if not path.is_file():  # nor is a pipe or a device, which might never end
        problem = "no regular file" if path.exists() else "there is no such file"
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
        problem = f"cannot be read: {error.strerror}"
        yield Finding(path=path, line=1, rule="unreadable", message=problem)


def _stranger(path: Path) -> Finding:
    """What a file that is no YAML does among cassettes."""
    if path.suffix in {".json", ".har"} and _is_recording(path):
        problem = "not recorded by this tool, so nobody has looked for secrets in it"
        return Finding(path=path, line=1, rule="foreign", message=problem)
    what = {".tmp": "left over from a write that was killed", ".lock": "a lock"}
    problem = what.get(path.suffix, "no cassette, and nothing reads it")
    return Finding(path=path, line=1, rule="orphan", message=problem)


def _is_recording(path: Path) -> bool:
    try:
        document: Any = json.loads(path.read_bytes())
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
