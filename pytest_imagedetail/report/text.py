"""Text that every report shares: values, images, counts and notes on one line."""

import json
import os.path
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pytest_imagedetail.compare.comparison import Comparison, Step
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import MISSING, Difference, ImageRef, Query, RuleRef, Side
from pytest_imagedetail.normalize import RULES

_WIDTH: Final = 100
_EXAMPLES: Final = 3
_BEFORE: Final = 8  # characters before the first difference of two values


def value(value: Any, width: int = _WIDTH) -> str:
    """Return a JSON value on one line of at most `width` characters; "absent" for MISSING."""
    if value is MISSING:
        return "absent"
    # JSON escapes some control characters; a terminal obeys others too.
    return cut(plain(json.dumps(value, ensure_ascii=False)), width)


def contrast(baseline: Any, candidate: Any, width: int = _WIDTH) -> tuple[str, str]:
    """Return two values, each on a line of 16 characters or more that shows where they part."""
    whole = value(baseline, sys.maxsize), value(candidate, sys.maxsize)
    if max(map(len, whole)) <= width:
        return whole
    common = len(os.path.commonprefix(whole))  # noqa: RUF071  letters are what is compared
    start = common - _BEFORE if common >= width - len("...") else 0
    dots = '"...' if all(each.startswith('"') for each in whole) else "..."
    old, new = (dots + each[start:] if start else each for each in whole)
    return cut(old, width), cut(new, width)


