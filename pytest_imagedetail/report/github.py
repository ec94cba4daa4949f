"""Render failing causes as annotations, which GitHub shows at the cassette in a pull request."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_imagedetail import text
from pytest_imagedetail.report.evidence import accept_line
from pytest_imagedetail.report.findings import Finding, Place
from pytest_imagedetail.report.verdict import Report

_MOST = 10  # GitHub shows this many per step
_REASONS = frozenset({"expired", "missing", "paired"})  # notes that make a result fail


def annotations(report: Report, path_of: Callable[[Place], Path]) -> Iterator[str]:
    """Yield workflow commands for the verdict, if it is not PASS, and for the first reasons.

    `path_of` returns the cassette that shows a place.
    """
    if report.verdict.passed:
        return
    lines = [report.verdict.line, *(each.problem.splitlines()[0] for each in report.failures)]
    lines += (line for label, line in report.notes if label in _REASONS)
    lines = [*dict.fromkeys(lines)][:_MOST]
    yield from map(error, lines)
    for finding in report.failing[: _MOST - len(lines)]:
        yield _annotation(finding, path_of(finding.places[0]), report.arguments)


def error(problem: str) -> str:
    """Return a workflow command for a problem without a file."""
    return f"::error title=imagedetail::{_escape(problem, '%')}"


def _annotation(finding: Finding, path: Path, arguments: str | None) -> str:
    place, first = finding.places[0], finding.first
    file = os.path.relpath(path, os.environ.get("GITHUB_WORKSPACE", os.curdir))
    is_inside = path.is_file() and not file.startswith(os.pardir)
    values = (f"{sign} {value}" for sign, value in text.values(first))
    where = f"{place.path} {place.image_list}".rstrip()
    lines = [where, *values, finding.reason, f"to accept it: {accept_line(finding, arguments)}"]
    message = "%0A".join(_escape(line, "%") for line in lines)
    title = f"{first.severity} {first.kind}"
    at = f"file={_escape(file, '%:,')},line={_line(path, place)}," if is_inside else ""
    return f"::error {at}title={title}::{message}"


def _line(path: Path, place: Place) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    ids = [example.id for example in place.examples[:1]]
    return next((at for at, line in enumerate(lines, 1) if any(each in line for each in ids)), 1)


def _escape(value: str, marks: str) -> str:
    return "".join(f"%{ord(char):02X}" if char in marks else char for char in text.plain(value))
