"""Repeat a request when the cloud asks to wait or when the token expired."""

import logging
import re
from http import HTTPStatus
from time import sleep
from typing import Final

from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.transport import http as transport
from pytest_imagedetail.transport.http import Access

NOT_ANSWERED: Final = frozenset({401, 407, 408, 413, 425, 429, 501, 502, 503, 504})
"""Statuses that say nothing about the query: the token was refused, a cloud or proxy is busy, or
`imagedetail serve` has no recording (501)."""

_LOG: Final = logging.getLogger(__name__)
_WAIT: Final = frozenset({413, 429, 503})  # 413 overLimit is Nova's rate limit through Mitaka
_MAX_WAITS: Final = 3
_MAX_SECONDS: Final = 60  # for one answer: Nova's stock limits are per minute
_SECONDS: Final = re.compile(r"\d{1,9}", re.ASCII)


class Retry:
    """The retries of one recording: up to three waits for each answer, and one new token."""

    def __init__(self, access: Access) -> None:
        self.accesses: Final = [access]  # all that were used; the token of each is a secret

    def get(self, url: str, headers: Headers, *, name: str) -> Interaction:
        """Repeat a request until its response is final; raise RecordingError for too long waits."""
        renew = self.accesses[0].renew
        waits: list[int] = []
        while True:
            received = transport.get(url, headers, access=self.accesses[-1], name=name)
            status = received.response.status_code
            if status == HTTPStatus.UNAUTHORIZED and renew and len(self.accesses) == 1:
                self.accesses.append(renew())
                continue
            seconds = _retry_after(received.response)
            if seconds is None:
                return received
            if len(waits) == _MAX_WAITS or sum(waits) + seconds > _MAX_SECONDS:
                raise RecordingError(
                    f"the cloud answered {status} and asks to wait {seconds} s",
                    where=f"cloud {name}",
                    remedy="nothing was written and an older recording is untouched\n"
                    "wait that long, then ask again "
                    f"(at most {_MAX_WAITS} waits and {_MAX_SECONDS} s for one answer)",
                )
            waits.append(seconds)
            _LOG.warning("%s asked to wait %d s (Retry-After)", name, seconds)
            sleep(seconds)


def _retry_after(response: Response) -> int | None:
    """Return the seconds that a cloud asks to wait; None if its answer is final."""
    text = response.headers.get("Retry-After", "").strip()
    is_wait = response.status_code in _WAIT and _SECONDS.fullmatch(text)
    return int(text) if is_wait else None
