"""Put a matrix in rows and columns: a table of answers, and what is noted about it."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final

from pytest_imagedetail.compare.matrix import Cell, Matrix
from pytest_imagedetail.model import Query
from pytest_imagedetail.report import text

_VALUE_WIDTH: Final = 60
_QUERIES: Final = 4


def title(matrix: Matrix) -> str:
    """Return the first and last cloud and the number of those between."""
    between = len(matrix.clouds) - 2
    middle = f" → {text.count(between, 'cloud')} → " if between else " → "
    return text.plain(matrix.clouds[0]) + middle + text.plain(matrix.clouds[-1])


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


def table(matrix: Matrix, *, every_query: bool) -> Iterator[str]:
    """Yield status and number of images by query and cloud, and what not every cloud shows."""
    queries = matrix.queries if every_query else matrix.uneven
    yield ""
    if not queries:
        yield "all clouds gave the same status and number of images to every query"
        yield from _spans(matrix)
        return
    shared = shared_start(matrix.clouds)
    rows = [[f"{shared}*" if shared else "", *(name[len(shared) :] for name in matrix.clouds)]]
    rows += [
        [text.cut(text.plain(str(query)), _VALUE_WIDTH), *map(_cell, matrix.row(query))]
        for query in queries
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if rest := len(matrix.queries) - len(queries):
        yield f"and {text.count(rest, 'query')} with one status and number of images throughout"
    yield from _spans(matrix)


def _spans(matrix: Matrix) -> Iterator[str]:
    """Yield where each field was first and last seen, unless every cloud has it."""
    spans = (each for each in matrix.spans if each.kind == "field")  # the table shows the others
    shown = [(text.cut(text.plain(each.what), _VALUE_WIDTH), str(each)) for each in spans]
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


def asked(queries: Sequence[Query]) -> str:
    """Return the first queries that show a change, and the number of others."""
    names = [text.plain(str(query)) for query in queries[:_QUERIES]]
    more = len(queries) - len(names)
    return ", ".join(names) + (f" and {text.count(more, 'more query')}" if more else "")
