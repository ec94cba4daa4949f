"""The cassette of one test: its files, and the commands that record it."""

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.model import Recording, RecordMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Cassette:
    """The cassette of one test, whether or not it exists."""

    store: Store = field(repr=False)
    cloud: str
    test: str  # the node id without the cloud
    node: str  # the same, as typed on a command line
    shared: str | None = None  # the name of the folder that tests share

    @property
    def path(self) -> Path:
        """The test's own cassette, whether or not it exists."""
        return self.store.traffic_path(self.cloud, self.test, shared=self.shared)

    @property
    def read_only(self) -> Path | None:
        """The file with the name of the shared folder, if it exists."""
        if self.shared is None:
            return None
        path = self.store.traffic_path(self.cloud, self.shared)
        return path if os.path.lexists(path) else None

    @property
    def where(self) -> str:
        """The test and its cassette, for messages."""
        return f"{self.node}, cassette {self.path}"

    def load(self) -> Recording | None:
        """Read the test's own cassette; None if there is none."""
        return self.store.load_traffic(self.cloud, self.test, shared=self.shared)

    def others(self) -> Iterator[Path]:
        """Yield the other cassettes for the test: shared ones, and the one of the shared name."""
        if self.shared is not None:
            own = self.path
            paths = (*self.store.shared_paths(self.cloud, self.shared), self.read_only)
            yield from (path for path in paths if path is not None and path != own)

    def command(self, mode: RecordMode) -> str:
        """Return the command that runs the test in another record mode."""
        return f"pytest {shlex.quote(self.node)} --imagedetail-record-mode={mode}"
