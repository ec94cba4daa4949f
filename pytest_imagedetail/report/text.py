"""Text that every report shares: values, images, counts and notes on one line."""

import json
import os.path
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.model import MISSING, Difference, ImageRef, RuleRef, Side, path_of
from pytest_imagedetail.normalize import RULES

_WIDTH: Final = 100
_EXAMPLES: Final = 3
_BEFORE: Final = 8  # characters before the first difference of two values
_ID_WIDTH: Final = 8
_NAME_WIDTH: Final = 24
_VALUE_WIDTHS: Final = range(24, 15, -1)  # to try on a short line
_LEAST: Final = 8  # characters of two values that are worth showing


def value(value: Any, width: int = _WIDTH) -> str:
    """Return a JSON value on one line of at most `width` characters; "absent" for MISSING."""
    if value is MISSING:
        return "absent"
    # JSON escapes some control characters; a terminal obeys others too.
    return cut(plain(json.dumps(value, ensure_ascii=False)), width)


def contrast(baseline: Any, candidate: Any, width: int = _WIDTH) -> tuple[str, str]:
    """Return two values, each on one line and cut so that their first difference is visible.

    Args:
        baseline: The old value.
        candidate: The new one.
        width: In characters; 16 or more.
    """
    whole = value(baseline, sys.maxsize), value(candidate, sys.maxsize)
    if max(map(len, whole)) <= width:
        return whole
    common = len(os.path.commonprefix(whole))  # noqa: RUF071  letters are what is compared
    start = whole[0].rfind(" ", 0, max(common - _BEFORE, 0)) + 1  # at a word
    if start <= _BEFORE:
        start = 0
    dots = '"...' if all(each.startswith('"') for each in whole) else "..."
    if common - start + len(dots) * bool(start) >= width - len("..."):
        start = common - _BEFORE  # within a word, for it is too long
    old, new = (dots + each[start:] if start else each for each in whole)
    return cut(old, width), cut(new, width)


def plain(text: str) -> str:
    """Escape unprintable characters as JSON does, so that none moves a cursor."""
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def cut(text: str, width: int) -> str:
    """Return the text, or its beginning with three dots."""
    return text if len(text) <= width else f"{text[: width - 3]}..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Differences of one severity, kind and path, on other images or with other values.

    Attributes:
        differences: One or more; the first is shown.
        path: Their path, with `[*]` where the image differs.
        images: How many images they are about; 0 if they are about the whole answer.
        examples: Up to three of the images.
    """

    differences: tuple[Difference, ...]
    path: str
    images: int
    examples: tuple[ImageRef, ...]

    @property
    def first(self) -> Difference:
        """The difference that is shown for all of them."""
        return self.differences[0]

    @property
    def whom(self) -> str:
        """The images, `14 images: "cirros", "debian", "dup", ...` for example; may be empty."""
        names = ", ".join(value(each.name) for each in self.examples)
        if self.images <= 1:
            return names
        more = ", ..." if self.images > len(self.examples) else ""
        return f"{self.images} images: {names}{more}"


def groups(differences: Sequence[Difference]) -> tuple[Group, ...]:
    """Group the differences between two answers that differ in image or value only."""
    found: dict[tuple[str, str, str], list[Difference]] = {}
    for each in differences:
        found.setdefault((each.severity, each.kind, each.any_image), []).append(each)
    return tuple(map(group, found.values()))


def group(members: Sequence[Difference]) -> Group:
    """Return differences of one severity, kind and path as a group."""
    first, images = members[0], [ref for each in members for ref in _images(each)]
    return Group(
        differences=tuple(members),
        path=first.path if len(members) == 1 else first.any_image,
        images=sum(each.count for each in members) if images else 0,
        examples=tuple(images[:_EXAMPLES]),
    )


def _images(difference: Difference) -> tuple[ImageRef, ...]:
    return difference.examples if difference.image is None else (difference.image,)


def shows_values(difference: Difference) -> bool:
    """Return whether to show both values; a whole image is too long, and a recording is none."""
    return not difference.kind.startswith(("image_", "recording_"))


def values(difference: Difference, width: int = _WIDTH) -> tuple[tuple[str, str], ...]:
    """Return the values to show with the sign of their side; see `contrast`."""
    if not shows_values(difference):
        return ()
    old, new = contrast(difference.baseline, difference.candidate, width)
    pairs = (("-", difference.baseline, old), ("+", difference.candidate, new))
    return tuple((sign, line) for sign, value, line in pairs if value is not MISSING)


def about(group: Group, room: int, *, where: str = "") -> str:
    """Return the path of a group and, if they fit, its image and values.

    Args:
        group: The differences.
        room: In characters; the path is shortened in its middle, so that its field stays.
        where: Replaces the path.
    """
    first = group.first
    images = f" ({group.images} images)" if group.images > 1 else ""
    start = shortened(where or short_path(group), room - len(images))
    if images:
        return start + images
    if not shows_values(first):
        return cut(f"{start} {group.whom}".rstrip(), max(room, len(start)))
    name = cut(group.whom, _NAME_WIDTH) if any(each.name for each in group.examples) else ""
    line = start
    for named in (f"{start} {name}", start) if name else (start,):
        for width in _VALUE_WIDTHS:
            line = f"{named}: {' -> '.join(contrast(first.baseline, first.candidate, width))}"
            if len(line) <= room:
                return line
    return cut(line, room) if room - len(start) >= _LEAST else start


def short_path(group: Group) -> str:
    """Return the path with a shortened image id: `images[70a599e0...].name`."""
    image = group.first.image
    whole = "" if image is None else path_of((), image)
    key = whole.removeprefix("images[").removesuffix("]")
    if not whole or not group.path.startswith(whole) or len(key) <= _ID_WIDTH + len("..."):
        return group.path
    return f"images[{key[:_ID_WIDTH]}...]{group.path.removeprefix(whole)}"


def shortened(path: str, room: int) -> str:
    """Return a path, or its beginning and end with three dots between."""
    if len(path) <= room:
        return path
    end = room * 2 // 3
    return f"{path[: room - end - 3]}...{path[-end:]}"


def count(number: int, thing: str) -> str:
    """Return a number with its noun: `2 images`, `3 queries`."""
    if number == 1:
        return f"1 {thing}"
    return f"{number} {thing[:-1]}ies" if thing.endswith("y") else f"{number} {thing}s"


def side(side: Side) -> tuple[str, ...]:
    """Return cloud, number of images or status, query, release and date of one side."""
    return (
        plain(side.name),
        count(side.images, "image") if side.error is None else f"answered {side.error}",
        f"query {plain(str(side.query))}",
        f"release {plain(side.release or 'not declared')}",
        f"recorded {plain(side.recorded_at)}" if side.recorded_at else "imported",
    )


def notes(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """Return the notes below the differences: limits of the comparison, then rules."""
    accepted = rules(comparison.expected, comparison.expired_rules, comparison.unused_rules)
    return (*limits(comparison), *accepted)


def nothing_in_common(comparison: Comparison) -> str:
    """Return a note if there are images but no pair of them; else an empty text."""
    if not comparison.nothing_in_common:
        return ""
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


def normalization(comparison: Comparison) -> str:
    """Return the profile and the counts of its rules: "cross-version (R2 link host 54)"."""
    done = rules_done(comparison.normalization)
    return f"{comparison.profile} ({done or 'nothing changed'})"


def rules_done(counts: Mapping[str, int]) -> str:
    """Return what rules of normalization changed, and how often: "R2 link host 54"."""
    names = (f"{each.id} {each.name} {counts[each.id]}" for each in RULES if counts.get(each.id))
    return ", ".join(names)


def choices(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield a note for each choice that is not the default."""
    if comparison.level == "shape":
        yield "level", "shape: what the images look like; they were not compared one by one"


