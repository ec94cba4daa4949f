"""Judge results: whether they pass, why, and what was not compared."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pytest_imagedetail.compare.comparison import SCHEMA, Comparison, is_compatible
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import Failure
from pytest_imagedetail.report import grid, since, text
from pytest_imagedetail.report.findings import Finding, Result, findings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether results pass, and why.

    Attributes:
        passed: Whether nothing reaches the threshold and all could be compared; None if nothing was
            compared.
        sentence: The answer in one sentence.
        exit_code: Of a command with these results.
        facts: The threshold and the exit code.
        compared: How much was compared, and how.
        limits: What was not compared, as pairs of a label and a line.
    """

    passed: bool | None
    sentence: str
    exit_code: int
    facts: tuple[str, ...]
    compared: tuple[str, ...]
    limits: tuple[tuple[str, str], ...]

    @property
    def word(self) -> str:
        """PASS, FAIL or NOT COMPARED."""
        return "NOT COMPARED" if self.passed is None else "PASS" if self.passed else "FAIL"

    @property
    def line(self) -> str:
        """The verdict on one line: "FAIL: 1 of 30 differences from a to b can break a client"."""
        return f"{self.word}: {self.sentence}"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        limits = [{"label": label, "text": line} for label, line in self.limits]
        return {
            "passed": self.passed,
            "exit_code": self.exit_code,
            "sentence": self.sentence,
            "facts": [*self.facts, *self.compared],
            "limits": limits,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What every form of a report shows.

    Attributes:
        results: Comparisons and matrices, in their order.
        failures: Comparisons that could not be made, or do not count.
        verdict: On all of them.
        findings: Each cause once, worst first.
        since: What changed since an earlier report, if one is given.
        typed: The two sides and the options, as a shell reads them, of `diff`.
    """

    results: tuple[Result, ...]
    failures: tuple[Failure, ...]
    verdict: Verdict
    findings: tuple[Finding, ...]
    since: since.Since | None
    typed: str | None = None

    @property
    def single(self) -> Comparison | None:
        """The only result, if it is a comparison."""
        match self.results:
            case (Comparison() as comparison,):
                return comparison
        return None

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The causes that reach the severity from which on their results fail."""
        return tuple(each for each in self.findings if each.fails)

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """What was not compared and what the rules did, as pairs of a label and a line."""
        return tuple(dict.fromkeys(note for each in self.results for note in notes_of(each)))

    def head(self) -> dict[str, Any]:
        """Return what every JSON document begins with: the verdict, and what changed since."""
        changed = {} if self.since is None else {"since": self.since.to_dict()}
        return {"verdict": self.verdict.to_dict(), **changed}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema": SCHEMA,
            **self.head(),
            "findings": [each.to_dict() for each in self.findings],
            "comparisons": [
                each.to_dict() for each in self.results if not isinstance(each, Matrix)
            ],
            "matrices": [each.to_dict() for each in self.results if isinstance(each, Matrix)],
            "failures": [asdict(each) for each in self.failures],
        }


def report_of(
    results: Sequence[Result],
    failures: Sequence[Failure] = (),
    *,
    earlier: since.Earlier | None = None,
    exit_code: int | None = None,
    typed: str | None = None,
) -> Report:
    """Gather what a report on these results shows.

    Args:
        results: Comparisons and matrices, in their order.
        failures: Comparisons that could not be made, or do not count.
        earlier: An earlier report to compare with.
        exit_code: That of the pytest run. By default, that of a command with these results.
        typed: The two sides and the options, as a shell reads them, of `diff`.
    """
    findings, changed = findings_of(results), None
    if earlier is not None:
        changed, findings = since.compare(earlier, findings, results)
    return Report(
        results=tuple(results),
        failures=tuple(failures),
        verdict=_verdict(results, failures, exit_code),
        findings=findings,
        since=changed,
        typed=typed,
    )


