"""Where a battery works: generated pytest projects of one tool, against a server of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from batteries.server import Server
from batteries.tools import Switch, Tool
from batteries.verdicts import Fault, NotApplicable, NotProvoked

PATIENCE = 120  # seconds for one run of pytest
ONE = """
from client import ask
from marks import own, shared

@own
def test_get(tape, url):
    ask(url + "?limit=2")
"""
NO_SWITCH = Switch(name="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run of pytest said.

    Attributes:
        code: Its exit code.
        output: Everything printed.
    """

    code: int
    output: str

    @property
    def green(self) -> bool:
        """Whether pytest was satisfied."""
        return self.code == 0

    @property
    def message(self) -> str:
        """The lines of errors, without source and places."""
        # An error in a fixture of imagedetail stands alone, without pytest's E.
        shown = re.compile(r"E( |$)|  (where|next): ")
        lines = filter(shown.match, self.output.splitlines())
        return "\n".join(line[1:].strip() for line in lines)

    def count(self, outcome: str) -> int:
        """How many tests passed, failed or had an error."""
        found = re.findall(rf"(\d+) {outcome}s?\b", self.output)
        return int(found[-1]) if found else 0


class Project:
    """A folder with a driver's files and the tests of a battery."""

    def __init__(self, folder: Path, tool: Tool, server: Server) -> None:
        self.folder = folder
        self.tool = tool
        self.server = server
        folder.mkdir(parents=True)
        for name, text in tool.files().items():
            (folder / name).write_text(text)

    def write(self, source: str, name: str = "test_own") -> None:
        """Write a module of tests."""
        (self.folder / f"{name}.py").write_text(source)

    def start(
        self,
        mode: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[str]":
        """Start pytest in a record mode.

        Args:
            mode: In the batteries' words.
            *arguments: More for its command line.
            environment: More for its environment.
        """
        plugins = (self.tool.plugin, "xdist.plugin" if "-n" in arguments else None)
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=short", "-v"),
                *(word for plugin in plugins if plugin for word in ("-p", plugin)),
                *self.tool.mode_arguments(mode),
                *arguments,
            ],
            cwd=self.folder,
            env=self._environment(mode) | dict(environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, mode: str, *arguments: str, switch: Switch = NO_SWITCH, **more: Any) -> Run:
        """Run pytest to its end in a record mode."""
        environment = {**switch.environment, **more.pop("environment", {})}
        process = self.start(mode, *arguments, *switch.arguments, environment=environment, **more)
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise NotProvoked("pytest did not end") from None
        return Run(code=process.returncode, output=output)

    def cassettes(self) -> list[Path]:
        """Every cassette of the project."""
        return sorted((self.folder / "cassettes").rglob(f"*{self.tool.suffix}"))

    def cassette(self) -> Path:
        """The one cassette there is.

        Raises:
            NotProvoked: There is none, or more than one.
        """
        found = self.cassettes()
        if len(found) != 1:
            raise NotProvoked(f"{len(found)} cassettes instead of one")
        return found[0]

    def document(self, path: Path | None = None) -> dict[str, Any]:
        """A cassette as a document; nothing if it is none."""
        try:
            document = yaml.safe_load((path or self.cassette()).read_bytes())
        except yaml.YAMLError:
            return {}
        return document if isinstance(document, dict) else {}

    def interactions(self, path: Path | None = None) -> list[Any]:
        """The interactions in a cassette; none if it cannot be read."""
        return self.document(path).get(self.tool.interactions) or []

    def _environment(self, mode: str) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "OS_", "TAPE_", "COV"))
            and not name.lower().endswith("_proxy")
        }
        return inherited | {
            "HOME": str(self.folder),
            "NO_COLOR": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONDONTWRITEBYTECODE": "1",  # a module may change twice in a second
            "TAPE_MODE": self.tool.modes[mode],
            "TAPE_URL": self.server.url,
        }


class Bench:
    """What a battery gets: a tool, a server that is up, and room for projects."""

    def __init__(self, tool: Tool, server: Server, folder: Path) -> None:
        self.tool = tool
        self.server = server
        self._folder = folder
        self._projects = 0

    def needs(self, *needs: str) -> None:
        """Raise NotApplicable if the tool has not what the row is about."""
        for need in needs:
            if need in self.tool.without:
                raise NotApplicable(self.tool.without[need])

    def project(self, source: str = ONE) -> Project:
        """A new project with one module of tests, `test_own.py`."""
        self._projects += 1
        project = Project(self._folder / f"p{self._projects}", self.tool, self.server)
        project.write(source)
        return project

    def recorded(self, source: str = ONE, *arguments: str, **more: Any) -> Project:
        """A new project whose tests have been recorded, in mode once.

        Raises:
            NotProvoked: Nothing was recorded.
        """
        project = self.project(source)
        before = len(self.server.asked)
        run = project.run("once", *arguments, **more)
        if not run.green or not project.cassettes() or len(self.server.asked) == before:
            raise NotProvoked(f"there is no recording to begin with\n{run.output}")
        return project

    def switched(self, need: str, judge: Callable[[Switch], None]) -> str | None:
        """Judge the tool as it is, and if it fails, with its switch for that need.

        Returns:
            What had to be switched on; None if it held as it is.
        """
        try:
            judge(NO_SWITCH)
        except Fault:
            switch = self.tool.switches.get(need)
            if switch is None:
                raise
            judge(switch)
            return switch.name
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        id: Letter and number.
        name: What is provoked, in a few words.
        holds: What must hold.
        battery: Provokes it; raises what it found, or returns what had to be switched on.
    """

    id: str
    name: str
    holds: str
    battery: Callable[[Bench], str | None]


def not_live(server: Server, before: int) -> None:
    """Raise Fault if the server was asked since, for replaying must not ask."""
    if len(server.asked) > before:
        raise Fault("asked the live server")


def words(items: Sequence[str]) -> str:
    """A list for a sentence."""
    return ", ".join(items)
