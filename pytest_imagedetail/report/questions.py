"""Put a matrix in words: what was asked of each cloud, and what it answered, as a table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from pytest_imagedetail.compare.matrix import Cell, Matrix
from pytest_imagedetail.model import Query
from pytest_imagedetail.report import grid, text
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
_ORDER: Final = ("All images", "Filters", "Paging", "Microversions", "Other parameters", "Fields")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Clouds next to each other that answer alike.

    Attributes:
        clouds: Their names.
        state: "listed", "refused", "breaks" or "not asked"; of a field "sent" or "not sent".
        words: For example "14 images".
        finding: The id of the first cause that shows in them; "" if there is none.
        recorded: The days of the first and the last recording; one if they are equal.
    """

    clouds: tuple[str, ...]
    state: str
    words: str
    finding: str = ""
    recorded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One question, and the answers of all clouds.

    Attributes:
        group: For example "Paging".
        question: In words.
        asked: As sent; "" for a field.
        runs: From the first cloud to the last.
    """

    group: str
    question: str
    asked: str
    runs: tuple[Run, ...]

    @property
    def unanimous(self) -> bool:
        """Whether all clouds answer alike."""
        return len(self.runs) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What was asked of a row of clouds.

    Attributes:
        name: The first and the last cloud.
        start: What the names of all clouds begin with.
        clouds: The rest of each name.
        uneven: Questions that some answer differently, by group.
        alike: Questions that all answer alike, by group.
    """

    name: str
    start: str
    clouds: tuple[str, ...]
    uneven: Mapping[str, Sequence[Row]]
    alike: Mapping[str, Sequence[Row]]

    @property
    def number_alike(self) -> int:
        """How many questions all clouds answer alike."""
        return sum(map(len, self.alike.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one cloud says to a question; see `Run`."""

    state: str
    words: str
    finding: str = ""
    recorded_at: str = ""


def table_of(matrix: Matrix, findings: Sequence[Finding]) -> Table:
    """Return the questions of a matrix in their groups, with links to what was found."""
    links = {
        (query, place.candidate): each.id
        for each in reversed(findings)  # the worst one stays
        for place in each.places
        for query in place.queries
    }
    unsorted = (*_queries(matrix, links), *_fields(matrix))
    rows = sorted(unsorted, key=lambda each: _ORDER.index(each.group))
    start = grid.shared_start(matrix.clouds)
    return Table(
        name=grid.title(matrix),
        start=text.plain(start),
        clouds=tuple(text.plain(each.removeprefix(start)) for each in matrix.clouds),
        uneven=_by_group(each for each in rows if not each.unanimous),
        alike=_by_group(each for each in rows if each.unanimous),
    )


def _by_group(rows: Iterable[Row]) -> dict[str, list[Row]]:
    return {group: [*members] for group, members in groupby(rows, key=lambda each: each.group)}


def question_of(query: Query) -> tuple[str, str]:
    """Return the group and the words of a query: ("Filters", "Images named cirros?")."""
    words = [_words(name, str(Query(((name, value),)))) for name, value in query.params]
    names = {name for name, _ in query.params}
    line = " ".join(["Images", *words]) if words else "All images"
    if query.microversion is not None:
        return "Microversions", f"{line} at microversion {text.plain(query.microversion)}?"
    if not names:
        return "All images", "All images?"
    if query.params == (("limit", "0"),):
        return "Paging", "Does limit=0 mean no limit?"
    known = names <= {*_FILTERS, *_PAGING} or all(each.startswith("property-") for each in names)
    if not known:
        return "Other parameters", f"{line}?"
    return "Paging" if names & {*_PAGING} else "Filters", f"{line}?"


def _words(name: str, pair: str) -> str:
    shown = text.cut(text.plain(pair.partition("=")[2]), _WIDTH) or "nothing"
    if name.startswith("property-"):
        return f"with property {text.plain(name.removeprefix('property-'))} {shown}"
    words = {**_FILTERS, **_PAGING}.get(name)
    return words.format(shown) if words else f"with {text.plain(name)}={shown}"


def _queries(matrix: Matrix, links: Mapping[tuple[Query, str], str]) -> Iterator[Row]:
    for query in matrix.queries:
        broken = _broken(matrix, query)
        answers = [
            _answer(cell, breaks=cloud in broken, finding=links.get((query, cloud), ""))
            for cloud, cell in zip(matrix.clouds, matrix.row(query), strict=True)
        ]
        group, question = question_of(query)
        yield Row(
            group=group,
            question=question,
            asked=text.plain(str(query)),
            runs=runs_of(matrix.clouds, answers),
        )


def _broken(matrix: Matrix, query: Query) -> frozenset[str]:
    """Return the clouds whose answer breaks, each until a later one undoes the change."""
    found, paths = set(), set()
    steps = [each for each in matrix.steps if query in each.queries]
    for cloud in matrix.clouds:
        for each in (step.difference for step in steps if step.candidate == cloud):
            paths.discard(each.any_image)
            if each.severity == "breaking":
                paths.add(each.any_image)
        if paths:
            found.add(cloud)
    return frozenset(found)


def _answer(cell: Cell | None, *, breaks: bool, finding: str) -> Answer:
    if cell is None:
        return Answer(state="not asked", words="not asked")
    listed = cell.images is not None
    words = text.count(cell.images or 0, "image") if listed else f"refused with {cell.status_code}"
    return Answer(
        state="breaks" if breaks else "listed" if listed else "refused",
        words=f"breaks: {words}" if breaks else words,
        finding=finding,
        recorded_at=text.plain(cell.recorded_at or ""),
    )


def _fields(matrix: Matrix) -> Iterator[Row]:
    for span in matrix.spans:
        if span.kind != "field":
            continue
        first = matrix.clouds.index(span.first) if span.first else 0
        last = matrix.clouds.index(span.last) if span.last else len(matrix.clouds) - 1
        words = [
            "sent" if first <= number <= last and cloud not in span.missing else "not sent"
            for number, cloud in enumerate(matrix.clouds)
        ]
        yield Row(
            group="Fields",
            question=f"Is {text.plain(span.what)} sent?",
            asked="",
            runs=runs_of(matrix.clouds, [Answer(state=each, words=each) for each in words]),
        )


def runs_of(clouds: Sequence[str], answers: Sequence[Answer]) -> tuple[Run, ...]:
    """Join clouds next to each other whose state and words are equal."""
    pairs = zip(clouds, answers, strict=True)
    grouped = groupby(pairs, key=lambda pair: (pair[1].state, pair[1].words))
    return tuple(_run([*members]) for _, members in grouped)


def _run(members: Sequence[tuple[str, Answer]]) -> Run:
    first = members[0][1]
    days = sorted(each.recorded_at[:10] for _, each in members if each.recorded_at)
    return Run(
        clouds=tuple(cloud for cloud, _ in members),
        state=first.state,
        words=first.words,
        finding=next((each.finding for _, each in members if each.finding), ""),
        recorded=tuple(dict.fromkeys([*days[:1], *days[-1:]])),
    )
