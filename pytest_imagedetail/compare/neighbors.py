"""Compares each cloud of a row with the next one, query by query; the result is a matrix."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from pytest_imagedetail.compare import compare, judge_of
from pytest_imagedetail.compare.answers import header_differences
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.compare.matrix import Cell, Matrix, Step
from pytest_imagedetail.compare.spans import spans
from pytest_imagedetail.contract import release_index
from pytest_imagedetail.errors import ComparisonError, UsageError
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import MISSING, SEVERITIES, Difference, FailOn, Query, RuleRef
from pytest_imagedetail.rules import NO_RULES, Applied, Rules, apply
from pytest_imagedetail.settings import DEFAULT_PROFILE

Answers = Mapping[Query, Listing]
"""What one cloud answered, by query; recorded errors are answers too."""

_Neighbors = tuple[str, str]
_PAIR: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """What was found along a row; all but the pairs is as in a `Matrix`.

    Attributes:
        pairs: The neighbors that were compared, in the order of the row.
        steps: What changed between them.
        expected: What a rule accepts of it.
        apart: Where neighbors had no image in common.
    """

    pairs: tuple[_Neighbors, ...]
    steps: tuple[Step, ...]
    expected: tuple[Step, ...]
    apart: tuple[tuple[str, str, Query], ...]

    @property
    def rules_met(self) -> tuple[RuleRef, ...]:
        """The rules that some change is a case of, whether they have expired or not."""
        met = dict.fromkeys(each.difference.rule for each in (*self.steps, *self.expected))
        return tuple(each for each in met if each is not None)


def compare_neighbors(
    row: Mapping[str, Answers],
    *,
    profile: str = DEFAULT_PROFILE,
    fail_on: FailOn = "breaking",
    expect: int | None = None,
    rules: Rules = NO_RULES,
) -> Matrix:
    """Say what changed from each cloud to the next.

    Unlike `compare`, this compares what two errors of one status say: they stand in a matrix in
    which listings were seen. Response headers are compared too, for a newer release shows in them
    first.

    Args:
        row: The clouds in their order, with what each answered.
        profile: How far to normalize.
        fail_on: From which severity on the matrix is not compatible.
        expect: The error status that is wanted where every answer is an error.
        rules: Which changes are accepted; those about other clouds are passed over.

    Raises:
        UsageError: Fewer than two clouds, or an unknown profile.
        ComparisonError: Every answer is an error, or a cloud shares no query with another.
    """
    if len(row) < _PAIR:
        raise UsageError(
            "a matrix compares clouds in a row, and only one is there",
            where=", ".join(row),
            remedy="name two clouds or more, oldest first",
        )
    _refuse_errors_only(row, expect)
    walk = _walked(row, profile, rules)
    _refuse_lonely(row, walk)
    return Matrix(
        clouds=tuple(row),
        releases={
            name: release for name, answers in row.items() if (release := release_of(answers))
        },
        queries=_queries(row),
        cells={
            (query, name): _cell(answers[query])
            for query in _queries(row)
            for name, answers in row.items()
            if query in answers
        },
        steps=walk.steps,
        spans=spans(row, profile),
        profile=profile,
        fail_on=fail_on,
        expect=expect,
        expected=walk.expected,
        expired_rules=tuple(each for each in walk.rules_met if each.expired),
        unused_rules=_unused(walk, rules),
        nothing_in_common=walk.apart,
    )


def by_release(row: Mapping[str, Answers]) -> dict[str, Answers]:
    """The clouds of a row, oldest release first; those that declare none come last."""

    def place(cloud: str) -> tuple[int, str]:
        index = release_index(release_of(row[cloud]))
        return (sys.maxsize if index is None else index, cloud)

    return {cloud: row[cloud] for cloud in sorted(row, key=place)}


def release_of(answers: Answers) -> str | None:
    """The release that a cloud's recordings name, if one does."""
    named = (each.provenance.release for each in answers.values())
    return next((each for each in named if each is not None), None)


def answers_with_images(answers: Answers) -> bool:
    """Whether a cloud answered any query with a listing."""
    return any(each.error is None for each in answers.values())


