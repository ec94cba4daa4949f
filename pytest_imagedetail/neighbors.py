"""Compares each cloud of a row with the next one, query by query; the result is a matrix."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from pytest_imagedetail.answers import header_differences
from pytest_imagedetail.compare import compare
from pytest_imagedetail.comparison import Comparison
from pytest_imagedetail.contract import release_index
from pytest_imagedetail.errors import ComparisonError, UsageError
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.matrix import Cell, Matrix, Step
from pytest_imagedetail.model import MISSING, SEVERITIES, Difference, FailOn, Query
from pytest_imagedetail.rules import NO_RULES, Applied, Rules, apply
from pytest_imagedetail.settings import DEFAULT_PROFILE
from pytest_imagedetail.severity import Judge
from pytest_imagedetail.spans import spans

Answers = Mapping[Query, Listing]
"""What one cloud answered, by query; recorded errors are answers too."""


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
        UsageError: Fewer than two clouds.
        ComparisonError: Every answer is an error, or a cloud shares no query with another.
    """
    if len(row) < 2:  # noqa: PLR2004  a pair
        raise UsageError(
            "a matrix compares clouds in a row, and only one is there",
            where=", ".join(row),
            remedy="name two clouds or more, oldest first",
        )
    queries = tuple(dict.fromkeys(query for answers in row.values() for query in answers))
    found: dict[tuple[str, str], list[Step]] = {}
    expected: dict[tuple[str, str], list[Step]] = {}
    apart: list[tuple[str, str, Query]] = []
    for query in queries:
        having = [(name, answers[query]) for name, answers in row.items() if query in answers]
        for (one, old), (other, new) in pairwise(having):
            comparison, headers = _compared(old, new, profile, rules)
            if comparison.nothing_in_common:
                apart.append((one, other, query))
            for kept, differences in (
                (found, (*comparison.differences, *headers.differences)),
                (expected, (*comparison.expected, *headers.expected)),
            ):
                kept.setdefault((one, other), []).extend(
                    Step(baseline=one, candidate=other, difference=each, queries=(query,))
                    for each in differences
                )
    names = list(row)
    if lonely := [name for name in names if not any(name in pair for pair in found)]:
        raise ComparisonError(
            f"nothing of {' and '.join(lonely)} was compared: no other cloud was asked the same",
            where=", ".join(names),
            remedy="record the same queries of each; imagedetail ls lists what there is",
        )
    order = sorted(found, key=lambda pair: (names.index(pair[0]), names.index(pair[1])))
    _refuse_errors_only(row, expect)
    steps = [each for pair in order for each in _worst_first(_merged(found[pair]))]
    accepted = [each for pair in order for each in _merged(expected[pair])]
    met = dict.fromkeys(each.difference.rule for each in (*steps, *accepted))
    concerned = dict.fromkeys(
        rules.reference(rule) for pair in order for rule in rules.between(*pair).rules
    )
    return Matrix(
        clouds=tuple(row),
        releases={
            name: release for name, answers in row.items() if (release := release_of(answers))
        },
        queries=queries,
        cells={
            (query, name): _cell(answers[query])
            for query in queries
            for name, answers in row.items()
            if query in answers
        },
        steps=tuple(steps),
        spans=spans(row, profile),
        profile=profile,
        fail_on=fail_on,
        expect=expect,
        expected=tuple(accepted),
        expired_rules=tuple(each for each in met if each is not None and each.expired),
        unused_rules=tuple(each for each in concerned if each not in met),
        nothing_in_common=tuple(apart),
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


def _compared(old: Listing, new: Listing, profile: str, rules: Rules) -> tuple[Comparison, Applied]:
    """What separates two answers, and what separates their headers."""
    expect = None if old.error is None else old.status_code
    comparison = compare(old, new, profile=profile, expect=expect, rules=rules)
    headers: Sequence[Difference] = ()
    if old.status_code == new.status_code:  # what another status brings along says nothing more
        judge = Judge(baseline=old.provenance.release, candidate=new.provenance.release)
        headers = header_differences(old, new, judge, profile)
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
