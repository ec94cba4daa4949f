"""Render comparisons and matrices as JUnit XML, for the test reports of Jenkins and GitLab."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from pytest_imagedetail.compare.comparison import Comparison, failing
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import SEVERITIES, Difference, FailOn, Failure
from pytest_imagedetail.report import text
from pytest_imagedetail.report.findings import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    """Why a suite does not pass; `tag` is "failure", or "error" for what was not compared."""

    tag: str = "failure"
    kind: str
    name: str
    message: str
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suite:
    """A comparison, a matrix, or a comparison that could not be made."""

    name: str
    properties: Mapping[str, object]
    problems: Sequence[_Problem]


def render(report: Report) -> str:
    """Return one suite for each result and each failure."""
    suites = [*map(_suite, report.results), *map(_not_compared, report.failures)]
    inside = [_suite_element(each) for each in suites]
    return document_of(inside, **_counts(*suites))


def document_of(suites: Sequence[str], **counts: int) -> str:
    """Return the document of these suites, which are XML."""
    document = element("testsuites", suites, name="imagedetail", **counts)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{document}\n'


def _suite(result: Comparison | Matrix) -> _Suite:
    if isinstance(result, Matrix):
        name = f"{result.clouds[0]} -> {result.clouds[-1]} ({len(result.clouds)} clouds)"
        problems = [*_of_matrix(result)]
    else:
        sides = f"{result.baseline.name} -> {result.candidate.name}"
        name = f"{sides}, query {result.query}"
        problems = [*_groups(result.differences, result.fail_on)]
        if result.nothing_in_common and result.fail_on != "none":
            message = text.nothing_in_common(result)
            problems.append(_Problem(kind="paired", name="images in common", message=message))
    for label, line in text.rules((), result.expired_rules, ()):
        problems.append(_Problem(kind=label, name=line, message=line))
    is_error = any(each.tag == "error" for each in problems)
    return _Suite(
        name=name,
        problems=problems,
        properties={
            "threshold": result.fail_on,
            "compatible": str(result.compatible).lower(),
            "exit_code": 0 if result.compatible else 2 if is_error else 1,
            **{f"differences_{each}": result.severities.count(each) for each in SEVERITIES},
            "accepted": len(result.expected),
            "not_compared": len(result.not_compared),
        },
    )


def _of_matrix(matrix: Matrix) -> Iterator[_Problem]:
    for baseline, candidate, steps in matrix.pairs():
        for queries in dict.fromkeys(each.queries for each in steps):
            changes = [each.difference for each in steps if each.queries == queries]
            where = f"{baseline} -> {candidate}, query {', '.join(map(str, queries))}: "
            yield from _groups(changes, matrix.fail_on, where=where)
    if matrix.fail_on == "none":
        return
    for one, other, query in matrix.nothing_in_common:
        name, message = f"{one} -> {other}, query {query}", "there is no image in common"
        yield _Problem(kind="paired", name=f"{name}: images in common", message=message)
    for one, other, query in matrix.lost:
        name, message = f"{one} -> {other}, query {query}", f"{other} lacks the recording"
        yield _Problem(tag="error", kind="missing", name=name, message=message)


def _groups(
    differences: Sequence[Difference], fail_on: FailOn, where: str = ""
) -> Iterator[_Problem]:
    for group in text.groups(failing(differences, fail_on)):
        first = group.first
        yield _Problem(
            kind=first.kind,
            name=f"{where}{first.kind} {group.path}",
            message=f"{first.severity}: {first.reason}",
            lines=[
                f"{group.path}  {group.whom}".rstrip(),
                *(f"{sign} {value}" for sign, value in text.values(first)),
            ],
        )


def _not_compared(failure: Failure) -> _Suite:
    message, *lines = failure.problem.splitlines()
    problem = _Problem(
        tag="error", kind="not_compared", name="compared", message=message, lines=lines
    )
    return _Suite(
        name=f"{failure.baseline} -> {failure.candidate}",
        properties={"compatible": "false", "exit_code": 2},
        problems=[problem],
    )


def _suite_element(suite: _Suite) -> str:
    properties = [
        element("property", name=name, value=value) for name, value in suite.properties.items()
    ]
    cases = [
        element("testcase", [_problem_element(each)], classname=suite.name, name=each.name)
        for each in suite.problems
    ] or [element("testcase", classname=suite.name, name="compatible")]
    inside = [element("properties", properties), *cases]
    return element("testsuite", inside, name=suite.name, **_counts(suite))


def _problem_element(problem: _Problem) -> str:
    lines = [escape(text.plain(each)) for each in problem.lines]
    return element(problem.tag, lines, type=problem.kind, message=problem.message)


def _counts(*suites: _Suite) -> dict[str, int]:
    tags = [each.tag for suite in suites for each in suite.problems]
    return {
        "tests": sum(len(each.problems) or 1 for each in suites),
        "failures": tags.count("failure"),
        "errors": tags.count("error"),
    }


def element(tag: str, inside: Sequence[str] = (), **attributes: object) -> str:
    """Return an element; what is in it is XML, while attributes are any text."""
    head = [tag, *(f'{key}="{escape(text.plain(str(it)))}"' for key, it in attributes.items())]
    content = "\n".join(["", *inside, ""]) if inside else ""
    return f"<{' '.join(head)}>{content}</{tag}>"
