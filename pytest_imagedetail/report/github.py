"""Render what fails as annotations, which GitHub shows at the cassette in a pull request."""

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from pytest_imagedetail.report import text
from pytest_imagedetail.report.findings import Place, Report

_MOST = 10  # that GitHub shows of a step


def annotations(report: Report, path_of: Callable[[Place], Path]) -> Iterator[str]:
    """Yield a workflow command for each of the first causes that fail.

    Args:
        report: What was compared.
        path_of: Returns the cassette to show a cause at.
    """
    for finding in islice(filter(report.fails, report.findings), _MOST):
        place = finding.places[0]
        yield _annotation(place.group, path_of(place))


def _annotation(group: text.Group, path: Path) -> str:
    first = group.first
    file = os.path.relpath(path, os.environ.get("GITHUB_WORKSPACE", os.curdir))
    values = (f"{sign} {value}" for sign, value in text.values(first))
    lines = [f"{group.path} {group.whom}".rstrip(), *values, first.reason]
    message = "%0A".join(_escaped(line, "%") for line in lines)
    title = f"{first.severity} {first.kind}"
    head = f"file={_escaped(file, '%:,')},line={_line(path, group)},title={title}"
    return f"::error {head}::{message}"


def _line(path: Path, group: text.Group) -> int:
    """Return the line of the first image's id; 1 if there is none."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    ids = [each.id for each in group.examples[:1]]
    return next((at for at, line in enumerate(lines, 1) if any(id_ in line for id_ in ids)), 1)


def _escaped(value: str, marks: str) -> str:
    return "".join(f"%{ord(each):02X}" if each in marks else each for each in text.plain(value))
