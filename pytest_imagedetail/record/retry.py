"""Repeat a request when the cloud asks to wait or when the token expired."""

import re
from collections.abc import Callable
from time import sleep
from typing import Final

from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.model import Interaction, Response
from pytest_imagedetail.transport.http import Access

Attempt = Callable[[Access], Interaction]
OnWait = Callable[[str], None]

NOT_ANSWERED: Final = frozenset({401, 407, 408, 413, 425, 429, 502, 503, 504})
"""Statuses that say nothing about the query: the token was refused, or a cloud or proxy is busy."""

_UNAUTHORIZED: Final = 401
_WAIT: Final = frozenset({413, 429, 503})  # 413 overLimit is Nova's rate limit through Mitaka
_MAX_WAITS: Final = 3
_MAX_SECONDS: Final = 60  # for one answer: Nova's stock limits are per minute
_NOTICEABLE: Final = 1
_SECONDS: Final = re.compile(r"\d{1,9}", re.ASCII)


class Retry:
    """The retries of one recording: up to three waits for each answer, and one new token.

    Args:
        access: The access that the recording starts with.
        expect: A status that is wanted, so it is never retried.
        on_wait: Called with a line of text before a noticeable wait.
    """

    def __init__(
        self, access: Access, *, expect: int | None, on_wait: OnWait | None = None
    ) -> None:
        self._accesses: Final = [access]
        self._expect: Final = expect
        self._on_wait: Final = on_wait

    @property
    def accesses(self) -> tuple[Access, ...]:
        """Every access that was used; the token of each is a secret."""
        return tuple(self._accesses)

    def ask(self, attempt: Attempt, *, name: str) -> Interaction:
        """Make attempts until an answer is final, and return that one.

        Args:
            attempt: Asks once.
            name: What to call the cloud in an error.

        Raises:
            RecordingError: The cloud asks for too long a wait, or the new token is for another
                project; and whatever an attempt or Keystone raises.
        """
        waits: list[int] = []
        while True:
            interaction = attempt(self._accesses[-1])
            response = interaction.response
            if response.status_code == self._expect:
                return interaction
            if response.status_code == _UNAUTHORIZED and self._renew(name):
                continue
            seconds = _retry_after(response)
            if seconds is None:
                return interaction
            if len(waits) == _MAX_WAITS or sum(waits) + seconds > _MAX_SECONDS:
                raise _too_long(response.status_code, seconds, len(waits), name)
            waits.append(seconds)
            if self._on_wait is not None and seconds > _NOTICEABLE:
                self._on_wait(
                    f"cloud {name} answered {response.status_code} and asks to wait "
                    f"{_count(seconds)}; waiting"
                )
            sleep(seconds)

    def _renew(self, name: str) -> bool:
        """Get a new token, once; return whether there is one."""
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


def _retry_after(response: Response) -> int | None:
    """Return the seconds that a cloud asks to wait; None if its answer is final."""
    text = response.headers.get("Retry-After", "").strip()
    is_wait = response.status_code in _WAIT and _SECONDS.fullmatch(text)
    return int(text) if is_wait else None


def _too_long(status_code: int, seconds: int, waits: int, name: str) -> RecordingError:
    again = f" again after {waits} wait{'s' * (waits > 1)}" if waits else ""
    return RecordingError(
        f"the cloud answered {status_code}{again} and asks to wait {_count(seconds)}",
        where=f"cloud {name}",
        remedy="nothing was written and an older recording is untouched\n"
        "wait as long, then ask again "
        f"(at most {_MAX_WAITS} waits and {_MAX_SECONDS} seconds for one answer)",
    )


def _count(seconds: int) -> str:
    return f"{seconds} second{'' if seconds == 1 else 's'}"
