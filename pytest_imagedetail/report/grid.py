"""Render a matrix for a terminal: a table of answers, then one line for each change."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from pytest_imagedetail.compare.matrix import Cell, Matrix, Step
from pytest_imagedetail.model import SEVERITIES, Query, Severity
from pytest_imagedetail.report import text
from pytest_imagedetail.report.terminal import (
    BRIEF_WIDTH,
    OF_LABEL,
    command,
    expired_line,
    paint,
    within_limit,
)

_VALUE_WIDTH: Final = 60
_QUERIES: Final = 4
_QUERY_WIDTH: Final = 30  # of queries in `brief`
_CLOUD_WIDTH: Final = 10  # at least, of a cloud's name in `brief`


def render(matrix: Matrix, *, color: bool = False, every_query: bool = False) -> str:
    """Return the whole report.

    Args:
        matrix: What to show.
        color: Whether to use ANSI colors.
        every_query: Whether to include the queries that all clouds answered alike.
    """
    lines = [head(matrix), *_table(matrix, every_query=every_query), *_spans(matrix)]
    for baseline, candidate, steps in matrix.pairs():
        lines += ["", text.plain(f"{baseline} -> {candidate}")]
        lines += [_change(group, step, color=color) for group, step in groups(steps)]
    noted = notes(matrix)
    lines += [""] * bool(noted)
    lines += [paint(f"{label:<10}  {line}", OF_LABEL[label], color=color) for label, line in noted]
    worst = min((step.difference.severity for step in matrix.steps), key=_rank, default="same")
    return "\n".join([*lines, "", paint(matrix.summary, worst, color=color)])


def brief(matrix: Matrix) -> str:
    """Return the counts and the worst changes for a failing assertion.

    pytest truncates an explanation of more than seven lines.
    """
    why = [expired_line(rule) for rule in matrix.expired_rules[:1]]
    why += [f"{label:<10} {line}" for label, line in list(_apart(matrix))[:1]]
    found = sorted(
        (each for *_, steps in matrix.pairs() for each in groups(steps)),
        key=lambda each: _rank(each[0].first.severity),
    )
    one_query = len(matrix.queries) == 1
    chosen = {"profile": matrix.profile, "expect": matrix.expect}
    again = command("matrix", matrix.clouds, chosen, matrix.queries[0] if one_query else None)
    changes = [_brief_line(group, step, one_query=one_query) for group, step in found]
    return within_limit(f"{title(matrix)}: {matrix.summary}", changes, why, again)


def _brief_line(group: text.Group, step: Step, *, one_query: bool) -> str:
    """Return a change on one line; clouds are shortened before its field is."""
    first = group.first
    status = first.kind == "status_changed"
    where = text.cut(asked(step), _QUERY_WIDTH) if status else text.short_path(group)
    rest = f": {first.kind} "
    room = BRIEF_WIDTH - len(f"{first.severity:<10} {rest}{where}")
    pair = text.plain(f"{step.baseline} -> {step.candidate}")
    if len(pair) > room:
        each = max(room - len(" -> "), 2 * _CLOUD_WIDTH) // 2
        clouds = (text.plain(step.baseline), text.plain(step.candidate))
        pair = " -> ".join(text.cut(cloud, each) for cloud in clouds)
    head = f"{first.severity:<10} {pair}{rest}"
    line = head + text.about(group, BRIEF_WIDTH - len(head), where=where)
    if one_query or status:  # the command below names the one; the other is where it changed
        return line
    variants = (f" ({asked(step)})", f" ({text.count(len(step.queries), 'query')})")
    return line + next((each for each in variants if len(line + each) <= BRIEF_WIDTH), "")


def title(matrix: Matrix) -> str:
    """Return the first and last cloud and the number of those between."""
    between = len(matrix.clouds) - 2
    middle = f" → {text.count(between, 'cloud')} → " if between else " → "
    return text.plain(matrix.clouds[0]) + middle + text.plain(matrix.clouds[-1])


def rows(matrix: Matrix) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each query that clouds answered differently, with their answers.

    If there is none, yield the first query.
    """
    for query in _shown(matrix):
        yield text.plain(str(query)), tuple(map(_cell, matrix.row(query)))


def left_out(matrix: Matrix) -> str:
    """Return a line about the queries that `rows` leaves out, if any."""
    return _alike(len(matrix.queries) - len(_shown(matrix)))


def _shown(matrix: Matrix) -> Sequence[Query]:
    return matrix.uneven or matrix.queries[:1]


