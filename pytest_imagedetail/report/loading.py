"""Read the JSON form of results back, so that the shards of a CI run become one report."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.compare.matrix import Cell, Matrix, Span, Step
from pytest_imagedetail.errors import ReportError
from pytest_imagedetail.model import (
    MISSING,
    Difference,
    Failure,
    ImageRef,
    Query,
    RuleRef,
    Side,
    Unpaired,
)
from pytest_imagedetail.report.findings import findings_of
from pytest_imagedetail.report.since import Earlier

Document = Mapping[str, Any]


def load(path: Path) -> Document:
    """Read a JSON document that the command or a report wrote.

    Raises:
        ReportError: It cannot be read, or is no such document.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise unreadable(path, getattr(error, "strerror", None) or str(error)) from error
    if not isinstance(document, dict) or document.get("schema") != 1:
        raise unreadable(path, "it is no result of this version")
    return document


def results_of(document: Document, path: Path) -> tuple[list[Comparison | Matrix], list[Failure]]:
    """Return what a report, `diff --json`, `matrix --json` or `verify --json` holds.

    The answers themselves are not in it, so a report of them shows no bodies.

    Raises:
        ReportError: It holds no result.
    """
    if "checks" in document:
        raise unreadable(path, "it is a result of check, and the other one is not")
    try:
        found, failures = [*_results(document)], [*_failures(document)]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise unreadable(path, f"{type(error).__name__}: {error}") from error
    if not found and not failures and "verdict" not in document:
        raise unreadable(path, "it holds no comparison")
    return found, failures


def earlier(path: Path) -> Earlier:
    """Read an earlier report, or what --json printed, to compare a new one with.

    Raises:
        ReportError: It cannot be read, or holds no result.
    """
    document = load(path)
    results, _ = results_of(document, path)
    try:
        # A report knows when a cause was seen before it.
        dates = {each["id"]: each["first_seen"] for each in document.get("findings", ())}
    except (KeyError, TypeError) as error:
        raise unreadable(path, f"{type(error).__name__}: {error}") from error
    found = tuple(
        replace(each, first_seen=str(dates.get(each.id) or "") or each.first_seen)
        for each in findings_of(results)
    )
    return Earlier(file=str(path), findings=found)


def _results(document: Document) -> Iterator[Comparison | Matrix]:
    if "differences" in document:
        yield _comparison(document)
    yield from map(_comparison, document.get("comparisons", ()))
    yield from map(_matrix, document.get("matrices", ()))
    for each in document.get("cassettes", ()):  # of verify
        if each["comparison"] is not None:
            yield _comparison(each["comparison"])


def _failures(document: Document) -> Iterator[Failure]:
    yield from (Failure(**each) for each in document.get("failures", ()))
    if "problem" in document:  # of diff: a side is of another release than declared
        sides = {side: document[side]["cloud"] for side in ("baseline", "candidate")}
        yield Failure(**sides, problem=document["problem"])
    for each in document.get("cassettes", ()):
        if each["verdict"] == "error":
            cloud = each["cloud"]
            yield Failure(baseline=cloud, candidate=f"{cloud} (now)", problem=each["problem"])


def _comparison(facts: Document) -> Comparison:
    found = Comparison(
        baseline=_side(facts["baseline"]),
        candidate=_side(facts["candidate"]),
        profile=facts["profile"],
        level=facts["level"],
        differences=_differences(facts["differences"]),
        paired=facts["paired"],
        unpaired=Unpaired(**{side: _refs(refs) for side, refs in facts["unpaired"].items()}),
        unseen=tuple(facts["unseen"]),
        normalization=facts["normalization"],
        not_compared=tuple(facts["not_compared"]["paths"]),
        fail_on=facts["fail_on"],
        expect=facts["expect"],
        expected=_differences(facts["expected"]),
        expired_rules=tuple(map(_rule, facts["expired_rules"])),
        unused_rules=tuple(map(_rule, facts["unused_rules"])),
    )
    _check_verdict(found, facts)
    return found


