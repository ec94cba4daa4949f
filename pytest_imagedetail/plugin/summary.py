"""Report the results of a run at its end, with the recordings that no test used.

Only a full run shows what is unused: it replays, no subset of the tests was selected, every module
was collected, and every test that uses the fixtures passed.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_imagedetail import report
from pytest_imagedetail.cassette.names import CHECK, TRAFFIC
from pytest_imagedetail.errors import ImageDetailError, ReportError
from pytest_imagedetail.harness import RunResult
from pytest_imagedetail.model import Failure
from pytest_imagedetail.plugin.options import settings_of
from pytest_imagedetail.plugin.run import Run
from pytest_imagedetail.report import terminal
from pytest_imagedetail.settings import Settings
from pytest_imagedetail.workspace import store_of

_PARTIAL_RUN = "this run selects a part of the tests"
_MOST_LINES = 20
_MOST_CAUSES = 5
_COMPLETE_RUNS = {0, 1, 5}  # pytest's exit codes: all passed, some failed, no tests


class RunSummary:
    """Hooks that note what ran and report it at the end."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._reports: tuple[Path, ...] = ()
        self._report: report.Report | None = None
        self._unused: Sequence[str] = ()
        self._stopped = False

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Note that tests which use the fixtures will not run."""
        if any(map(self._run.is_used_by, items)):
            self._run.result.left_out = _PARTIAL_RUN

    @pytest.hookimpl(optionalhook=True)  # a hook of pytest-xdist
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Note that a worker crashed."""
        if error:
            self._fail(f"worker {node.gateway.id}", "it crashed, and what it compared is lost")

    def pytest_keyboard_interrupt(self) -> None:
        """Note that the run was stopped, by Ctrl-C or by `pytest.exit`, with any exit code."""
        self._stopped = True

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the reports and judge the run; in a worker, send the results to the controller."""
        result = self._run.result
        result.left_out = result.left_out or _collection_problem(session.config)
        items = getattr(session, "items", ())
        result.expected |= {item.nodeid for item in items if self._run.is_used_by(item)}
        output = getattr(session.config, "workeroutput", None)
        if output is not None:  # pytest-xdist's way to talk to its controller
            output["imagedetail"] = self._run.send()
            return
        try:
            settings = settings_of(session.config)
        except pytest.UsageError:
            return  # every test that uses a fixture has failed with it
        self._reports = () if session.config.getoption("collectonly") else settings.reports
        all_passed = exitstatus == pytest.ExitCode.OK
        self._unused, fails = _judge_unused(session.config, settings, result, all_passed=all_passed)
        if all_passed and fails:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if not self._reports and not result.results and not result.failures:
            return
        code = int(session.exitstatus)
        compatible = not result.failures and all(each.compatible for each in result.results)
        if self._stopped or code not in _COMPLETE_RUNS or (code == 1 and compatible):
            self._fail("the run", f"exit code {code}, and not because of a comparison")
        self._report = report.report_of(result.results, result.failures, exit_code=code)
        for path in self._reports:
            try:
                report.write(self._report, path)
            except ReportError as error:
                sys.stderr.write(f"\nERROR: {error}\n")
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    # pytest exports this class since 8.4.
    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Print the verdict, the worst causes, and what was recorded or not used."""
        lines = [*self._digest()]
        lines += [f"{name}: {what}" for name, what in sorted(self._run.result.done.items())]
        lines += [f"report {path}" for path in self._reports]
        lines += self._unused
        if lines:
            terminalreporter.section("imagedetail")
        for line in lines:
            terminalreporter.write_line(line)

    def _digest(self) -> Iterator[str]:
        """Yield the verdict and the worst causes; of failures that all tests accept, one line."""
        if self._report is None or self._report.verdict.passed is None:
            return
        if self._report.verdict.passed or self._report.verdict.exit_code:
            yield from terminal.digest(self._report, _MOST_CAUSES)
        else:
            yield f"the tests passed, although: {self._report.verdict.sentence}"

    def _fail(self, what: str, problem: str) -> None:
        failure = Failure(baseline="pytest", candidate=what, problem=problem)
        self._run.result.failures.append(failure)


def _collection_problem(config: pytest.Config) -> str:
    """Return a line about a module that was skipped or failed, as its tests are unknown, or ""."""
    for result in (*_reports(config, "skipped"), *_reports(config, "error")):
        if isinstance(result, pytest.CollectReport):
            return f"{result.nodeid} was not collected"
    return ""


def _reports(config: pytest.Config, outcome: str) -> Sequence[object]:
    """Return pytest's reports so far; workers of pytest-xdist have none."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return () if reporter is None else reporter.stats.get(outcome, ())


def _judge_unused(
    config: pytest.Config, settings: Settings, result: RunResult, *, all_passed: bool
) -> tuple[list[str], bool]:
    if settings.unused == "ignore" or not result.expected:
        return [], False
    fails = settings.unused == "fail"
    passed = {getattr(test, "nodeid", "") for test in _reports(config, "passed")}
    obstacles = (
        (settings.record_mode != "none", "this run records"),
        (_selects_tests(config), _PARTIAL_RUN),
        (bool(result.left_out), result.left_out),
        (not all_passed, "this run did not pass"),
        (not result.expected <= passed, "not every test that takes recordings was run"),
    )
    if reasons := [reason for applies, reason in obstacles if applies]:
        return [f"unused recordings were not judged: {reasons[0]}"] if fails else [], False
    try:
        unused = sorted(_unused_recordings(config, settings, result))
    except ImageDetailError as error:
        return f"ERROR: {error}".splitlines(), True
    if not unused:
        return [], False
    lines = unused[:_MOST_LINES]
    if len(unused) > _MOST_LINES:
        lines.append(f"unused ... and {len(unused) - _MOST_LINES} more")
    lines.append(
        "no test used these recordings: delete them, move those of renamed tests (imagedetail mv), "
        "or pass --imagedetail-unused=ignore"
    )
    return lines, fails


def _selects_tests(config: pytest.Config) -> bool:
    """Return whether the command line selects tests; an ini file does so in every run."""
    args = config.invocation_params.args
    if config.getoption("lf", default=None) or any(str(arg).startswith("--ign") for arg in args):
        return True
    folder = config.invocation_params.dir
    sources = pytest.Config.ArgsSource
    if config.args_source is not sources.ARGS:
        return config.args_source is sources.INVOCATION_DIR and folder != config.rootpath
    selected = {(folder / arg).resolve() for arg in config.args}
    testpaths = {(config.rootpath / path).resolve() for path in config.getini("testpaths")}
    return config.rootpath.resolve() not in selected and not (testpaths and testpaths <= selected)


def _unused_recordings(
    config: pytest.Config, settings: Settings, result: RunResult
) -> Iterator[str]:
    for cassette, interactions in result.unplayed.items():
        name = _relative(cassette, config.rootpath)
        yield from (f"unused {name}: {interaction}" for interaction in interactions)
    folders = settings.cassette_dir.glob("*/")
    cassettes = {folder.name: sorted(folder.rglob("*.yaml")) for folder in folders}
    # A cloud may only have the traffic of tests, and a selected one may be from the library.
    own = sorted(cloud for cloud, paths in cassettes.items() if paths)
    for cloud in settings.select([*own, *store_of(settings).library_clouds()]):
        for path in cassettes.get(cloud, ()):
            if path not in result.used and path.parts[-2:] != (TRAFFIC, f"{CHECK}.yaml"):
                yield f"unused {_relative(path, config.rootpath)}"


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
