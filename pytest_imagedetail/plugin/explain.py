"""Make failures explain themselves: no frame of ours, and what a failed assertion compared."""

import traceback
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_imagedetail import errors
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.harness import Harness
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.plugin.run import Run, state_of
from pytest_imagedetail.report import report_of, terminal

_PLUGIN = "pytest_imagedetail.plugin"
_OURS = ("pytest_imagedetail.", "vcr.")
_PYTESTS = ("_pytest.", "pluggy.")


class Explain:
    """Hooks that make failures explain themselves."""

    def __init__(self, run: Run, root: Path) -> None:
        self._run = run
        self._root = root

    def pytest_assertrepr_compare(
        self, config: pytest.Config, op: str, left: object, right: object
    ) -> list[str] | None:
        """Explain a failed `listing == listing` by a comparison, which the test keeps."""
        if op != "==" or not isinstance(left, Listing) or not isinstance(right, Listing):
            return None
        if left == right:
            return None  # of `a == b and c == d`, pytest asks about both
        harness = self._run.current
        try:
            comparison = (compare if harness is None else harness.why_unequal)(left, right)
        except errors.ComparisonError as error:
            return str(error).splitlines()
        return _shown(comparison, verbose=config.get_verbosity() > 1).splitlines()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Add the last comparison and what was refused to a failed test's error."""
        state = state_of(item)
        state.running, state.subtest_failed = True, False
        try:
            return (yield)
        except Exception as error:
            harness = getattr(item, "funcargs", {}).get("imagedetail")
            # A test may have a fixture of this name.
            if isinstance(error, AssertionError) and isinstance(harness, Harness):
                _add_report(error, harness, verbose=item.config.get_verbosity() > 1)
            _add_refusals(error, item)
            raise
        finally:
            state.running = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Show no frame of ours, and note whether the call passed (an expected failure did not)."""
        if call.excinfo is not None:
            _conceal(call.excinfo.value, self._root, in_call=call.when == "call")
        report = yield
        state = state_of(item)
        if state.running:
            state.subtest_failed |= report.failed or hasattr(report, "wasxfail")
        elif call.when == "call":
            state.passed = report.passed and not state.subtest_failed
            state.skipped = report.skipped and not hasattr(report, "wasxfail")
        return report


def _conceal(failure: BaseException, root: Path, *, in_call: bool) -> None:
    """Cut our frames out of our errors, and empty them in others, wherever in a chain they are."""
    for error in tuple(_all_in(failure)):
        _empty_own_frames(error, root)
        if isinstance(error, errors.NoInteractionError | errors.NetworkShutError):
            _cut_behind(error, root)
        if isinstance(error, errors.ImageDetailError):
            _cut_own_frames(error, in_call=in_call)


def _all_in(failure: BaseException) -> Iterator[BaseException]:
    """Yield an error, its causes and the members of groups, each once."""
    pending: list[BaseException | None] = [failure]
    seen: set[int] = set()
    while pending:
        error = pending.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        pending += [error.__cause__, error.__context__]
        if isinstance(error, BaseExceptionGroup):
            pending += error.exceptions


def _empty_own_frames(error: BaseException, root: Path) -> None:
    """Clear the locals of our frames and of those that these called; file and line stay."""
    ours = False
    for frame, _ in traceback.walk_tb(error.__traceback__):
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_OURS):
            ours = True
        elif module.startswith(_PYTESTS) or _is_in(root, frame.f_code.co_filename):
            ours = False
        if ours:
            with suppress(RuntimeError):  # still running: a hook of ours around the failure
                frame.clear()


def _add_refusals(error: Exception, item: pytest.Item) -> None:
    """Show what was refused to the test where a client has made another error of it."""
    shown = "".join(traceback.format_exception(error))
    for each in (one for refused in state_of(item).refused for one in refused):
        if str(each) not in shown:
            error.add_note(f"\nthis was refused to the test:\n{each}")
            shown += str(each)


def _add_report(error: AssertionError, harness: Harness, *, verbose: bool) -> None:
    """Show the test's last comparison or matrix, if an assertion can have failed on it."""
    last = next(reversed(harness.results), None)
    if last is None or last.same or any(last is each for each in harness.explained):
        return
    error.add_note("\n" + _shown(last, verbose=verbose))


def _shown(result: Comparison | Matrix, *, verbose: bool) -> str:
    return terminal.render(report_of([result])) if verbose else terminal.brief(result)


def _cut_behind(error: BaseException, root: Path) -> None:
    """End a traceback in the last line of the project, without those of its HTTP client."""
    place, last = error.__traceback__, None
    while place is not None:
        if _is_in(root, place.tb_frame.f_code.co_filename):
            last = place
        place = place.tb_next
    if last is not None:
        last.tb_next = None


def _is_in(root: Path, name: str) -> bool:
    """Return whether a file belongs to the project."""
    file = Path(name)
    return file.is_relative_to(root) and "site-packages" not in file.parts


def _cut_own_frames(error: BaseException, *, in_call: bool) -> None:
    """End a traceback in the test's own line: our errors need no more."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        called = place.tb_next.tb_frame.f_globals.get("__name__", "")
        if called.startswith("pytest_imagedetail.") and not (
            in_call and called.startswith(_PLUGIN)
        ):
            place.tb_next = None
        place = place.tb_next
    error.__cause__ = None
    error.__suppress_context__ = True
