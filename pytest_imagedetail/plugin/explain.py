"""Makes failures explain themselves: no frame of ours, and what a failed assertion compared."""

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_imagedetail.harness import Harness


_FACE = "pytest_imagedetail.plugin"


class Explain:
    """Hooks that make failures explain themselves; registered when a fixture is first used."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Cut our own frames out of our errors, and tell a failed assertion what differed."""
        from pytest_imagedetail.errors import ImageDetailError  # noqa: PLC0415  see above

        try:
            return (yield)
        except ImageDetailError as error:
            _cut_own_frames(error)
            raise
        except AssertionError as error:
            harness = getattr(item, "funcargs", {}).get("imagedetail")
            if harness is not None:
                _add_report(error, harness, verbose=item.config.get_verbosity() > 1)
            raise


def _add_report(error: AssertionError, harness: "Harness", *, verbose: bool) -> None:
    """Show the last comparison of the test, if it is one that an assertion can have failed on."""
    from pytest_imagedetail.report import terminal  # noqa: PLC0415  see the plugin's first lines

    if harness.comparisons and not harness.comparisons[-1].same:
        show = terminal.render if verbose else terminal.brief
        error.add_note("\n" + show(harness.comparisons[-1]))


def _cut_own_frames(error: BaseException) -> None:
    """Let a traceback end in the test's own line: our errors say all there is to say."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        called = place.tb_next.tb_frame.f_globals.get("__name__", "")
        if called.startswith("pytest_imagedetail.") and not called.startswith(_FACE):
            place.tb_next = None
        place = place.tb_next
    error.__cause__ = None
    error.__suppress_context__ = True


def explain_equality(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """What makes `listing == listing` false, in lines; None for anything else."""
    listing = sys.modules.get("pytest_imagedetail.listing")
    if op != "==" or listing is None:
        return None
    if not isinstance(left, listing.Listing) or not isinstance(right, listing.Listing):
        return None
    from pytest_imagedetail.compare import compare  # noqa: PLC0415  see the plugin's first lines
    from pytest_imagedetail.errors import ComparisonError  # noqa: PLC0415
    from pytest_imagedetail.report import terminal  # noqa: PLC0415

    try:
        comparison = compare(left, right)
    except ComparisonError as error:
        return str(error).splitlines()
    show = terminal.render if config.get_verbosity() > 1 else terminal.brief
    return show(comparison).splitlines()
