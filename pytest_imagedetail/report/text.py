"""Words that every report shares: values, images and counts on one line."""

import json
import os.path
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.model import MISSING, Difference, ImageRef, RuleRef, Side, path_of
from pytest_imagedetail.normalize import RULES

_WIDTH: Final = 100
_EXAMPLES: Final = 3
_BEFORE: Final = 8  # letters before the place where two values part
_OF_ID: Final = 8  # letters of an id that tell it from the others of a listing
_OF_NAME: Final = 24
_VALUES: Final = range(24, 15, -1)  # widths of a value in a line that has room for little
_SENSE: Final = 8  # letters of two values that say anything


def value(value: Any, width: int = _WIDTH) -> str:
    """A JSON value on one line, cut at `width` characters; "absent" where there is none."""
    if value is MISSING:
        return "absent"
    # JSON escapes some control characters; a terminal obeys others too.
    return cut(plain(json.dumps(value, ensure_ascii=False)), width)


def contrast(baseline: Any, candidate: Any, width: int = _WIDTH) -> tuple[str, str]:
    """Two values, each on one line and cut so that where they part can be seen.

    Args:
        baseline: The old value.
        candidate: The new one.
        width: In characters; 16 or more.
    """
    whole = value(baseline, sys.maxsize), value(candidate, sys.maxsize)
    if max(map(len, whole)) <= width:
        return whole
    parting = len(os.path.commonprefix(whole))  # noqa: RUF071  letters are what is compared
    start = whole[0].rfind(" ", 0, max(parting - _BEFORE, 0)) + 1  # at a word
    if start <= _BEFORE:
        start = 0
    dots = '"...' if all(each.startswith('"') for each in whole) else "..."
    if parting - start + len(dots) * bool(start) >= width - len("..."):
        start = parting - _BEFORE  # within a word, for it is too long
    old, new = (dots + each[start:] if start else each for each in whole)
    return cut(old, width), cut(new, width)


def plain(text: str) -> str:
    """The text with everything unprintable escaped as JSON does it; nothing moves a cursor."""
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def cut(text: str, width: int) -> str:
    """The text, or as much of it as fits with three dots."""
    return text if len(text) <= width else f"{text[: width - 3]}..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Differences that read best together: the same thing on other images, or with other values.

    Attributes:
        differences: One or more of one kind, severity and path; the first stands for all.
        path: Their path, with `[*]` where the image differs.
        images: How many images they concern; 0 when they concern the whole answer.
        examples: Up to three of the images.
    """

    differences: tuple[Difference, ...]
    path: str
    images: int
    examples: tuple[ImageRef, ...]

    @property
    def first(self) -> Difference:
        """The difference that stands for all of them."""
        return self.differences[0]

    @property
    def whom(self) -> str:
        """Which images: `"cirros"`, `14 images: "cirros", "debian", "dup", ...`; or nothing."""
        names = ", ".join(value(each.name) for each in self.examples)
        if self.images <= 1:
            return names
        more = ", ..." if self.images > len(self.examples) else ""
        return f"{self.images} images: {names}{more}"


def groups(differences: Sequence[Difference]) -> tuple[Group, ...]:
    """Put differences together that differ in image or value only; the order stays."""
    found: dict[tuple[str, str, str, str], list[Difference]] = {}
    for each in differences:
        found.setdefault((each.severity, each.kind, each.any_image, each.reason), []).append(each)
    return tuple(_group(path, members) for (_, _, path, _), members in found.items())


def _group(path: str, members: list[Difference]) -> Group:
    alone = len(members) == 1
    images = [ref for each in members for ref in _images(each)]
    return Group(
        differences=tuple(members),
        path=members[0].path if alone else path,
        images=sum(each.count for each in members) if images else 0,
        examples=tuple(images[:_EXAMPLES]),
    )


def _images(difference: Difference) -> tuple[ImageRef, ...]:
    return difference.examples if difference.image is None else (difference.image,)


def shows_values(difference: Difference) -> bool:
    """Whether the two values help; a whole image on one line does not."""
    return not difference.kind.startswith("image_")


def values(difference: Difference, width: int = _WIDTH) -> tuple[tuple[str, str], ...]:
    """The values to show, each on one line with the sign of its side; see `contrast`."""
    if not shows_values(difference):
        return ()
    old, new = contrast(difference.baseline, difference.candidate, width)
    pairs = (("-", difference.baseline, old), ("+", difference.candidate, new))
    return tuple((sign, line) for sign, value, line in pairs if value is not MISSING)


def about(group: Group, room: int, *, where: str = "") -> str:
    """Where differences are and, as far as there is room, of which image and which values.

    Args:
        group: Read as one.
        room: In characters; the path is shortened in its middle, so that its field stays.
        where: To be said in place of the path.
    """
    first = group.first
    images = f" ({group.images} images)" if group.images > 1 else ""
    start = shortened(where or short_path(group), room - len(images))
    if images:
        return start + images
    if not shows_values(first):
        return cut(f"{start} {group.whom}".rstrip(), max(room, len(start)))
    name = cut(group.whom, _OF_NAME) if any(each.name for each in group.examples) else ""
    line = start
    for named in (f"{start} {name}", start) if name else (start,):
        for width in _VALUES:
            line = f"{named}: {' -> '.join(contrast(first.baseline, first.candidate, width))}"
            if len(line) <= room:
                return line
    return cut(line, room) if room - len(start) >= _SENSE else start


def short_path(group: Group) -> str:
    """The path with the first letters of an image's id: `images[70a599e0...].name`."""
    image = group.first.image
    whole = "" if image is None else path_of((), image)
    key = whole.removeprefix("images[").removesuffix("]")
    if not whole or not group.path.startswith(whole) or len(key) <= _OF_ID + len("..."):
        return group.path
    return f"images[{key[:_OF_ID]}...]{group.path.removeprefix(whole)}"


