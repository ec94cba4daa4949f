"""The state that the fixtures of one pytest run share, and the results of the run."""

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
    failures: list[Failure] = field(default_factory=list)  # impossible comparisons
    done: dict[str, str] = field(default_factory=dict)  # what was done to a recording, by its name
    used: set[Path] = field(default_factory=set)  # cassettes read or written
    unplayed: dict[Path, list[str]] = field(default_factory=dict)  # interactions, by cassette
    expected: set[str] = field(default_factory=set)  # tests that use the fixtures
    left_out: str = ""  # why one of these may not have run

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
        """Yield the counts of comparisons as JUnit XML properties, if there were any."""
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
    """The state of one test while it runs."""

    opened: bool = False  # its cassette is open or about to be
    session: Session | None = None  # to be written after the teardown passes
    refused: list[ImageDetailError] = field(default_factory=list)  # requests and connections
    running: bool = False  # during its call; reports then belong to subtests
    subtest_failed: bool = False  # although the call may pass
    outcome: str = ""  # of its call and subtests: "passed", "xfailed" ...


_STATE = pytest.StashKey[TestState]()


def state_of(item: pytest.Item) -> TestState:
    """Return the state of a test."""
    return item.stash.setdefault(_STATE, TestState())


def forget(item: pytest.Item) -> None:
    """Reset the state of a test: pytest-rerunfailures runs the same one several times."""
    item.stash[_STATE] = TestState()


class Run:
    """The state of one pytest run in one process."""

    def __init__(self, fixtures: frozenset[str]) -> None:
        self.fixtures: Final = fixtures
        self.reader: Final = Reader()
        self.sessions: Final = CloudSessions(self._connect)
        self.result: Final = RunResult()  # of finished tests and workers
        self.current: Harness | None = None  # of the running test
        self.places: Callable[[], frozenset[str]] = frozenset  # host and port of each server
        self._known: set[str] = set()
        self._session: Session | None = None

    def _connect(self, os_cloud: str) -> Access:
        """Authenticate without recording it in a test's cassette."""
        from pytest_imagedetail.cassette import capture  # imports vcrpy, unneeded in replay

        with capture.unpatched():
            return connect(os_cloud)

    def secrets(self) -> frozenset[str]:
        """Return what failures must not show: secrets, projects and addresses of live clouds."""
        accesses = (each for access in self.sessions.accesses() for each in access.known())
        return self.credentials().union(accesses)

    def credentials(self) -> frozenset[str]:
        """Return all tokens and passwords that this process knows."""
        if self._session is not None:
            self._known |= self._session.secrets()
        accesses = self.sessions.accesses()
        return frozenset(self._known).union(*({each.token, *each.secrets} for each in accesses))

    def read_files(self, os_cloud: str) -> None:
        """Add the secrets in OpenStack's files and environment variables."""
        self._known |= configured_secrets(os_cloud)

    def follow(self, session: Session) -> None:
        """Add the secrets that a test's own clients send or receive from now on."""
        self.credentials()  # adds those of the test before
        self._session = session

    @contextmanager
    def serves(self, harness: Harness) -> Iterator[RunResult]:
        """Collect what a test compares in the block; the yielded result is complete afterwards."""
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
        """Return this worker's result for pytest-xdist's controller."""
        return pickle.dumps(self.result)

    def receive(self, sent: bytes) -> None:
        """Add a result that a worker of this run sent."""
        self.result.add(pickle.loads(sent))
