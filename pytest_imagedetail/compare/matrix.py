"""Many results: what clouds answered to many queries, and what changed from one to the next."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Never

from pytest_imagedetail.compare.comparison import (
    accepted,
    difference_to_dict,
    is_compatible,
    rule_to_dict,
    summary_of,
)
from pytest_imagedetail.model import Difference, FailOn, Query, RuleRef, Severity
from pytest_imagedetail.settings import DEFAULT_PROFILE

SCHEMA: Final = 1
"""The version of the JSON form of a matrix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one cloud answered to one query.

    Attributes:
        status_code: The HTTP status.
        images: How many images; None for an error.
    """

    status_code: int
    images: int | None = None

    def __str__(self) -> str:
        return str(self.status_code) if self.images is None else f"{self.status_code} {self.images}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change between a cloud and the next one, and the queries that show it.

    Attributes:
        baseline: The name of the earlier cloud.
        candidate: The name of the later one.
        difference: What changed.
        queries: Where: one or more.
    """

    baseline: str
    candidate: str
    difference: Difference
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where in a row something was seen that not every cloud shows.

    Attributes:
        kind: "field" or "behavior".
        what: The path of the field, or the query and its status.
        first: The cloud that shows it first; None if the row begins with it.
        last: The cloud that shows it last; None if the row ends with it.
        missing: Clouds between these two that do not show it.
    """

    kind: str
    what: str
    first: str | None = None
    last: str | None = None
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = [f"first seen in {self.first}"] if self.first else []
        parts += [f"last seen in {self.last}"] if self.last else []
        parts += [f"not in {', '.join(self.missing)}"] if self.missing else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """N clouds in a row, by queries.

    Attributes:
        clouds: Their names, in the order in which neighbors were compared.
        releases: The release of each cloud that declares one.
        queries: In the order of the first cloud that has them.
        cells: What is recorded, by query and cloud; what is not recorded is not in it.
        steps: Every change between neighbors, in the clouds' order, worst first for each pair. A
            cloud without a recording of a query is passed over, for that query.
        spans: Fields and behaviors that not every cloud shows.
        profile: How far representation was normalized.
        fail_on: From which severity on this is not compatible.
        expect: The error status that was wanted where every answer is an error, if any.
        expected: Changes that a rule accepts; they are in no other count.
        expired_rules: Rules that would have accepted some of the changes, and have expired.
        unused_rules: Rules about two neighbors that accept nothing between any.
        nothing_in_common: Neighbors with images, but none in common, and the query.
    """

    clouds: tuple[str, ...]
    releases: Mapping[str, str] = field(default_factory=dict)
    queries: tuple[Query, ...]
    cells: Mapping[tuple[Query, str], Cell]
    steps: tuple[Step, ...] = ()
    spans: tuple[Span, ...] = ()
    profile: str = DEFAULT_PROFILE
    fail_on: FailOn = "breaking"
    expect: int | None = None
    expected: tuple[Step, ...] = ()
    expired_rules: tuple[RuleRef, ...] = ()
    unused_rules: tuple[RuleRef, ...] = ()
    nothing_in_common: tuple[tuple[str, str, Query], ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing changed anywhere in the row, accepted changes included."""
        return not self.steps and not self.expected

    @property
    def breaking(self) -> tuple[Step, ...]:
        """The changes that break a client that relied on the earlier cloud's contract."""
        return self.of("breaking")

    @property
    def compatible(self) -> bool:
        """Whether no change reaches `fail_on`.

        Never with an expired rule, and only with `fail_on` "none" if neighbors had nothing in
        common.
        """
        if self.expired_rules or (self.nothing_in_common and self.fail_on != "none"):
            return False
        return is_compatible(self.severities, self.fail_on)

    @property
    def severities(self) -> list[Severity]:
        """That of each change."""
        return [each.difference.severity for each in self.steps]

    @property
    def missing(self) -> tuple[tuple[Query, str], ...]:
        """What is not recorded, as query and cloud; the others have it."""
        return tuple(
            (query, cloud)
            for query in self.queries
            for cloud in self.clouds
            if (query, cloud) not in self.cells
        )

    @property
    def uneven(self) -> tuple[Query, ...]:
        """The queries that not every cloud answered with the same status and number of images."""
        return tuple(query for query in self.queries if len(set(self.row(query))) > 1)

    def row(self, query: Query) -> tuple[Cell | None, ...]:
        """What every cloud answered to a query; None where it is not recorded."""
        return tuple(self.cells.get((query, cloud)) for cloud in self.clouds)

    def of(self, severity: Severity) -> tuple[Step, ...]:
        """The changes of one severity."""
        return tuple(each for each in self.steps if each.difference.severity == severity)

    def pairs(self) -> Iterator[tuple[str, str, tuple[Step, ...]]]:
        """Each pair of clouds between which something changed, with its changes."""
        for pair in dict.fromkeys((each.baseline, each.candidate) for each in self.steps):
            steps = (each for each in self.steps if (each.baseline, each.candidate) == pair)
            yield *pair, tuple(steps)

    @property
    def summary(self) -> str:
        """One line: "2 changes: 1 breaking, 1 compatible, 0 data; 1 more accepted by rules"."""
        found = summary_of("change", self.severities)
        found += accepted(
            [each.difference.severity for each in self.expected], more=bool(self.steps)
        )
        return found + "; not all images were compared" * bool(self.nothing_in_common)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, schema 1. A value that one side lacks is left out, not null."""
        return {
            "schema": SCHEMA,
            "same": self.same,
            "compatible": self.compatible,
            "clouds": [{"cloud": name, "release": self.releases.get(name)} for name in self.clouds],
            "queries": [str(query) for query in self.queries],
            "cells": [
                {
                    "query": str(query),
                    "cloud": cloud,
                    "status": cell.status_code,
                    "images": cell.images,
                }
                for (query, cloud), cell in self.cells.items()
            ],
            "missing": [{"query": str(query), "cloud": cloud} for query, cloud in self.missing],
            "spans": [
                {
                    "kind": each.kind,
                    "what": each.what,
                    "first_seen": each.first,
                    "last_seen": each.last,
                    "missing": list(each.missing),
                }
                for each in self.spans
            ],
            "changes": [_step(each) for each in self.steps],
            "expected": [_step(each) for each in self.expected],
            "expired_rules": [rule_to_dict(each) for each in self.expired_rules],
            "unused_rules": [rule_to_dict(each) for each in self.unused_rules],
            "nothing_in_common": [
                {"from": one, "to": other, "query": str(query)}
                for one, other, query in self.nothing_in_common
            ],
        }

    def __bool__(self) -> Never:
        raise TypeError(
            "a matrix is neither true nor false: ask `.compatible`, `.same` or `.steps`"
        )

    def __repr__(self) -> str:
        return (
            f"<Matrix of {', '.join(self.clouds)}, queries {', '.join(map(str, self.queries))}: "
            f"{self.summary}>"
        )


def _step(step: Step) -> dict[str, Any]:
    return {
        "from": step.baseline,
        "to": step.candidate,
        "queries": [str(query) for query in step.queries],
        **difference_to_dict(step.difference),
    }
