"""Make failures readable: hide the plugin's frames, and show what a failed assertion compared."""

import traceback
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import pytest

from pytest_imagedetail import errors
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.plugin.run import Run, state_of
from pytest_imagedetail.report import report_of, terminal
from pytest_imagedetail.report.findings import Result

_PACKAGE = Path(errors.__file__).parent
_MODULE_PREFIX = "pytest_imagedetail."
_NOTHING_PLAYED = (
    "\nnothing was replayed in this process; programs that a test starts need imagedetail_server"
)


class FailureExplainer:
    """Hooks that make failures readable."""

    def __init__(self, run: Run, root: Path) -> None:
        self._run = run
        self._root = root
        self._explained: Comparison | None = None  # shown by a failed assertion itself

    def pytest_assertrepr_compare(
        self, config: pytest.Config, op: str, left: object, right: object
    ) -> list[str] | None:
        """Explain a failed `listing == listing` with a comparison, which the harness keeps."""
        if op != "==" or not isinstance(left, Listing) or not isinstance(right, Listing):
            return None
        if left == right:
            return None  # for `a == b and c == d`, pytest calls this for both
        harness = self._run.current
        try:
            comparison = (compare if harness is None else harness.why_unequal)(left, right)
        except errors.ComparisonError as error:
            return str(error).splitlines()
        self._explained = comparison
        return _render(comparison, verbose=config.get_verbosity() > 1).splitlines()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Add the last comparison and the refused requests to a failed test's error."""
        state = state_of(item)
        state.in_call, state.subtest_failed = True, False
        try:
            return (yield)
        except Exception as error:
            if isinstance(error, AssertionError) and self._run.current is not None:
                last = next(reversed(self._run.current.result.results), None)
                if last is not None and not last.same and last is not self._explained:
                    verbose = item.config.get_verbosity() > 1
                    error.add_note("\n" + _render(last, verbose=verbose))
            add_refusals(error, state.refused)
            session = state.session
            is_explained = state.refused or isinstance(error, errors.ImageDetailError)
            if session and session.replays and not (session.player.played or is_explained):
                error.add_note(_NOTHING_PLAYED)
            raise
        finally:
            state.in_call = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Hide the plugin's frames, and note how the call ended."""
        failure = None if call.excinfo is None else call.excinfo.value
        is_bare = failure is not None and _hide_frames(failure, self._root)
        report = yield
        is_ours = isinstance(failure, errors.ImageDetailError)
        if is_ours and call.when == "teardown" and hasattr(report, "wasxfail"):
            # pytest applies the mark xfail to errors at teardown as well.
            del report.wasxfail
            report.outcome = "failed"
        if call.excinfo is not None and is_bare and report.failed:
            report.longrepr = call.excinfo.getrepr(style="value")
        state = state_of(item)
        if state.in_call:
            state.subtest_failed |= report.failed or hasattr(report, "wasxfail")
        elif call.when == "call":
            is_expected = report.skipped and hasattr(report, "wasxfail")
            outcome = "xfailed" if is_expected else report.outcome
            state.outcome = "failed" if state.subtest_failed else outcome
        return report


def _hide_frames(failure: BaseException, root: Path) -> bool:
    """Cut the traceback of every plugin error in a chain after the last line of the project.

    Return whether the failure is such an error without a line of the project.
    """
    is_bare = False
    for error in tuple(_error_tree(failure)):
        if isinstance(error, errors.ImageDetailError):
            has_line = _cut_traceback(error, root)
            error.__cause__ = None  # also suppresses the context
            if error is failure and not has_line:
                is_bare = True
                # pytest shows no notes of an error without a traceback.
                error.problem = "\n".join([error.problem, *getattr(error, "__notes__", ())])
                error.__notes__ = []
    return is_bare


def _cut_traceback(error: BaseException, root: Path) -> bool:
    """Cut a traceback after the project's last line, or else before the plugin's first frame."""
    entry, last, before = error.__traceback__, None, None
    in_plugin = False
    while entry is not None:
        module = entry.tb_frame.f_globals.get("__name__", "")
        in_plugin = in_plugin or module.startswith(_MODULE_PREFIX)
        if _is_project_file(root, entry.tb_frame.f_code.co_filename):
            last = entry
        elif not in_plugin:
            before = entry
        entry = entry.tb_next
    if (end := last or before) is not None:
        end.tb_next = None
    return last is not None


def _error_tree(failure: BaseException) -> Iterator[BaseException]:
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


def add_refusals(error: Exception, refused: Sequence[errors.ImageDetailError]) -> None:
    """Add the refused requests, in case the test's client raised another error instead."""
    text = "".join(traceback.format_exception(error))
    for refusal in refused:
        if str(refusal) not in text:
            error.add_note(f"\nthis was refused to the test:\n{refusal}")
            text += str(refusal)


def _render(result: Result, *, verbose: bool) -> str:
    return terminal.render(report_of([result])) if verbose else terminal.brief(result)


def _is_project_file(root: Path, name: str) -> bool:
    """Return whether a file belongs to the project, which may be this plugin's own."""
    file = Path(name)
    is_other = "site-packages" in file.parts or file.is_relative_to(_PACKAGE)
    return file.is_relative_to(root) and not is_other
