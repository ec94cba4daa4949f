"""Makes failures explain themselves: no frame of ours, and what a failed assertion compared."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_imagedetail.errors import ImageDetailError
    from pytest_imagedetail.harness import Harness


_FACE = "pytest_imagedetail.plugin"

PASSED = pytest.StashKey[bool]()
"""Whether the test's call has passed."""

_REFUSED = pytest.StashKey[list[list["ImageDetailError"]]]()


def watch(item: pytest.Item, refused: list["ImageDetailError"]) -> None:
    """Have a test's failure text show what was refused to it, whatever a client made of that.

    Args:
        item: The test.
        refused: Filled while the test runs.
    """
    item.stash.setdefault(_REFUSED, []).append(refused)


class Explain:
    """Hooks that make failures explain themselves; registered when a fixture is first used."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Cut our own frames out of our errors; the plugin's are none of the user's, too."""
        with _without_ours(item, also=_FACE):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Cut our own frames out of our errors, and tell a failed test what was refused to it."""
        try:
            with _without_ours(item):
                return (yield)
        except AssertionError as error:
            harness = getattr(item, "funcargs", {}).get("imagedetail")
            if harness is not None:
                _add_report(error, harness, verbose=item.config.get_verbosity() > 1)
            _add_refusals(error, item)
            raise
        except Exception as error:
            _add_refusals(error, item)
            raise

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Cut our own frames out of our errors."""
        with _without_ours(item, also=_FACE):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note whether the call passed, by the report itself: an expected failure is no pass."""
        report = yield
        if call.when == "call":
            item.stash[PASSED] = report.passed
        return report


@contextmanager
def _without_ours(item: pytest.Item, *, also: str = "") -> Iterator[None]:
    from pytest_imagedetail import errors  # noqa: PLC0415  see the plugin's first lines

    try:
        yield
    except errors.ImageDetailError as error:
        if isinstance(error, errors.NoInteractionError | errors.NetworkShutError):
            _cut_behind(error, item.config.rootpath)
        _cut_own_frames(error, also)
        raise


def _add_refusals(error: Exception, item: pytest.Item) -> None:
    """Show what was refused to the test where a client has made another error of it."""
    shown = "\n".join(map(str, _chain(error)))
    for each in (one for refused in item.stash.get(_REFUSED, []) for one in refused):
        if str(each) not in shown:
            error.add_note(f"\nthis was refused to the test:\n{each}")
            shown += str(each)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        hidden = error.__suppress_context__
        error = error.__cause__ or (None if hidden else error.__context__)


def _add_report(error: AssertionError, harness: "Harness", *, verbose: bool) -> None:
    """Show the last comparison of the test, if it is one that an assertion can have failed on."""
    from pytest_imagedetail.report import terminal  # noqa: PLC0415  see the plugin's first lines

    if harness.comparisons and not harness.comparisons[-1].same:
        show = terminal.render if verbose else terminal.brief
        error.add_note("\n" + show(harness.comparisons[-1]))


def _cut_behind(error: BaseException, root: Path) -> None:
    """Let a traceback end in the last line of the project: a client's own lines say nothing."""
    place, last = error.__traceback__, None
    while place is not None:
        file = Path(place.tb_frame.f_code.co_filename)
        if file.is_relative_to(root) and "site-packages" not in file.parts:
            last = place
        place = place.tb_next
    if last is not None:
        last.tb_next = None


def _cut_own_frames(error: BaseException, also: str = "") -> None:
    """Let a traceback end in the test's own line: our errors say all there is to say."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        called = place.tb_next.tb_frame.f_globals.get("__name__", "")
        of_face = called.startswith(_FACE) and not also
        if called.startswith("pytest_imagedetail.") and not of_face:
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
