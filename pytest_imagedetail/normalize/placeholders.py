"""Placeholders of redaction, matched by the images that were paired (R16).

Each recording numbers what redaction replaced in the order in which it shows it. With one image
more at the head of a listing, every owner below has another number, though nobody else changed. So
the candidate's placeholders are read in the baseline's words: which of them stands for which, the
paired images say, one for one, and most of them decide.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pytest_imagedetail.normalize.answer import Links, Normalized
from pytest_imagedetail.normalize.equality import strictly_equal
from pytest_imagedetail.normalize.rules import rules_of
from pytest_imagedetail.redact import placeholder
from pytest_imagedetail.redact.placeholder import CALLER, SECRET, candidates_own, name_in, spelled

Placeholder = tuple[str, str]
"""Its kind, and its text."""


@cache
def numbered(profile: str, *, together: bool) -> re.Pattern[str]:
    """Finds what each answer numbers for itself, under a profile.

    Redaction numbers each recording for itself, and R13 and R14 each answer. Where these do not
    apply, a text such as `<user-1>` is what a cloud sent.

    Args:
        profile: One of `settings.PROFILES`.
        together: Whether both were redacted together, so that equal placeholders mean equal values.
    """
    names = any(rule.id in {"R13", "R14"} for rule in rules_of(profile))
    kinds = () if together else placeholder.KINDS
    return placeholder.finder(*kinds, also=placeholder.NAMES if names else {})


def could_be_the_same(before: Any, after: Any, which: re.Pattern[str]) -> bool:
    """Whether two values hold texts that differ in nothing but such placeholders."""
    return any(
        one != other and _are_alike(one, other, which) for one, other in _texts(before, after)
    )


def _are_alike(one: str, other: str, which: re.Pattern[str]) -> bool:
    """Whether two texts are equal, their placeholders aside, of which both have the same kinds."""
    ours, theirs = ([kind for kind, _ in _placeholders(each, which)] for each in (one, other))
    return ours == theirs and which.sub(_kind, one) == which.sub(_kind, other)


def says_the_same(one: Normalized, other: Normalized, which: re.Pattern[str]) -> bool:
    """Whether two answers are equal, however each numbers its placeholders.

    Equal answers have the same images in the same order, so each image's partner is known.

    Args:
        one: The baseline.
        other: The candidate.
        which: As for `in_words_of`.
    """
    if strictly_equal(one.facts, other.facts):
        return True
    places = range(min(len(one.images), len(other.images)))
    if not strictly_equal({**one.facts, "images": ()}, {**other.facts, "images": ()}):
        return False
    renamed, _ = in_words_of(one, other, zip(places, places, strict=True), which)
    return strictly_equal(one.images, renamed.images)


def in_words_of(
    one: Normalized,
    other: Normalized,
    pairs: Iterable[tuple[int, int]],
    which: re.Pattern[str],
) -> tuple[Normalized, int]:
    """The candidate with its placeholders in the baseline's words, and how many values that took.

    A placeholder that none of the baseline's is left for becomes a text that no answer has, so that
    it is equal to nothing.

    Args:
        one: The baseline.
        other: The candidate.
        pairs: Places of the same image in both.
        which: As `numbered` gives it.
    """
    if all(rule.id != "R16" for rule in rules_of(one.profile)):
        return other, 0
    words = _partners(one, other, pairs, which)

    def renamed(text: str) -> str:
        return which.sub(lambda match: _word(match, words), text)

    images = tuple(_with_texts(image, renamed) for image in other.images)
    return replace(other, images=images), sum(
        old != new for old, new in _texts(other.images, images)
    )


def _kind(match: re.Match[str]) -> str:
    """A placeholder without its number, and the project that asked as it stands."""
    return match.group() if match.group() == CALLER else f"<{match.lastgroup}>"


def _partners(
    one: Normalized,
    other: Normalized,
    pairs: Iterable[tuple[int, int]],
    which: re.Pattern[str],
) -> dict[Placeholder, str]:
    votes: Counter[tuple[Placeholder, Placeholder]] = Counter()
    for left, right in pairs:
        for before, after in _texts(one.images[left], other.images[right]):
            if _are_alike(before, after, which):
                found = (_placeholders(each, which) for each in (after, before))
                votes.update(zip(*found, strict=True))
    words: dict[Placeholder, str] = {}
    taken: set[Placeholder] = set()
    for theirs, ours in sorted(votes, key=lambda each: (-votes[each], each)):
        if theirs not in words and ours not in taken:
            words[theirs] = ours[1]
            taken.add(ours)
    return words


def _placeholders(text: str, which: re.Pattern[str]) -> list[Placeholder]:
    return [(str(match.lastgroup), name_in(match)) for match in which.finditer(text)]


def _texts(one: Any, other: Any) -> Iterator[tuple[str, str]]:
    """The texts that stand at the same place of both; links are what other rules look at."""
    if isinstance(one, str) and isinstance(other, str):
        yield one, other
    elif isinstance(one, dict) and isinstance(other, dict) and not isinstance(one, Links):
        for key, value in one.items():
            if key in other:
                yield from _texts(value, other[key])
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple):
        for pair in zip(one, other, strict=False):
            yield from _texts(*pair)


def _with_texts(value: Any, renamed: Callable[[str], str]) -> Any:
    """The value with each of its texts replaced, but those of links."""
    if isinstance(value, str):
        return renamed(value)
    if isinstance(value, dict) and not isinstance(value, Links):
        return {key: _with_texts(each, renamed) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_texts(each, renamed) for each in value]
    return value


def _word(match: re.Match[str], words: Mapping[Placeholder, str]) -> str:
    kind, name = str(match.lastgroup), name_in(match)
    if name == CALLER:
        return name
    known = words.get((kind, name))
    if known is not None:
        return spelled(known, match)
    # What stands around a secret are brackets already.
    return candidates_own(name)[1:-1] if kind == SECRET.name else candidates_own(name)
