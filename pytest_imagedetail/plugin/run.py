"""The state that the fixtures of one pytest run share."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pytest_imagedetail.cassette import Reader
from pytest_imagedetail.harness import Harness
from pytest_imagedetail.plugin.result import RunResult
from pytest_imagedetail.record.clouds import configured, connect
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.traffic import Session, Together
from pytest_imagedetail.transport.http import Access


def _connect(os_cloud: str) -> Access:
    """Authenticate without a test's own cassette in between."""
    from pytest_imagedetail.cassette import capture  # it loads vcrpy, which replaying does not need

    with capture.unpatched():
        return connect(os_cloud)


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """The state of one pytest run in one process.

    Attributes:
        began: When the run began, in nanoseconds; with pytest-xdist, when its controller did.
        fixtures: The names of our fixtures.
        reader: Reads cassettes, each once.
        sessions: Opens clouds, each once.
        result: What the tests that are over left, and those of workers.
        left_out: Why tests that take our fixtures may not run; empty if all do.
        passed: Tests of this process whose call passed.
        current: Compares for the running test.
        together: What tests recorded to a shared cassette, by its path.
    """

    began: int
    fixtures: frozenset[str]
    reader: Reader = field(default_factory=Reader)
    sessions: CloudSessions = field(default_factory=lambda: CloudSessions(_connect))
    result: RunResult = field(default_factory=RunResult)
    left_out: str = ""
    passed: set[str] = field(default_factory=set)
    current: Harness | None = None
    together: dict[str, Together] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set, repr=False)
    _session: Session | None = field(default=None, repr=False)

    def secrets(self) -> frozenset[str]:
        """Return what no failure may show: secrets, projects and addresses of live clouds."""
        accesses = (each for access in self.sessions.accesses() for each in access.known())
        return self.credentials().union(accesses)

    def credentials(self) -> frozenset[str]:
        """Return the tokens and passwords that this process knows, from whatever source."""
        if self._session is not None:
            self._known |= self._session.learnt()
        accesses = self.sessions.accesses()
        return frozenset(self._known).union(*({each.token, *each.secrets} for each in accesses))

    def read_files(self, os_cloud: str) -> None:
        """Learn the secrets in OpenStack's files and environment variables.

        Raises:
            CredentialsError: A file is broken.
        """
        self._known |= configured(os_cloud)

    @contextmanager
    def records(self, session: Session) -> Iterator[None]:
        """Learn the secrets that a test's own clients send or get while the block runs."""
        self._session = session
        try:
            yield
        finally:
            self._known |= session.learnt()
            self._session = None

    @contextmanager
    def serves(self, harness: Harness) -> Iterator[RunResult]:
        """Let a test compare while the block runs; yields what it left, complete afterwards."""
        left = RunResult(results=harness.results, failures=harness.failures, done=harness.done)
        self.current = harness
        try:
            yield left
        finally:
            self.current = None
            left.used = {str(path) for path in harness.used}
            self.result.add(left)

    def send(self) -> bytes:
        """Return the result of this worker for the controller of pytest-xdist."""
        return pickle.dumps(self.result)

    def receive(self, sent: bytes) -> None:
        """Add the result of one of our own workers."""
        self.result.add(pickle.loads(sent))
