"""Replace a file whole, under a lock."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from filelock import FileLock, Timeout

from pytest_imagedetail.body.yaml import replacing
from pytest_imagedetail.cassette.format import loads
from pytest_imagedetail.errors import RecordingError

LOCK: Final = ".imagedetail.lock"
"""The lock file of a folder of cassettes; it stays, as removing it would let two processes in."""

_LOCK_SECONDS: Final = 60
_LOCK_MODE: Final = 0o666  # root in a container and the user outside of it take the same lock

_Of = TypeVar("_Of")


def swapped(path: Path, make: Callable[[], tuple[str | None, _Of]], *, lock: Path) -> _Of:
    """Replace a file, or the target of a link, by a text that is made of it.

    Args:
        path: The file.
        make: Reads what is there, under the lock, and returns the new text, None to leave the
            file alone, and a result.
        lock: The lock file.

    Returns:
        The result.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock, timeout=_LOCK_SECONDS, mode=_LOCK_MODE):
            text, result = make()
            if text is not None:
                _swap(path, text)
            return result
    except Timeout as error:
        raise RecordingError(
            f"another process has been writing cassettes for {_LOCK_SECONDS} seconds",
            where=f"{path}, locked by {lock}",
            remedy="wait for it to end, then record again; an older recording is untouched",
        ) from error
    except OSError as error:
        raise RecordingError(
            f"the cassette cannot be written: {error.strerror}",
            where=str(path),
            remedy="check space and permissions; an older recording is untouched",
        ) from error


def replace_file(path: Path, text: str) -> None:
    """Replace a file whole by a cassette, without a lock.

    Raises:
        RecordingError: It cannot be written.
    """
    try:
        _swap(path, text)
    except OSError as error:
        raise RecordingError(
            f"the file cannot be replaced: {error.strerror}",
            where=str(path),
            remedy="check space and permissions; it was not changed",
        ) from error


def _swap(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        with temporary.open("xb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        loads(temporary)  # what cannot be read replaces nothing
