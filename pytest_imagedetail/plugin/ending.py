"""Judge a whole run at its end: unused recordings, requests not asked again, lost interactions.

Only a full run can tell what is unused: one that replays, was given no part of the tests to run,
and in which every module was collected and every test that takes our fixtures has passed.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_imagedetail import report
from pytest_imagedetail.cassette import load_own
from pytest_imagedetail.errors import ImageDetailError, ReportError
from pytest_imagedetail.plugin.cassette import renew_shared
from pytest_imagedetail.plugin.options import settings_of
from pytest_imagedetail.plugin.result import RunResult
from pytest_imagedetail.plugin.run import Run
from pytest_imagedetail.settings import Settings
from pytest_imagedetail.traffic.keys import unasked
from pytest_imagedetail.traffic.together import Mark, lost

_OF_A_PART = "this run is of a part of the tests"
_MOST_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said at the end.

    Attributes:
        lines: For the summary.
        fails: Whether the run fails for it.
    """

    lines: tuple[str, ...] = ()
    fails: bool = False


class Ending:
    """Hooks that note what has run, and judge and report it at the end.

    Args:
        run: What this process and its workers did.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._reports: tuple[Path, ...] = ()
        self._verdicts: tuple[Verdict, ...] = ()

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Note that tests which take our fixtures will not run."""
        if any(map(self._takes_ours, items)):
            self._run.left_out = _OF_A_PART

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test whose call passed."""
        if report.when == "call" and report.passed:
            self._run.passed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the reports and judge the run, or send a worker's part to the controller."""
        run, result = self._run, self._run.result
        left_out = run.left_out or _not_collected(session.config)
        ours = {each.nodeid for each in getattr(session, "items", ()) if self._takes_ours(each)}
        written = {path: dict(each.written()) for path, each in run.together.items()}
        result.add(
            RunResult(expected=ours, passed=run.passed & ours, written=written, left_out=left_out)
        )
        output = getattr(session.config, "workeroutput", None)
        if output is not None:  # pytest-xdist's way to talk to its controller
            output["imagedetail"] = run.send()
            return
        try:
            settings = settings_of(session.config)
        except pytest.UsageError:
            return  # every test that takes a fixture of ours has failed with it
        self._reports = settings.reports
        all_passed = exitstatus == pytest.ExitCode.OK
        found = _verdicts(session.config, settings, run, all_passed=all_passed)
        self._verdicts = tuple(found)
        if all_passed and any(each.fails for each in self._verdicts):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        for path in self._reports:
            try:
                report.write(result.results, path, failures=result.failures)
            except ReportError as error:
                sys.stderr.write(f"\nERROR: {error}\n")
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was recorded, where the reports are, and what the verdicts are."""
        lines = [f"{name}: {what}" for name, what in sorted(self._run.result.done.items())]
        lines += [f"report {path}" for path in self._reports]
        lines += [line for verdict in self._verdicts for line in verdict.lines]
        if lines:
            terminalreporter.section("imagedetail")
        for line in lines:
            terminalreporter.write_line(line)

    def _takes_ours(self, item: pytest.Item) -> bool:
        return not self._run.fixtures.isdisjoint(getattr(item, "fixturenames", ()))


def _not_collected(config: pytest.Config) -> str:
    """Name a module that was skipped or failed: nobody knows which tests it has."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats if reporter is not None else {}  # workers of pytest-xdist have none
    reports = [*stats.get("skipped", ()), *stats.get("error", ())]
    found = (each.nodeid for each in reports if isinstance(each, pytest.CollectReport))
    return next((f"{nodeid} was not collected" for nodeid in found), "")


def _verdicts(
    config: pytest.Config, settings: Settings, run: Run, *, all_passed: bool
) -> Iterator[Verdict]:
    try:
        renew_shared(settings, run)
        yield _judge(config, settings, run.result, all_passed=all_passed)
        yield _judge_verified(config, run.result, all_passed=all_passed)
        yield _judge_written(config, run.result)
    except ImageDetailError as error:
        yield Verdict(lines=tuple(f"ERROR: {error}".splitlines()), fails=True)


def _judge(
    config: pytest.Config, settings: Settings, left: RunResult, *, all_passed: bool
) -> Verdict:
    """Which recordings of the selected clouds no test used, if this run can tell.

    Args:
        config: Of the process that sees the whole run.
        settings: Its choices.
        left: What all processes left.
        all_passed: Whether the run has succeeded so far.
    """
    if settings.unused == "ignore" or not left.expected:
        return Verdict()
    why_not = _why_not(config, settings, left, all_passed=all_passed)
    if why_not:
        told = (f"unused recordings were not judged: {why_not}",)
        return Verdict(lines=told if settings.unused == "fail" else ())
    found = [*_files(config, settings, left), *_interactions(left)]
    if not found:
        return Verdict()
    more = [f"unused ... and {len(found) - _MOST_LINES} more"] if len(found) > _MOST_LINES else []
    last = "no test used these recordings: delete them, or pass --imagedetail-unused=ignore"
    shown = sorted(found)[:_MOST_LINES]
    return Verdict(lines=(*shown, *more, last), fails=settings.unused == "fail")


