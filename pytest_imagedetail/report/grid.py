"""Render a matrix as a table of answers and a list of fields that not every cloud shows."""

import os.path
from collections.abc import Iterator, Sequence
from typing import Final

from pytest_imagedetail import text
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import Query

_VALUE_WIDTH: Final = 60
_LEAST: Final = 36  # characters of a query, which still tell most of them apart
_QUERIES: Final = 4


def table(matrix: Matrix, *, every_query: bool, width: int | None = None) -> Iterator[str]:
    """Yield status and number of images by query and cloud, then `spans`."""
    queries = matrix.queries if every_query else matrix.uneven
    shared, *names = heads(matrix.clouds)
    rows = [["-" if each is None else str(each) for each in matrix.row(query)] for query in queries]
    if queries:
        cells = sum(1 + max(map(len, column)) for column in zip(names, *rows, strict=True))
        room = _VALUE_WIDTH if width is None else min(max(width - cells, _LEAST), _VALUE_WIDTH)
        asked = [text.cut(str(query), room) for query in queries]
        lines = [[shared, *names], *([query, *row] for query, row in zip(asked, rows, strict=True))]
        yield from text.aligned(lines, width)
        if rest := len(matrix.queries) - len(queries):
            yield f"and {text.count(rest, 'query')} with one status and number of images throughout"
    else:
        yield "all clouds gave the same status and number of images to every query"
    if shown := [*spans(matrix)]:
        yield ""
        yield from text.aligned(shown)


def heads(clouds: Sequence[str]) -> list[str]:
    """Return the heads of a table by cloud: ["nova-*", "2019.1", "2019.2"]."""
    shared = "".join(os.path.commonprefix(clouds).rpartition("-")[:2])  # noqa: RUF071
    return [f"{shared}*" if shared else "", *(each.removeprefix(shared) for each in clouds)]


def spans(matrix: Matrix) -> Iterator[tuple[str, str]]:
    """Yield each field that not every cloud shows, and where it was first and last seen."""
    for each in matrix.spans:
        if each.kind == "field":  # the table shows behaviors
            yield text.cut(each.what, _VALUE_WIDTH), str(each)


def asked(queries: Sequence[Query]) -> str:
    """Return the first queries and the number of others."""
    names = [str(query) for query in queries[:_QUERIES]]
    more = len(queries) - len(names)
    return ", ".join(names) + (f" and {text.count(more, 'more query')}" if more else "")
