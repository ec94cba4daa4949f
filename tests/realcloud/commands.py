"""Build commands: run one, wait for it, and say all there is to say when it fails."""

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import join

from .errors import CommandError


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Where build commands write, and the lock they hold while they run."""

    log: Path
    lock: int

    def run(
        self,
        *argv: str | Path,
        timeout: float,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run a command to its end.

        Raises:
            CommandError: It ended with another status than 0, or not within `timeout` seconds.
        """
        words = [str(word) for word in argv]
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.log.open("a", encoding="utf-8") as output:
            output.write(f"$ {join(words)}\n")
            output.flush()
            status = self._wait(words, output.fileno(), environment, timeout)
        if status is None:
            raise CommandError(words, f"was killed after {timeout:.0f} s.", self.log)
        if status:
            raise CommandError(words, f"ended with status {status}.", self.log)

    def _wait(
        self,
        words: list[str],
        output: int,
        environment: Mapping[str, str] | None,
        timeout: float,
    ) -> int | None:
        with subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=(self.lock,),
            start_new_session=True,
        ) as process:
            try:
                return process.wait(timeout)
            except subprocess.TimeoutExpired:
                return None
            finally:
                # Also on Ctrl-C: a build left running would fight with the next one.
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)
