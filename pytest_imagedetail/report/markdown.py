"""Render comparisons and matrices as Markdown, for a pull request or a job summary."""

import re
from collections.abc import Iterator, Sequence

from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.report import grid, text
from pytest_imagedetail.report.findings import Report, Since


def render(report: Report) -> str:
    """Return one section for each result and each failure."""
    verdict = report.verdict
    lines = [f"# {_text(verdict.line)}", "", _text(", ".join(verdict.facts)), ""]
    lines += since(report.since) if report.since is not None else ()
    for each in report.results:
        lines += _matrix(each) if isinstance(each, Matrix) else _section(each)
    for failure in report.failures:
        clouds = _text(text.plain(f"{failure.baseline} → {failure.candidate}"))
        problem = [f"    {text.plain(line)}" for line in failure.problem.splitlines()]
        lines += [f"## {clouds}: could not be compared", "", *problem, ""]
    return "\n".join(lines)


def since(found: Since) -> Iterator[str]:
    """Yield what changed since an earlier report."""
    yield f"Since {_text(found.line)}"
    yield ""
    for each in found.gone:
        yield f"- {each.why}: {each.severity} {_text(each.title)}"
    if found.gone:
        yield ""


def _section(comparison: Comparison) -> Iterator[str]:
    clouds = f"{comparison.baseline.name} → {comparison.candidate.name}"
    yield f"## {_text(text.plain(clouds))}: {comparison.summary}"
    yield ""
    for name, side in (("baseline", comparison.baseline), ("candidate", comparison.candidate)):
        yield f"- {name}: {_text(', '.join(text.side(side)))}"
    yield f"- profile: {text.normalization(comparison)}"
    for label, line in text.choices(comparison):
        yield f"- {label}: {_text(line)}"
    yield ""
    yield from _notes(text.notes(comparison))
    if not comparison.differences:
        return
    yield "| severity | kind | path | images | baseline | candidate |"
    yield "|---|---|---|---|---|---|"
    for group in text.groups(comparison.differences):
        first = group.first
        cells = [first.severity, first.kind, _code(group.path), _text(group.whom)]
        yield _row([*cells, *_values(group)])
    yield ""


def _matrix(matrix: Matrix) -> Iterator[str]:
    yield f"## {_text(grid.title(matrix))}: {matrix.summary}"
    yield ""
    yield _row(["query", *(_text(text.plain(cloud)) for cloud in matrix.clouds)])
    yield _row(["---"] * (len(matrix.clouds) + 1))
    for query, cells in grid.rows(matrix):
        yield _row([_code(query), *cells])
    yield ""
    if rest := grid.left_out(matrix):
        yield rest
        yield ""
    for span in matrix.spans:
        yield f"- {_code(text.plain(span.what))}: {_text(text.plain(str(span)))}"
    if matrix.spans:
        yield ""
    yield from _notes(grid.notes(matrix))
    if not matrix.steps:
        return
    yield "| from | to | severity | kind | query | path | images | before | after |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for baseline, candidate, steps in matrix.pairs():
        clouds = [_text(text.plain(each)) for each in (baseline, candidate)]
        for group, step in grid.groups(steps):
            first = group.first
            what = [first.severity, first.kind, _text(grid.asked(step.queries)), _code(group.path)]
            yield _row([*clouds, *what, _text(group.whom), *_values(group)])
    yield ""


def _values(group: text.Group) -> list[str]:
    """Return the cells with both values; empty ones for whole images."""
    first = group.first
    if not text.shows_values(first):
        return ["", ""]
    cells = [_code(each) for each in text.contrast(first.baseline, first.candidate, 60)]
    if len(group.differences) > 1:
        cells[-1] += f" and {text.count(len(group.differences) - 1, 'other value')}"
    return cells


def _notes(notes: Sequence[tuple[str, str]]) -> Iterator[str]:
    for label, line in notes:
        yield f"- {label}: {_text(line)}"
    if notes:
        yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """Escape Markdown, and what would end a table cell."""
    return re.sub(r"[\\`*_\[\]<>&|~]", r"\\\g<0>", text)


def _code(text: str) -> str:
    """Return a code span, fenced with more backticks than it holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return fence + space + text.replace("|", "\\|") + space + fence
