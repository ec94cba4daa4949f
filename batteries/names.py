"""Files: each test has its own, and other tools can read them."""

import functools
import shutil

from batteries.bench import NO_SWITCH, ONE, Bench, Row, not_live
from batteries.tools import RECORDING
from batteries.verdicts import Fault, NotApplicable, NotProvoked

NAMES = """
import pytest
from client import ask
from marks import own

@own
@pytest.mark.parametrize("name", PARAMETERS)
def test_get(tape, url, name):
    ask(url, headers={"Accept": "application/json"})
"""


def different_files(bench: Bench, *, names: tuple[str, str]) -> None:
    """Record two tests whose names make the same file name on some file systems."""
    bench.needs("names")
    project = bench.project(NAMES.replace("PARAMETERS", repr(names)))
    run = project.run("once")
    if run.count("passed") != 2 or not bench.server.asked:
        raise NotProvoked(f"the two tests were not recorded\n{run.output}")
    if len({str(path).casefold() for path in project.cassettes()}) != 2:
        raise Fault("both use one file")


def read_by_pytest_recording(bench: Bench) -> None:
    """Record with every metadata that a tool writes, and replay with pytest-recording."""
    bench.needs("metadata")
    if RECORDING.version is None:
        raise NotApplicable("pytest-recording is not installed")
    switch = bench.tool.switches.get("metadata", NO_SWITCH)
    project = bench.recorded(environment=switch.environment)
    if set(project.document()) <= {"version", project.tool.interactions}:
        raise NotProvoked("no metadata was written")
    uri = project.interactions()[0]["request"]["uri"]
    other = Bench(RECORDING, bench.server, project.folder / "other").project(
        ONE.replace('url + "?limit=2"', repr(uri))
    )
    place = other.folder / "cassettes" / "test_own" / "test_get.yaml"
    place.parent.mkdir(parents=True)
    shutil.copy(project.cassette(), place)
    before = len(bench.server.asked)
    if not other.run("none").green:
        raise Fault("pytest-recording cannot load it")
    not_live(bench.server, before)


ROWS = (
    Row(
        id="m1",
        name="tests `[a/b]` and `[a:b]`",
        holds="Each has its own file.",
        battery=functools.partial(different_files, names=("a/b", "a:b")),
    ),
    Row(
        id="m2",
        name="tests `[A]` and `[a]`",
        holds="Each has its own file, even on a case-insensitive file system.",
        battery=functools.partial(different_files, names=("A", "a")),
    ),
    Row(
        id="m3",
        name="a cassette with metadata, read by pytest-recording",
        holds="It replays.",
        battery=read_by_pytest_recording,
    ),
)
