"""Interrupted recordings: a process killed while it writes, and a full disk."""

import os
import signal
import time
from pathlib import Path

from batteries.bench import PATIENCE, Bench, Project, Row
from batteries.server import Reply
from batteries.verdicts import Fault, NotProvoked

LARGE = 6_000_000  # bytes of one answer
LIMIT = 200_000
END = "the-end-of-it"
TRIES = 6


def large(_method: str, _target: str) -> Reply:
    """Return a response that takes a while to write. Some readers limit the number of nodes."""
    name = "x" * LARGE + END
    return Reply(document={"images": [{"id": "i-1", "name": name, "status": "ACTIVE"}]})


def killed(bench: Bench) -> None:
    """Kill pytest with signal 9 while it writes a large recording."""
    project = bench.recorded()
    path = project.cassette()
    old = path.read_bytes()
    bench.server.reply = large
    for _ in range(TRIES):
        if _killed_while_writing(project, path):
            if path.exists() and path.read_bytes() == old:
                return
            raise Fault("the old recording is lost")
        path.write_bytes(old)
    raise NotProvoked(f"none of {TRIES} runs was killed while it wrote")


def _killed_while_writing(project: Project, path: Path) -> bool:
    """Return whether a run was killed after it wrote a part of the new recording, but not all."""
    process = project.start("all")
    before = _seen(path.parent)
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        if _seen(path.parent) != before:
            break
    process.kill()
    process.communicate()
    after = _seen(path.parent)
    if process.returncode != -signal.SIGKILL or after == before:
        return False
    return not (path.exists() and END.encode() in path.read_bytes())


def _seen(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and size of each file, without locks and empty temporary files."""
    found = {}
    for entry in os.scandir(folder):
        try:
            status = entry.stat()
        except FileNotFoundError:
            continue
        known = entry.name.endswith((".yaml", ".json"))
        if not entry.name.endswith(".lock") and entry.is_file() and (status.st_size or known):
            found[entry.name] = (status.st_ino, status.st_size)
    return found


def disk_full(bench: Bench) -> None:
    """Record a large response under a limit on the size of files."""
    project = bench.recorded()
    path = project.cassette()
    old = path.read_bytes()
    bench.server.reply = large
    before = len(bench.server.asked)
    full = {"TAPE_LIMIT": str(LIMIT), "TAPE_PROBE": str(LARGE)}
    run = project.run("all", environment=full)
    if "probe: File too large" not in run.output or len(bench.server.asked) == before:
        raise NotProvoked("no write was too large")
    if not path.exists() or path.read_bytes() != old:
        raise Fault("the old recording is lost")
    if run.green:
        raise Fault("the run passes, but nothing was recorded")


ROWS = (
    Row(
        id="b1",
        name="kill -9 during the write of a large recording",
        holds="The old recording is unchanged.",
        battery=killed,
    ),
    Row(
        id="b2",
        name="full disk while recording",
        holds="The old recording is unchanged, and the run fails.",
        battery=disk_full,
    ),
)