def _alike(number: int) -> str:
    if not number:
        return ""
    return f"and {text.count(number, 'query')} with one status and number of images throughout"


def notes(matrix: Matrix) -> tuple[tuple[str, str], ...]:
    """Return what was not compared and what the rules did, as pairs of a label and a line."""
    accepted = [each.difference for each in matrix.expected]
    rules = text.rules(accepted, matrix.expired_rules, matrix.unused_rules)
    paths = matrix.not_compared
    redacted = [("redacted", text.not_compared(paths))] if paths else []
    return (*_apart(matrix), *redacted, *rules)


def _apart(matrix: Matrix) -> Iterator[tuple[str, str]]:
    """Yield a note for each pair of neighbors without an image in common, or a lost recording."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for one, other, query in matrix.lost:
        lacking.setdefault((one, other), []).append(str(query))
    for (one, other), queries in lacking.items():
        some = ", ".join(queries[:_QUERIES]) + (", ..." if len(queries) > _QUERIES else "")
        number = text.count(len(queries), "recording")
        line = f"{other} lacks {number} that {one} has: {some}"
        yield "missing", text.plain(f"{line}; imagedetail record {other} --like {one}")
    pairs: dict[tuple[str, str], list[str]] = {}
    for one, other, query in matrix.nothing_in_common:
        pairs.setdefault((one, other), []).append(str(query))
    for (one, other), queries in pairs.items():
        names = f"{one} and {other} have no image in common"
        asked = f"{queries[0]}" + (f" and {len(queries) - 1} more" if len(queries) > 1 else "")
        yield "paired", text.plain(f"{names}, query {asked}, so none was compared there")


def head(matrix: Matrix) -> str:
    """Return how much there is: "9 clouds, 43 queries, 387 answers"."""
    line = (
        f"{text.count(len(matrix.clouds), 'cloud')}, {text.count(len(matrix.queries), 'query')}, "
        f"{text.count(len(matrix.cells), 'answer')}"
    )
    return f"{line}; {len(matrix.missing)} not recorded" if matrix.missing else line


def _table(matrix: Matrix, *, every_query: bool) -> Iterator[str]:
    """Yield a table of status and number of images by query and cloud."""
    queries = matrix.queries if every_query else matrix.uneven
    if not queries:
        yield "every query was answered with the same status and number of images by all of them"
        return
    shared = shared_start(matrix.clouds)
    rows = [[f"{shared}*" if shared else "", *(name[len(shared) :] for name in matrix.clouds)]]
    rows += [
        [text.cut(text.plain(str(query)), _VALUE_WIDTH), *map(_cell, matrix.row(query))]
        for query in queries
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield ""
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if rest := _alike(len(matrix.queries) - len(queries)):
        yield rest


def _spans(matrix: Matrix) -> Iterator[str]:
    """Yield where each field and behavior was first and last seen, unless every cloud has it."""
    shown = [(text.cut(text.plain(each.what), _VALUE_WIDTH), str(each)) for each in matrix.spans]
    width = max((len(what) for what, _ in shown), default=0)
    if shown:
        yield ""
    for what, where in shown:
        yield f"{what:<{width}}  {text.plain(where)}"


def shared_start(names: Sequence[str]) -> str:
    """Return the common prefix of all names through its last hyphen: "nova-"."""
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    head, hyphen, _ = "".join(letters[0] for letters in same).rpartition("-")
    return head + hyphen


def _cell(cell: Cell | None) -> str:
    return "-" if cell is None else str(cell)


def groups(steps: Sequence[Step]) -> Iterator[tuple[text.Group, Step]]:
    """Yield groups of changes, each with a step that has its queries."""
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
    where = "" if first.kind in {"status_changed", "recording_missing"} else f"  {group.path}"
    line = f"  {label}  {first.kind:<14}  {asked(step)}{where}"
    if text.shows_values(first):
        values = text.contrast(first.baseline, first.candidate, _VALUE_WIDTH)
        line += "  " + " -> ".join(values)
    if group.images > 1 or not text.shows_values(first):
        line += f"  {group.whom}"
    if text.shows_values(first) and len(group.differences) > 1:
        line += f" and {text.count(len(group.differences) - 1, 'other value')}"
    return line


def asked(step: Step) -> str:
    """Return the first queries that show a change, and the number of others."""
    names = [text.plain(str(query)) for query in step.queries[:_QUERIES]]
    more = len(step.queries) - len(names)
    return ", ".join(names) + (f" and {text.count(more, 'more query')}" if more else "")
