"""Render comparisons and matrices as JUnit XML, for the test reports of Jenkins and GitLab."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import SEVERITIES, Failure
from pytest_imagedetail.report import grid, text
from pytest_imagedetail.report.findings import Finding, Place, Result, findings_of
from pytest_imagedetail.report.verdict import Report, notes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A reason why a suite fails, or that it passes."""

    tag: str = "failure"  # "error" for what was not compared, "" for a pass
    kind: str = ""
    name: str
    message: str = ""
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suite:
    """A comparison, a matrix, or a comparison that could not be made."""

    name: str
    properties: Mapping[str, object]
    cases: Sequence[_Case]


def render(report: Report) -> str:
    """Return one suite for each result and each failure."""
    suites = [*map(_suite, report.results), *map(_not_compared, report.failures)]
    inside = []
    for suite in suites:
        facts = {"verdict": report.verdict.line, **suite.properties}  # of all, and of this one
        properties = [element("property", name=name, value=value) for name, value in facts.items()]
        cases = [
            element("testcase", _inside(each), classname=suite.name, name=each.name)
            for each in suite.cases
        ]
        parts = [element("properties", properties), *cases]
        inside.append(element("testsuite", parts, name=suite.name, **_counts(suite.cases)))
    return document_of(inside, **_counts([case for suite in suites for case in suite.cases]))


def document_of(suites: Sequence[str], **counts: int) -> str:
    """Return the document of these suites, which are XML."""
    document = element("testsuites", suites, name="imagedetail", **counts)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{document}\n'


def _suite(result: Result) -> _Suite:
    cases = [*_cases(result)]
    error = any(each.tag == "error" for each in cases)
    return _Suite(
        name=_name(result),
        cases=cases or [_Case(tag="", name="compatible")],
        properties={
            "threshold": result.fail_on,
            "compatible": str(result.compatible).lower(),
            "exit_code": 0 if result.compatible else 2 if error else 1,
            **{f"differences_{each}": result.severities.count(each) for each in SEVERITIES},
            "accepted": len(result.expected),
            "redacted": len(result.not_compared),
        },
    )


def _name(result: Result) -> str:
    if isinstance(result, Matrix):
        return f"{result.clouds[0]} -> {result.clouds[-1]} ({len(result.clouds)} clouds)"
    return f"{result.baseline.name} -> {result.candidate.name}, query {result.query}"


def _cases(result: Result) -> Iterator[_Case]:
    """Yield why a result is not compatible."""
    for finding in findings_of([result]):
        for place in finding.places if finding.fails else ():
            yield _failure(finding, place)
    for one, other, query in result.lost:
        name, message = f"{one} -> {other}, query {query}", f"{other} lacks the recording"
        yield _Case(tag="error", kind="missing", name=name, message=message)
    fatal = {"expired"} if result.fail_on == "none" else {"expired", "paired"}
    for label, line in notes_of(result):
        if label in fatal:
            yield _Case(kind=label, name=line, message=line)


def _failure(finding: Finding, place: Place) -> _Case:
    values = (
        f"{sign} {value}" for each in place.group.differences for sign, value in text.values(each)
    )
    where = f"{place.pair}, query {grid.asked(place.queries)}"
    return _Case(
        kind=finding.kind,
        name=f"{finding.kind} {place.group.path}, {where}",
        message=f"{finding.severity}: {finding.reason}",
        lines=[f"{where}  {place.group.whom}".rstrip(), *values, f"id {finding.id}"],
    )


def _not_compared(failure: Failure) -> _Suite:
    message, *lines = failure.problem.splitlines()
    case = _Case(tag="error", kind="not_compared", name="compared", message=message, lines=lines)
    return _Suite(
        name=f"{failure.baseline} -> {failure.candidate}",
        properties={"compatible": "false", "exit_code": 2},
        cases=[case],
    )


def _inside(case: _Case) -> list[str]:
    if not case.tag:
        return []
    lines = [escape(text.plain(each)) for each in case.lines]
    return [element(case.tag, lines, type=case.kind, message=case.message)]


def _counts(cases: Sequence[_Case]) -> dict[str, int]:
    tags = [each.tag for each in cases]
    return {"tests": len(tags), "failures": tags.count("failure"), "errors": tags.count("error")}


def element(tag: str, inside: Sequence[str] = (), **attributes: object) -> str:
    """Return an element; what is in it is XML, while attributes are any text."""
    head = [tag, *(f'{key}="{escape(text.plain(str(it)))}"' for key, it in attributes.items())]
    content = "\n".join(["", *inside, ""]) if inside else ""
    return f"<{' '.join(head)}>{content}</{tag}>"
