"""The state that the fixtures of one pytest run share, and what the run leaves."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from pytest_imagedetail.cassette import Reader
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.harness import Harness
from pytest_imagedetail.model import SEVERITIES, Failure
from pytest_imagedetail.record.clouds import configured_secrets, connect
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.report.findings import Result
from pytest_imagedetail.traffic import Session
from pytest_imagedetail.transport.http import Access


@dataclass(slots=True)
class RunResult:
    """What tests compared, read and wrote; pytest-xdist's workers send theirs to the controller."""

    results: list[Result] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)  # comparisons that could not be made
    done: dict[str, str] = field(default_factory=dict)  # to a recording, by its name
    used: set[Path] = field(default_factory=set)  # cassettes that were read or written
    unplayed: dict[Path, list[str]] = field(default_factory=dict)  # interactions, by cassette
    expected: set[str] = field(default_factory=set)  # tests that take our fixtures
    left_out: str = ""  # why one of them may not have run

    def add(self, other: "RunResult") -> None:
        """Merge the result of another test or process into this one."""
        self.results += other.results
        self.failures += other.failures
        self.done |= other.done
        self.used |= other.used
        for cassette, interactions in other.unplayed.items():
            # Several tests may replay one read-only file.
            known = self.unplayed.get(cassette, interactions)
            self.unplayed[cassette] = [each for each in known if each in interactions]
        self.expected |= other.expected
        self.left_out = self.left_out or other.left_out

    def properties(self) -> Iterator[tuple[str, int]]:
        """Count what was compared, as properties for JUnit XML; nothing if nothing was compared."""
        if not self.results and not self.failures:
            return
        matrices = sum(isinstance(each, Matrix) for each in self.results)
        yield "imagedetail_comparisons", len(self.results) - matrices
        yield "imagedetail_matrices", matrices
        yield "imagedetail_not_compared", len(self.failures)
        found = [severity for each in self.results for severity in each.severities]
        for severity in SEVERITIES:
            yield f"imagedetail_{severity}", found.count(severity)
        yield "imagedetail_expected", sum(len(each.expected) for each in self.results)


@dataclass(slots=True, kw_only=True)
class TestState:
    """What the plugin knows of one test while it runs."""

    opened: bool = False  # its cassette is open, or about to be opened
    session: Session | None = None  # to be kept once the teardown has passed
    refused: list[ImageDetailError] = field(default_factory=list)  # requests and connections
    running: bool = False  # its call runs: what is reported meanwhile is of a subtest
    subtest_failed: bool = False  # the call passes nevertheless
    outcome: str = ""  # of its call with all of its subtests: "passed", "xfailed" ...


_STATE = pytest.StashKey[TestState]()


def state_of(item: pytest.Item) -> TestState:
    """Return the state of a test."""
    return item.stash.setdefault(_STATE, TestState())


def forget(item: pytest.Item) -> None:
    """Let a test start anew: pytest-rerunfailures runs the same one several times."""
    item.stash[_STATE] = TestState()


class Run:
    """The state of one pytest run in one process."""

    def __init__(self, fixtures: frozenset[str]) -> None:
        self.fixtures: Final = fixtures
        self.reader: Final = Reader()
        self.sessions: Final = CloudSessions(self._connect)
        self.result: Final = RunResult()  # of finished tests and workers
        self.current: Harness | None = None  # of the running test
        self.places: Callable[[], frozenset[str]] = frozenset  # host and port of our servers
        self._known: set[str] = set()
        self._session: Session | None = None

    def _connect(self, os_cloud: str) -> Access:
        """Authenticate without a test's own cassette in between."""
        from pytest_imagedetail.cassette import capture  # loads vcrpy; replaying does not need it

        with capture.unpatched():
            return connect(os_cloud)

    def secrets(self) -> frozenset[str]:
        """Return what no failure may show: secrets, projects and addresses of live clouds."""
        accesses = (each for access in self.sessions.accesses() for each in access.known())
        return self.credentials().union(accesses)

    def credentials(self) -> frozenset[str]:
        """Return the tokens and passwords that this process knows, from whatever source."""
        if self._session is not None:
            self._known |= self._session.secrets()
        accesses = self.sessions.accesses()
        return frozenset(self._known).union(*({each.token, *each.secrets} for each in accesses))

    def read_files(self, os_cloud: str) -> None:
        """Learn the secrets in OpenStack's files and environment variables."""
        self._known |= configured_secrets(os_cloud)

    def follow(self, session: Session) -> None:
        """Learn the secrets that a test's own clients send or get from now on."""
        self.credentials()  # learns those of the test before
        self._session = session

    @contextmanager
    def serves(self, harness: Harness) -> Iterator[RunResult]:
        """Let a test compare while the block runs; yield its result, complete afterwards."""
        result = RunResult(
            results=harness.results,
            failures=harness.failures,
            done=harness.done,
            used=harness.used,
        )
        self.current = harness
        try:
            yield result
        finally:
            self.current = None
            self.result.add(result)

    def send(self) -> bytes:
        """Return the result of this worker for the controller of pytest-xdist."""
        return pickle.dumps(self.result)

    def receive(self, sent: bytes) -> None:
        """Add the result of one of our own workers."""
        self.result.add(pickle.loads(sent))