def shortened(path: str, room: int) -> str:
    """A path, or its beginning and its end with three dots between."""
    if len(path) <= room:
        return path
    end = room * 2 // 3
    return f"{path[: room - end - 3]}...{path[-end:]}"


def count(number: int, thing: str) -> str:
    """A number and its noun, as in `2 images` and `3 queries`."""
    if number == 1:
        return f"1 {thing}"
    return f"{number} {thing[:-1]}ies" if thing.endswith("y") else f"{number} {thing}s"


def side(side: Side) -> tuple[str, ...]:
    """The head of one side: cloud, number of images or status, query, release, date."""
    return (
        plain(side.cloud),
        count(side.images, "image") if side.error is None else f"answered {side.error}",
        f"query {plain(str(side.query))}",
        f"release {plain(side.release or 'not declared')}",
        f"recorded {plain(side.recorded_at)}" if side.recorded_at else "imported",
    )


def notes(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """What stands below the differences: what could not be told, and what the rules did."""
    accepted = rules(comparison.expected, comparison.expired_rules, comparison.unused_rules)
    return (*limits(comparison), *accepted)


def nothing_in_common(comparison: Comparison) -> str:
    """What to say when there are images, but none stands on both sides; else nothing."""
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
    """What each rule that did something did: "cross-version (R2 link host 54)"."""
    counts = comparison.normalization
    done = ", ".join(
        f"{each.id} {each.name} {counts[each.id]}" for each in RULES if counts.get(each.id)
    )
    return f"{comparison.profile} ({done or 'nothing changed'})"


def choices(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield what was not chosen by default, as pairs of a label and a line."""
    if comparison.level == "shape":
        yield "level", "shape: what the images look like; they were not compared one by one"


def limits(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """What the comparison could not tell, as pairs: not judged, ambiguous, paired, volatile."""
    if comparison.unseen:
        paths = ", ".join(map(plain, comparison.unseen))
        yield "not judged", f"{paths}: no image of one side can show it"
    if comparison.unpaired.ambiguous:
        number = len(comparison.unpaired.ambiguous)
        yield "ambiguous", f"{number} images share a name with others and were not paired"
    if nothing_in_common(comparison):
        yield "paired", nothing_in_common(comparison)
    differing = {each.any_image for each in comparison.differences}
    for side in (comparison.baseline, comparison.candidate):
        for path in side.volatile:
            if path in differing:
                twice = f"two identical requests to {plain(side.cloud)} disagreed on it"
                yield "volatile", f"{plain(path)}: {twice}; if that is right, accept it with a rule"


def rules(
    accepted: Sequence[Difference], expired_rules: Sequence[RuleRef], idle: Sequence[RuleRef]
) -> tuple[tuple[str, str], ...]:
    """What the rules did, as pairs of a label and a line: expected, expired, unused.

    Args:
        accepted: The differences that a rule accepts.
        expired_rules: Rules that no longer accept what they would have.
        idle: Rules that accept nothing.
    """
    expected = [
        f"{group.first.kind} {group.path} {group.whom}".rstrip() + f": {why(group.first.rule)}"
        for group in groups(accepted)
        if group.first.rule is not None
    ]
    expired = [
        f"{rule.where}: the rule for {plain(rule.path)} expired on {rule.expires}; "
        "mend the cause, renew or delete it"
        for rule in expired_rules
    ]
    unused = [
        f"{rule.where}: the rule for {plain(rule.path)} accepts nothing here; delete or correct it"
        for rule in idle
    ]
    labeled = (("expected", expected), ("expired", expired), ("unused", unused))
    return tuple((label, line) for label, lines in labeled for line in lines)


def why(rule: RuleRef) -> str:
    """Why a rule accepts, and until when: `new default (CHG-1, until 2027-02-01)`."""
    facts = [plain(rule.reference)] if rule.reference else []
    facts.append(f"until {rule.expires}" if rule.expires else "for good")
    return f"{plain(rule.reason)} ({', '.join(facts)})"
