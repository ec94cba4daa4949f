"""What one process of a run leaves; pytest-xdist's workers send theirs to the controller."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import Failure
from pytest_imagedetail.traffic.keys import Key
from pytest_imagedetail.traffic.together import Mark

_Of = TypeVar("_Of")


@dataclass(slots=True)
class RunResult:
    """What tests compared, read and wrote.

    Attributes:
        results: All comparisons and matrices that were made.
        failures: Those that could not be made.
        done: What was done to a recording, by its name.
        used: Paths of the cassettes that were read or written.
        unplayed: Interactions that no test played, by the cassette's path below the root.
        verified: How often a test asked the cloud for each request of a shared cassette that was
            verified, by the cassette's path.
        rewritten: The same for shared cassettes that were recorded afresh.
        written: How often each recorded interaction must be in a shared cassette.
        expected: Tests that take our fixtures.
        passed: Those of them that passed.
        left_out: Why one of them may not have run: it was deselected or not collected; empty if
            all have run.
    """

    results: list[Comparison | Matrix] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    done: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    unplayed: dict[str, list[str]] = field(default_factory=dict)
    verified: dict[str, dict[Key, int]] = field(default_factory=dict)
    rewritten: dict[str, dict[Key, int]] = field(default_factory=dict)
    written: dict[str, dict[Mark, int]] = field(default_factory=dict)
    expected: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    left_out: str = ""

    def add(self, other: "RunResult") -> None:
        """Merge the result of another test or process into this one."""
        self.results += other.results
        self.failures += other.failures
        self.done |= other.done
        self.used |= other.used
        for cassette, interactions in other.unplayed.items():
            # An interaction of a shared cassette is played if one test plays it.
            known = self.unplayed.get(cassette, interactions)
            self.unplayed[cassette] = [each for each in known if each in interactions]
        _add_most(self.verified, other.verified)
        _add_most(self.rewritten, other.rewritten)
        _add_most(self.written, other.written)
        self.expected |= other.expected
        self.passed |= other.passed
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
        for severity in ("breaking", "compatible", "data"):
            yield f"imagedetail_{severity}", found.count(severity)
        yield "imagedetail_expected", sum(len(each.expected) for each in self.results)


def _add_most(own: dict[str, dict[_Of, int]], more: dict[str, dict[_Of, int]]) -> None:
    """Merge counts of requests: each as often as the test that asked it most."""
    for path, counted in more.items():
        known = own.setdefault(path, {})
        known |= {key: max(times, known.get(key, 0)) for key, times in counted.items()}
