"""What one process of a run leaves behind; pytest-xdist's workers send it to their controller."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pytest_imagedetail.comparison import Comparison
    from pytest_imagedetail.matrix import Matrix
    from pytest_imagedetail.model import Failure
    from pytest_imagedetail.traffic.keys import Key
    from pytest_imagedetail.traffic.together import Mark

_Of = TypeVar("_Of")


@dataclass(slots=True)
class Left:
    """What one process's tests leave: results, what failed, and what was done to cassettes.

    Attributes:
        results: All comparisons and matrices that were made.
        failures: Those that could not be made.
        done: What was done to a recording, by its name.
        used: Paths of the cassettes that were read or written.
        unplayed: What was never played of a test's own traffic, by its cassette as it is shown.
        verified: How often a test asked the cloud for each request of a cassette that tests share
            and that was verified, by the cassette's path.
        rewritten: The same of those that were recorded afresh.
        written: How often each interaction that was heard must be in a cassette that tests share.
        expected: Tests that take our fixtures.
        passed: Those of them that passed here.
        left_out: Why one may not have run: it was deselected or not collected; empty if none.
    """

    results: list["Comparison | Matrix"] = field(default_factory=list)
    failures: list["Failure"] = field(default_factory=list)
    done: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    unplayed: dict[str, list[str]] = field(default_factory=dict)
    verified: dict[str, dict["Key", int]] = field(default_factory=dict)
    rewritten: dict[str, dict["Key", int]] = field(default_factory=dict)
    written: dict[str, dict["Mark", int]] = field(default_factory=dict)
    expected: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    left_out: str = ""

    def add_asked(self, other: "Left") -> None:
        """Count what another's tests asked of shared cassettes: each as often as the one most."""
        _add(self.verified, other.verified)
        _add(self.rewritten, other.rewritten)
        _add(self.written, other.written)


def _add(own: dict[str, dict[_Of, int]], more: dict[str, dict[_Of, int]]) -> None:
    for path, counted in more.items():
        known = own.setdefault(path, {})
        known |= {key: max(times, known.get(key, 0)) for key, times in counted.items()}