def _verdict(
    results: Sequence[Result], failures: Sequence[Failure], exit_code: int | None
) -> Verdict:
    """Judge the results of one command or run together."""
    failing = [each for each in results if not each.compatible]
    lost = any(isinstance(each, Matrix) and each.lost for each in failing)
    if exit_code is None:
        exit_code = 2 if failures or lost else int(bool(failing))
    return Verdict(
        passed=not failing and not failures if results or failures else None,
        sentence=_sentence(results, failing, failures),
        exit_code=exit_code,
        facts=(*_thresholds(results), f"exit code {exit_code}"),
        compared=tuple(_counts(results)),
        limits=tuple(dict.fromkeys(limit for each in results for limit in _limits(each))),
    )


def count_of(result: Result) -> str:
    """Return how much was compared: "9 clouds, 43 queries, 387 answers"."""
    if isinstance(result, Matrix):
        return grid.head(result)
    sides = (result.baseline, result.candidate)
    images = " and ".join(text.side(each)[1] for each in sides)
    return f"{images}, query {text.plain(str(result.query))}"


def name_of(result: Result) -> str:
    """Return the clouds of a result: "nova-2019.1 → 7 clouds → nova-2026.2"."""
    if isinstance(result, Matrix):
        return grid.title(result)
    return text.plain(f"{result.baseline.name} → {result.candidate.name}")


def notes_of(result: Result) -> tuple[tuple[str, str], ...]:
    """Return what was not compared and what the rules did."""
    return grid.notes(result) if isinstance(result, Matrix) else text.notes(result)


def _sentence(
    results: Sequence[Result], failing: Sequence[Result], failures: Sequence[Failure]
) -> str:
    if not results and not failures:
        return "no listing was compared"
    parts = []
    if failures:
        parts.append(text.count(len(failures), "error"))
    if len(results) == 1:
        parts.append(_sentence_of(results[0]))
    elif failing:
        fail = "fails" if len(failing) == 1 else "fail"
        parts.append(f"{len(failing)} of {text.count(len(results), 'comparison')} {fail}")
    elif results:
        parts.append(f"{text.count(len(results), 'comparison')}, and none of them fails")
    return "; ".join(parts)


def _sentence_of(result: Result) -> str:
    """Say in one sentence what separates two clouds, or the first and the last of several."""
    first, last = _ends(result)
    found, breaking = len(result.severities), result.severities.count("breaking")
    of_rules = result.expired_rules and is_compatible(result.severities, result.fail_on)
    if not found or of_rules or (not breaking and not result.compatible):
        expired = "; an expired rule accepts nothing" * bool(result.expired_rules)
        return f"{first} to {last}: {result.summary}{expired}"
    if breaking and result.compatible:
        return f"{first} to {last}: {result.summary}; --fail-on none"
    more = "; an expired rule accepts nothing" * bool(result.expired_rules)
    if isinstance(result, Matrix) and result.lost:
        more += f"; {text.count(len(result.lost), 'recording')} missing"
    return _sentence_of_differences(first, last, found, breaking) + more


def _sentence_of_differences(first: str, last: str, found: int, breaking: int) -> str:
    differences = text.count(found, "difference")
    if found == 1:
        breaks = "can break a client" if breaking else "breaks no client"
        return f"the only difference from {first} to {last} {breaks}"
    if not breaking:
        return f"{differences} from {first} to {last}, and none of them breaks a client"
    can = "can break a client" if breaking == 1 else "can break clients"
    return f"{breaking} of {differences} from {first} to {last} {can}"


def _ends(result: Result) -> tuple[str, str]:
    if isinstance(result, Matrix):
        names = result.clouds[0], result.clouds[-1]
    else:
        names = result.baseline.name, result.candidate.name
    return text.plain(names[0]), text.plain(names[1])


def _thresholds(results: Sequence[Result]) -> Iterator[str]:
    thresholds = dict.fromkeys(each.fail_on for each in results)
    if thresholds:
        yield f"fails on: {', '.join(thresholds)}"


def _counts(results: Sequence[Result]) -> Iterator[str]:
    if len(results) == 1:
        yield count_of(results[0])
        yield f"profile {results[0].profile}"


def _limits(result: Result) -> Iterator[tuple[str, str]]:
    for label, line in notes_of(result):
        if label != "expected":
            yield label, line
