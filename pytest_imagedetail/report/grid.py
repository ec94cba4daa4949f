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
    shared, *names = headings(matrix.clouds)
    rows = [["-" if cell is None else str(cell) for cell in matrix.row(query)] for query in queries]
    if queries:
        cells = sum(1 + max(map(len, column)) for column in zip(names, *rows, strict=True))
        room = _VALUE_WIDTH if width is None else min(max(width - cells, _LEAST), _VALUE_WIDTH)
        labels = [text.cut(str(query), room) for query in queries]
        lines = [[label, *row] for label, row in zip(labels, rows, strict=True)]
        yield from text.aligned([[shared, *names], *lines], width)
        if rest := len(matrix.queries) - len(queries):
            yield f"and {text.count(rest, 'query')} with one status and number of images throughout"
    else:
        yield "all clouds gave the same status and number of images to every query"
    if span_lines := [*spans(matrix)]:
        yield ""
        yield from text.aligned(span_lines)


def headings(clouds: Sequence[str]) -> list[str]:
    """Return the headings of a table by cloud: ["nova-*", "2019.1", "2019.2"]."""
    shared = "".join(os.path.commonprefix(clouds).rpartition("-")[:2])  # noqa: RUF071
    return [f"{shared}*" if shared else "", *(cloud.removeprefix(shared) for cloud in clouds)]


def spans(matrix: Matrix) -> Iterator[tuple[str, str]]:
    """Yield each field that not every cloud shows, and where it was first and last seen."""
    for span in matrix.spans:
        if span.kind == "field":  # the table shows behaviors
            yield text.cut(span.what, _VALUE_WIDTH), str(span)


def first_queries(queries: Sequence[Query]) -> str:
    """Return the first queries and the number of others."""
    names = [str(query) for query in queries[:_QUERIES]]
    more = len(queries) - len(names)
    return ", ".join(names) + (f" and {text.count(more, 'more query')}" if more else "")
