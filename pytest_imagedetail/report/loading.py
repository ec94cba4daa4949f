"""Read results from JSON, so that the shards of a CI run become one report."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import is_dataclass, replace
from datetime import date
from inspect import signature
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pytest_imagedetail.compare.comparison import Comparison, Step
from pytest_imagedetail.compare.matrix import Cell, Matrix, Span
from pytest_imagedetail.errors import ReportError
from pytest_imagedetail.model import KINDS, Failure, Query
from pytest_imagedetail.report.findings import Result, findings_of
from pytest_imagedetail.report.since import Earlier
from pytest_imagedetail.report.verdict import report_of

Document = Mapping[str, Any]
_Built = TypeVar("_Built")


def load(path: Path) -> Document:
    """Read a JSON document that the command or a report wrote.

    Raises:
        ReportError: The file cannot be read, or is another document.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise unreadable(path, getattr(error, "strerror", None) or str(error)) from error
    if not isinstance(document, dict) or document.get("schema") != 1:
        raise unreadable(path, "it is not a result of this version")
    return document


def results_of(document: Document, path: Path) -> tuple[list[Result], list[Failure]]:
    """Return the results in a report or in the output of `diff`, `matrix` or `verify --json`.

    The document has no answers, so a report on the results shows no bodies.

    Raises:
        ReportError: The document has no result.
    """
    if "checks" in document:
        raise unreadable(path, "it is a result of `check`, unlike the other file")
    with malformed(path):
        found, failures = [*_results(document)], [*_failures(document)]
        if not found and not failures and "verdict" not in document:
            raise ValueError("it holds no comparison")
        passed = report_of(found, failures).verdict.passed
        if "verdict" in document and passed is not document["verdict"]["passed"]:
            raise ValueError("its verdict does not follow from its results")
    return found, failures


def earlier(path: Path) -> Earlier:
    """Read an earlier report or --json output to compare a new report with."""
    document = load(path)
    results, _ = results_of(document, path)
    with malformed(path):  # a report also has dates from before it
        dates = {
            each["id"]: _read(str | None, each["first_seen"])
            for each in document.get("findings", ())
        }
    found = (
        replace(each, first_seen=dates.get(each.id) or each.first_seen)
        for each in findings_of(results)
    )
    return Earlier(file=str(path), findings=tuple(found))


@contextmanager
def malformed(path: Path) -> Iterator[None]:
    """Turn errors about the structure of a document into ReportError."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise unreadable(path, f"{type(error).__name__}: {error}") from error


def _results(document: Document) -> Iterator[Result]:
    comparisons = [document] if "differences" in document else []
    comparisons += document.get("comparisons", ())
    verified = (each["comparison"] for each in document.get("cassettes", ()))
    comparisons += [each for each in verified if each is not None]
    for facts in comparisons:
        paths = {"not_compared": facts["not_compared"]["paths"]}
        yield _checked(built(Comparison, {**facts, **paths}), facts)
    for facts in document.get("matrices", ()):
        yield _checked(_matrix(facts), facts)


def _checked(found: Result, facts: Document) -> Result:
    """Return a result if its fields, kinds and verdict match the document."""
    if missing := found.to_dict().keys() - facts.keys():
        raise KeyError(min(missing))
    kinds = {each.difference.kind for each in (*found.steps, *found.accepted)}
    if unknown := kinds - KINDS.keys():
        raise KeyError(min(unknown))
    if found.compatible != facts["compatible"] and "problem" not in facts:
        raise ValueError("its verdict does not follow from its differences")
    return found


def _failures(document: Document) -> Iterator[Failure]:
    yield from (built(Failure, each) for each in document.get("failures", ()))
    if "problem" in document:  # from diff: a side has another release than declared
        sides = {side: document[side]["cloud"] for side in ("baseline", "candidate")}
        yield Failure(**sides, problem=document["problem"])
    for each in document.get("cassettes", ()):
        if each["verdict"] == "error":
            cloud = each["cloud"]
            yield Failure(baseline=cloud, candidate=f"{cloud} (now)", problem=each["problem"])


def _matrix(facts: Document) -> Matrix:
    clouds = {each["cloud"]: each["release"] for each in facts["clouds"]}
    cells = {
        (_query(each["query"]), each["cloud"]): built(Cell, {**each, "status_code": each["status"]})
        for each in facts["cells"]
    }
    return built(
        Matrix,
        {
            **facts,
            "not_compared": facts["not_compared"]["paths"],
            "clouds": [*clouds],
            "releases": {cloud: release for cloud, release in clouds.items() if release},
        },
        cells=cells,
        steps=tuple(_step(each, cells) for each in facts["changes"]),
        expected=tuple(_step(each, cells) for each in facts["expected"]),
        spans=tuple(map(_span, facts["spans"])),
        nothing_in_common=tuple(map(_pair, facts["nothing_in_common"])),
        lost=tuple(map(_pair, facts["lost"])),
    )


def built(kind: Callable[..., _Built], facts: Document, **read: Any) -> _Built:
    """Build an object from the facts that have a field; `read` are values already read."""
    hints = get_type_hints(kind)
    names = [each for each in signature(kind).parameters if each in facts and each not in read]
    return kind(**{name: _read(hints[name], facts[name]) for name in names}, **read)


def _read(hint: Any, value: Any) -> Any:
    """Convert a JSON value to the type of a field; the inverse of `comparison.to_json`."""
    of, origin = get_args(hint), get_origin(hint)
    if origin is UnionType:
        return None if value is None and NoneType in of else _read(of[0], value)
    if origin is tuple and isinstance(value, list):
        return tuple(_read(of[0], each) for each in value)
    if origin is Mapping and isinstance(value, dict):
        return {key: _read(of[1], each) for key, each in value.items()}
    if parse := {Query: _query, date: date.fromisoformat}.get(hint):
        return parse(value)
    kind: Any = hint
    if is_dataclass(hint):
        return built(kind, value)
    if hint is not Any and type(value) is not hint and value not in of:
        wanted = getattr(hint, "__name__", hint)
        raise TypeError(f"{json.dumps(value):.40} is not of the type {wanted}")
    return value


def _step(facts: Document, cells: Mapping[tuple[Query, str], Cell]) -> Step:
    to, asked = facts["to"], facts["queries"]
    answers = [cells[query, to] for query in map(_query, asked) if (query, to) in cells]
    recorded = [each.recorded_at for each in answers if each.recorded_at is not None]
    step = {"baseline": facts["from"], "candidate": to, "queries": asked, "recorded": recorded}
    return built(Step, step | {"difference": facts})


def _span(facts: Document) -> Span:
    return built(Span, facts, first=facts["first_seen"], last=facts["last_seen"])


def _pair(facts: Document) -> tuple[str, str, Query]:
    return facts["from"], facts["to"], _query(facts["query"])


def _query(text: str) -> Query:
    """Parse the output of `str(query)`: "all @2.35"."""
    asked, _, microversion = text.partition(" @")
    pairs = [] if asked == "all" else [each.partition("=")[::2] for each in asked.split("&")]
    return Query(tuple(pairs), microversion or None)


def unreadable(path: Path, why: str) -> ReportError:
    """Return the error of a file that is not a result."""
    return ReportError(
        f"the result cannot be read: {why}",
        where=str(path),
        remedy="give what diff, matrix, verify or check --json printed, or a report that ends in "
        ".json, of this version",
    )