def _judge_verified(config: pytest.Config, left: RunResult, *, all_passed: bool) -> Verdict:
    """Which requests of cassettes that tests share no test asked again, if this run can tell.

    Args:
        config: Of the process that sees the whole run.
        left: What all processes left.
        all_passed: Whether the run has succeeded so far.

    Raises:
        DamagedCassetteError: What was verified is not there any more.
    """
    if not left.verified:
        return Verdict()

    found = [
        f"no longer asked {_shown(Path(path), config.rootpath)}: {each}"
        for path, asked in sorted(left.verified.items())
        for each in unasked(load_own(Path(path)), asked)
    ]
    if not found:
        return Verdict()
    why_not = _why_not_full(config, left, all_passed=all_passed)
    if why_not:
        told = "what tests share was verified in part: "
        return Verdict(lines=(f"{told}{len(found)} of its requests were not asked, {why_not}",))
    more = [f"no longer asked ... and {len(found) - _MOST_LINES} more"]
    last = "if that is right, delete the cassette and record: pytest --imagedetail-record-mode=once"
    rest = more if len(found) > _MOST_LINES else []
    return Verdict(lines=(*found[:_MOST_LINES], *rest, last), fails=True)


def _judge_written(config: pytest.Config, left: RunResult) -> Verdict:
    """Whether all that the run's tests wrote to cassettes that they share is still there.

    Args:
        config: Of the process that sees the whole run.
        left: What all processes left.

    Raises:
        DamagedCassetteError: A cassette is not whole any more.
    """
    lines = [
        line
        for path, written in sorted(left.written.items())
        if written
        for line in _lost(config, Path(path), written)
    ]
    return Verdict(lines=tuple(lines), fails=bool(lines))


def _lost(config: pytest.Config, path: Path, written: dict[Mark, int]) -> Iterator[str]:

    found = lost(load_own(path) if path.exists() else None, written)
    if not found:
        return
    name = _shown(path, config.rootpath)
    yield (
        f"ERROR: {len(found)} of the {sum(written.values())} interactions that this run recorded "
        f"are not in {name}"
    )
    yield from (f"  lost:  {each}" for each in found[:_MOST_LINES])
    if len(found) > _MOST_LINES:
        yield f"  lost:  and {len(found) - _MOST_LINES} more"
    command = "pytest --imagedetail-record-mode=rewrite"
    yield f"  next:  if another run wrote it, too, record alone: {command}"
    yield "  next:  if the cloud answered the tests otherwise, give them cassettes of their own"


def _why_not(
    config: pytest.Config, settings: Settings, left: RunResult, *, all_passed: bool
) -> str | None:
    """Why this run cannot tell what is unused; None if it can."""
    if settings.record_mode != "none":
        return "this run records"
    return _why_not_full(config, left, all_passed=all_passed)


def _why_not_full(config: pytest.Config, left: RunResult, *, all_passed: bool) -> str | None:
    """Why this run is not a full one; None if it is."""
    reasons = (
        (_is_of_a_part(config), _OF_A_PART),
        (bool(left.left_out), left.left_out),
        (not all_passed, "this run did not pass"),
        (not left.expected <= left.passed, "not every test that takes recordings was run"),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _is_of_a_part(config: pytest.Config) -> bool:
    """Whether the command line chose tests; one that deselects in an ini file may, for it holds."""
    chosen = ("keyword", "lf", "failedfirst", "newfirst", "stepwise", "pyargs")
    if any(config.getoption(name, default=None) for name in chosen):
        return True
    if any(str(each).startswith("--ignore") for each in config.invocation_params.args):
        return True
    here = config.invocation_params.dir
    sources = pytest.Config.ArgsSource
    if config.args_source is not sources.ARGS:
        return config.args_source is sources.INVOCATION_DIR and here != config.rootpath
    given = {(here / each).resolve() for each in config.args}
    usual = {(config.rootpath / each).resolve() for each in config.getini("testpaths")}
    return config.rootpath.resolve() not in given and (not usual or not usual <= given)


def _files(config: pytest.Config, settings: Settings, left: RunResult) -> Iterator[str]:
    """Cassettes of the selected clouds that no test read; of the project's own folder only."""
    folder = settings.cassette_dir
    found = {path.name: sorted(path.rglob("*.yaml")) for path in sorted(folder.glob("*/"))}
    # A cloud may have the traffic of tests alone, and no answer to a query.
    clouds = settings.select(cloud for cloud, paths in found.items() if paths)
    for path in (path for cloud in clouds for path in found.get(cloud, ())):
        if str(path) not in left.used:
            yield f"unused {_shown(path, config.rootpath)}"


def _interactions(left: RunResult) -> Iterator[str]:
    """What no test played of the cassettes that tests did use."""
    for cassette, interactions in left.unplayed.items():
        yield from (f"unused {cassette}: {each}" for each in interactions)


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
