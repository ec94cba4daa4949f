"""One at a time: a lock that lasts as long as any process holding its file lives."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import UsageError


@contextmanager
def locked(path: Path, *, timeout: float) -> Iterator[int]:
    """Hold the lock at `path`; gives its file descriptor.

    A child process that inherits the descriptor keeps the lock when this process is killed: a
    build command left behind cannot disturb the next build.

    Raises:
        UsageError: Somebody else held it for `timeout` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(descriptor, path, timeout)
        yield descriptor
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                message = (
                    f"Another process has held {path} for {timeout:.0f} s. "
                    f"Wait for it, or find it with: fuser {path}"
                )
                raise UsageError(message) from None
            time.sleep(0.1)
        else:
            return
