"""Hold the result of comparing two listings: the differences and the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from typing import Any, ClassVar, Final, Never

from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import (
    MISSING,
    SEVERITIES,
    Difference,
    FailOn,
    Query,
    RuleRef,
    Severity,
    Side,
    Unpaired,
)
from pytest_imagedetail.settings import check_choice
from pytest_imagedetail.text import count

_OPTIONAL: Final = frozenset(
    {"error", "examples", "max_microversion", "project", "rule", "typo", "version", "volatile"}
)
"""Keys that are omitted from JSON if they have no value."""

_OF_ONE_SIDE: Final = frozenset({"image_added", "image_removed"})

SCHEMA: Final = 1
"""The version of the JSON form of a comparison."""

ComparedPair = tuple[str, str, Query]
"""The names of two clouds, and the query that both answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change between a cloud and the next, and the queries that show it.

    Attributes:
        sides: Both sides of the first of these queries; empty if unknown.
        listings: Their answers.
        recorded: When the candidate's answers were recorded; UTC, ISO 8601.
    """

    baseline: str
    candidate: str
    difference: Difference
    queries: tuple[Query, ...]
    sides: tuple[Side, ...] = field(default=(), repr=False, compare=False)
    listings: tuple[Listing, ...] = field(default=(), repr=False, compare=False)
    recorded: tuple[str, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The differences between a baseline and a candidate.

    Attributes:
        fail_on: The lowest severity that makes the result incompatible.
        expect: The error status that both sides were expected to answer with, if any.
        level: "facts", image by image, or "shape", what the images on each side look like.
        profile: How far the answers were normalized.
        differences: Worst first.
        paired: The number of image pairs compared.
        expected: Differences that a rule accepts; no other count includes them.
        expired_rules: Expired rules that match a difference.
        unused_rules: Rules about these two clouds that match nothing.
        unpaired: Images on one side only.
        unseen: At level shape, paths that no image on one side could have; they are not judged.
        normalization: How often each rule of the profile applied, on both sides together.
        not_compared: Paths of values that redaction replaced with a fixed word on both sides.
        listings: Both answers, as evidence for reports.
    """

    fail_on: FailOn
    expect: int | None
    level: str
    profile: str
    baseline: Side
    candidate: Side
    differences: tuple[Difference, ...] = ()
    paired: int = 0
    expected: tuple[Difference, ...] = ()
    expired_rules: tuple[RuleRef, ...] = ()
    unused_rules: tuple[RuleRef, ...] = ()
    unpaired: Unpaired = field(default_factory=Unpaired)
    unseen: tuple[str, ...] = ()
    normalization: Mapping[str, int] = field(default_factory=dict)
    not_compared: tuple[str, ...] = ()
    listings: tuple[Listing, ...] = field(default=(), repr=False, compare=False)
    lost: ClassVar[tuple[ComparedPair, ...]] = ()  # for a matrix; a comparison has both sides

    @property
    def query(self) -> Query:
        """The query to the baseline, and usually to the candidate."""
        return self.baseline.query

    @property
    def clouds(self) -> tuple[str, ...]:
        """The names of both sides; a matrix has this and the next four properties as well."""
        return self.baseline.name, self.candidate.name

    @property
    def queries(self) -> tuple[Query, ...]:
        """The query, as the only one."""
        return (self.query,)

    @property
    def compared(self) -> tuple[ComparedPair, ...]:
        """Both names and the query, unless no image was compared."""
        names = self.baseline.name, self.candidate.name
        return () if self.nothing_in_common else ((*names, self.query),)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The differences as steps."""
        return tuple(map(self._step, self.differences))

    @property
    def accepted(self) -> tuple[Step, ...]:
        """The accepted differences, as steps."""
        return tuple(map(self._step, self.expected))

    def _step(self, difference: Difference) -> Step:
        recorded_at = self.candidate.recorded_at
        return Step(
            baseline=self.baseline.name,
            candidate=self.candidate.name,
            difference=difference,
            queries=self.queries,
            sides=(self.baseline, self.candidate),
            listings=self.listings,
            recorded=() if recorded_at is None else (recorded_at,),
        )

    @property
    def same(self) -> bool:
        """Whether there is no difference at all, not even an accepted one."""
        return not self.differences and not self.expected

    @property
    def breaking(self) -> tuple[Difference, ...]:
        """The differences that can break a client that relies on the baseline's contract."""
        return self.of("breaking")

    @property
    def compatible(self) -> bool:
        """Whether no difference reaches `fail_on`.

        False with an expired rule, and if no image was compared unless `fail_on` is "none".
        """
        if self.expired_rules or (self.nothing_in_common and self.fail_on != "none"):
            return False
        return is_compatible(self.severities, self.fail_on)

    @property
    def nothing_in_common(self) -> bool:
        """Whether there is no pair, even if rules accept each image as added or removed.

        Two errors, and two empty answers to a filter, are compared.
        """
        both, differences = (self.baseline, self.candidate), (*self.differences, *self.expected)
        if self.level != "facts" or self.paired or any(side.error for side in both):
            return False
        is_of_all = not self.query.params and both[0].cloud != both[1].cloud
        return is_of_all or any(each.kind in _OF_ONE_SIDE for each in differences)

    @property
    def of_two_projects(self) -> bool:
        """Whether the projects of both recordings are known and differ."""
        old, new = self.baseline.project, self.candidate.project
        return old is not None and new is not None and old != new

    @property
    def severities(self) -> list[Severity]:
        """The severity of each difference."""
        return [difference.severity for difference in self.differences]

    def of(self, severity: Severity) -> tuple[Difference, ...]:
        """Return the differences of one severity; raise UsageError for an unknown one."""
        check_choice("severity", severity, SEVERITIES)
        return tuple(each for each in self.differences if each.severity == severity)

    @property
    def summary(self) -> str:
        """One line: "2 differences: 1 breaking, 0 compatible, 1 data; 4 more accepted by rules"."""
        if self.same and self.baseline.error is not None:
            return f"no difference: both answered {self.baseline.error} with the same message"
        if self.same and not (self.baseline.images or self.candidate.images):
            return "no difference: neither side has an image"
        summary = summary_of(self.steps, self.accepted)
        if self.level == "shape":
            return f"{summary}; only the shape was compared"
        return f"{summary}; no image was compared" if self.nothing_in_common else summary

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, schema 1. A value that one side lacks is omitted, not null."""
        return {
            "schema": SCHEMA,
            "same": self.same,
            "compatible": self.compatible,
            **to_json(self),
            "differences": [difference_to_dict(each, self.query) for each in self.differences],
            "expected": [difference_to_dict(each, self.query) for each in self.expected],
            "not_compared": {"count": len(self.not_compared), "paths": list(self.not_compared)},
        }

    def __bool__(self) -> Never:
        raise TypeError(
            "a comparison is neither true nor false: ask `.compatible`, `.same` or `.differences`"
        )

    def __repr__(self) -> str:
        return f"<Comparison {self.baseline.name} -> {self.candidate.name}: {self.summary}>"


def is_compatible(severities: Sequence[Severity], fail_on: FailOn) -> bool:
    """Return whether no difference reaches the severity that makes a run fail."""
    if fail_on == "breaking":
        return "breaking" not in severities
    return fail_on == "none" or not severities


def summary_of(steps: Sequence[Step], expected: Sequence[Step]) -> str:
    """Count differences by severity, and those that rules accept; see `Comparison.summary`."""
    severities = [step.difference.severity for step in steps]
    parts = ", ".join(f"{severities.count(severity)} {severity}" for severity in SEVERITIES)
    summary = f"{count(len(severities), 'difference')}: {parts}" if severities else "no difference"
    if not expected:
        return summary
    start = f"; {len(expected)} more" if severities else f" but for {len(expected)}"
    breaking = sum(step.difference.severity == "breaking" for step in expected)
    return f"{summary}{start} accepted by rules" + (f" ({breaking} breaking)" if breaking else "")


def difference_to_dict(difference: Difference, query: Query) -> dict[str, Any]:
    """Return the JSON form of one difference."""
    return {"id": difference.id(query), **to_json(difference)}


def to_json(value: Any) -> Any:
    """Return the JSON form of a value; an object becomes its fields in order, without evidence.

    MISSING and empty optional fields are omitted, not null.
    """
    if isinstance(value, Query):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    if not is_dataclass(value):
        return value
    values = {each.name: getattr(value, each.name) for each in fields(value) if each.compare}
    return {
        name: to_json(item)
        for name, item in values.items()
        if item is not MISSING and (name not in _OPTIONAL or item)
    }


def side_of(listing: Listing) -> Side:
    """Return what the head of a report shows of an answer."""
    provenance, is_error = listing.provenance, listing.error is not None
    return Side(
        cloud=provenance.cloud,
        query=provenance.query,
        release=provenance.release,
        images=0 if is_error else len(listing.images),
        recorded_at=provenance.recorded_at,
        error=listing.status_code if is_error else None,
        volatile=provenance.volatile,
        project=provenance.project,
        max_microversion=provenance.max_microversion,
    )
