"""A downstream project in a temporary folder, with recordings of two clouds."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def project(pytester: pytest.Pytester, recorded: Path) -> pytest.Pytester:
    """A project with cassettes of nova-essex and nova-2026.2 and their releases declared."""
    shutil.copytree(recorded, pytester.path / "cassettes")
    pytester.makefile(
        ".yaml",
        imagedetail="""
        clouds:
          nova-essex: {release: essex}
          nova-2026.2: {release: "2026.2"}
        baseline: nova-2026.2
        """,
    )
    return pytester


@pytest.fixture
def run(pytester):
    """Run a module in this process, with the plugins whose doings are none of ours left out."""

    def run(source, *arguments):
        for cached in pytester.path.glob("test_own.py"):
            cached.unlink()
        pytester.makepyfile(test_own=source)
        plugins = ("-p", "no:randomly", "-p", "no:recording", "-p", "no:cacheprovider")
        return pytester.runpytest_inprocess(*plugins, *arguments)

    return run