def _refuse_errors_only(row: Mapping[str, Answers], expect: int | None) -> None:
    statuses = {each.status_code for answers in row.values() for each in answers.values()}
    if statuses != {expect} and not any(map(answers_with_images, row.values())):
        raise ComparisonError(
            "every answer is an error; there are no images to compare",
            where=", ".join(row),
            remedy="look at them: imagedetail ls\n"
            "to compare what errors of one status say: expect=STATUS in a test, "
            "--expect STATUS in a shell",
        )


def _refuse_lonely(row: Mapping[str, Answers], walk: _Walk) -> None:
    if lonely := [name for name in row if not any(name in pair for pair in walk.pairs)]:
        raise ComparisonError(
            f"nothing of {' and '.join(lonely)} was compared: no other cloud was asked the same",
            where=", ".join(row),
            remedy="record the same queries of each; imagedetail ls lists what there is",
        )


def _queries(row: Mapping[str, Answers]) -> tuple[Query, ...]:
    return tuple(dict.fromkeys(query for answers in row.values() for query in answers))


def _walked(row: Mapping[str, Answers], profile: str, rules: Rules) -> _Walk:
    """Compare each answer with the next one to the same query."""
    found: dict[_Neighbors, list[Step]] = {}
    expected: dict[_Neighbors, list[Step]] = {}
    apart: list[tuple[str, str, Query]] = []
    for query in _queries(row):
        for pair in pairwise(name for name, answers in row.items() if query in answers):
            old, new = (row[name][query] for name in pair)
            comparison, headers = _compared(old, new, profile, rules)
            differences = (*comparison.differences, *headers.differences)
            found.setdefault(pair, []).extend(_steps(pair, query, differences))
            accepted = (*comparison.expected, *headers.expected)
            expected.setdefault(pair, []).extend(_steps(pair, query, accepted))
            if comparison.nothing_in_common:
                apart.append((*pair, query))
    names = list(row)
    pairs = sorted(found, key=lambda pair: (names.index(pair[0]), names.index(pair[1])))
    return _Walk(
        pairs=tuple(pairs),
        steps=tuple(each for pair in pairs for each in _worst_first(_merged(found[pair]))),
        expected=tuple(each for pair in pairs for each in _merged(expected[pair])),
        apart=tuple(apart),
    )


def _steps(pair: _Neighbors, query: Query, differences: Iterable[Difference]) -> Iterator[Step]:
    for each in differences:
        yield Step(baseline=pair[0], candidate=pair[1], difference=each, queries=(query,))


def _unused(walk: _Walk, rules: Rules) -> tuple[RuleRef, ...]:
    """The rules about any of the neighbors that no change between them is a case of."""
    met = walk.rules_met
    concerned = dict.fromkeys(
        rules.reference(rule) for pair in walk.pairs for rule in rules.between(*pair).rules
    )
    return tuple(each for each in concerned if each not in met)


def _compared(old: Listing, new: Listing, profile: str, rules: Rules) -> tuple[Comparison, Applied]:
    """What separates two answers, and what separates their headers."""
    expect = None if old.error is None else old.status_code
    comparison = compare(old, new, profile=profile, expect=expect, rules=rules)
    headers: Sequence[Difference] = ()
    if old.status_code == new.status_code:  # what another status brings along says nothing more
        headers = header_differences(old, new, judge_of(old, new), profile)
    return comparison, apply(rules.between(old.cloud, new.cloud), headers)


def _cell(listing: Listing) -> Cell:
    images = None if listing.error is not None else len(listing.images)
    return Cell(status_code=listing.status_code, images=images)


def _worst_first(steps: Sequence[Step]) -> Sequence[Step]:
    return sorted(steps, key=lambda step: SEVERITIES.index(step.difference.severity))


def _merged(steps: Sequence[Step]) -> list[Step]:
    """One step for each distinct difference, with all queries that show it."""
    merged: dict[tuple[object, ...], Step] = {}
    for step in steps:
        found = step.difference
        values = tuple(map(_typed, (found.baseline, found.candidate)))
        what = (found.kind, found.path, found.image, found.count, found.examples, found.rule)
        key = (*what, *values)
        same = merged.get(key)
        queries = (*same.queries, *step.queries) if same is not None else step.queries
        merged[key] = replace(step, queries=queries)
    return list(merged.values())


def _typed(value: Any) -> str:
    """What tells one JSON value from another, their types included: 0 is not false."""
    return "" if value is MISSING else json.dumps(value, sort_keys=True)
