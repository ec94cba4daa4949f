"""Judge results: whether they pass, why, and what was not compared."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pytest_imagedetail import text
from pytest_imagedetail.compare.comparison import SCHEMA, Comparison
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import Failure, RuleRef
from pytest_imagedetail.report import notes, since
from pytest_imagedetail.report.findings import Finding, Result, findings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether results pass, and why."""

    passed: bool | None  # None if nothing was compared
    sentence: str
    exit_code: int
    facts: tuple[str, ...]  # the threshold and the exit code
    compared: tuple[str, ...]  # how much was compared, and how

    @property
    def word(self) -> str:
        """PASS, FAIL or NOT COMPARED."""
        return "NOT COMPARED" if self.passed is None else "PASS" if self.passed else "FAIL"

    @property
    def line(self) -> str:
        """The verdict on one line: "FAIL: 1 of 30 differences from a to b can break a client"."""
        return text.plain(f"{self.word}: {self.sentence}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The contents of a report in any format."""

    results: tuple[Result, ...]
    failures: tuple[Failure, ...]
    verdict: Verdict
    findings: tuple[Finding, ...]  # worst first
    since: since.Since | None
    arguments: str | None  # sides and options of `diff`, quoted for a shell

    @property
    def comparisons(self) -> list[Comparison]:
        """The results that are comparisons."""
        return [result for result in self.results if isinstance(result, Comparison)]

    @property
    def matrices(self) -> list[Matrix]:
        """The results that are matrices."""
        return [result for result in self.results if isinstance(result, Matrix)]

    @property
    def single(self) -> Comparison | None:
        """The only result, if it is a comparison."""
        return self.comparisons[0] if self.comparisons and len(self.results) == 1 else None

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The causes whose severity makes their results fail."""
        return tuple(finding for finding in self.findings if finding.fails)

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """What was not compared and what the rules did, as pairs of a label and a line."""
        every = (note for result in self.results for note in notes.notes_of(result))
        return tuple(dict.fromkeys(every))

    @property
    def limits(self) -> list[tuple[str, str]]:
        """The notes, except those on accepted differences."""
        return [note for note in self.notes if note[0] != "expected"]

    def head(self) -> dict[str, Any]:
        """Return the start of every JSON document: the verdict and `since`."""
        verdict = self.verdict
        facts = {
            "passed": verdict.passed,
            "exit_code": verdict.exit_code,
            "sentence": verdict.sentence,
            "facts": [*verdict.facts, *verdict.compared],
            "limits": [{"label": label, "text": line} for label, line in self.limits],
        }
        return {"verdict": facts} | ({"since": asdict(self.since)} if self.since else {})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema": SCHEMA,
            **self.head(),
            "findings": [finding.to_dict() for finding in self.findings],
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
            "matrices": [matrix.to_dict() for matrix in self.matrices],
            "failures": [asdict(failure) for failure in self.failures],
        }


def report_of(
    results: Sequence[Result],
    failures: Sequence[Failure] = (),
    *,
    earlier: since.Earlier | None = None,
    exit_code: int | None = None,
    arguments: str | None = None,
) -> Report:
    """Gather the contents of a report on these results; a problem of several counts once.

    Without an exit code of a pytest run, it is that of a command with these results.
    """
    failures = tuple(dict.fromkeys(failures))
    results = _without_used_rules(results, is_complete=not failures)
    findings, changed = findings_of(results), None
    if earlier is not None:
        changed, findings = since.compare(earlier, findings, results)
    return Report(
        results=tuple(results),
        failures=failures,
        verdict=_verdict(results, failures, exit_code),
        findings=findings,
        since=changed,
        arguments=arguments,
    )


def _without_used_rules(results: Sequence[Result], *, is_complete: bool) -> list[Result]:
    """Keep as unused the rules that no result used; none if a result is missing."""
    used = {step.difference.rule for each in results for step in (*each.steps, *each.accepted)}

    def unused(result: Result) -> tuple[RuleRef, ...]:
        return tuple(rule for rule in result.unused_rules if is_complete and rule not in used)

    return [replace(result, unused_rules=unused(result)) for result in results]


def _verdict(
    results: Sequence[Result], failures: Sequence[Failure], exit_code: int | None
) -> Verdict:
    failing = [result for result in results if not result.compatible]
    if exit_code is None:
        lost = any(result.lost for result in results)
        exit_code = 2 if failures or lost or not results else int(bool(failing))
    thresholds = ", ".join(dict.fromkeys(result.fail_on for result in results))
    single = results[0] if len(results) == 1 else None
    return Verdict(
        passed=not failing and not failures if results or failures else None,
        sentence="; ".join(_sentences(results, len(failing), len(failures))),
        exit_code=exit_code,
        facts=(*([f"fails on: {thresholds}"] if results else ()), f"exit code {exit_code}"),
        compared=() if single is None else (notes.count_of(single), f"profile {single.profile}"),
    )


def _sentences(results: Sequence[Result], failing: int, failures: int) -> Iterator[str]:
    if failures:
        yield text.count(failures, "error")
    elif not results:
        yield "no listing was compared"
    comparisons = text.count(len(results), "comparison")
    if len(results) == 1:
        yield _sentence_of(results[0])
    elif failing:
        yield f"{failing} of {comparisons} {'fails' if failing == 1 else 'fail'}"
    elif results:
        yield f"{comparisons}, and none of them fails"


def _sentence_of(result: Result) -> str:
    first, last = result.clouds[0], result.clouds[-1]
    total, breaking = len(result.severities), result.severities.count("breaking")
    differences = f"{text.count(total, 'difference')} from {first} to {last}"
    is_partial = result.lost or result.nothing_in_common
    if not total or is_partial or bool(breaking) == result.compatible:  # there is another reason
        sentence = f"{first} to {last}: {summary(result)}"
    elif total == 1:
        breaks = "can break a client" if breaking else "breaks no client"
        sentence = f"the only difference from {first} to {last} {breaks}"
    elif breaking:
        clients = "a client" if breaking == 1 else "clients"
        sentence = f"{breaking} of {differences} can break {clients}"
    else:
        sentence = f"{differences}, and none of them breaks a client"
    return f"{sentence}; a rule has expired" if result.expired_rules else sentence


def summary(result: Result) -> str:
    """Return a result's summary, after the threshold if only that makes it fail."""
    breaks_none = result.severities and "breaking" not in result.severities
    if breaks_none and result.fail_on == "change":
        return f"fail-on is change; {result.summary}"
    return result.summary
