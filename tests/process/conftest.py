"""A store with a good recording, and children that write to it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from process import recording, write
from pytest_imagedetail.cassette import Store

BEGIN = """
from pathlib import Path
from process import *
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import *
store = Store(directory=Path({folder!r}))
"""


class Kept:
    """A small good recording on disk, and how to see that it is as it was."""

    def __init__(self, folder):
        self.store = Store(directory=folder)
        write(self.store, recording())
        self.path = folder / "k5" / "all.yaml"
        self.text = self.path.read_bytes()

    def debris(self):
        """Sizes of what a dead writer left beside the cassette."""
        return [path.stat().st_size for path in self.path.parent.glob("*.tmp")]


@pytest.fixture
def kept(tmp_path):
    """A recording on disk."""
    return Kept(tmp_path / "cassettes")


@pytest.fixture
def child(kept):
    """Start a Python of its own that has `store` and the recordings at hand."""
    started = []

    def start(body, kept=kept):
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
        begin = BEGIN.format(folder=str(kept.store.directory))
        process = subprocess.Popen(
            [sys.executable, "-c", begin + body],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def guarded():
    """The same, where a user without rights can reach it; pytest's own folder is for its user."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o777)
        guarded = Kept(folder / "cassettes")
        yield guarded
        for place, _, _ in os.walk(guarded.store.directory):
            Path(place).chmod(0o755)
