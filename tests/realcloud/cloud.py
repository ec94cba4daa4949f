"""A real cloud: its files, ports and passwords, and how to run its commands."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .releases import Release

LOG_LINES = 15
TIMEOUT = 300  # seconds for one command


class RealcloudError(Exception):
    """A cloud could not be installed, built or used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A temporary cloud: its release and virtual environment, its files, ports and passwords."""

    release: Release
    environment: Path
    folder: Path
    ports: Mapping[str, int]
    passwords: Mapping[str, str]

    @property
    def name(self):
        """The name in `clouds_yaml` of user and project demo.

        With the suffix "-other" or "-admin", it is a user of another project or the administrator.
        """
        return self.release.cloud

    @property
    def bin(self):
        return self.environment / "bin"

    @property
    def clouds_yaml(self):
        """The file for OS_CLIENT_CONFIG_FILE."""
        return self.folder / "clouds.yaml"

    @property
    def compute_url(self):
        """The URL of the compute API without a version."""
        return self.url("nova")

    def url(self, service):
        return f"http://127.0.0.1:{self.ports[service]}"

    def log(self, service):
        return self.folder / f"{service}.log"

    def etc(self, service):
        return self.folder / "etc" / service

    def database(self, name):
        return self.folder / f"{name}.sqlite"

    def run(self, *argv, **variables):
        """Run a management command of the release."""
        run(*argv, log=self.log("build"), env=environment_of(self.folder) | variables)


def environment_of(folder):
    """Return the environment of services and commands, without the caller's OS_* and PYTHON*."""
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",  # two clouds of a release answer in the same order
        "PYTHONWARNINGS": "ignore",
        **{f"OS_{each.upper()}_CONFIG_DIR": str(folder / "etc" / each) for each in SERVICES},
        "OS_NOVA_DISABLE_EVENTLET_PATCHING": "1",  # Nova runs in threads
    }


SERVICES = ("keystone", "glance", "nova")


def run(*argv, log, env=None):
    """Run a command, and append its output to a file, whose end is in the error."""
    words = [str(word) for word in argv]
    with log.open("a", encoding="utf-8") as output:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            timeout=TIMEOUT,
            check=False,
        )
    if done.returncode:
        raise RealcloudError(f"{words[:3]} ended with {done.returncode}\n{end_of(log)}")


def end_of(log):
    """Return the last lines of a log."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join(f"    {line}" for line in lines)