def plain(text: str) -> str:
    """Escape unprintable characters as JSON does, so that none moves a cursor."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def cut(text: str, width: int) -> str:
    """Return the text, or its beginning with three dots."""
    return text if len(text) <= width else f"{text[: width - 3]}..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a cause shows: steps of one severity, kind and path, mostly of the same clouds."""

    steps: tuple[Step, ...]

    @property
    def step(self) -> Step:
        """The step that is shown for all of them."""
        return self.steps[0]

    @property
    def first(self) -> Difference:
        """Its difference."""
        return self.step.difference

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Differences on other images or with other values."""
        return tuple(each.difference for each in self.steps)

    @property
    def pair(self) -> str:
        """Both names."""
        return f"{self.step.baseline} -> {self.step.candidate}"

    @property
    def queries(self) -> tuple[Query, ...]:
        """The queries that show it."""
        return tuple(dict.fromkeys(query for each in self.steps for query in each.queries))

    @property
    def path(self) -> str:
        """The path, with `[*]` where the image differs."""
        return self.first.path if len(self.steps) == 1 else self.first.any_image

    @property
    def examples(self) -> tuple[ImageRef, ...]:
        """Up to three images; none if this is about the whole answer."""
        found = (ref for each in self.differences for ref in (*each.examples, each.image) if ref)
        return tuple(islice(found, _EXAMPLES))

    @property
    def images(self) -> int:
        """How many images; 0 if this is about the whole answer."""
        return sum(each.count for each in self.differences) if self.examples else 0

    @property
    def whom(self) -> str:
        """The images, `14 images: "cirros", "debian", "dup", ...` for example; may be empty."""
        names = ", ".join(value(each.name) for each in self.examples)
        if self.images <= 1:
            return names
        more = ", ..." if self.images > len(self.examples) else ""
        return f"{self.images} images: {names}{more}"

    @property
    def others(self) -> str:
        """How many values it has beside the first: "2 other values"; "" if there is none."""
        more = len(self.steps) - 1
        return count(more, "other value") if more and shows_values(self.first) else ""


def places(steps: Iterable[Step]) -> list[Place]:
    """Gather steps that differ in clouds, queries, image or value only."""
    found: dict[tuple[str, str, str], list[Step]] = {}
    for each in steps:
        what = each.difference
        found.setdefault((what.severity, what.kind, what.any_image), []).append(each)
    return [Place(steps=tuple(each)) for each in found.values()]


def shows_values(difference: Difference) -> bool:
    """Return whether to show both values; a whole image is too long, a recording has none."""
    return not difference.kind.startswith(("image_", "recording_"))


def values(difference: Difference, width: int = _WIDTH) -> tuple[tuple[str, str], ...]:
    """Return the values to show with the sign of their side; see `contrast`."""
    if not shows_values(difference):
        return ()
    old, new = contrast(difference.baseline, difference.candidate, width)
    pairs = (("-", difference.baseline, old), ("+", difference.candidate, new))
    return tuple((sign, line) for sign, value, line in pairs if value is not MISSING)


def count(number: int, thing: str) -> str:
    """Return a number with its noun: `2 images`, `3 queries`."""
    if number == 1:
        return f"1 {thing}"
    return f"{number} {thing[:-1]}ies" if thing.endswith("y") else f"{number} {thing}s"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows in columns, two spaces apart."""
    shown = [[*map(plain, row)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def side(side: Side) -> tuple[str, ...]:
    """Return cloud, number of images or status, query, release and date of one side."""
    return (
        side.name,
        count(side.images, "image") if side.error is None else f"answered {side.error}",
        f"query {side.query}",
        f"release {side.release or 'not declared'}",
        f"recorded {side.recorded_at}" if side.recorded_at else "imported",
    )


def sides(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield both sides, as pairs of a label and a line."""
    yield "baseline", ", ".join(side(comparison.baseline))
    yield "candidate", ", ".join(side(comparison.candidate))


def how(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield how two sides were compared, as pairs of a label and a line."""
    done = normalized(comparison.normalization) or "nothing changed"
    yield "profile", f"{comparison.profile} ({done})"
    if comparison.level == "shape":
        yield "level", "shape: what the images look like; they were not compared one by one"


def normalized(counts: Mapping[str, int]) -> str:
    """Return what rules of normalization changed, and how often: "R2 link host 54"."""
    names = (f"{each.id} {each.name} {counts[each.id]}" for each in RULES if counts.get(each.id))
    return ", ".join(names)


def notes(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield what was not compared or is not reliable, then what the rules did."""
    if comparison.unseen:
        paths = ", ".join(comparison.unseen)
        yield "not judged", f"{paths}: no image of one side can show it"
    if comparison.unpaired.ambiguous:
        number = len(comparison.unpaired.ambiguous)
        yield "ambiguous", f"{number} images share a name with others and were not paired"
    if comparison.nothing_in_common:
        yield "paired", _nothing_in_common(comparison)
    yield from redacted(comparison)
    differing = {each.any_image for each in comparison.differences}
    for side in (comparison.baseline, comparison.candidate):
        for path in side.volatile:
            if path in differing:
                twice = f"two identical requests to {side.cloud} differed in it"
                yield "volatile", f"{path}: {twice}; to accept it, add a rule"
    yield from rules(comparison)


def _nothing_in_common(comparison: Comparison) -> str:
    for side in (comparison.baseline, comparison.candidate):
        if not side.images:
            return (
                f"{side.cloud} has no image, so no image was compared; "
                "is that the right project, and does its Glance answer?"
            )
    ways = "--level shape compares what images look like"
    if comparison.profile != "cross-cloud":
        ways = f"--profile cross-cloud also pairs by name, {ways}"
    return f"no image of one side is on the other, so no image was compared; {ways}"


def redacted(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield what redaction kept from being compared."""
    if comparison.of_two_projects:
        yield "projects", "the recordings are of two projects"
    yield from not_compared(comparison.not_compared)


def not_compared(paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield how many values were redacted, and the paths of the first three."""
    if not paths:
        return
    named = ", ".join(map(plain, paths[:_EXAMPLES]))
    more = f" and {len(paths) - _EXAMPLES} more" if len(paths) > _EXAMPLES else ""
    were = "value was" if len(paths) == 1 else "values were"
    yield "redacted", f"{len(paths)} {were} redacted and not compared: {named}{more}"


def rules(result: Comparison | Matrix) -> Iterator[tuple[str, str]]:
    """Yield notes about differences accepted by rules, expired rules and unused ones."""
    used = dict.fromkeys(each.difference.rule for each in result.accepted)
    for rule in filter(None, used):
        for place in places(each for each in result.accepted if each.difference.rule == rule):
            line = f"{place.first.kind} {place.path} {place.whom}".rstrip()
            yield "expected", f"{line}: {why(rule)}"
    for rule in result.expired_rules:
        line = f"{rule.where}: the rule for {rule.about} expired on {rule.expires}"
        yield "expired", f"{line}; fix the cause, or renew or delete the rule"
    for rule in result.unused_rules:
        line = f"{rule.where}: the rule for {rule.about} accepts nothing here"
        yield "unused", f"{line}; delete or correct it"


def why(rule: RuleRef) -> str:
    """Return reason and expiry of a rule: `new default (CHG-1, until 2027-02-01)`."""
    facts = [plain(rule.reference)] if rule.reference else []
    facts.append(f"until {rule.expires}" if rule.expires else "for good")
    return f"{plain(rule.reason)} ({', '.join(facts)})"
