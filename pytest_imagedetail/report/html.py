"""Render results as one HTML page without scripts or other files. Only this module uses Jinja2."""

from collections.abc import Sequence

from pytest_imagedetail import __version__
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import Failure
from pytest_imagedetail.report import grid, text


def render(results: Sequence[Comparison | Matrix], failures: Sequence[Failure] = ()) -> str:
    """Return the whole page; everything from a cloud is escaped."""
    # Slow to import, and most runs write no page.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("pytest_imagedetail.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        results=results,
        comparisons=sum(isinstance(each, Comparison) for each in results),
        failures=failures,
        grid=grid,
        is_matrix=lambda result: isinstance(result, Matrix),
        text=text,
        version=__version__,
    )
