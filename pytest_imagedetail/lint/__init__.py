"""Check recordings before they are committed: damage, misplaced files and secrets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pytest_imagedetail.cassette.swapping import LOCK
from pytest_imagedetail.lint.files import Linter, check_file, unreadable
from pytest_imagedetail.lint.rules import RULES, Finding

__all__ = ["RULES", "LintResult", "Linter", "lint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LintResult:
    """What was checked, and what was found."""

    files: int
    skipped: int  # other files, whose names or contents are not those of recordings
    findings: tuple[Finding, ...]  # by path and line


def lint(paths: Iterable[Path], linter: Linter) -> LintResult:
    """Check files, and folders with everything in them."""
    roots, folder = tuple(paths), linter.folder.absolute()
    findings: list[Finding] = []
    checked: list[Path] = []
    skipped = 0
    for path in dict.fromkeys(chain.from_iterable(map(_files, roots))):
        if isinstance(path, Finding):
            findings.append(path)
            continue
        has_strays = path in roots or path.absolute().is_relative_to(folder)
        file_findings = check_file(path, linter, strays=has_strays)
        if file_findings is None:
            skipped += 1
        else:
            checked.append(path)
            findings += file_findings
    findings += _case_collisions(checked)
    return LintResult(files=len(checked), skipped=skipped, findings=tuple(sorted(findings)))


def _files(path: Path, parents: frozenset[Path] = frozenset()) -> Iterator[Path | Finding]:
    """Yield files, and a finding for each folder that cannot be read.

    Links are followed, as in replaying, except to a folder that contains them.
    """
    # Not glob: it skips an unreadable folder, and its cassettes would be missing.
    try:
        if not path.is_dir():
            yield path
            return
        if (real := path.resolve()) in parents:
            return
        children = sorted(path.iterdir())
    except OSError as error:
        yield unreadable(path, error.strerror)
        return
    for child in children:
        if child.name != LOCK and not (child.name.startswith(".") and child.is_dir()):
            yield from _files(child, parents | {real})


def _case_collisions(files: Iterable[Path]) -> Iterator[Finding]:
    """Find names that collide on a case-insensitive file system."""
    first: dict[str, Path] = {}
    for path in files:
        other = first.setdefault(str(path).lower(), path)
        if other != path:
            problem = f"differs from {other} in case only"
            yield Finding(path=path, line=1, rule="case", message=problem)
