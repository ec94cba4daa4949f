"""Put answers in rows: each question in words, and equal neighbors in one cell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from pytest_imagedetail import text
from pytest_imagedetail.compare.matrix import Cell, Matrix
from pytest_imagedetail.model import Query
from pytest_imagedetail.report.findings import Finding

_FILTERS: Final = {
    "changes-since": "changed since {}",
    "minDisk": "with minDisk {}",
    "minRam": "with minRam {}",
    "name": "named {}",
    "server": "of server {}",
    "status": "with status {}",
    "type": "of type {}",
}
_PAGING: Final = {"limit": "in pages of {}", "marker": "after {}"}
_WIDTH: Final = 48  # characters of a value
_ORDER: Final = ("All images", "Filters", "Paging", "Microversions", "Other parameters")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCell:
    """One cloud's answer in a row."""

    state: str  # a key of `symbols` in base.html.j2
    words: str
    finding: str = ""  # the id of a card on the page
    recorded_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One question, and the answer of each cloud."""

    group: str
    title: str
    note: str = ""
    answers: Sequence[RowCell]

    @property
    def runs(self) -> Sequence[Sequence[RowCell]]:
        """The answers, with equal neighbors grouped."""
        return [[*run] for _, run in groupby(self.answers, lambda a: (a.state, a.words))]

    @property
    def unanimous(self) -> bool:
        """Whether all answers are equal."""
        return len(self.runs) == 1


def rows_of(matrix: Matrix, findings: Sequence[Finding]) -> list[Row]:
    """Return the questions of a matrix by group, with links to the worst findings."""
    worst = {
        (query, place.step.candidate): finding.id
        for finding in reversed(findings)
        for place in finding.places
        for query in place.queries
    }
    rows = [_row(matrix, query, worst) for query in matrix.queries]
    return sorted(rows, key=lambda row: _ORDER.index(row.group))


def _row(matrix: Matrix, query: Query, worst: dict[tuple[Query, str], str]) -> Row:
    group, title = question_of(query)
    changed, answers = _changed(matrix, query), []
    for cloud, cell in zip(matrix.clouds, matrix.row(query), strict=True):
        finding = worst.get((query, cloud), "")
        answers.append(_answer(cell, changed=changed.get(cloud), finding=finding))
    return Row(group=group, title=title, note=str(query), answers=answers)


def _changed(matrix: Matrix, query: Query) -> dict[str, str]:
    """Return states of clouds with a breaking or accepted answer, until a later one undoes it."""
    states: dict[str, str] = {}
    paths: dict[str, str] = {}
    steps = [(step, "breaks") for step in matrix.steps if query in step.queries]
    steps += ((step, "known-deviation") for step in matrix.accepted if query in step.queries)
    for cloud in matrix.clouds:
        changes = [(step.difference, state) for step, state in steps if step.candidate == cloud]
        for difference, _ in changes:
            paths.pop(difference.any_image, None)
        # A rule may accept a change for some images only.
        broken = ((d.any_image, s) for d, s in reversed(changes) if d.severity == "breaking")
        paths.update(broken)
        if paths:
            states[cloud] = min(paths.values())  # "breaks" comes first
    return states


def _answer(cell: Cell | None, *, changed: str | None, finding: str) -> RowCell:
    if cell is None:
        return RowCell(state="not asked", words="not asked")
    if cell.images is None:
        state, words = "refused", f"refused with {cell.status_code}"
    else:
        state, words = "listed", text.count(cell.images, "image")
    if changed is not None:
        state, words = changed, f"{changed.replace('-', ' ')}: {words}"
    return RowCell(state=state, words=words, finding=finding, recorded_at=cell.recorded_at or "")


def question_of(query: Query) -> tuple[str, str]:
    """Return a query's group and words: ("Filters", "Images named cirros?")."""
    names = {name for name, _ in query.params}
    line = " ".join(["Images", *_parts(query)]) if names else "All images"
    if query.microversion is not None:
        return "Microversions", f"{line} at microversion {query.microversion}?"
    if not names:
        return "All images", "All images?"
    if query.params == (("limit", "0"),):
        return "Paging", "Does limit=0 mean no limit?"
    if not names <= {*_FILTERS, *_PAGING} and not all(map(_is_property, names)):
        return "Other parameters", f"{line}?"
    return "Paging" if names & {*_PAGING} else "Filters", f"{line}?"


def _is_property(name: str) -> bool:
    return name.startswith("property-")


def _parts(query: Query) -> Iterator[str]:
    for name, value in query.params:
        sent = str(Query(((name, value),))).partition("=")[2]
        words = text.cut(sent, _WIDTH) or "nothing"
        if _is_property(name):
            yield f"with property {name.removeprefix('property-')} {words}"
        else:
            yield {**_FILTERS, **_PAGING}.get(name, f"with {name}={{}}").format(words)
