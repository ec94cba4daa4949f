"""Gather the differences of all results by their cause."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pytest_imagedetail.compare.comparison import Comparison, is_compatible, side_of
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import (
    KINDS,
    OF_QUERY,
    SEVERITIES,
    Difference,
    FailOn,
    Query,
    Severity,
    Side,
)
from pytest_imagedetail.report import text

Result = Comparison | Matrix
Found = tuple[Difference, tuple[Query, ...]]
"""A difference and the queries that show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Two clouds between which a cause shows.

    Attributes:
        baseline: The name of the old one.
        candidate: The name of the new one.
        queries: The queries that show it.
        group: Its differences.
        seen: When the answers of the new one were recorded, if known; UTC, ISO 8601.
        fail_on: The severity from which on it fails.
        result: The first result that shows it.
    """

    baseline: str
    candidate: str
    queries: tuple[Query, ...]
    group: text.Group
    seen: tuple[str, ...]
    fail_on: FailOn
    result: Result

    @property
    def pair(self) -> str:
        """Both names."""
        return text.plain(f"{self.baseline} -> {self.candidate}")

    @property
    def listings(self) -> tuple[Listing, ...]:
        """Both answers to the first query; none if the result was read from its JSON form."""
        if isinstance(self.result, Comparison):
            return self.result.listings
        clouds = (self.result.answers.get(each, {}) for each in (self.baseline, self.candidate))
        found = [answers.get(self.queries[0]) for answers in clouds]
        return tuple(each for each in found if each is not None)

    @property
    def sides(self) -> tuple[Side, ...]:
        """Both sides; none if a matrix was read from its JSON form."""
        if isinstance(self.result, Comparison):
            return self.result.baseline, self.result.candidate
        return tuple(map(side_of, self.listings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A cause: differences of one severity and kind at one path, wherever they show.

    Attributes:
        id: Twelve hex digits, equal in the report of a later recording; see `Difference.id`.
        first: One of its differences.
        places: Between which clouds; one or more.
        first_seen: When the first answer that shows it was recorded, in this report or in an
            earlier one; None if not known. UTC, ISO 8601.
        new: The places that an earlier report lacks; none if no earlier report is given.
    """

    id: str
    first: Difference
    places: tuple[Place, ...]
    first_seen: str | None
    new: tuple[Place, ...]

    @property
    def severity(self) -> Severity:
        """Of each of its differences."""
        return self.first.severity

    @property
    def kind(self) -> str:
        """For example "field_removed"."""
        return self.first.kind

    @property
    def path(self) -> str:
        """For example `images[*].minRam`."""
        return text.plain(self.first.any_image)

    @property
    def subject(self) -> str:
        """Its path, or the query whose whole answer changed."""
        query = self.places[0].queries[0]
        return text.plain(str(query)) if self.kind in OF_QUERY else self.path

    @property
    def field(self) -> str:
        """The field, header or key at the path: "minRam", "openstack-api-version"."""
        below = self.path.removeprefix("images[*].").removeprefix("headers.")
        return below.partition(".")[0].partition("[")[0]

    @property
    def title(self) -> str:
        """What happened, in words."""
        values = (self.first.baseline, self.first.candidate)
        baseline, candidate = (str(each).partition(" ")[0] for each in values)
        field = self.first.any_image.removeprefix("images[*].").removeprefix("headers.")
        query = self.places[0].queries[0]
        words = KINDS[self.kind].says.format(
            field=field, query=query, baseline=baseline, candidate=candidate
        )
        return text.plain(words)

    @property
    def reason(self) -> str:
        """Why it has its severity."""
        reasons = (each.reason for place in self.places for each in place.group.differences)
        return text.plain("; ".join(dict.fromkeys(reasons)))

    @property
    def last_seen(self) -> str | None:
        """When the last answer that shows it was recorded; None if not known."""
        return max((each for place in self.places for each in place.seen), default=None)

    @property
    def history(self) -> str:
        """When it was seen: "first seen 2026-11-20, last seen 2026-11-23"; "" if not known."""
        first, last = (each and each[:10] for each in (self.first_seen, self.last_seen))
        if first and last and first != last:
            return f"first seen {first}, last seen {last}"
        return f"seen {first or last}" if first or last else ""

    @property
    def clouds(self) -> tuple[str, ...]:
        """The clouds that it shows in."""
        return tuple(dict.fromkeys(text.plain(each.candidate) for each in self.places))

    @property
    def queries(self) -> tuple[str, ...]:
        """The queries that show it."""
        asked = (str(query) for each in self.places for query in each.queries)
        return tuple(dict.fromkeys(map(text.plain, asked)))

    @property
    def count(self) -> int:
        """How many differences it stands for."""
        return sum(len(each.group.differences) for each in self.places)

    @property
    def fails(self) -> bool:
        """Whether it reaches the severity from which on one of its results fails."""
        return not all(is_compatible([self.severity], each.fail_on) for each in self.places)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without evidence."""
        return {
            "id": self.id,
            "severity": self.severity,
            "kind": self.kind,
            "path": self.path,
            "title": self.title,
            "reason": self.reason,
            "count": self.count,
            "places": [
                {
                    "baseline": each.baseline,
                    "candidate": each.candidate,
                    "queries": list(map(str, each.queries)),
                }
                for each in self.places
            ],
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
        }


def findings_of(results: Sequence[Result]) -> tuple[Finding, ...]:
    """Return each cause once, worst first."""
    places: dict[tuple[str, str, str], list[tuple[Result, Found]]] = {}
    for result in results:
        for baseline, candidate, found in found_in(result):
            id_ = found[0].id(found[1][0])
            places.setdefault((id_, baseline, candidate), []).append((result, found))
    by_id: dict[str, list[Place]] = {}
    for (id_, baseline, candidate), members in places.items():
        by_id.setdefault(id_, []).append(_place(baseline, candidate, members))
    unsorted = (_finding(id_, found) for id_, found in by_id.items())
    return tuple(sorted(unsorted, key=lambda each: SEVERITIES.index(each.severity)))


def found_in(result: Result, *, accepted: bool = False) -> Iterator[tuple[str, str, Found]]:
    """Yield the names of two clouds and what differs between them, with its queries.

    Args:
        result: What was compared.
        accepted: Whether to yield what rules accept, in place of the other differences.
    """
    if isinstance(result, Matrix):
        for step in result.expected if accepted else result.steps:
            yield step.baseline, step.candidate, (step.difference, step.queries)
        return
    names = result.baseline.name, result.candidate.name
    for each in result.expected if accepted else result.differences:
        yield *names, (each, (result.query,))


def _place(baseline: str, candidate: str, members: Sequence[tuple[Result, Found]]) -> Place:
    seen = (_recorded(result, candidate, found[1]) for result, found in members)
    return Place(
        baseline=baseline,
        candidate=candidate,
        queries=tuple(dict.fromkeys(query for _, (_, asked) in members for query in asked)),
        group=text.group([difference for _, (difference, _) in members]),
        seen=tuple(map(text.plain, filter(None, chain.from_iterable(seen)))),
        fail_on=members[0][0].fail_on,
        result=members[0][0],
    )


def _recorded(result: Result, cloud: str, queries: Iterable[Query]) -> Iterator[str | None]:
    """Yield when the answers of a cloud to these queries were recorded."""
    if isinstance(result, Comparison):
        yield result.candidate.recorded_at
        return
    cells = (result.cells.get((query, cloud)) for query in queries)
    yield from (each.recorded_at for each in cells if each is not None)


def _finding(id_: str, places: Sequence[Place]) -> Finding:
    return Finding(
        id=id_,
        first=places[0].group.first,
        places=tuple(places),
        first_seen=min((each for place in places for each in place.seen), default=None),
        new=(),
    )
