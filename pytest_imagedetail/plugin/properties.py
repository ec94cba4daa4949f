"""What a test compared, as counts: pytest writes them into JUnit XML as properties of the test."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_imagedetail.comparison import Comparison
    from pytest_imagedetail.matrix import Matrix
    from pytest_imagedetail.model import Failure


def properties(
    results: Sequence["Comparison | Matrix"], failures: Sequence["Failure"]
) -> Iterator[tuple[str, int]]:
    """Names and counts, all tests' alike; nothing for a test that compared nothing."""
    if not results and not failures:
        return
    from pytest_imagedetail.matrix import Matrix  # noqa: PLC0415  see the plugin's first lines

    matrices = sum(isinstance(one, Matrix) for one in results)
    yield "imagedetail_comparisons", len(results) - matrices
    yield "imagedetail_matrices", matrices
    yield "imagedetail_not_compared", len(failures)
    found = [severity for one in results for severity in one.severities]
    for severity in ("breaking", "compatible", "data"):
        yield f"imagedetail_{severity}", found.count(severity)
    yield "imagedetail_expected", sum(len(one.expected) for one in results)