def _matrix(facts: Document) -> Matrix:
    clouds = facts["clouds"]
    found = Matrix(
        clouds=tuple(each["cloud"] for each in clouds),
        releases={each["cloud"]: each["release"] for each in clouds if each["release"]},
        queries=tuple(map(_query, facts["queries"])),
        cells={
            (_query(each["query"]), each["cloud"]): Cell(
                status_code=each["status"],
                images=each["images"],
                recorded_at=each.get("recorded_at"),
            )
            for each in facts["cells"]
        },
        steps=_steps(facts["changes"]),
        spans=tuple(
            Span(
                kind=each["kind"],
                what=each["what"],
                first=each["first_seen"],
                last=each["last_seen"],
                missing=tuple(each["missing"]),
            )
            for each in facts["spans"]
        ),
        profile=facts["profile"],
        fail_on=facts["fail_on"],
        expect=facts["expect"],
        expected=_steps(facts["expected"]),
        expired_rules=tuple(map(_rule, facts["expired_rules"])),
        unused_rules=tuple(map(_rule, facts["unused_rules"])),
        nothing_in_common=tuple(map(_pair, facts["nothing_in_common"])),
        lost=tuple(map(_pair, facts["lost"])),
        not_compared=tuple(facts["not_compared"]["paths"]),
    )
    _check_verdict(found, facts)
    return found


def _check_verdict(found: Comparison | Matrix, facts: Document) -> None:
    """Raise ValueError if the differences do not lead to the verdict that is written."""
    if found.compatible != facts["compatible"] and "problem" not in facts:
        raise ValueError("its verdict does not follow from its differences")


def _side(facts: Document) -> Side:
    known = {**facts, "query": _query(facts["query"]), "volatile": tuple(facts.get("volatile", ()))}
    return Side(**known)


def _steps(entries: Sequence[Document]) -> tuple[Step, ...]:
    return tuple(
        Step(
            baseline=each["from"],
            candidate=each["to"],
            difference=_difference(each),
            queries=tuple(map(_query, each["queries"])),
        )
        for each in entries
    )


def _differences(entries: Sequence[Document]) -> tuple[Difference, ...]:
    return tuple(map(_difference, entries))


def _difference(facts: Document) -> Difference:
    image, rule = facts["image"], facts.get("rule")
    return Difference(
        kind=facts["kind"],
        severity=facts["severity"],
        path=facts["path"],
        image=None if image is None else ImageRef(**image),
        baseline=facts.get("baseline", MISSING),
        candidate=facts.get("candidate", MISSING),
        count=facts["count"],
        examples=_refs(facts.get("examples", ())),
        reason=facts["reason"],
        rule=None if rule is None else _rule(rule),
    )


def _refs(entries: Sequence[Document]) -> tuple[ImageRef, ...]:
    return tuple(ImageRef(**each) for each in entries)


def _rule(facts: Document) -> RuleRef:
    expires = facts["expires"] and date.fromisoformat(facts["expires"])
    return RuleRef(**{**facts, "kinds": tuple(facts["kinds"]), "expires": expires})


def _pair(facts: Document) -> tuple[str, str, Query]:
    return facts["from"], facts["to"], _query(facts["query"])


def _query(text: str) -> Query:
    """Read a query as `str(query)` writes it: "all @2.35"."""
    asked, _, microversion = text.partition(" @")
    pairs = [] if asked == "all" else [each.partition("=")[::2] for each in asked.split("&")]
    return Query(tuple(pairs), microversion or None)


def unreadable(path: Path, why: str) -> ReportError:
    """Return the error of a file that is no result."""
    return ReportError(
        f"the result cannot be read: {why}",
        where=str(path),
        remedy="give what --json printed, or a report that ends in .json, of this version",
    )
