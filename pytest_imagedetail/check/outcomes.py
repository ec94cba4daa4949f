"""What a question to a cloud showed, and which known deviation that is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_imagedetail.check.asking import Answer
from pytest_imagedetail.contract import release_index
from pytest_imagedetail.model import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one question to the cloud showed.

    Attributes:
        answer: The last answer that was needed.
        problem: How the relation is broken; empty if it holds.
        image: The image that shows it, if one does.
        shows: Whether it says anything: an empty set is equal to an ignored one.
        note: What else is worth telling.
        missing: Why it says nothing; empty if all answers are there.
        found: The ids of the images that were compared; None if there are none.
        wanted: The ids that they should be.
        instead: The ids that they are if the cloud has the known deviation; None without one.
    """

    answer: Answer
    problem: str = ""
    image: Image | None = None
    shows: bool = True
    note: str = ""
    missing: str = ""
    found: Sequence[Any] | None = None
    wanted: Sequence[Any] = ()
    instead: Sequence[Any] | None = None


Predicate = Callable[[Outcome], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """What some releases are known to do instead.

    Attributes:
        what: What they do.
        source: Where that was read or measured.
        matches: Returns whether an outcome with a problem is this deviation.
        since: The first of these releases; None for all before `until`.
        until: The last of them; None if it was never changed.
    """

    what: str
    source: str
    matches: Predicate = field(repr=False)
    since: str | None = None
    until: str | None = None

    @property
    def releases(self) -> str:
        """The releases that have it, for a reader: "since newton"."""
        if self.since:
            return f"{self.since} to {self.until}" if self.until else f"since {self.since}"
        return f"through {self.until}" if self.until else "all releases"

    def is_of(self, release: str | None) -> bool:
        """Return whether a release has it; one that is not known may."""
        index, first, last = map(release_index, (release, self.since, self.until))
        if index is None:
            return True
        return (first is None or first <= index) and (last is None or index <= last)

    def to_dict(self) -> dict[str, str]:
        """Return the deviation as `check --json` prints it."""
        return {"what": self.what, "releases": self.releases, "source": self.source}


def answered(*codes: int) -> Predicate:
    """Return a predicate: did the cloud answer with one of these statuses?"""
    return lambda outcome: outcome.answer.status in codes


def asked(then: Predicate, *texts: str) -> Predicate:
    """Return a predicate for requests with one of these texts, in either case."""
    return lambda outcome: (
        then(outcome) and any(each in outcome.answer.request.upper() for each in texts)
    )


def says(text: str) -> Predicate:
    """Return a predicate: does the problem have this text?"""
    return lambda outcome: text in outcome.problem


def lists_nothing(outcome: Outcome) -> bool:
    """Return whether the cloud answered with an empty listing."""
    return outcome.found is not None and not outcome.found


def lists_a_part(outcome: Outcome) -> bool:
    """Return whether the cloud lists a part of the images that it should."""
    return outcome.found is not None and set(outcome.found) < set(outcome.wanted)


def lists_instead(outcome: Outcome) -> bool:
    """Return whether the cloud lists the images that it should not, but is known to."""
    return outcome.found is not None and outcome.found == outcome.instead
