"""Render comparisons and matrices as JUnit XML, for the test reports of Jenkins and GitLab."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from pytest_imagedetail import text
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import SEVERITIES, Failure
from pytest_imagedetail.report import grid, notes
from pytest_imagedetail.report.findings import Finding, Place, Result, findings_of
from pytest_imagedetail.report.verdict import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One reason why a suite fails, or a pass."""

    tag: str = "failure"  # "error" if not compared, "skipped", or "" for a pass
    kind: str = ""
    name: str
    message: str = ""
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A comparison, a matrix, or a comparison that could not be made."""

    name: str
    properties: Mapping[str, object] = field(default_factory=dict)
    cases: Sequence[Case]


def render(report: Report) -> str:
    """Return one suite for each result and each failure, or for a run that failed without any."""
    suites = [*map(_suite, report.results), *map(_not_compared, report.failures)]
    if not suites and report.verdict.exit_code:
        case = Case(tag="error", name="compared", message=report.verdict.sentence)
        suites = [Suite(name="imagedetail", cases=[case])]
    return document(report.verdict.line, suites, exit_code=report.verdict.exit_code)


def document(verdict: str, suites: Sequence[Suite], *, exit_code: int) -> str:
    """Return the XML document; each suite has the overall verdict and its own counts."""
    children = []
    for suite in suites:
        facts = {"verdict": verdict, "exit_code": exit_code, **suite.properties}
        properties = [_element("property", name=name, value=value) for name, value in facts.items()]
        cases = [
            _element("testcase", _children(case), classname=suite.name, name=case.name)
            for case in suite.cases
        ]
        parts = [_element("properties", properties), *cases]
        counts = _counts(suite.cases)
        children.append(_element("testsuite", parts, name=suite.name, **counts))
    counts = _counts([case for suite in suites for case in suite.cases])
    root = _element("testsuites", children, name="imagedetail", **counts)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{root}\n'


def _suite(result: Result) -> Suite:
    return Suite(
        name=_name(result),
        cases=[*_cases(result)] or [Case(tag="", name="compared")],
        properties={
            "threshold": result.fail_on,
            **{f"differences_{name}": result.severities.count(name) for name in SEVERITIES},
            "accepted": len(result.expected),
            "redacted": len(result.not_compared),
        },
    )


def _name(result: Result) -> str:
    if isinstance(result, Matrix):
        return f"{result.clouds[0]} -> {result.clouds[-1]} ({len(result.clouds)} clouds)"
    return f"{result.baseline.name} -> {result.candidate.name}, query {result.query}"


def _cases(result: Result) -> Iterator[Case]:
    for finding in findings_of([result]):
        for place in finding.places if finding.fails else ():
            yield _failure(finding, place)
    for baseline, candidate, query in result.lost:
        name = f"{baseline} -> {candidate}, query {query}"
        message = f"{candidate} lacks the recording"
        yield Case(tag="error", kind="missing", name=name, message=message)
    fatal = {"expired"} if result.fail_on == "none" else {"expired", "paired"}
    for label, line in notes.notes_of(result):
        if label in fatal:
            yield Case(kind=label, name=line, message=line)


def _failure(finding: Finding, place: Place) -> Case:
    values = (f"{sign} {value}" for each in place.differences for sign, value in text.values(each))
    where = f"{place.pair}, query {grid.first_queries(place.queries)}"
    return Case(
        kind=finding.kind,
        name=f"{finding.kind} {place.path}, {where}",
        message=f"{finding.severity}: {finding.reason}",
        lines=[f"{where}  {place.image_list}".rstrip(), *values, f"id {finding.id}"],
    )


def _not_compared(failure: Failure) -> Suite:
    message, *lines = failure.problem.splitlines()
    case = Case(tag="error", kind="not_compared", name="compared", message=message, lines=lines)
    return Suite(
        name=f"{failure.baseline} -> {failure.candidate}",
        cases=[case],
    )


def _children(case: Case) -> list[str]:
    if not case.tag:
        return []
    lines = [escape(text.plain(line)) for line in case.lines]
    kind = {"type": case.kind} if case.kind else {}
    return [_element(case.tag, lines, **kind, message=case.message)]


def _counts(cases: Sequence[Case]) -> dict[str, int]:
    tags = [case.tag for case in cases]
    counts = {"tests": len(tags), "failures": tags.count("failure"), "errors": tags.count("error")}
    return counts | ({"skipped": tags.count("skipped")} if "skipped" in tags else {})


def _element(tag: str, children: Sequence[str] = (), **attributes: object) -> str:
    """Return an element; `children` are XML, attributes are unescaped text."""
    escaped = (f'{name}="{escape(text.plain(str(value)))}"' for name, value in attributes.items())
    content = "\n".join(["", *children, ""]) if children else ""
    return f"<{' '.join([tag, *escaped])}>{content}</{tag}>"
