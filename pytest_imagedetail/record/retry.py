"""Asks again when a cloud says to wait or when a token expired, and knows when to stop."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import ceil
from time import sleep
from typing import Final

from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.transport.http import Access

Attempt = Callable[[Access], Interaction]
Report = Callable[[str], None]

NOBODY_ANSWERED: Final = frozenset({401, 407, 408, 413, 425, 429, 502, 503, 504})
"""Refused before anyone looked at the query, too busy, or a proxy that found no Nova behind it."""

_UNAUTHORIZED: Final = 401
_WAIT: Final = frozenset({413, 429, 503})  # 413 overLimit is Nova's rate limit through Mitaka
_MOST_WAITS: Final = 3  # a cloud that still refuses after them is not about to answer
_MOST_SECONDS: Final = 60.0  # for one answer: Nova's stock limit was one by the minute
_SILENT_SECONDS: Final = 1.0  # up to here a wait needs no word
_CENTURY: Final = 100 * 365 * 86_400.0  # a date that far can still be written
_SECONDS: Final = re.compile(r"[0-9]+")


class Patience:
    """How much one recording bears: some waits for each answer, one new token for all of them.

    Args:
        access: Where and as whom the recording begins.
        expect: A status that is wanted, and so never a reason to ask again.
        report: Told of every wait that someone might notice.
    """

    def __init__(self, access: Access, *, expect: int | None, report: Report) -> None:
        self._accesses: Final = [access]
        self._expect: Final = expect
        self._report: Final = report

    @property
    def accesses(self) -> tuple[Access, ...]:
        """Every access that was used; the token of each is a secret."""
        return tuple(self._accesses)

    def ask(self, attempt: Attempt, *, name: str) -> Interaction:
        """Make attempts at one answer until it is final; the others are forgotten.

        Args:
            attempt: Asks once.
            name: What to call the cloud in an error.

        Raises:
            RecordingError: The cloud wants more time than there is, or leads elsewhere with the
                new token; and whatever an attempt or Keystone raises.
        """
        waits: list[float] = []
        while True:
            interaction = attempt(self._accesses[-1])
            response = interaction.response
            if response.status_code == self._expect:
                return interaction
            if response.status_code == _UNAUTHORIZED and self._renewed(name):
                continue
            seconds = _wanted(response)
            if seconds is None:
                return interaction
            if len(waits) == _MOST_WAITS or sum(waits) + seconds > _MOST_SECONDS:
                raise _too_long(response.status_code, seconds, waits, name)
            waits.append(seconds)
            if seconds > _SILENT_SECONDS:
                self._report(
                    f"cloud {name} answered {response.status_code} and wants "
                    f"{_count(seconds)} of rest; waiting"
                )
            sleep(seconds)

    def _renewed(self, name: str) -> bool:
        """Whether there is a new token to ask with; a recording gets one."""
        first = self._accesses[0]
        if first.renew is None or len(self._accesses) > 1:
            return False
        new = first.renew()
        if (new.endpoint, new.project_id) != (first.endpoint, first.project_id):
            raise RecordingError(
                "the token expired, and the new one is for another project or endpoint",
                where=f"cloud {name}",
                remedy="nothing was written and an older recording is untouched\n"
                "ask again: one recording is of one project of one cloud",
            )
        self._accesses.append(new)
        return True


def _wanted(response: Response) -> float | None:
    """The seconds that a cloud asks to wait before it answers; None where it does not."""
    text = response.headers.get("Retry-After", "").strip()
    if response.status_code not in _WAIT:
        return None
    if _SECONDS.fullmatch(text):
        return min(float(text), _CENTURY)
    if (until := _date(text)) is None:
        return None  # absent, negative or nonsense: the answer is final
    return min(max((until - _sent(response.headers)).total_seconds(), 0.0), _CENTURY)


def _sent(headers: Headers) -> datetime:
    """When an answer was sent by its own clock, which need not be ours."""
    return _date(headers.get("Date", "")) or datetime.now(UTC)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _too_long(status_code: int, seconds: float, waits: list[float], name: str) -> RecordingError:
    again = f" again after {len(waits)} wait{'s' * (len(waits) > 1)}" if waits else ""
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ceil(seconds))
    return RecordingError(
        f"the cloud answered {status_code}{again} and wants {_count(seconds)} of rest",
        where=f"cloud {name}",
        remedy="nothing was written and an older recording is untouched\n"
        f"ask again after {end.isoformat().replace('+00:00', 'Z')}\n"
        f"(one answer is waited for {_MOST_WAITS} times and {_count(_MOST_SECONDS)} at most)",
    )


def _count(seconds: float) -> str:
    whole = ceil(seconds)
    return f"{whole} second{'' if whole == 1 else 's'}"
