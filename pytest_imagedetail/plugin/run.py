"""The state that the fixtures of one pytest run share, and the results of the run."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import pytest

from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.harness import Harness, RunResult
from pytest_imagedetail.network import Place
from pytest_imagedetail.record.clouds import configured_secrets, connect
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.traffic import Session
from pytest_imagedetail.transport.http import Access


@dataclass(slots=True, kw_only=True)
class TestState:
    """The state of one test while it runs."""

    cassette_opened: bool = False  # its cassette is open or about to be
    session: Session | None = None  # to be written after the teardown passes
    refused: list[ImageDetailError] = field(default_factory=list)  # requests and connections
    in_call: bool = False  # reports then belong to subtests
    subtest_failed: bool = False  # although the call may pass
    outcome: str = ""  # of its call and subtests: "passed", "xfailed" ...


_STATE = pytest.StashKey[TestState]()


def state_of(item: pytest.Item) -> TestState:
    """Return the state of a test."""
    return item.stash.setdefault(_STATE, TestState())


def reset_state(item: pytest.Item) -> None:
    """Reset the state of a test: pytest-rerunfailures runs the same one several times."""
    item.stash[_STATE] = TestState()


class Run:
    """The state of one pytest run in one process."""

    def __init__(self, fixtures: frozenset[str]) -> None:
        self._fixtures: Final = fixtures
        self.sessions: Final = CloudSessions(self._connect)
        self.result: Final = RunResult()  # of finished tests and workers
        self.current: Harness | None = None  # of the running test
        self.server_hosts: Callable[[], frozenset[Place]] = frozenset
        self._credentials: set[str] = set()
        self._session: Session | None = None

    def is_used_by(self, item: pytest.Item) -> bool:
        """Return whether a test uses one of the fixtures."""
        return not self._fixtures.isdisjoint(getattr(item, "fixturenames", ()))

    def _connect(self, os_cloud: str) -> Access:
        """Authenticate without recording it in a test's cassette."""
        from pytest_imagedetail.cassette import capture  # imports vcrpy, unneeded in replay

        with capture.unpatched():
            return connect(os_cloud)

    def secrets(self) -> frozenset[str]:
        """Return what failures must not show: secrets, projects and addresses of live clouds."""
        accesses = self.sessions.accesses()
        return self.credentials().union(*(access.identifying_values() for access in accesses))

    def credentials(self) -> frozenset[str]:
        """Return all tokens and passwords that this process knows."""
        if self._session is not None:
            self._credentials |= self._session.secrets()
        live = ({access.token, *access.secrets} for access in self.sessions.accesses())
        return frozenset(self._credentials).union(*live)

    def add_configured_secrets(self, os_cloud: str) -> None:
        """Add the secrets in OpenStack's files and environment variables."""
        self._credentials |= configured_secrets(os_cloud)

    def follow(self, session: Session) -> None:
        """Add the secrets that a test's own clients send or receive from now on."""
        self.credentials()  # adds those of the previous test
        self._session = session

    def send(self) -> bytes:
        """Return this worker's result for pytest-xdist's controller."""
        return pickle.dumps(self.result)

    def receive(self, data: bytes) -> None:
        """Add a result that a worker of this run sent."""
        self.result.add(pickle.loads(data))
