"""Generated pytest projects of one tool, which ask a server of their own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
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
    """Exit code and output of a run of pytest."""

    code: int
    output: str

    @property
    def green(self) -> bool:
        """Whether all tests passed."""
        return self.code == 0

    @property
    def message(self) -> str:
        """The lines of error messages."""
        # An error in a fixture of imagedetail is printed without pytest's E.
        shown = re.compile(r"E( |$)|  (where|next): ")
        lines = filter(shown.match, self.output.splitlines())
        return "\n".join(line[1:].strip() for line in lines)

    def count(self, outcome: str) -> int:
        """Return how many tests passed, failed or had an error."""
        found = re.findall(rf"(\d+) {outcome}s?\b", self.output)
        return int(found[-1]) if found else 0


class Project:
    """A folder with the files of a driver and the tests of a battery."""

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
        self, mode: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Start pytest in a record mode, one of the keys of `Tool.modes`."""
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
        """Run pytest in a record mode, and wait for its end."""
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
        """Return every cassette of the project."""
        return sorted((self.folder / "cassettes").rglob(f"*{self.tool.suffix}"))

    def cassette(self) -> Path:
        """Return the only cassette; raise NotProvoked if there is none or more than one."""
        found = self.cassettes()
        if len(found) != 1:
            raise NotProvoked(f"{len(found)} cassettes instead of one")
        return found[0]

    def document(self, path: Path | None = None) -> dict[str, Any]:
        """Return the parsed cassette, or {} if it cannot be read."""
        try:
            document = yaml.safe_load((path or self.cassette()).read_bytes())
        except yaml.YAMLError:
            return {}
        return document if isinstance(document, dict) else {}

    def interactions(self, path: Path | None = None) -> list[Any]:
        """Return the interactions of a cassette, or [] if it cannot be read."""
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
    """A tool, a running server, and a folder for projects."""

    def __init__(self, tool: Tool, server: Server, folder: Path) -> None:
        self.tool = tool
        self.server = server
        self._folder = folder
        self._projects = 0

    def needs(self, *needs: str) -> None:
        """Raise NotApplicable if the tool lacks what the row tests."""
        for need in needs:
            if need in self.tool.without:
                raise NotApplicable(self.tool.without[need])

    def project(self, source: str = ONE) -> Project:
        """Create a project with one test module, `test_own.py`."""
        self._projects += 1
        project = Project(self._folder / f"p{self._projects}", self.tool, self.server)
        project.write(source)
        return project

    def recorded(self, source: str = ONE, *arguments: str, **more: Any) -> Project:
        """Create a project and record it in mode once; raise NotProvoked if that fails."""
        project = self.project(source)
        before = len(self.server.asked)
        run = project.run("once", *arguments, **more)
        if not run.green or not project.cassettes() or len(self.server.asked) == before:
            raise NotProvoked(f"the first recording failed\n{run.output}")
        return project

    def switched(self, need: str, judge: Callable[[Switch], None]) -> str | None:
        """Judge the tool with default settings; if it fails, with its switch for `need`.

        Returns:
            The name of the switch, or None if the defaults were enough.
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
        name: The fault, in a few words.
        holds: What must hold.
        battery: Provokes the fault; raises a verdict, or returns the switch that was needed.
    """

    id: str
    name: str
    holds: str
    battery: Callable[[Bench], str | None]


def not_live(server: Server, before: int) -> None:
    """Raise Fault if a request reached the server since then."""
    if len(server.asked) > before:
        raise Fault("reached the server")
