"""Replace a file atomically, under a lock."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from pytest_imagedetail.body.yaml import replacing
from pytest_imagedetail.cassette.format import load
from pytest_imagedetail.errors import RecordingError

LOCK: Final = ".imagedetail.lock"
"""The lock file of a folder of cassettes; it stays, or two processes could hold the lock."""

_LOCK_SECONDS: Final = 60
_LOCK_MODE: Final = 0o666  # root in a container and the user outside share it


@contextmanager
def writing(path: Path, *, lock: Path | None = None) -> Iterator[None]:
    """Hold the lock for a file and create its folder; turn OSError into RecordingError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock, timeout=_LOCK_SECONDS, mode=_LOCK_MODE) if lock else nullcontext():
            yield
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


def swap(path: Path, text: str) -> None:
    """Replace a file, or the target of a link, with a cassette that was read back."""
    with replacing(path) as temporary:
        with temporary.open("xb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        load(temporary)  # an unreadable cassette replaces nothing
