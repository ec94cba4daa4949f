"""A matrix as lines for a terminal: who answers what, then one line for each change."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from pytest_imagedetail.matrix import Cell, Matrix, Step
from pytest_imagedetail.model import SEVERITIES, Severity
from pytest_imagedetail.report import text
from pytest_imagedetail.report.terminal import paint

_VALUE_WIDTH: Final = 60
_QUERIES: Final = 4


def render(matrix: Matrix, *, color: bool = False, every_query: bool = False) -> str:
    """The whole report.

    Args:
        matrix: What to show.
        color: Whether to use ANSI colors.
        every_query: Whether to show also the queries that all clouds answered alike.
    """
    lines = [_head(matrix), *_table(matrix, every_query=every_query), *_spans(matrix)]
    for baseline, candidate, steps in matrix.pairs():
        lines += ["", text.plain(f"{baseline} -> {candidate}")]
        lines += [_change(group, step, color=color) for group, step in _groups(steps)]
    worst = min((step.difference.severity for step in matrix.steps), key=_rank, default="same")
    return "\n".join([*lines, "", paint(matrix.summary, worst, color=color)])


def _head(matrix: Matrix) -> str:
    line = (
        f"{text.count(len(matrix.clouds), 'cloud')}, {text.count(len(matrix.queries), 'query')}, "
        f"{text.count(len(matrix.cells), 'answer')}"
    )
    return f"{line}; {len(matrix.missing)} not recorded" if matrix.missing else line


def _table(matrix: Matrix, *, every_query: bool) -> Iterator[str]:
    """Status and number of images by query and cloud; what the names share stands once."""
    queries = matrix.queries if every_query else matrix.uneven
    if not queries:
        yield "every query was answered with the same status and number of images by all of them"
        return
    shared = _shared_start(matrix.clouds)
    rows = [[f"{shared}*" if shared else "", *(name[len(shared) :] for name in matrix.clouds)]]
    rows += [
        [text.cut(text.plain(str(query)), _VALUE_WIDTH), *map(_cell, matrix.row(query))]
        for query in queries
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield ""
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    alike = len(matrix.queries) - len(queries)
    if alike:
        yield f"and {text.count(alike, 'query')} with one status and number of images throughout"


def _spans(matrix: Matrix) -> Iterator[str]:
    """Where each field and behavior that not every cloud shows was seen first and last."""
    shown = [(text.cut(text.plain(each.what), _VALUE_WIDTH), str(each)) for each in matrix.spans]
    width = max((len(what) for what, _ in shown), default=0)
    if shown:
        yield ""
    for what, where in shown:
        yield f"{what:<{width}}  {text.plain(where)}"


def _shared_start(names: Sequence[str]) -> str:
    """What all names begin with, through their last common hyphen: "nova-"."""
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    head, hyphen, _ = "".join(letters[0] for letters in same).rpartition("-")
    return head + hyphen


def _cell(cell: Cell | None) -> str:
    return "-" if cell is None else str(cell)


def _groups(steps: Sequence[Step]) -> Iterator[tuple[text.Group, Step]]:
    """Changes that read best together, each with a step that has its queries."""
    by_queries: dict[tuple[object, ...], list[Step]] = {}
    for step in steps:
        by_queries.setdefault(step.queries, []).append(step)
    found = [
        (group, members[0])
        for members in by_queries.values()
        for group in text.groups([each.difference for each in members])
    ]
    yield from sorted(found, key=lambda each: _rank(each[0].first.severity))


def _rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)


def _change(group: text.Group, step: Step, *, color: bool) -> str:
    first = group.first
    label = paint(f"{first.severity:<10}", first.severity, color=color)
    where = "" if first.kind == "status_changed" else f"  {group.path}"
    line = f"  {label}  {first.kind:<14}  {_asked(step)}{where}"
    if text.shows_values(first):
        values = text.contrast(first.baseline, first.candidate, _VALUE_WIDTH)
        line += "  " + " -> ".join(values)
    if group.images > 1 or not text.shows_values(first):
        line += f"  {group.whom}"
    if text.shows_values(first) and len(group.differences) > 1:
        line += f" and {text.count(len(group.differences) - 1, 'other value')}"
    return line


def _asked(step: Step) -> str:
    names = [text.plain(str(query)) for query in step.queries[:_QUERIES]]
    more = len(step.queries) - len(names)
    return ", ".join(names) + (f" and {text.count(more, 'more query')}" if more else "")
