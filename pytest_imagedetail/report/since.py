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
    status: str  # "new", "gone", "accepted by a rule" or "not compared"

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
        counts = Counter(each.status for each in self.changes if each.status != "new")
        rest = "".join(f", {number} {status}" for status, number in counts.items())
        yield f"{self.file}: {text.count(self.new, 'new cause')}, {self.known} known{rest}"
        yield from (each.line for each in self.changes if each.status != "not compared")


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
    dates = {each.id: each.first_seen for each in earlier.findings}
    found = tuple(_with_history(each, before, dates.get(each.id)) for each in findings)
    here = {_key(each, place) for each in found for place in each.places}
    accepted = {
        (step.difference.id(step.queries[0]), step.baseline, step.candidate)
        for result in results
        for step in result.accepted
    }
    compared = {(*each, *_way(result)) for result in results for each in result.compared}
    changes = []
    for key, (finding, place) in before.items():
        if key in here:
            continue
        asked = {(*key[1:], query, *_way(finding.results[0])) for query in place.queries}
        status = "gone" if asked <= compared else "not compared"
        changes.append(
            Change(
                id=finding.id,
                severity=finding.severity,
                title=f"{finding.title}, {place.pair}",
                status="accepted by a rule" if key in accepted else status,
            )
        )
    new = sum(bool(each.new) for each in found)
    since = Since(file=earlier.file, new=new, known=len(found) - new, changes=tuple(changes))
    return since, found


def _way(result: Result) -> tuple[str, str]:
    return result.profile, getattr(result, "level", DEFAULT_LEVEL)  # a matrix has no level


def _key(finding: Finding, place: Place) -> tuple[str, str, str]:
    return finding.id, place.step.baseline, place.step.candidate


def _with_history(
    finding: Finding, before: Container[tuple[str, str, str]], first_seen: str | None
) -> Finding:
    new = (each for each in finding.places if _key(finding, each) not in before)
    dates = [each for each in (first_seen, finding.first_seen) if each]
    return replace(finding, first_seen=min(dates, default=None), new=tuple(new))
