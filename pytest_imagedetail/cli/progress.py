"""Says on a terminal what is being waited for, once the wait is longer than a second."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock, Timer
from time import monotonic
from typing import Final

_PATIENCE: Final = 1.0  # seconds that nobody minds
_WIPE: Final = "\r\x1b[K"


class Progress:
    """One line at the bottom of a terminal, which is gone when there is nothing to wait for.

    It goes to stderr, and nowhere if stderr is no terminal.
    """

    def __init__(self) -> None:
        self._begun: Final = monotonic()
        self._lock: Final = RLock()
        self._shown = ""

    def say(self, line: str) -> None:
        """Print a line that stays, above the one that does not."""
        with self._lock:
            wipe = _WIPE if self._shown else ""
            print(f"{wipe}imagedetail: {line}", file=sys.stderr)
            self._write(self._shown)

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show the text while the block runs and the whole has taken longer than a second.

        Args:
            text: For example "asking staging (3 of 12)".
        """
        if not sys.stderr.isatty():
            yield
            return
        timer = Timer(max(0.0, self._begun + _PATIENCE - monotonic()), self._write, [f"\r{text}"])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            if self._shown:
                self._write(_WIPE)
            self._shown = ""

    def _write(self, text: str) -> None:
        with self._lock:
            self._shown = text
            sys.stderr.write(text)
            sys.stderr.flush()
