"""Read the pages of the documentation, and run the terminal sessions that they show.

A code block that opens with "```yaml NAME" is the file NAME. A block of the language `console` is a
session: a line with `$ ` is a command, the lines below are its output, and `...` matches any lines.
Each session of a page continues the previous one.
"""

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from socket import create_server

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])

_BLOCK = re.compile(
    r"^```(?P<language>\w*) ?(?P<file>\S*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_PORT = "8774"  # in the pages; the tests use a free port
_FOLDER = "/home/me/project"
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"\bin \d+\.\d+s|\b\d+ ms\b"), "<duration>"),
    (re.compile(r"(openstacksdk +)[\d.]+"), r"\1<version>"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "http://127.0.0.1:<port>"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced code block; `file` is the name under which a reader saves it, or empty."""

    language: str
    text: str
    file: str


def blocks(page):
    return [Block(**match.groupdict()) for match in _BLOCK.finditer(page)]


def imagedetail_commands(page):
    """Return every `imagedetail` command line in the blocks of a page."""
    lines = (
        line.removeprefix("$ ")
        for block in blocks(page)
        if block.language in {"", "console"}
        for line in block.text.replace("\\\n", "").splitlines()
    )
    return [line for line in lines if line.startswith("imagedetail ")]


def assert_shows(path, shown, wanted):
    """Assert that a page shows the wanted text; UPDATE_DOCS=1 writes it into the page."""
    if "UPDATE_DOCS" in os.environ:
        page = path.read_text(encoding="utf-8")
        path.write_text(page.replace(shown, wanted), encoding="utf-8")
    else:
        assert shown == wanted


def run_sessions(page, folder):
    """Follow a page in an empty folder; yield each session with its real output."""
    with create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with ExitStack() as servers:
        code = 0
        for block in blocks(page):
            if block.file:
                (folder / block.file).write_text(block.text.replace(_PORT, port), encoding="utf-8")
            if block.language != "console":
                continue
            printed = []
            for command, shown in _commands(block.text):
                line = command.replace(_PORT, port)
                if command.startswith("imagedetail serve"):
                    servers.close()
                    output = _serve(line, folder, servers, lines=len(shown))
                else:
                    output, code = _run(f"(exit {code}); {line}", folder)
                output = output.replace(str(folder), _FOLDER).replace(port, _PORT)
                printed.append(re.sub(" +$", "", f"$ {command}\n{output}", flags=re.MULTILINE))
            yield block, "".join(printed)


def differs(shown, printed):
    """Return whether a session differs from the page, except for times and durations."""
    parts = re.split(r"^\.\.\.\n", _comparable(shown), flags=re.MULTILINE)
    pattern = r"(?:.*\n)*?".join(map(re.escape, parts))
    return re.fullmatch(pattern, _comparable(printed)) is None


def _comparable(text):
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    return text


def _commands(session):
    """Yield each command with the lines shown below it."""
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, shown = part.replace("\\\n", "\\\0").partition("\n")
        yield command.replace("\0", "\n"), shown.splitlines()


def _run(line, folder):
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout, done.returncode


def _serve(line, folder, servers, *, lines):
    """Start a server that runs until `servers` is closed; return its first lines."""
    server = subprocess.Popen(
        ["bash", "-c", f"exec {line}"],
        cwd=folder,
        env=_environment(folder),
        stdout=subprocess.PIPE,
        text=True,
    )
    servers.enter_context(server)
    servers.callback(server.terminate)
    return "".join(server.stdout.readline() for _ in range(lines))


def _environment(folder):
    """Return the environment of a reader's terminal, without color, clouds and this test run."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OS_", "PYTEST_", "COV_"))
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return kept | {
        "PATH": path,
        "HOME": str(folder),
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
        # pytest-recording has an autouse fixture, which changes the order of ours.
        "PYTEST_ADDOPTS": "-p no:recording",
    }
