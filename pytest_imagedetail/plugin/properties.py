"""What a test compared, as counts: pytest writes them into JUnit XML as properties of the test."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_imagedetail.comparison import Comparison
    from pytest_imagedetail.model import Failure


def properties(
    comparisons: Sequence["Comparison"], failures: Sequence["Failure"]
) -> Iterator[tuple[str, int]]:
    """Names and counts, all tests' alike; nothing for a test that compared nothing."""
    if not comparisons and not failures:
        return
    yield "imagedetail_comparisons", len(comparisons)
    yield "imagedetail_failures", len(failures)
    found = [each.severity for one in comparisons for each in one.differences]
    for severity in ("breaking", "compatible", "data"):
        yield f"imagedetail_{severity}", found.count(severity)
    yield "imagedetail_expected", sum(len(one.expected) for one in comparisons)
