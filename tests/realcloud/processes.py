"""Processes that outlive the one that started them, and that are never mistaken for others.

Linux only: a process is known by its pid, its start time (/proc) and the machine's boot, and it is
signalled through a pidfd, which cannot come to mean another process.
"""

import os
import select
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .errors import ServiceError

GO = b"go\n"
TERM_PATIENCE = 15.0
KILL_PATIENCE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process, for ever.

    Attributes:
        pid: Its number, which the system gives to another one some day.
        started: Clock ticks from boot to its start.
        boot: Which boot of the machine.
    """

    pid: int
    started: int
    boot: str

    @classmethod
    def find(cls, pid: int) -> Self | None:
        """The process that has this number now; None if there is none, or only a zombie."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The second field, the command's name, may itself hold blanks and parentheses.
        state, *fields = stat.rpartition(")")[2].split()
        if state in "ZX":
            return None
        return cls(pid=pid, started=int(fields[18]), boot=_boot())

    @property
    def alive(self) -> bool:
        return self == self.find(self.pid)


def spawn(
    argv: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    log: Path,
    record: Callable[[Process], None],
) -> None:
    """Start a process in a session of its own.

    It is expected to wait for the line `go` on its standard input, which comes after `record` has
    returned: when this process is killed in between, nothing that nobody knows of is left running.
    """
    waiting, go = os.pipe()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        pid = os.posix_spawn(
            argv[0],
            [str(word) for word in argv],
            environment,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, waiting, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, output, 2),
            ],
            setsid=True,
        )
        process = Process.find(pid)
        if process is None:
            raise ServiceError(f"{argv[0]} ended as soon as it was started.", log)
        record(process)
        os.write(go, GO)
    finally:
        for descriptor in (waiting, go, output):
            os.close(descriptor)


def stop(process: Process, *, log: Path) -> None:
    """End exactly this process and wait for its end; nothing happens if it is gone.

    Raises:
        ServiceError: It is still there after SIGTERM, a wait, SIGKILL and another wait.
    """
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        # Looked at only now: from here on the handle means what was looked at.
        if process.alive and not _ended(handle, signal.SIGTERM, TERM_PATIENCE):
            _kill(handle, process, log)
    finally:
        os.close(handle)
    with suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)


def _kill(handle: int, process: Process, log: Path) -> None:
    if not _ended(handle, signal.SIGKILL, KILL_PATIENCE):
        message = f"Process {process.pid} is there {KILL_PATIENCE:.0f} s after SIGKILL."
        raise ServiceError(message, log)


def _ended(handle: int, number: signal.Signals, patience: float) -> bool:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, number)
    readable, _, _ = select.select([handle], [], [], patience)
    return bool(readable)


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