def limits(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield notes about what was not compared or is not reliable."""
    if comparison.unseen:
        paths = ", ".join(map(plain, comparison.unseen))
        yield "not judged", f"{paths}: no image of one side can show it"
    if comparison.unpaired.ambiguous:
        number = len(comparison.unpaired.ambiguous)
        yield "ambiguous", f"{number} images share a name with others and were not paired"
    if nothing_in_common(comparison):
        yield "paired", nothing_in_common(comparison)
    yield from redacted(comparison)
    differing = {each.any_image for each in comparison.differences}
    for side in (comparison.baseline, comparison.candidate):
        for path in side.volatile:
            if path in differing:
                twice = f"two identical requests to {plain(side.cloud)} differed in it"
                yield "volatile", f"{plain(path)}: {twice}; to accept it, add a rule"


def redacted(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield notes about what redaction kept from being compared."""
    if comparison.of_two_projects:
        yield "projects", "the recordings are of two projects"
    if comparison.not_compared:
        yield "redacted", not_compared(comparison.not_compared)


def not_compared(paths: Sequence[str]) -> str:
    """Return "2 values were redacted and not compared: images[1].metadata.db_password, ...".

    Args:
        paths: Of the values; the first three are named.
    """
    named = [plain(each) for each in paths[:_EXAMPLES]]
    if len(paths) > _EXAMPLES:
        named[-1] += f" and {len(paths) - _EXAMPLES} more"
    were = "value was" if len(paths) == 1 else "values were"
    return f"{len(paths)} {were} redacted and not compared: {', '.join(named)}"


def rules(
    accepted: Sequence[Difference], expired: Sequence[RuleRef], unused: Sequence[RuleRef]
) -> Iterator[tuple[str, str]]:
    """Yield notes about differences accepted by rules, expired rules and unused ones."""
    for used in dict.fromkeys(each.rule for each in accepted if each.rule is not None):
        for group in groups([each for each in accepted if each.rule == used]):
            line = f"{group.first.kind} {group.path} {group.whom}".rstrip()
            yield "expected", f"{line}: {why(used)}"
    for rule in expired:
        line = f"{rule.where}: the rule for {plain(rule.about)} expired on {rule.expires}"
        yield "expired", f"{line}; fix the cause, or renew or delete the rule"
    for rule in unused:
        line = f"{rule.where}: the rule for {plain(rule.about)} accepts nothing here"
        yield "unused", f"{line}; delete or correct it"


def why(rule: RuleRef) -> str:
    """Return reason and expiry of a rule: `new default (CHG-1, until 2027-02-01)`."""
    facts = [plain(rule.reference)] if rule.reference else []
    facts.append(f"until {rule.expires}" if rule.expires else "for good")
    return f"{plain(rule.reason)} ({', '.join(facts)})"
