"""Count the instructions that the plugin adds to a pytest run, with valgrind's cachegrind.

Instruction counts hardly depend on the load of the machine. The figures are the difference from a
run with an empty plugin, because pytest needs some instructions to load any plugin.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FEW, MANY = 5, 45
VALGRIND = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
HEAD = """
import os

import pytest

@pytest.mark.parametrize("number", range(int(os.environ["TESTS"])))
def test(number{fixtures}):
    {body}
"""
TESTS = {
    "unrelated": ("", "pass"),
    "replay": (", imagedetail", 'assert len(imagedetail["openstack-sample"].list().images) == 7'),
    "compare": (
        ", imagedetail",
        'assert imagedetail.compare("nova-2019.1", "nova-2026.2").compatible',
    ),
}
GOALS = {
    "start-up": ("%", 1.0),
    "unrelated": ("k per test", 10.0),
    "replay": ("k per test", 3500.0),
    "compare": ("k per test", 9000.0),
}


def main() -> None:
    """Measure, and print a line for each goal."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "empty_plugin.py").touch()
        for test, (fixtures, body) in TESTS.items():
            text = HEAD.format(fixtures=fixtures, body=body)
            (folder / f"{test}_test.py").write_text(text, encoding="utf-8")
        start, bare = measured(folder, "empty_plugin", "unrelated")
        found = {}
        for test in TESTS:
            began, each = measured(folder, "pytest_imagedetail.plugin", test)
            if test == "unrelated":
                found["start-up"] = 100 * (began / start - 1)
            found[test] = (each - bare) / 1e3
    print(f"empty plugin: {start / 1e6:.1f} M at start-up, {bare / 1e3:.0f} k per test")
    for what, (unit, goal) in GOALS.items():
        print(f"{what:10} {found[what]:+10.2f} {unit} (goal {goal:.0f})")


def measured(folder: Path, plugin: str, test: str) -> tuple[int, float]:
    """Return the instructions of a run of a few tests, and of each further test."""
    run(folder, plugin, test, 1)  # caches byte code
    few, many = (instructions(run(folder, plugin, test, times, *VALGRIND)) for times in (FEW, MANY))
    return few, (many - few) / (MANY - FEW)


def instructions(output: str) -> int:
    """Return the number of instructions that valgrind prints."""
    return int(re.findall(r"I +refs: +([\d,]+)", output)[-1].replace(",", ""))


def run(folder: Path, plugin: str, test: str, times: int, *before: str) -> str:
    """Run the tests with one plugin, and return the output."""
    command = (*before, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    more = {
        "HOME": str(folder),
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(folder),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "TESTS": str(times),
    }
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    result = subprocess.run(
        [*command, "-p", plugin, f"{test}_test.py"],
        cwd=folder,
        env=kept | more,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return result.stdout


if __name__ == "__main__":
    main()
