"""Compare the findings of a report with those of an earlier one."""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_imagedetail import text
from pytest_imagedetail.report.findings import Finding, Place, Result
from pytest_imagedetail.settings import DEFAULT_LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that only one of two reports has."""

    id: str
    severity: str  # for a check, its verdict
    title: str  # what and where
    status: str  # "new", "not judged before", "gone", "accepted by a rule", "not compared"

    @property
    def line(self) -> str:
        """For example "gone: breaking minRam is missing, nova-a -> nova-b; id 8f2a33c01b77"."""
        return text.plain(f"{self.status}: {self.severity} {self.title}; id {self.id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What changed since an earlier report."""

    file: str
    new: int  # causes with a place where they did not occur before
    known: int  # the others
    changes: tuple[Change, ...]  # what is gone; for checks also what is new

    @property
    def lines(self) -> Iterator[str]:
        """The counts, "last.json: 1 new cause, 6 known, 2 gone", and what is gone or accepted."""
        counts = Counter(change.status for change in self.changes if change.status != "new")
        rest = "".join(f", {number} {status}" for status, number in counts.items())
        yield f"{self.file}: {text.count(self.new, 'new cause')}, {self.known} known{rest}"
        yield from (change.line for change in self.changes if change.status != "not compared")


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The findings of an earlier report."""

    file: str
    findings: tuple[Finding, ...]


def compare(
    earlier: Earlier, findings: Sequence[Finding], results: Sequence[Result]
) -> tuple[Since, tuple[Finding, ...]]:
    """Return what changed since an earlier report, and the findings with their history."""
    before = {
        _key(finding, place): (finding, place)
        for finding in earlier.findings
        for place in finding.places
    }
    dates = {finding.id: finding.first_seen for finding in earlier.findings}
    updated = tuple(_with_history(finding, before, dates.get(finding.id)) for finding in findings)
    current = {_key(finding, place) for finding in updated for place in finding.places}
    accepted = {
        (step.difference.id(step.queries[0]), step.baseline, step.candidate)
        for result in results
        for step in result.accepted
    }
    compared = {(*pair, *_settings(result)) for result in results for pair in result.compared}
    changes = []
    for key, (finding, place) in before.items():
        if key in current:
            continue
        needed = {(*key[1:], query, *_settings(finding.results[0])) for query in place.queries}
        status = "gone" if needed <= compared else "not compared"
        changes.append(
            Change(
                id=finding.id,
                severity=finding.severity,
                title=f"{finding.title}, {place.pair}",
                status="accepted by a rule" if key in accepted else status,
            )
        )
    new = sum(bool(finding.new) for finding in updated)
    since = Since(file=earlier.file, new=new, known=len(updated) - new, changes=tuple(changes))
    return since, updated


def _settings(result: Result) -> tuple[str, str]:
    return result.profile, getattr(result, "level", DEFAULT_LEVEL)  # a matrix has no level


def _key(finding: Finding, place: Place) -> tuple[str, str, str]:
    return finding.id, place.step.baseline, place.step.candidate


def _with_history(
    finding: Finding, before: Container[tuple[str, str, str]], first_seen: str | None
) -> Finding:
    new = (place for place in finding.places if _key(finding, place) not in before)
    dates = [date for date in (first_seen, finding.first_seen) if date]
    return replace(finding, first_seen=min(dates, default=None), new=tuple(new))
