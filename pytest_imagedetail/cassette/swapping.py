"""Replaces a file whole, under a lock, and only while what was read of it is still there."""

import getpass
import hashlib
import importlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, TypeVar

from filelock import FileLock, Timeout

from pytest_imagedetail.errors import RecordingError

_FCNTL: Final[Any] = importlib.import_module("fcntl") if os.name == "posix" else None
_LOCK_SECONDS: Final = 60
_PAUSE: Final = 0.02  # seconds between two looks at a lock
_TRIES: Final = 5

_Of = TypeVar("_Of")


def swapped(
    path: Path,
    make: Callable[[], tuple[str | None, _Of]],
    *,
    check: Callable[[Path], object],
) -> _Of:
    """Put what is made of a file in its place, anew if someone wrote meanwhile.

    Args:
        path: The file, or a link, which stays one: what it leads to is replaced.
        make: Reads what is there, and says which text takes its place, None if it stays, and what
            is done by that. It is called under the lock, and again if what it has read is gone.
        check: Reads what was written, before it takes the place of anything.

    Returns:
        What was done.

    Raises:
        RecordingError: The file cannot be written, or others keep its lock or write all the time.
        ImageDetailError: What `make` or `check` raises; what is there is untouched.
    """
    with _locked(path):
        for _ in range(_TRIES):
            seen = _bytes(path)
            text, done = make()
            if text is None:
                return done
            try:
                _swap(path.resolve(), text, seen, check)
            except _ChangedError:
                continue
            return done
    raise RecordingError(
        "another process that has other locks writes this cassette again and again",
        where=str(path),
        remedy="wait for it to end, then record again; an older recording is untouched",
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            FileLock(_lock_path(path), timeout=_LOCK_SECONDS),
            _folder_locked(path.resolve().parent),
        ):
            yield
    except Timeout as error:
        raise RecordingError(
            f"another process has been writing this cassette for {_LOCK_SECONDS} seconds",
            where=str(path),
            remedy="wait for it to end, then record again; an older recording is untouched",
        ) from error
    except OSError as error:
        raise RecordingError(
            f"the cassette cannot be written: {error.strerror}",
            where=str(path),
            remedy="check space and permissions; an older recording is untouched",
        ) from error


@contextmanager
def _folder_locked(folder: Path) -> Iterator[None]:
    """Meet who has another folder for temporary files, as root in a container has.

    What is locked is the folder itself, so no file is left in it. Where a system cannot do that
    (Windows, some network file systems), what is compared before each swap must do.

    Raises:
        Timeout: Another process keeps it.
    """
    if _FCNTL is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        _wait_for(handle, folder)
        yield
    finally:
        with suppress(OSError):  # a process that was forked meanwhile holds the same handle
            _FCNTL.flock(handle, _FCNTL.LOCK_UN)
        os.close(handle)


def _wait_for(handle: int, folder: Path) -> None:
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            _FCNTL.flock(handle, _FCNTL.LOCK_EX | _FCNTL.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise Timeout(str(folder)) from None
            time.sleep(_PAUSE)
        except OSError:
            return
        else:
            return


def _lock_path(path: Path) -> Path:
    """A lock outside the folder of cassettes, which is under version control."""
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"imagedetail-{_user()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{digest}.lock"


def _user() -> str:
    """Not the name that the environment gives: two processes of one user must meet."""
    return str(os.getuid()) if hasattr(os, "getuid") else getpass.getuser()


class _ChangedError(Exception):
    """What is about to be replaced is not what was read; someone has written meanwhile."""


def _bytes(place: Path) -> bytes | None:
    """What stands in a cassette's place; None if no file does."""
    return place.read_bytes() if place.is_file() else None


def _refuse_changed(place: Path, seen: bytes | None) -> None:
    if _bytes(place) != seen:
        raise _ChangedError


def _swap(path: Path, text: str, seen: bytes | None, check: Callable[[Path], object]) -> None:
    # Not tempfile: its files are for their owner only, and a cassette is for everyone's checkout.
    temporary = path.with_name(f".{path.stem[:40]}.{token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        check(temporary)  # what cannot be read back must not replace what can
        _refuse_changed(path, seen)
        temporary.replace(path)  # atomic on every platform
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
