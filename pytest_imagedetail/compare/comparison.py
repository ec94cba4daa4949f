"""The result of comparing two listings: its differences, and the verdict that follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Never

from pytest_imagedetail.model import (
    MISSING,
    SEVERITIES,
    Difference,
    FailOn,
    ImageRef,
    RuleRef,
    Severity,
    Side,
    Unpaired,
)

_OF_ONE_SIDE: Final = frozenset({"image_added", "image_removed"})

SCHEMA: Final = 1
"""The version of the JSON form of a comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What separates a candidate from a baseline.

    Attributes:
        baseline: The old side.
        candidate: The new side.
        profile: How far representation was normalized.
        level: "facts", image by image, or "shape", what the images of each side look like.
        differences: Worst first. None of them means the same, and that is the only verdict.
        paired: How many images stand on both sides and were compared with each other.
        unpaired: Images of one side only.
        unseen: At level shape, paths that no image of one side could show; they were not judged.
        normalization: How often each rule of the profile changed something, both sides together.
        fail_on: From which severity on this is not compatible.
        expect: The error status that both sides were wanted to answer with, if any.
        expected: Differences that a rule accepts; they are in no other count.
        expired_rules: Rules that would have accepted some of the differences, and have expired.
        unused_rules: Rules about these two clouds that accept nothing.
    """

    baseline: Side
    candidate: Side
    profile: str
    level: str = "facts"
    differences: tuple[Difference, ...] = ()
    paired: int = 0
    unpaired: Unpaired = field(default_factory=Unpaired)
    unseen: tuple[str, ...] = ()
    normalization: Mapping[str, int] = field(default_factory=dict)
    fail_on: FailOn = "breaking"
    expect: int | None = None
    expected: tuple[Difference, ...] = ()
    expired_rules: tuple[RuleRef, ...] = ()
    unused_rules: tuple[RuleRef, ...] = ()

    @property
    def same(self) -> bool:
        """Whether there is no difference at all, accepted ones included."""
        return not self.differences and not self.expected

    @property
    def breaking(self) -> tuple[Difference, ...]:
        """The differences that break a client that relied on the baseline's contract."""
        return self.of("breaking")

    @property
    def compatible(self) -> bool:
        """Whether no difference reaches `fail_on`.

        Never with an expired rule, and only with `fail_on` "none" if nothing was in common.
        """
        if self.expired_rules or (self.nothing_in_common and self.fail_on != "none"):
            return False
        return is_compatible(self.severities, self.fail_on)

    @property
    def nothing_in_common(self) -> bool:
        """Whether there are images, but none stands on both sides, and no rule accepts that.

        Then not one image was compared with another, whatever the severities say: all of them were
        lost, or all are others.
        """
        if self.level != "facts" or self.paired:
            return False
        return any(each.kind in _OF_ONE_SIDE for each in self.differences)

    @property
    def severities(self) -> list[Severity]:
        """That of each difference."""
        return [each.severity for each in self.differences]

    def of(self, severity: Severity) -> tuple[Difference, ...]:
        """The differences of one severity."""
        return tuple(each for each in self.differences if each.severity == severity)

    @property
    def summary(self) -> str:
        """One line: "2 differences: 1 breaking, 0 compatible, 1 data; 4 more accepted by rules"."""
        if self.same and self.baseline.error is not None:
            return f"no difference: both answered {self.baseline.error} with the same words"
        if self.same and not (self.baseline.images or self.candidate.images):
            return "no difference: neither side has an image"
        if self.level == "shape":
            return self._shape_summary
        return self._found

    @property
    def _shape_summary(self) -> str:
        """Data differences say which images there are; a cloud has no other shape by them."""
        head = f"{self.candidate.cloud} has the shape of {self.baseline.cloud}"
        breaking, compatible, data = (len(self.of(severity)) for severity in SEVERITIES)
        if breaking + compatible:
            number = _counted("difference", breaking + compatible)
            head += f" but for {number}: {breaking} breaking, {compatible} compatible"
        if data:
            number = f"{data} more" if breaking + compatible else _counted("difference", data)
            head += f"; {number} {'depends' if data == 1 else 'depend'} on which images there are"
        return head + self._accepted

    @property
    def _found(self) -> str:
        found = summary_of("difference", self.severities)
        return found + self._accepted + "; no image was compared" * self.nothing_in_common

    @property
    def _accepted(self) -> str:
        return accepted([each.severity for each in self.expected], more=bool(self.differences))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, schema 1. A value that one side lacks is left out, not null."""
        return {
            "schema": SCHEMA,
            "same": self.same,
            "compatible": self.compatible,
            "level": self.level,
            "profile": self.profile,
            "baseline": _side(self.baseline),
            "candidate": _side(self.candidate),
            "differences": [difference_to_dict(each) for each in self.differences],
            "paired": self.paired,
            "expected": [difference_to_dict(each) for each in self.expected],
            "expired_rules": [rule_to_dict(each) for each in self.expired_rules],
            "unused_rules": [rule_to_dict(each) for each in self.unused_rules],
            "unpaired": {
                "baseline": [_ref(each) for each in self.unpaired.baseline],
                "candidate": [_ref(each) for each in self.unpaired.candidate],
                "ambiguous": [_ref(each) for each in self.unpaired.ambiguous],
            },
            "unseen": list(self.unseen),
            "normalization": dict(self.normalization),
        }

    def __bool__(self) -> Never:
        raise TypeError(
            "a comparison is neither true nor false: ask `.compatible`, `.same` or `.differences`"
        )

    def __repr__(self) -> str:
        return f"<Comparison {self.baseline.cloud} -> {self.candidate.cloud}: {self.summary}>"


def _side(side: Side) -> dict[str, Any]:
    error = {} if side.error is None else {"error": side.error}
    return {
        "cloud": side.cloud,
        "query": str(side.query),
        "release": side.release,
        "images": side.images,
        **error,
        **({"volatile": list(side.volatile)} if side.volatile else {}),
        "recorded_at": side.recorded_at,
    }


def _ref(ref: ImageRef) -> dict[str, Any]:
    return {"id": ref.id, "name": ref.name}


def is_compatible(severities: Sequence[Severity], fail_on: FailOn) -> bool:
    """Whether no difference reaches the severity from which on a run fails."""
    if fail_on == "breaking":
        return "breaking" not in severities
    return fail_on == "none" or not severities


def summary_of(thing: str, severities: Sequence[Severity]) -> str:
    """How many things of each severity: "2 differences: 1 breaking, 0 compatible, 1 data"."""
    if not severities:
        return f"no {thing}"
    parts = ", ".join(f"{severities.count(severity)} {severity}" for severity in SEVERITIES)
    return f"{_counted(thing, len(severities))}: {parts}"


def accepted(severities: Sequence[Severity], *, more: bool) -> str:
    """What a summary says of those that a rule accepts.

    Args:
        severities: That of each.
        more: Whether others stand before: "; 4 more accepted by rules (1 breaking)". Else what
            stands before is qualified: " but for 4 accepted by rules (1 breaking)".
    """
    if not severities:
        return ""
    start = f"; {len(severities)} more" if more else f" but for {len(severities)}"
    breaking = severities.count("breaking")
    return f"{start} accepted by rules" + (f" ({breaking} breaking)" if breaking else "")


def _counted(thing: str, number: int) -> str:
    return f"{number} {thing}{'s' if number > 1 else ''}"


def difference_to_dict(each: Difference) -> dict[str, Any]:
    """The JSON form of one difference. A value that one side lacks is left out, not null."""
    entry: dict[str, Any] = {
        "kind": each.kind,
        "severity": each.severity,
        "path": each.path,
        "image": None if each.image is None else _ref(each.image),
        "count": each.count,
        "reason": each.reason,
    }
    if each.examples:
        entry["examples"] = [_ref(ref) for ref in each.examples]
    for side in ("baseline", "candidate"):
        value = getattr(each, side)
        if value is not MISSING:
            entry[side] = value
    if each.rule is not None:
        entry["rule"] = rule_to_dict(each.rule)
    return entry


def rule_to_dict(rule: RuleRef) -> dict[str, Any]:
    """The JSON form of a rule that accepts a difference, or would have."""
    return {
        "path": rule.path,
        "kinds": list(rule.kinds),
        "reason": rule.reason,
        "reference": rule.reference,
        "expires": None if rule.expires is None else rule.expires.isoformat(),
        "expired": rule.expired,
        "where": rule.where,
    }
