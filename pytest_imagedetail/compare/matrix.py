"""Compare each cloud of a row with the next one, query by query; the result is a matrix."""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, Never

from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import (
    SCHEMA,
    ComparedPair,
    Step,
    difference_to_dict,
    is_compatible,
    summary_of,
    to_json,
)
from pytest_imagedetail.compare.differ import value_key
from pytest_imagedetail.compare.shape import describe
from pytest_imagedetail.contract import release_index
from pytest_imagedetail.errors import ComparisonError, UsageError
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.model import (
    SEVERITIES,
    Difference,
    FailOn,
    Query,
    RuleRef,
    Severity,
    path_of,
)
from pytest_imagedetail.rules import Rules, between, is_accepted, unused, with_rule
from pytest_imagedetail.settings import DEFAULT_PROFILE, check_choice
from pytest_imagedetail.text import count

Answers = Mapping[Query, Listing]
"""The answers of one cloud by query, including recorded errors."""

_UNRECORDED: Final = Difference(
    kind="recording_missing",
    severity="breaking",
    path="recording",
    reason="nothing tells what the baseline answered: restore its recording from version control, "
    "or accept by a rule that it was never recorded",
)
"""A query that the project recorded only from the later of two clouds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The answer of one cloud to one query; `images` is None for an error."""

    status_code: int
    images: int | None = None
    recorded_at: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return str(self.status_code) if self.images is None else f"{self.status_code}/{self.images}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The clouds of a row that show a field or a behavior that others lack.

    Attributes:
        kind: "field" or "behavior".
        what: The path of the field, or the query and its status.
        first: The first cloud that shows it; None if that is the first of the row.
        last: The last cloud that shows it; None if that is the last of the row.
        missing: Clouds in between that do not show it.
    """

    kind: str
    what: str
    first: str | None
    last: str | None
    missing: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"first seen in {self.first}"] if self.first else []
        parts += [f"last seen in {self.last}"] if self.last else []
        parts += [f"not in {', '.join(self.missing)}"] if self.missing else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The changes along a row of clouds, by queries.

    Attributes:
        clouds: The names of the clouds in their order.
        releases: The release of each cloud that declares one.
        microversions: The newest microversion of each cloud that says it.
        queries: The queries in the order of the first cloud that has them.
        cells: The recorded answers, by query and cloud.
        steps: Every change between neighbors, in the clouds' order, worst first within a pair. A
            query skips clouds that have no recording of it.
        spans: Fields and behaviors that not every cloud shows.
        profile: How far the answers were normalized.
        fail_on: The lowest severity that makes the matrix incompatible.
        expect: The error status that was expected where every answer is an error, if any.
        expected: Changes that a rule accepts; no other count includes them.
        expired_rules: Expired rules that match a change.
        unused_rules: Rules about two neighbors that match no change.
        nothing_in_common: Neighbors with images but no pair of them, and the query.
        lost: Neighbors and a query that the project recorded only from the earlier one.
        not_compared: Paths of values that redaction replaced with a fixed word on both sides.
        answers: All answers by cloud, as evidence for reports.
    """

    clouds: tuple[str, ...]
    releases: Mapping[str, str]
    microversions: Mapping[str, str]
    queries: tuple[Query, ...]
    cells: Mapping[tuple[Query, str], Cell]
    steps: tuple[Step, ...]
    spans: tuple[Span, ...]
    profile: str
    fail_on: FailOn
    expect: int | None
    expected: tuple[Step, ...]
    expired_rules: tuple[RuleRef, ...]
    unused_rules: tuple[RuleRef, ...]
    nothing_in_common: tuple[ComparedPair, ...]
    lost: tuple[ComparedPair, ...]
    not_compared: tuple[str, ...]
    answers: Mapping[str, Answers] = field(default_factory=dict, repr=False, compare=False)

    @property
    def same(self) -> bool:
        """Whether there is no change at all, not even an accepted one."""
        return not self.steps and not self.expected

    @property
    def breaking(self) -> tuple[Step, ...]:
        """The changes that can break a client that relies on the earlier cloud's contract."""
        return self.of("breaking")

    @property
    def compatible(self) -> bool:
        """Whether no change reaches `fail_on`.

        False with an expired rule or a lost recording, and if neighbors have nothing in common
        unless `fail_on` is "none".
        """
        if self.expired_rules or self.lost:
            return False
        if self.nothing_in_common and self.fail_on != "none":
            return False
        return is_compatible(self.severities, self.fail_on)

    @property
    def severities(self) -> list[Severity]:
        """The severity of each change."""
        return [step.difference.severity for step in self.steps]

    @property
    def accepted(self) -> tuple[Step, ...]:
        """The changes that a rule accepts, under the name that `Comparison` uses."""
        return self.expected

    @property
    def compared(self) -> tuple[ComparedPair, ...]:
        """The pairs of neighbors that were compared, each with the query."""
        pairs = _neighbors(self.clouds, self.queries, self.cells)
        return tuple(pair for pair in pairs if pair not in self.nothing_in_common)

    @property
    def missing(self) -> tuple[tuple[Query, str], ...]:
        """Each query that was recorded from other clouds, with a cloud that lacks it."""
        return tuple(
            (query, cloud)
            for query in self.queries
            for cloud in self.clouds
            if (query, cloud) not in self.cells
        )

    @property
    def uneven(self) -> tuple[Query, ...]:
        """The queries for which the status or number of images differs between clouds."""
        return tuple(query for query in self.queries if len(set(self.row(query))) > 1)

    def row(self, query: Query) -> tuple[Cell | None, ...]:
        """Return every cloud's answer to one of `queries`; None where it was not recorded."""
        cells = tuple(self.cells.get((query, cloud)) for cloud in self.clouds)
        if not any(cells):
            raise UsageError(
                f"the matrix has no query {str(query)!r}",
                remedy="pass one of `.queries`; its text is not enough",
            )
        return cells

    def of(self, severity: Severity) -> tuple[Step, ...]:
        """Return the changes of one severity; raise UsageError for an unknown one."""
        check_choice("severity", severity, SEVERITIES)
        return tuple(step for step in self.steps if step.difference.severity == severity)

    @property
    def summary(self) -> str:
        """One line, like `Comparison.summary`."""
        summary = summary_of(self.steps, self.expected)
        if self.nothing_in_common:
            summary += "; not all images were compared"
        if self.lost:
            summary += f"; not compared: {count(len(self.lost), 'missing recording')}"
        return summary

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, schema 1. A value that one side lacks is omitted, not null."""
        return {
            "schema": SCHEMA,
            "same": self.same,
            "compatible": self.compatible,
            "fail_on": self.fail_on,
            "expect": self.expect,
            "profile": self.profile,
            "clouds": [
                {
                    "cloud": name,
                    "release": self.releases.get(name),
                    "max_microversion": self.microversions.get(name),
                }
                for name in self.clouds
            ],
            "queries": [str(query) for query in self.queries],
            "cells": [
                {
                    "query": str(query),
                    "cloud": cloud,
                    "status": cell.status_code,
                    "images": cell.images,
                    "recorded_at": cell.recorded_at,
                }
                for (query, cloud), cell in self.cells.items()
            ],
            "missing": [{"query": str(query), "cloud": cloud} for query, cloud in self.missing],
            "lost": [_pair_to_dict(*pair) for pair in self.lost],
            "spans": [
                {
                    "kind": span.kind,
                    "what": span.what,
                    "first_seen": span.first,
                    "last_seen": span.last,
                    "missing": list(span.missing),
                }
                for span in self.spans
            ],
            "changes": [_step(step) for step in self.steps],
            "expected": [_step(step) for step in self.expected],
            "expired_rules": to_json(self.expired_rules),
            "unused_rules": to_json(self.unused_rules),
            "not_compared": {"count": len(self.not_compared), "paths": list(self.not_compared)},
            "nothing_in_common": [_pair_to_dict(*pair) for pair in self.nothing_in_common],
        }

    def __bool__(self) -> Never:
        raise TypeError(
            "a matrix is neither true nor false: ask `.compatible`, `.same` or `.steps`"
        )

    def __repr__(self) -> str:
        number = len(self.queries)
        queries = f"query {self.queries[0]}" if number == 1 else f"{number} queries"
        return f"<Matrix of {', '.join(self.clouds)}, {queries}: {self.summary}>"


def _neighbors(
    clouds: Iterable[str], queries: Iterable[Query], cells: Collection[tuple[Query, str]]
) -> Iterator[ComparedPair]:
    for query in queries:
        for baseline, candidate in pairwise(cloud for cloud in clouds if (query, cloud) in cells):
            yield baseline, candidate, query


def _pair_to_dict(baseline: str, candidate: str, query: Query) -> dict[str, str]:
    return {"from": baseline, "to": candidate, "query": str(query)}


def _step(step: Step) -> dict[str, Any]:
    return {
        "from": step.baseline,
        "to": step.candidate,
        "queries": [str(query) for query in step.queries],
        **difference_to_dict(step.difference, step.queries[0]),
    }


def compare_neighbors(
    row: Mapping[str, Answers],
    *,
    profile: str = DEFAULT_PROFILE,
    fail_on: FailOn = "breaking",
    expect: int | None = None,
    rules: Rules = (),
    own: Mapping[str, Collection[Query]] = MappingProxyType({}),
) -> Matrix:
    """Compare each cloud with the next one, in their order.

    Unlike `compare`, this compares any two errors with the same status. `own` are the queries that
    the project itself recorded from each cloud; neighbors must have the same.

    Raises:
        UsageError: Fewer than two clouds, or an unknown profile.
        ComparisonError: Every answer is an error, or a cloud shares no query with another.
    """
    _check_row(row, expect)
    queries = tuple(dict.fromkeys(query for answers in row.values() for query in answers))
    cells = {
        (query, name): _cell(answers[query])
        for query in queries
        for name, answers in row.items()
        if query in answers
    }
    compared = [*_neighbors(row, queries, cells)]
    _check_compared(row, compared)
    pairs = [*pairwise(name for name in row if own.get(name))]
    unrecorded = [(old, new, q) for old, new in pairs for q in own[new] if q not in row[old]]
    lost = [(old, new, q) for old, new in pairs for q in own[old] if q not in row[new]]
    comparisons = {
        (old, new, query): compare(
            row[old][query],
            row[new][query],
            profile=profile,
            expect=error_status(row[old][query].recording),
            rules=rules,
        )
        for old, new, query in compared
    }
    changes = [
        replace(step, baseline=old, candidate=new)
        for (old, new, _), comparison in comparisons.items()
        for step in (*comparison.steps, *comparison.accepted)
    ]
    changes += [_unrecorded(row, pair, rules) for pair in unrecorded]
    steps = _merge(changes, [*row])
    used_rules = dict.fromkeys(step.difference.rule for step in changes)
    applicable = {rule for pair in (*compared, *unrecorded) for rule in between(rules, *pair)}
    return Matrix(
        clouds=tuple(row),
        releases={
            name: release for name, answers in row.items() if (release := release_of(answers))
        },
        microversions={
            name: listing.provenance.max_microversion
            for name, answers in row.items()
            for listing in answers.values()
            if listing.provenance.max_microversion
        },
        queries=queries,
        cells=cells,
        steps=tuple(step for step in steps if not is_accepted(step.difference)),
        spans=tuple(_spans(row, queries, profile)),
        profile=profile,
        fail_on=fail_on,
        expect=expect,
        expected=tuple(step for step in steps if is_accepted(step.difference)),
        expired_rules=tuple(rule for rule in used_rules if rule is not None and rule.expired),
        unused_rules=unused(rules, applicable, used_rules),
        nothing_in_common=tuple(pair for pair in compared if comparisons[pair].nothing_in_common),
        lost=tuple(lost),
        not_compared=tuple(
            dict.fromkeys(path for each in comparisons.values() for path in each.not_compared)
        ),
        answers=row,
    )


def _cell(answer: Listing) -> Cell:
    return Cell(
        status_code=answer.status_code,
        images=None if answer.error is not None else len(answer.images),
        recorded_at=answer.provenance.recorded_at,
    )


def _unrecorded(row: Mapping[str, Answers], pair: ComparedPair, rules: Rules) -> Step:
    baseline, candidate, query = pair
    answer = row[candidate][query]
    recorded_at = answer.provenance.recorded_at
    return Step(
        baseline=baseline,
        candidate=candidate,
        difference=with_rule(_UNRECORDED, between(rules, *pair), query),
        queries=(query,),
        listings=(answer,),
        recorded=() if recorded_at is None else (recorded_at,),
    )


def by_release(row: Mapping[str, Answers]) -> dict[str, Answers]:
    """Sort clouds by release, oldest first; clouds that declare none come last."""

    def sort_key(cloud: str) -> tuple[int, str]:
        index = release_index(release_of(row[cloud]))
        return (sys.maxsize if index is None else index, cloud)

    return {cloud: row[cloud] for cloud in sorted(row, key=sort_key)}


def release_of(answers: Answers) -> str | None:
    """Return the first release that the recordings of a cloud declare."""
    declared = (listing.provenance.release for listing in answers.values())
    return next((release for release in declared if release is not None), None)


def has_listing(answers: Answers) -> bool:
    """Return whether a cloud answered any query with a listing."""
    return any(listing.error is None for listing in answers.values())


def refuse_repeated(names: Sequence[str]) -> None:
    """Raise UsageError for a cloud that is named twice: it would be compared only once."""
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"{name} is named {names.count(name)} times, and a matrix has each cloud once",
                remedy="name each cloud once, or compare two of them: imagedetail diff OLD NEW",
            )


def _check_row(row: Mapping[str, Answers], expect: int | None) -> None:
    if len(row) < 2:  # noqa: PLR2004
        raise UsageError(
            f"a matrix compares two clouds or more, not {len(row)}",
            where=", ".join(row),
            remedy="name two clouds or more, oldest first",
        )
    statuses = {listing.status_code for answers in row.values() for listing in answers.values()}
    if statuses != {expect} and not any(map(has_listing, row.values())):
        raise ComparisonError(
            "every answer is an error; there are no images to compare",
            where=", ".join(row),
            remedy="look at them: imagedetail ls\n"
            "to compare the texts of errors of one status: expect=STATUS in a test, "
            "--expect STATUS in a shell",
        )


def _check_compared(row: Mapping[str, Answers], pairs: Iterable[ComparedPair]) -> None:
    compared = {name for *names, _ in pairs for name in names}
    if unmatched := [name for name in row if name not in compared]:
        raise ComparisonError(
            f"{' and '.join(unmatched)} cannot be compared: no other cloud has the same queries",
            where=", ".join(row),
            remedy="record the same queries from each; imagedetail ls lists what there is",
        )


def _merge(steps: Iterable[Step], clouds: Sequence[str]) -> list[Step]:
    groups: dict[tuple[object, ...], list[Step]] = {}
    for step in steps:
        change = step.difference
        identity = (change.id(step.queries[0]), change.path, change.image, change.count)
        values = map(value_key, (change.baseline, change.candidate))
        key = (step.baseline, step.candidate, *identity, change.examples, change.rule, *values)
        groups.setdefault(key, []).append(step)
    merged_steps = (
        replace(
            group[0],
            queries=tuple(query for step in group for query in step.queries),
            recorded=tuple(date for step in group for date in step.recorded),
        )
        for group in groups.values()
    )

    def sort_key(step: Step) -> tuple[int, ...]:
        severity = SEVERITIES.index(step.difference.severity)
        return clouds.index(step.baseline), clouds.index(step.candidate), severity

    return sorted(merged_steps, key=sort_key)


def _spans(row: Mapping[str, Answers], queries: Iterable[Query], profile: str) -> Iterator[Span]:
    fields = {
        cloud: dict.fromkeys(path for each in answers.values() for path in _fields(each, profile))
        for cloud, answers in row.items()
        if any(listing.error is None and listing.images for listing in answers.values())
    }
    yield from _uneven("field", fields)
    for query in queries:
        answered = {
            cloud: [f"{query} answers {answers[query].status_code}"]
            for cloud, answers in row.items()
            if query in answers
        }
        yield from _uneven("behavior", answered)


def _fields(listing: Listing, profile: str) -> Iterator[str]:
    if listing.error is None:
        yield from (path_of((name,)) for name in listing.document if name != "images")
        for path in describe(listing, listing.normalized(profile)).traits:
            yield path_of(("images", *path))


def _uneven(kind: str, values_by_cloud: Mapping[str, Iterable[str]]) -> Iterator[Span]:
    clouds = [*values_by_cloud]
    for value in dict.fromkeys(value for seen in values_by_cloud.values() for value in seen):
        seen = [cloud for cloud in clouds if value in values_by_cloud[cloud]]
        if seen != clouds:
            first, last = clouds.index(seen[0]), clouds.index(seen[-1])
            yield Span(
                kind=kind,
                what=value,
                first=seen[0] if first else None,
                last=seen[-1] if last < len(clouds) - 1 else None,
                missing=tuple(cloud for cloud in clouds[first:last] if cloud not in seen),
            )
