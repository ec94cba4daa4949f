"""Where a test's traffic is kept, and the commands that record it."""

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.model import Recording, RecordMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One test and its cassette.

    Attributes:
        store: The cassettes of the run.
        cloud: The name that the traffic is kept under.
        test: The test's node id without the cloud.
        node: The test's node id as it stands on a command line.
        shared: The name of the folder that the test shares with others; None if it has none.
    """

    store: Store = field(repr=False)
    cloud: str
    test: str
    node: str
    shared: str | None = None

    @property
    def path(self) -> Path:
        """The test's own cassette, whether or not it exists."""
        return self.store.traffic_path(self.cloud, self.test, shared=self.shared)

    @property
    def where(self) -> str:
        """The test and its cassette, for messages."""
        return f"{self.node}, cassette {self.path}"

    def held(self, mode: RecordMode) -> Path | None:
        """Return the test's file; None if nothing is recorded.

        While replaying, it may be the read-only file that `cassette=` names.
        """
        read_only = self._read_only() if mode in {"none", "once"} else []
        return next(filter(os.path.lexists, [self.path, *read_only]), None)

    def load(self) -> Recording | None:
        """Read the test's own cassette; None if there is none."""
        return self.store.load_traffic(self.cloud, self.test, shared=self.shared)

    def neighbors(self) -> tuple[Path, ...]:
        """Return the other files of the shared folder, and the read-only file of its name."""
        if self.shared is None:
            return ()
        shared = self.store.shared_paths(self.cloud, self.shared)
        paths = (*shared, *filter(os.path.lexists, self._read_only()))
        return tuple(path for path in paths if path != self.path)

    def command(self, mode: RecordMode) -> str:
        """Return the command that runs the test in another record mode."""
        return f"pytest {shlex.quote(self.node)} --imagedetail-record-mode={mode}"

    def _read_only(self) -> list[Path]:
        return [] if self.shared is None else [self.store.traffic_path(self.cloud, self.shared)]
