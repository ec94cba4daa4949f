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
_T = TypeVar("_T")


def load(path: Path) -> Document:
    """Read a JSON document that the command or a report wrote; raise ReportError for any other."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise unreadable(path, getattr(error, "strerror", None) or str(error)) from error
    if not isinstance(document, dict) or document.get("schema") != 1:
        raise unreadable(path, "it is not a result of this version")
    return document


def results_of(document: Document, path: Path) -> tuple[list[Result], list[Failure]]:
    """Return the results in a report or in the output of `diff`, `matrix` or `verify --json`.

    The document has no answers, so a report on the results shows no bodies. Raise ReportError if it
    has no result.
    """
    if "checks" in document:
        raise unreadable(path, "it is a result of `check`, unlike the other file")
    with malformed(path):
        results, failures = [*_results(document)], [*_failures(document)]
        verdict = document.get("verdict", {})
        passed = report_of(results, failures).verdict.passed
        if not verdict and passed is None:
            raise ValueError("it holds no comparison")
        if verdict and passed is not verdict["passed"]:
            raise ValueError("its verdict does not follow from its results")
        if passed is None and (code := verdict["exit_code"]):
            problem = f"nothing was compared, and the exit code was {code}"
            failures.append(Failure(baseline="result", candidate=path.name, problem=problem))
    return results, failures


def earlier(path: Path) -> Earlier:
    """Read an earlier report or --json output to compare a new report with."""
    document = load(path)
    results, _ = results_of(document, path)
    with malformed(path):  # a report also has earlier dates
        dates = {
            finding["id"]: _read(str | None, finding["first_seen"])
            for finding in document.get("findings", ())
        }
    findings = (
        replace(finding, first_seen=dates.get(finding.id) or finding.first_seen)
        for finding in findings_of(results)
    )
    return Earlier(file=str(path), findings=tuple(findings))


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
    verified = (cassette["comparison"] for cassette in document.get("cassettes", ()))
    comparisons += [comparison for comparison in verified if comparison is not None]
    for facts in comparisons:
        paths = {"not_compared": facts["not_compared"]["paths"]}
        yield _validate(build(Comparison, {**facts, **paths}), facts)
    for facts in document.get("matrices", ()):
        yield _validate(_matrix(facts), facts)


def _validate(result: Result, facts: Document) -> Result:
    """Return a result if its fields, kinds and verdict match the document."""
    if missing := result.to_dict().keys() - facts.keys():
        raise KeyError(min(missing))
    kinds = {step.difference.kind for step in (*result.steps, *result.accepted)}
    if unknown := kinds - KINDS.keys():
        raise KeyError(min(unknown))
    if result.compatible != facts["compatible"] and "problem" not in facts:
        raise ValueError("its verdict does not follow from its differences")
    return result


def _failures(document: Document) -> Iterator[Failure]:
    yield from (build(Failure, failure) for failure in document.get("failures", ()))
    if "problem" in document:  # from diff: a side has another release than declared
        sides = {side: document[side]["cloud"] for side in ("baseline", "candidate")}
        yield Failure(**sides, problem=document["problem"])
    for cassette in document.get("cassettes", ()):
        if cassette["verdict"] == "error":
            cloud = cassette["cloud"]
            yield Failure(baseline=cloud, candidate=f"{cloud} (now)", problem=cassette["problem"])


def _matrix(facts: Document) -> Matrix:
    clouds = {side["cloud"]: side for side in facts["clouds"]}
    cells = {
        (Query.from_text(at["query"]), at["cloud"]): build(Cell, at, status_code=at["status"])
        for at in facts["cells"]
    }
    return build(
        Matrix,
        {
            **facts,
            "not_compared": facts["not_compared"]["paths"],
            "clouds": [*clouds],
            "releases": _of_each(clouds, "release"),
            "microversions": _of_each(clouds, "max_microversion"),
        },
        cells=cells,
        steps=tuple(_step(step, cells) for step in facts["changes"]),
        expected=tuple(_step(step, cells) for step in facts["expected"]),
        spans=tuple(map(_span, facts["spans"])),
        nothing_in_common=tuple(map(_pair, facts["nothing_in_common"])),
        lost=tuple(map(_pair, facts["lost"])),
    )


def _of_each(clouds: Mapping[str, Document], fact: str) -> dict[str, Any]:
    return {name: cloud[fact] for name, cloud in clouds.items() if cloud[fact]}


def build(kind: Callable[..., _T], facts: Document, **parsed: Any) -> _T:
    """Build an object from the facts that are fields of it, and from values already parsed."""
    hints = get_type_hints(kind)
    names = [name for name in signature(kind).parameters if name in facts and name not in parsed]
    return kind(**{name: _read(hints[name], facts[name]) for name in names}, **parsed)


def _read(hint: Any, value: Any) -> Any:
    """Convert a JSON value to the type of a field; the inverse of `comparison.to_json`."""
    arguments, origin = get_args(hint), get_origin(hint)
    if origin is UnionType:
        return None if value is None and NoneType in arguments else _read(arguments[0], value)
    if origin is tuple and isinstance(value, list):
        return tuple(_read(arguments[0], item) for item in value)
    if origin is Mapping and isinstance(value, dict):
        return {key: _read(arguments[1], item) for key, item in value.items()}
    if parse := {Query: Query.from_text, date: date.fromisoformat}.get(hint):
        return parse(value)
    kind: Any = hint
    if is_dataclass(hint):
        return build(kind, value)
    if hint is not Any and type(value) is not hint and value not in arguments:
        expected = getattr(hint, "__name__", hint)
        raise TypeError(f"{json.dumps(value):.40} is not of the type {expected}")
    return value


def _step(facts: Document, cells: Mapping[tuple[Query, str], Cell]) -> Step:
    to, queries = facts["to"], facts["queries"]
    answers = [cells[query, to] for query in map(Query.from_text, queries) if (query, to) in cells]
    recorded = [answer.recorded_at for answer in answers if answer.recorded_at is not None]
    step = {"baseline": facts["from"], "candidate": to, "queries": queries, "recorded": recorded}
    return build(Step, step | {"difference": facts})


def _span(facts: Document) -> Span:
    return build(Span, facts, first=facts["first_seen"], last=facts["last_seen"])


def _pair(facts: Document) -> tuple[str, str, Query]:
    return facts["from"], facts["to"], Query.from_text(facts["query"])


def unreadable(path: Path, why: str) -> ReportError:
    """Return the error of a file that is not a result."""
    return ReportError(
        f"the result cannot be read: {why}",
        where=str(path),
        remedy="give what diff, matrix, verify or check --json printed, or a report that ends in "
        ".json, of this version",
    )
