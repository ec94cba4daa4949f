"""Gather the differences of all results by their cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_imagedetail.compare.comparison import Comparison, Step, is_compatible
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import (
    KINDS,
    OF_QUERY,
    SEVERITIES,
    Difference,
    Query,
    Severity,
)
from pytest_imagedetail.report import text

Result = Comparison | Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Two clouds between which a cause shows."""

    steps: tuple[Step, ...]
    group: text.Group  # of their differences
    result: Result  # the first that shows it

    @property
    def first(self) -> Step:
        """One of the steps."""
        return self.steps[0]

    @property
    def baseline(self) -> str:
        """The name of the earlier cloud."""
        return self.first.baseline

    @property
    def candidate(self) -> str:
        """The name of the later cloud."""
        return self.first.candidate

    @property
    def queries(self) -> tuple[Query, ...]:
        """The queries that show it."""
        return tuple(dict.fromkeys(query for each in self.steps for query in each.queries))

    @property
    def seen(self) -> tuple[str, ...]:
        """When the candidate's answers were recorded; UTC, ISO 8601."""
        return tuple(date for each in self.steps for date in each.recorded)

    @property
    def pair(self) -> str:
        """Both names."""
        return f"{self.baseline} -> {self.candidate}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A cause: differences of one severity and kind at one path, wherever they show."""

    id: str  # see `Difference.id`
    places: tuple[Place, ...]
    first_seen: str | None  # in this report or in an earlier one; UTC, ISO 8601
    new: tuple[Place, ...] = ()  # those that an earlier report lacks

    @property
    def first(self) -> Difference:
        """One of its differences."""
        return self.places[0].group.first

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
        return self.first.any_image

    @property
    def subject(self) -> str:
        """Its path, or the query whose whole answer changed."""
        return str(self.places[0].queries[0]) if self.kind in OF_QUERY else self.path

    @property
    def field(self) -> str:
        """The field, header or key at the path: "minRam", "openstack-api-version"."""
        return _below(self.path).partition(".")[0].partition("[")[0]

    @property
    def title(self) -> str:
        """What happened, in words."""
        values = (self.first.baseline, self.first.candidate)
        baseline, candidate = (str(each).partition(" ")[0] for each in values)
        return KINDS[self.kind].says.format(
            field=_below(self.path),
            query=self.places[0].queries[0],
            baseline=baseline,
            candidate=candidate,
        )

    @property
    def reason(self) -> str:
        """Why it has its severity."""
        reasons = (each.reason for place in self.places for each in place.group.differences)
        return "; ".join(dict.fromkeys(reasons))

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
        return tuple(dict.fromkeys(each.candidate for each in self.places))

    @property
    def queries(self) -> tuple[str, ...]:
        """The queries that show it."""
        return tuple(dict.fromkeys(str(query) for each in self.places for query in each.queries))

    @property
    def count(self) -> int:
        """How many differences it stands for."""
        return sum(len(each.group.differences) for each in self.places)

    @property
    def fails(self) -> bool:
        """Whether it reaches the severity from which on one of its results fails."""
        return not all(is_compatible([self.severity], each.result.fail_on) for each in self.places)

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


def _below(path: str) -> str:
    return path.removeprefix("images[*].").removeprefix("headers.")


def findings_of(results: Sequence[Result]) -> tuple[Finding, ...]:
    """Return each cause once, worst first."""
    found: dict[str, dict[tuple[str, str], list[tuple[Result, Step]]]] = {}
    for result in results:
        for step in result.steps:
            places = found.setdefault(step.difference.id(step.queries[0]), {})
            places.setdefault((step.baseline, step.candidate), []).append((result, step))
    findings = []
    for id_, by_pair in found.items():
        gathered = tuple(map(_place, by_pair.values()))
        first_seen = min((each for place in gathered for each in place.seen), default=None)
        findings.append(Finding(id=id_, places=gathered, first_seen=first_seen))
    return tuple(sorted(findings, key=lambda each: SEVERITIES.index(each.severity)))


def _place(members: Sequence[tuple[Result, Step]]) -> Place:
    steps = tuple(step for _, step in members)
    return Place(
        steps=steps, group=text.group([each.difference for each in steps]), result=members[0][0]
    )
