"""A store with a good recording, and children that write to it."""

import os
import subprocess
import sys
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
    """A small recording on disk, and its bytes."""

    def __init__(self, folder):
        self.store = Store(directory=folder)
        write(self.store, recording())
        self.path = folder / "k5" / "all.yaml"
        self.text = self.path.read_bytes()

    def debris(self):
        """Temporary files that a dead writer left beside the cassette."""
        return list(self.path.parent.glob("*.tmp"))


@pytest.fixture
def kept(tmp_path):
    """A recording on disk."""
    return Kept(tmp_path / "cassettes")


@pytest.fixture
def child(kept):
    """Start a Python process that has `store` and the functions of `process`."""
    started = []

    def start(body):
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
