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
