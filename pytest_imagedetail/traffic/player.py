"""Plays a recording to a test's own clients: each interaction as often as it was recorded."""

import threading
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.errors import NoInteractionError
from pytest_imagedetail.model import Interaction, Response
from pytest_imagedetail.redact import redact
from pytest_imagedetail.redact.placeholder import host
from pytest_imagedetail.redact.traffic import secrets_in
from pytest_imagedetail.traffic.keys import line
from pytest_imagedetail.traffic.matching import (
    Difference,
    Names,
    differences,
    is_placeholder,
    origin,
)

_SHOWN: Final = 8  # recorded interactions in a message
_LONGEST: Final = 300  # characters of a request in a message
_SHORTEST: Final = 8  # characters of a name that is replaced wherever it stands
_NOTHING: Final = "the cassette does not exist: nothing was ever recorded for this test"
_NO_ANSWER: Final = Response(status_code=0, body=b"")


@dataclass(slots=True, kw_only=True)
class Player:
    """What is left to be played of one test's recording.

    Attributes:
        interactions: As recorded.
        cloud: Whose, for the placeholders of messages.
        path: The cassette, for messages; it may be missing.
        test: Who asks, for messages.
        record: How to record what is missing, for messages.
    """

    interactions: Sequence[Interaction]
    cloud: str
    path: Path
    test: str
    record: str
    missed: list[NoInteractionError] = field(default_factory=list)
    _seen: list[Interaction] = field(default_factory=list, repr=False)
    _played: set[int] = field(default_factory=set)
    _answered: list[tuple[Interaction, Interaction]] = field(default_factory=list, repr=False)
    _names: Names = field(default_factory=Names)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def played(self) -> int:
        """How many interactions have been played."""
        return len(self._played)

    @property
    def told(self) -> tuple[tuple[Interaction, Interaction], ...]:
        """What was played so far: each request as it was asked, and the interaction."""
        return tuple(self._answered)

    @property
    def names(self) -> dict[str, str]:
        """The placeholders that real names stand for, as far as they were asked by."""
        return dict(self._names.reals())

    @property
    def unplayed(self) -> tuple[str, ...]:
        """The interactions that have not been played, by number, method and URL."""
        left = [n for n in range(len(self.interactions)) if n not in self._played]
        shown = self._redacted(self.interactions) if left else ()
        return tuple(f"{number + 1}: {_shortened(shown[number])}" for number in left)

    def has(self, asked: Interaction) -> bool:
        """Whether there is an answer left."""
        with self._lock:
            return self._find(asked) is not None

    def play(self, asked: Interaction) -> Response | None:
        """The next answer that was recorded for this request; None if there is none left."""
        with self._lock:
            found = self._find(asked)
            if found is None:
                return None
            differences(asked, self.interactions[found], self._names)  # learns the names
            self._played.add(found)
            self._answered.append((asked, self.interactions[found]))
            self._seen.append(asked)
            return self.interactions[found].response

    def overhear(self, asked: Interaction) -> None:
        """Take note of a request that another answers: it may tell what is secret."""
        with self._lock:
            self._seen.append(asked)

    def miss(self, asked: Interaction) -> NoInteractionError:
        """What to raise for a request that nothing was recorded for."""
        with self._lock:
            error = NoInteractionError(
                "\n".join(self._told(asked)),
                where=f"{self.test}, cassette {self.path}",
                remedy=self.record,
            )
        self.missed.append(error)
        return error

    def _find(self, asked: Interaction) -> int | None:
        return next_of(self.interactions, asked, self._played, self._names)

    def _told(self, asked: Interaction) -> list[str]:
        """What was asked, what is recorded, and what comes nearest; redacted, line by line."""
        departures = [differences(asked, each, self._names.copy()) for each in self.interactions]
        if not departures:
            shown = self._redacted([asked])[-1]
            return [f"nothing is recorded for {_shortened(shown)}", _NOTHING]
        nearest = self._nearest(asked, departures)
        *recorded, shown = self._redacted([*self.interactions, self._named(asked, nearest)])
        return [
            f"nothing is recorded for {_shortened(shown)}",
            *self._list(recorded),
            *_departed(shown, recorded[nearest], departures, nearest),
        ]

    def _list(self, recorded: Sequence[Interaction]) -> list[str]:
        lines = [f"recorded, {self.played} of {len(recorded)} played:"]
        for number, each in enumerate(recorded[:_SHOWN]):
            lines.append(f"  {_shortened(each)}{' (played)' if number in self._played else ''}")
        if len(recorded) > _SHOWN:
            lines.append(f"  and {len(recorded) - _SHOWN} more")
        return lines

    def _nearest(self, asked: Interaction, departures: Sequence[Sequence[Difference]]) -> int:
        path = SequenceMatcher(b=urlsplit(asked.url).path, autojunk=False)

        def distance(number: int) -> tuple[float, ...]:
            parts = [each.part for each in departures[number]]
            path.set_seq1(urlsplit(self.interactions[number].url).path)
            apart = 1 - path.ratio() if "path" in parts else 0
            far = ("method" in parts, apart, "host" in parts)
            return *far, len(parts), number in self._played

        return min(range(len(departures)), key=distance)

    def _named(self, asked: Interaction, nearest: int) -> Interaction:
        """A request with the placeholders of the recording, where it may be what they stand for.

        A host that cannot be any of them gets a name of its own.
        """
        names = self._names.copy()
        differences(asked, self.interactions[nearest], names)
        url, body = asked.url, asked.request_body
        parts = urlsplit(url)
        real, rest = origin(parts), parts._replace(scheme="", netloc="").geturl()
        known = names.placeholder(real)
        if known is not None:
            url = known + rest
        elif self._is_redacted and not is_placeholder(real):
            url = f"https://{host('other-host', 1, self.cloud)}{rest}"
        for one, placeholder in names.reals():
            if len(one) < _SHORTEST:
                continue  # it may be any word
            url = url.replace(one, placeholder)
            body = body.replace(one.encode("utf-8", "surrogateescape"), placeholder.encode())
        return replace(asked, url=url, request_body=body)

    @property
    def _is_redacted(self) -> bool:
        """Whether the recording holds placeholders; that of another tool holds real names."""
        return all(is_placeholder(origin(urlsplit(each.url))) for each in self.interactions)

    def _redacted(self, shown: Sequence[Interaction]) -> tuple[Interaction, ...]:
        """Requests as a message may show them: no one has redacted what was asked."""
        requests = [replace(each, response=_NO_ANSWER) for each in shown]
        secrets = secrets_in([*requests, *self._seen])
        return redact(requests, cloud=self.cloud, secrets=secrets).interactions


def next_of(
    interactions: Sequence[Interaction], asked: Interaction, played: AbstractSet[int], names: Names
) -> int | None:
    """Which interaction answers a request: the first one that has not been played and fits.

    One that fits by what is known comes before one that a new name may stand for.
    """
    for closed in (True, False):
        for number, each in enumerate(interactions):
            if number not in played:
                trial = names.copy()
                trial.closed = closed
                if not differences(asked, each, trial):
                    return number
    return None


def _departed(
    shown: Interaction,
    recorded: Interaction,
    departures: Sequence[Sequence[Difference]],
    nearest: int,
) -> list[str]:
    """In what a request departs from the nearest one, told by both as they are shown."""
    if not departures[nearest]:
        times = sum(1 for each in departures if not each)
        often = "once" if times == 1 else f"{times} times"
        return [f"it was recorded {often}, and it has been played {often}"]
    told = {each.part: str(each) for each in differences(shown, recorded, Names(closed=True))}
    return [
        f"nearest: {_shortened(recorded)}",
        *(
            f"  {told.get(each.part, f'{each.part}: another than recorded')}"
            for each in departures[nearest]
        ),
    ]


def _shortened(interaction: Interaction) -> str:
    text = line(interaction)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"
