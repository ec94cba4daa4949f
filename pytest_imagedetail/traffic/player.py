"""Plays a recording to a test's own clients: each interaction as often as it was recorded."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.errors import NoInteractionError
from pytest_imagedetail.exposure import secrets_in
from pytest_imagedetail.model import Interaction, Response
from pytest_imagedetail.redact import redact
from pytest_imagedetail.traffic.matching import Names, differences, origin

_SHOWN: Final = 8  # recorded interactions in a message
_PARTS: Final = ("method", "path", "host")  # in this order two requests are far from each other


@dataclass(slots=True, kw_only=True)
class Player:
    """What is left to be played of one test's recording.

    Attributes:
        interactions: As recorded.
        cloud: Whose, for the placeholders of messages.
        path: The cassette, for messages; it may be missing.
        test: Who asks, for messages.
        record: The command that would record what is missing.
    """

    interactions: Sequence[Interaction]
    cloud: str
    path: Path
    test: str
    record: str
    missed: list[NoInteractionError] = field(default_factory=list)
    _played: set[int] = field(default_factory=set)
    _names: Names = field(default_factory=Names)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def played(self) -> int:
        """How many interactions have been played."""
        return len(self._played)

    @property
    def unplayed(self) -> tuple[str, ...]:
        """The interactions that have not been played, by number, method and URL."""
        return tuple(
            f"{number + 1}: {_line(each)}"
            for number, each in enumerate(self.interactions)
            if number not in self._played
        )

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
            return self.interactions[found].response

    def miss(self, asked: Interaction) -> NoInteractionError:
        """What to raise for a request that nothing was recorded for."""
        with self._lock:
            shown = self._redacted(asked)
            error = NoInteractionError(
                "\n".join([f"nothing is recorded for {_line(shown)}", *self._known(shown)]),
                where=f"{self.test}, cassette {self.path}",
                remedy=f"record it: {self.record}",
            )
        self.missed.append(error)
        return error

    def _find(self, asked: Interaction) -> int | None:
        for number, each in enumerate(self.interactions):
            if number not in self._played and not differences(asked, each, self._names.copy()):
                return number
        return None

    def _known(self, shown: Interaction) -> list[str]:
        """What is recorded, and what comes nearest to what was asked."""
        if not self.interactions:
            return ["the cassette does not exist: nothing was ever recorded for this test"]
        lines = [f"recorded, {self.played} of {len(self.interactions)} played:"]
        for number, each in enumerate(self.interactions[:_SHOWN]):
            lines.append(f"  {_line(each)}{' (played)' if number in self._played else ''}")
        if len(self.interactions) > _SHOWN:
            lines.append(f"  and {len(self.interactions) - _SHOWN} more")
        return [*lines, *self._nearest(shown)]

    def _nearest(self, shown: Interaction) -> list[str]:
        departures = [differences(shown, each, self._names.copy()) for each in self.interactions]
        parts = [[each.part for each in found] for found in departures]
        order = sorted(
            range(len(departures)),
            key=lambda n: (
                *(part in parts[n] for part in _PARTS),
                len(parts[n]),
                n in self._played,
            ),
        )
        nearest = order[0]
        if not departures[nearest]:
            times = sum(1 for found in departures if not found)
            often = "once" if times == 1 else f"{times} times"
            return [f"it was recorded {often}, and it has been played {often}"]
        return [
            f"nearest: {_line(self.interactions[nearest])}",
            *(f"  {each}" for each in departures[nearest]),
        ]

    def _redacted(self, asked: Interaction) -> Interaction:
        """The request as a message may show it: with the names of the recording where known."""
        parts = urlsplit(asked.url)
        known = self._names.placeholder(origin(parts))
        if known is not None:
            start = asked.url.find("/", asked.url.index("//") + 2)
            asked = replace(asked, url=known + (asked.url[start:] if start >= 0 else ""))
        secrets = secrets_in([asked])
        return redact([asked], cloud=self.cloud, secrets=secrets).interactions[0]


def _line(interaction: Interaction) -> str:
    return f"{interaction.method} {interaction.url}"
