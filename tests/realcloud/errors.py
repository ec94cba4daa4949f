"""What can go wrong; every message ends with what to do next.

RealcloudError
├── UsageError      the request makes no sense as things stand
├── CommandError    a build command failed or ran too long
├── ServiceError    a service did not start, or did not stop
└── AnswerError     a service answered a request with an unexpected status
"""

from collections.abc import Sequence
from pathlib import Path
from shlex import join

TAIL_LINES = 15


class RealcloudError(Exception):
    """Anything this harness could not do."""


class UsageError(RealcloudError):
    """The request makes no sense as things stand."""


class CommandError(RealcloudError):
    """A build command failed or ran too long."""

    def __init__(self, argv: Sequence[str], outcome: str, log: Path) -> None:
        super().__init__(f"{join(argv)}\n{outcome}\n{log_tail(log)}")


class ServiceError(RealcloudError):
    """A service did not start, or did not stop."""

    def __init__(self, problem: str, log: Path) -> None:
        super().__init__(f"{problem}\n{log_tail(log)}")


class AnswerError(RealcloudError):
    """A service answered a request with an unexpected status."""

    def __init__(self, method: str, url: str, status: int, body: str) -> None:
        super().__init__(
            f"{method} {url} was answered with {status}: {body[:500]}\n"
            "The service's own log, in the log folder of the cloud, has the reason."
        )


def log_tail(log: Path) -> str:
    """The name of a log file and its last lines."""
    if not log.exists():
        return f"It wrote no log ({log})."
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"Read {log}; it ends with:", *(f"    {line}" for line in lines)])
