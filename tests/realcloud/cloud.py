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
    """A temporary cloud.

    Attributes:
        release: The release of its services.
        environment: The virtual environment with the services.
        folder: The folder of configuration, databases, images and logs.
        ports: Ports by service.
        passwords: Passwords by user.
    """

    release: Release
    environment: Path
    folder: Path
    ports: Mapping[str, int]
    passwords: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name in `clouds_yaml` of user and project demo.

        With the suffix "-other" or "-admin", it is a user of another project or the administrator.
        """
        return self.release.cloud

    @property
    def bin(self) -> Path:
        return self.environment / "bin"

    @property
    def clouds_yaml(self) -> Path:
        """The file for OS_CLIENT_CONFIG_FILE."""
        return self.folder / "clouds.yaml"

    @property
    def compute_url(self) -> str:
        """The URL of the compute API without a version."""
        return self.url("nova")

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def log(self, service: str) -> Path:
        return self.folder / f"{service}.log"

    def etc(self, service: str) -> Path:
        return self.folder / "etc" / service

    def database(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite"

    def run(self, *argv: object, **variables: str) -> None:
        """Run a management command of the release."""
        run(*argv, log=self.log("build"), env=environment_of(self.folder) | variables)


def environment_of(folder: Path) -> dict[str, str]:
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


def run(*argv: object, log: Path, env: Mapping[str, str] | None = None) -> None:
    """Run a command, and append its output to a file.

    Raises:
        RealcloudError: The command failed. The message has the end of the output.
    """
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


def end_of(log: Path) -> str:
    """Return the last lines of a log."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join(f"    {line}" for line in lines)
