"""Answer a test's own clients from recordings; each finite one as often as it was recorded."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.errors import NoInteractionError
from pytest_imagedetail.model import Interaction, Recording, Response
from pytest_imagedetail.redact import redact
from pytest_imagedetail.redact.traffic import secrets_in
from pytest_imagedetail.traffic.errors import Place
from pytest_imagedetail.traffic.keystone import Keystone, endpoint_of, keystone_of
from pytest_imagedetail.traffic.matching import (
    Difference,
    Names,
    differences,
    is_placeholder,
    line,
    origin,
    same_answers,
)

_SHOWN: Final = 8  # recorded interactions in a message
_LONGEST: Final = 300  # characters of a request in a message
_SHORTEST: Final = 8  # characters of a name that is replaced wherever it stands
_NOTHING: Final = "the cassette does not exist: nothing was ever recorded for this test"
_NO_ANSWER: Final = Response(status_code=0, body=b"")


class Source:
    """Recordings that are looked into together, read when they are needed.

    Args:
        read: Reads the recordings, by their files.
        repeats: Whether a request may be asked any number of times; then the first file that has
            it answers, and files are not compared.
    """

    def __init__(
        self, read: Callable[[], Mapping[Path, Recording]] = dict, *, repeats: bool = False
    ) -> None:
        self._read: Final = read
        self._names: Final[dict[Path, Names]] = {}
        self.repeats: Final = repeats
        self.played: Final[dict[Path, set[int]]] = {}

    @cached_property
    def recordings(self) -> Mapping[Path, Recording]:
        """The recordings, by their files."""
        return self._read()

    def names(self, path: Path) -> Names:
        """Return what is known of the placeholders of a file."""
        return self._names.setdefault(path, Names())

    def matches(self, asked: Interaction) -> dict[Path, list[int]]:
        """Return the interactions that were recorded for a request, by file."""
        found = {
            path: _matches(recording.interactions, asked, self.names(path))
            for path, recording in self.recordings.items()
        }
        return {path: numbers for path, numbers in found.items() if numbers}

    def next_of(self, asked: Interaction, place: Place) -> "tuple[bool, Answer | None]":
        """Return whether a request is known here, and the interaction that is next for it.

        Raises:
            CassetteError: Two files answer the request differently.
        """
        known = self.matches(asked)
        if not known:
            return False, None
        path = next(iter(known)) if self.repeats else max(known, key=lambda each: len(known[each]))
        if not self.repeats:
            self._refuse_contradiction(asked, known, path, place)
        played = set() if self.repeats else self.played.get(path, set())
        number = next((each for each in known[path] if each not in played), None)
        return True, None if number is None else (path, number)

    def play(self, asked: Interaction, answer: "Answer") -> Interaction:
        """Count an interaction as played."""
        path, number = answer
        found = self.recordings[path].interactions[number]
        differences(asked, found, self.names(path))  # learns the names
        self.played.setdefault(path, set()).add(number)
        return found

    def _refuse_contradiction(
        self, asked: Interaction, known: Mapping[Path, list[int]], chosen: Path, place: Place
    ) -> None:
        answers = {
            path: [self.recordings[path].interactions[each] for each in numbers]
            for path, numbers in known.items()
        }
        for path, some in answers.items():
            if not all(map(same_answers, some, answers[chosen])):
                raise place.contradiction(shown_alone(asked, place.cloud), (chosen, path))


Answer = tuple[Path, int]
"""A file and the number of an interaction in it."""


class Player:
    """Plays recordings to a test's own clients.

    The first source that knows a request answers it alone, even if its answers are used up.

    Args:
        place: The test.
        held: The file that is the test's: its own, or the read-only one that its marker names.
        sources: Recordings, in the order in which they are looked into.
        remedy: How to record what is missing, for messages.

    Attributes:
        held: The test's file.
        remedy: How to record what is missing, for messages.
    """

    def __init__(self, place: Place, *, held: Path, sources: Sequence[Source], remedy: str) -> None:
        self._place: Final = place
        self.held: Final = held
        self._sources: Final = tuple(sources)
        self.remedy: Final = remedy
        self._seen: Final[list[Interaction]] = []
        self._lock: Final = threading.RLock()

    def read(self) -> None:
        """Read the test's cassette, so that damage is an error before anything is asked."""
        assert self._holder is not None  # noqa: S101  the caller has seen to it

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """What the test's cassette holds."""
        return self._holder.recordings[self.held].interactions if self._holder else ()

    @cached_property
    def _holder(self) -> Source | None:
        return next((each for each in self._sources if self.held in each.recordings), None)

    @property
    def played(self) -> int:
        """How many interactions have been played, from any source."""
        return sum(len(each) for source in self._sources for each in source.played.values())

    @property
    def used(self) -> tuple[Path, ...]:
        """The files that something was played from."""
        return tuple(path for source in self._sources for path in source.played)

    @property
    def unplayed(self) -> tuple[str, ...]:
        """What was not played of the test's cassette, by number, method and URL."""
        played = self._holder.played.get(self.held, set()) if self._holder else set()
        left = [
            (number, each)
            for number, each in enumerate(self.interactions, start=1)
            if number - 1 not in played
        ]
        shown = self._redacted([each for _, each in left]) if left else ()
        return tuple(
            f"{number}: {_shortened(each)}" for (number, _), each in zip(left, shown, strict=True)
        )

    @cached_property
    def endpoint(self) -> str | None:
        """The compute endpoint of the first source that has a recording, in placeholders."""
        recording = self._first()
        if recording is None:
            return None
        return recording.provenance.endpoint or endpoint_of(recording.interactions[0].url)

    @cached_property
    def _keystone(self) -> Keystone | None:
        recording = self._first()
        if recording is None:
            return None
        return keystone_of(recording.provenance.catalog, self.endpoint)

    def _first(self) -> Recording | None:
        return next((each for source in self._sources for each in source.recordings.values()), None)

    def names(self) -> dict[str, str]:
        """Return the placeholders that real names stand for in the test's cassette."""
        return dict(self._holder.names(self.held).reals()) if self._holder else {}

    def has(self, asked: Interaction) -> bool:
        """Return whether there is an answer left."""
        with self._lock:
            return self._find(asked) is not None

    def play(self, asked: Interaction) -> Response | None:
        """Return the next answer that was recorded for this request; None if none is left."""
        with self._lock:
            self._seen.append(asked)
            found = self._find(asked)
            if found is None:
                return None
            source, answer = found
            return source.play(asked, answer).response

    def authenticate(self, asked: Interaction) -> Response | None:
        """Answer in place of Keystone; None if that is not asked, or nothing is recorded."""
        with self._lock:
            response = self._keystone.answer(asked) if self._keystone is not None else None
            if response is not None:
                self._seen.append(asked)  # it may show what is secret
            return response

    def miss(self, asked: Interaction) -> NoInteractionError:
        """Return what to raise for a request that nothing was recorded for."""
        with self._lock:
            explained = "\n".join(self._explained(asked))
        return NoInteractionError(explained, where=self._place.where, remedy=self.remedy)

    def _find(self, asked: Interaction) -> tuple[Source, Answer] | None:
        for source in self._sources:
            is_known, found = source.next_of(asked, self._place)
            if is_known:
                return None if found is None else (source, found)
        return None

    def _candidates(self) -> Iterator["_Candidate"]:
        for source in self._sources:
            for path, recording in source.recordings.items():
                for number, each in enumerate(recording.interactions):
                    yield _Candidate(
                        interaction=each,
                        names=source.names(path),
                        is_played=number in source.played.get(path, ()),
                    )

    def _explained(self, asked: Interaction) -> Iterator[str]:
        """Say what was asked, what is recorded, and what comes nearest; redacted."""
        candidates = list(self._candidates())
        if not candidates:
            yield f"nothing is recorded for {_shortened(self._redacted([asked])[-1])}"
            yield _NOTHING
            return
        departures = [
            differences(asked, each.interaction, each.names.copy()) for each in candidates
        ]
        nearest = _nearest(asked, candidates, departures)
        first = candidates[:_SHOWN]
        named = _named(asked, candidates[nearest])
        *listed, recorded, shown = self._redacted(
            [*(each.interaction for each in first), candidates[nearest].interaction, named]
        )
        yield f"nothing is recorded for {_shortened(shown)}"
        yield f"recorded, {self.played} of {len(candidates)} played:"
        for one, each in zip(first, listed, strict=True):
            yield f"  {_shortened(each)}{' (played)' if one.is_played else ''}"
        if len(candidates) > _SHOWN:
            yield f"  and {len(candidates) - _SHOWN} more"
        known = next(filter(None, (each.matches(asked) for each in self._sources)), None)
        if known is not None:
            times = max(map(len, known.values()))
            often = "once" if times == 1 else f"{times} times"
            yield f"it was recorded {often}, and it has been played {often}"
            return
        told = {each.part: str(each) for each in differences(shown, recorded, Names(closed=True))}
        yield f"nearest: {_shortened(recorded)}"
        for departure in departures[nearest]:
            yield f"  {told.get(departure.part, f'{departure.part}: differs')}"

    def _redacted(self, shown: Sequence[Interaction]) -> tuple[Interaction, ...]:
        """Redact requests for a message."""
        requests = [replace(each, response=_NO_ANSWER) for each in shown]
        secrets = secrets_in([*requests, *self._seen])
        return redact(requests, cloud=self._place.cloud, secrets=secrets).interactions


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A recorded interaction that a request may have meant."""

    interaction: Interaction = field(repr=False)
    names: Names
    is_played: bool


def shown_alone(asked: Interaction, cloud: str) -> Interaction:
    """Redact one request for a message."""
    request = replace(asked, response=_NO_ANSWER)
    (shown,) = redact([request], cloud=cloud, secrets=secrets_in([request])).interactions
    return shown


def _matches(interactions: Sequence[Interaction], asked: Interaction, names: Names) -> list[int]:
    """Return the interactions that a request fits by what is known, else by a new name."""
    for closed in (True, False):
        found = []
        for number, each in enumerate(interactions):
            trial = names.copy()
            trial.closed = closed
            if not differences(asked, each, trial):
                found.append(number)
        if found:
            return found
    return []


def _nearest(
    asked: Interaction,
    candidates: Sequence[_Candidate],
    departures: Sequence[Sequence[Difference]],
) -> int:
    path = SequenceMatcher(b=urlsplit(asked.url).path, autojunk=False)

    def distance(number: int) -> tuple[float, ...]:
        parts = [each.part for each in departures[number]]
        path.set_seq1(urlsplit(candidates[number].interaction.url).path)
        apart = 1 - path.ratio() if "path" in parts else 0
        return "method" in parts, apart, len(parts), candidates[number].is_played

    return min(range(len(departures)), key=distance)


def _named(asked: Interaction, nearest: _Candidate) -> Interaction:
    """Return a request with the placeholders of the nearest recorded one."""
    names = nearest.names.copy()
    differences(asked, nearest.interaction, names)
    url, body = asked.url, asked.request_body
    place = origin(urlsplit(nearest.interaction.url))
    if is_placeholder(place):
        url = place + urlsplit(url)._replace(scheme="", netloc="").geturl()
    for real, placeholder in names.reals():
        if len(real) >= _SHORTEST:  # a shorter one may be any word
            url = url.replace(real, placeholder)
            body = body.replace(real.encode("utf-8", "surrogateescape"), placeholder.encode())
    return replace(asked, url=url, request_body=body)


def _shortened(interaction: Interaction) -> str:
    text = line(interaction)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"
