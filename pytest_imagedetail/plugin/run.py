"""What the fixtures of one pytest run share, and what they leave behind for its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_imagedetail.plugin.explain import Explain
from pytest_imagedetail.plugin.left import Left
from pytest_imagedetail.plugin.unused import LEFT_OUT, Passed, Verdict, expected

if TYPE_CHECKING:
    from pytest_imagedetail.doors import Doors
    from pytest_imagedetail.harness import Harness
    from pytest_imagedetail.traffic import Session, Together
    from pytest_imagedetail.transport import Access


@dataclass(slots=True)
class Run:
    """What the fixtures of one pytest run share and leave behind."""

    doors: "Doors"
    harnesses: list["Harness"] = field(default_factory=list)
    current: "Harness | None" = None
    traffic: list[Left] = field(default_factory=list)
    together: dict[str, "Together"] = field(default_factory=dict)
    from_workers: list[Left] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)
    expected: set[str] = field(default_factory=set)
    left_out: str = ""
    known: set[str] = field(default_factory=set)
    listening: "Session | None" = None
    verdicts: tuple[Verdict, ...] = ()

    def secrets(self) -> frozenset[str]:
        """What no failure may show: the run's live ways to clouds, and what their clients told."""
        ways = (each for access in self.doors.passed() for each in access.known())
        return frozenset(ways) | self.told()

    def told(self) -> frozenset[str]:
        """The tokens and passwords that this process knows, whatever it knows them by."""
        if self.listening is not None:
            self.known |= self.listening.learnt()
        ways = self.doors.passed()
        return frozenset(self.known).union(*({each.token, *each.secrets} for each in ways))

    def read_files(self, os_cloud: str) -> None:
        """Know what OpenStack's files and variables hold by now.

        Raises:
            CredentialsError: One is broken.
        """
        from pytest_imagedetail.clouds import configured  # noqa: PLC0415  see the plugin

        self.known |= configured(os_cloud)

    @contextmanager
    def listens(self, traffic: "Session") -> Iterator[None]:
        """Know what a test's clients tell while the block runs, and from then on."""
        self.listening = traffic
        try:
            yield
        finally:
            self.known |= traffic.learnt()
            self.listening = None

    @contextmanager
    def serves(self, harness: "Harness") -> Iterator[None]:
        """Know whose comparison it is that a failing assertion makes while the block runs."""
        self.harnesses.append(harness)
        self.current = harness
        try:
            yield
        finally:
            self.current = None

    def end(self, session: pytest.Session) -> None:
        """Note which tests of this process had to run, for `unused.judge`."""
        self.expected = expected(getattr(session, "items", ()))
        self.left_out = session.config.stash.get(LEFT_OUT, "")

    def left(self) -> Left:
        """What this process and its workers left."""
        own = [
            Left(
                results=one.results,
                failures=one.failures,
                done=one.done,
                used={str(path) for path in one.used},
            )
            for one in self.harnesses
        ]
        left = Left(
            expected=set(self.expected),
            passed=self.passed & self.expected,
            left_out=self.left_out,
            written={path: dict(each.written()) for path, each in self.together.items()},
        )
        for each in (*self.from_workers, *self.traffic, *own):
            left.results.extend(each.results)
            left.failures.extend(each.failures)
            left.done.update(each.done)
            left.used |= each.used
            left.passed |= each.passed
            left.expected |= each.expected
            left.add_asked(each)
            left.left_out = left.left_out or each.left_out
            for cassette, interactions in each.unplayed.items():
                # What tests share is played if one of them plays it.
                known = left.unplayed.setdefault(cassette, interactions)
                left.unplayed[cassette] = [one for one in known if one in interactions]
        return left


RUN = pytest.StashKey[Run]()
"""Where a run keeps it; there is none until a fixture is first used."""


def run_of(config: pytest.Config) -> Run:
    """The run's state, made at first use together with the hooks that only users of it need."""
    if RUN not in config.stash:
        from pytest_imagedetail.doors import Doors  # noqa: PLC0415  see the plugin's first lines
        from pytest_imagedetail.plugin.hide import Hide, hide_in_logs  # noqa: PLC0415

        run = config.stash[RUN] = Run(doors=Doors(_connect))
        config.pluginmanager.register(Passed(run.passed), "imagedetail-passed")
        config.pluginmanager.register(Explain(config.rootpath), "imagedetail-explain")
        config.pluginmanager.register(Hide(run.secrets), "imagedetail-hide")
        hide_in_logs(config, run.secrets)
    return config.stash[RUN]


def _connect(os_cloud: str) -> "Access":
    """Open the way to a cloud, past a test's own cassette."""
    from pytest_imagedetail.cassette import capture  # noqa: PLC0415  it loads vcrpy
    from pytest_imagedetail.clouds import connect  # noqa: PLC0415  it may load openstacksdk

    with capture.unpatched():
        return connect(os_cloud)
