"""Check recordings before they are committed: damage, misplaced files and secrets."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette.swapping import LOCK
from pytest_imagedetail.lint.cassettes import Linter, foreign, leaks, line_of
from pytest_imagedetail.lint.rules import RULES, Finding, Rule
from pytest_imagedetail.model import Provenance
from pytest_imagedetail.record.release_guard import Evidence

__all__ = ["RULES", "Finding", "Linted", "Linter", "Rule", "lint"]

_EXPECTED: Final = frozenset(
    {
        *(".gitattributes", ".gitignore", ".gitkeep", ".imagedetail.lock"),
        *("README", "README.md", "README.rst"),
    }
)
_CASSETTES: Final = frozenset({".yaml", ".yml"})
_RECORDINGS: Final = _CASSETTES | {".json", ".har"}
_KEYS: Final = (b"interactions", b'"entries"')  # of vcrpy, Ruby's VCR and betamax; of HAR files


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """What was checked, and what was found.

    Attributes:
        files: The number of files.
        is_empty: Whether folders were given that hold nothing but files such as README.
        findings: By path and line.
    """

    files: int
    is_empty: bool
    findings: tuple[Finding, ...]


def lint(paths: Iterable[Path], linter: Linter) -> Linted:
    """Check files, and folders with everything in them."""
    given = tuple(paths)
    seen = tuple(dict.fromkeys(each for path in given for each in _files(path)))
    files = tuple(each for each in seen if isinstance(each, Path))
    findings = [each for each in seen if isinstance(each, Finding)]
    intact: dict[Path, Provenance] = {}
    looked = {}
    for path in files:
        strays = path in given or linter.is_inside(path)
        if strays or (path.suffix in _RECORDINGS and _is_recording(path)):
            looked[path], provenance = _look(path, linter, strays=strays)
            if provenance is not None:
                intact[path] = provenance
    findings += [each for found in looked.values() for each in found]
    findings += _case(looked)
    findings += _clouds(intact, linter)
    return Linted(
        files=len(looked),
        is_empty=all(
            isinstance(each, Path) and each.name in _EXPECTED and each not in given for each in seen
        ),
        findings=tuple(sorted(findings)),
    )


def _files(path: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path | Finding]:
    """Yield files, and a finding for each folder that cannot be read.

    Links are followed, as replaying does, but not to a folder that contains them.
    """
    # Not glob: it skips a folder that may not be read, and its cassettes would be missing.
    try:
        if not path.is_dir():
            yield path
            return
        if (real := path.resolve()) in above:
            return
        inside = sorted(path.iterdir())
    except OSError as error:
        yield _unreadable(path, error)
        return
    for each in inside:
        if each.suffix in _CASSETTES:
            yield each
        elif each.name != LOCK and not (each.name.startswith(".") and each.is_dir()):
            yield from _files(each, above | {real})


def _look(
    path: Path, linter: Linter, *, strays: bool
) -> tuple[Sequence[Finding], Provenance | None]:
    try:
        if not path.is_file():  # a pipe or a device might never end
            problem = "not a regular file" if path.exists() else "there is no such file"
            return [Finding(path=path, line=1, rule="unreadable", message=problem)], None
        if path.suffix in _CASSETTES:
            return linter.look(path)
        found = [*_stray(path)]
        return [each for each in found if strays or each.rule != "orphan"], None
    except OSError as error:
        return [_unreadable(path, error)], None


def _unreadable(path: Path, error: OSError) -> Finding:
    problem = f"cannot be read: {error.strerror}"
    return Finding(path=path, line=1, rule="unreadable", message=problem)


def _stray(path: Path) -> Iterator[Finding]:
    """Check a file that is not YAML; any text may hold a secret."""
    try:
        data = yamltext.content(path)
        data.decode("utf-8")
    except ValueError:  # binary, or too large
        data = b""
    yield from leaks(path, data)
    if path.name in _EXPECTED:
        return
    if path.suffix in _RECORDINGS and (found := foreign(path)) is not None:
        yield from found
        return
    is_temporary = path.suffix == ".tmp"
    problem = "left behind by a write that was killed" if is_temporary else "nothing reads it"
    yield Finding(path=path, line=1, rule="orphan", message=problem)


def _is_recording(path: Path) -> bool:
    """Return whether a file has the keys of a recording, damaged or not."""
    try:
        return any(key in path.read_bytes() for key in _KEYS)
    except OSError:
        return True  # it is a finding that it cannot be read


def _case(files: Iterable[Path]) -> Iterator[Finding]:
    """Find names of which a case-insensitive file system keeps one."""
    first: dict[str, Path] = {}
    for path in files:
        other = first.setdefault(str(path).lower(), path)
        if other != path:
            problem = f"differs from {other} in case only"
            yield Finding(path=path, line=1, rule="case", message=problem)


def _clouds(intact: Mapping[Path, Provenance], linter: Linter) -> Iterator[Finding]:
    """Find clouds that are not declared, and recordings of two releases under one name."""
    first: dict[str, Evidence] = {}
    for path, provenance in intact.items():
        cloud = provenance.cloud
        if linter.releases and cloud not in linter.releases and cloud not in first:
            problem = f"imagedetail.yaml declares clouds, but not {cloud}"
            yield _at(path, "imagedetail.cloud", "undeclared", problem)
        evidence = Evidence.of(provenance, where=str(path))
        other = first.setdefault(cloud, evidence)
        if other.contradicts(evidence):
            problem = f"{other.where} is another release of this cloud: {other.text}"
            yield _at(path, "imagedetail.release", "release", problem)


def _at(path: Path, place: str, rule: str, message: str) -> Finding:
    line = line_of(path.read_text(encoding="utf-8"), place)
    return Finding(path=path, line=line, rule=rule, message=message)
