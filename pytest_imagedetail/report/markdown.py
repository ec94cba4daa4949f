"""Render reports as Markdown, for a pull request or a job summary."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from pytest_imagedetail import text
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.report import grid, notes
from pytest_imagedetail.report.findings import Finding, Place, Result
from pytest_imagedetail.report.verdict import Report

_MOST_BYTES: Final = 2**20 - 100  # GitHub's job summary may have 1 MiB, including the last line
_VALUE: Final = 60  # characters


def render(report: Report) -> str:
    """Return the verdict, each cause once, and what was compared."""
    verdict = report.verdict
    facts = ", ".join([*verdict.facts, *verdict.compared])
    lines = [f"# {_text(verdict.line)}", "", _text(facts), ""]
    if report.since is not None:
        first, *others = report.since.lines
        lines += [f"Since {_text(first)}", "", *bullets(others)]
    for failure in report.failures:
        clouds = _text(f"{failure.baseline} → {failure.candidate}")
        problem = [f"    {text.plain(line)}" for line in failure.problem.splitlines()]
        lines += [f"## {clouds}: error", "", *problem, ""]
    if report.findings:
        lines += _causes(report.findings)
    for result in report.results:
        lines += _result(result)
    return fit(lines)


def fit(lines: Sequence[str]) -> str:
    """Join lines, and drop the last ones if there are too many."""
    sizes = accumulate(len(f"{line}\n".encode()) for line in lines)
    shown = sum(size <= _MOST_BYTES for size in sizes)
    more = len(lines) - shown
    rest = ["", f"{text.count(more, 'more line')}: see the JSON report.", ""] if more else []
    return "\n".join([*lines[:shown], *rest])


def bullets(lines: Sequence[str]) -> Iterator[str]:
    """Yield a list of lines, and an empty line below it."""
    yield from (f"- {_text(line)}" for line in lines)
    if lines:
        yield ""


def _causes(findings: Sequence[Finding]) -> Iterator[str]:
    head = ["severity", "kind", "path", "clouds", "queries", "images", "before", "after"]
    head += ["why", "id"]
    yield _row(head)
    yield _row(["---"] * len(head))
    for finding, place in ((each, place) for each in findings for place in each.places):
        cells = (place.pair, grid.first_queries(place.queries), place.image_list)
        yield _row(
            [
                finding.severity + " (new)" * (place in finding.new),
                finding.kind,
                _code(place.path),
                *map(_text, cells),
                *_values(place),
                _text(finding.reason),
                f"`{finding.id}`",
            ]
        )
    yield ""


def _values(place: Place) -> tuple[str, str]:
    first = place.first
    if not text.shows_values(first):
        return "", ""
    old, new = map(_code, text.contrast(first.baseline, first.candidate, _VALUE))
    return old, f"{new} and {place.other_values}" if place.other_values else new


def _result(result: Result) -> Iterator[str]:
    yield f"## {_text(notes.name_of(result))}: {_text(result.summary)}"
    yield ""
    if isinstance(result, Matrix):
        yield from (f"    {line}".rstrip() for line in grid.table(result, every_query=False))
        yield ""
    if lines := [f"- {label}: {_text(line)}" for label, line in notes.in_full(result)]:
        yield from (*lines, "")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(words: str) -> str:
    """Escape Markdown, including the end of a table cell."""
    return re.sub(r"[\\`*_\[\]<>&|~]", r"\\\g<0>", text.plain(words))


def _code(words: str) -> str:
    longest = max((len(run) for run in re.findall("`+", words)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return fence + space + text.plain(words).replace("|", "\\|") + space + fence
