"""What the fixtures of one pytest run share, and what they leave behind for its end."""

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_imagedetail.plugin.explain import Explain

if TYPE_CHECKING:
    from pytest_imagedetail.comparison import Comparison
    from pytest_imagedetail.harness import Connect, Harness
    from pytest_imagedetail.model import Failure


@dataclass(slots=True)
class Run:
    """What the fixtures of one pytest run share and leave behind."""

    connect: "Connect"
    harnesses: list["Harness"] = field(default_factory=list)
    from_workers: list["Left"] = field(default_factory=list)

    def left(self) -> "Left":
        """What this process and its workers left."""
        own = [
            Left(comparisons=one.comparisons, failures=one.failures, done=one.done)
            for one in self.harnesses
        ]
        left = Left()
        for each in (*self.from_workers, *own):
            left.comparisons.extend(each.comparisons)
            left.failures.extend(each.failures)
            left.done.update(each.done)
        return left


@dataclass(slots=True)
class Left:
    """What one process's tests leave: comparisons, failed ones, and what was done to cassettes."""

    comparisons: list["Comparison"] = field(default_factory=list)
    failures: list["Failure"] = field(default_factory=list)
    done: dict[str, str] = field(default_factory=dict)


RUN = pytest.StashKey[Run]()
"""Where a run keeps it; there is none until a fixture is first used."""


def run_of(config: pytest.Config) -> Run:
    """The run's state, made at first use together with the hooks that only users of it need."""
    if RUN not in config.stash:
        from pytest_imagedetail.clouds import connect  # noqa: PLC0415  see the plugin's first lines

        config.stash[RUN] = Run(connect=functools.cache(connect))
        config.pluginmanager.register(Explain(), "imagedetail-explain")
    return config.stash[RUN]
