"""The pytest face: hooks and fixtures. Imports pytest and the standard library alone.

Everything else is imported when a fixture is first used, so that a run without them pays nothing.
"""

import pickle
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_imagedetail.plugin.cassette import (
    STARTED,
    cassette_of,
    note_start,
    renew_shared,
    shut_network,
)
from pytest_imagedetail.plugin.explain import explain_equality
from pytest_imagedetail.plugin.left import Left
from pytest_imagedetail.plugin.options import (
    add_options,
    any_given,
    explained,
    refused,
    resolved,
    settings_for,
    settings_of,
)
from pytest_imagedetail.plugin.properties import properties
from pytest_imagedetail.plugin.run import RUN, Run, run_of
from pytest_imagedetail.plugin.unused import (
    LEFT_OUT,
    OF_A_PART,
    Verdict,
    judge,
    judge_verified,
    judge_written,
    takes_ours,
)

if TYPE_CHECKING:
    from pytest_imagedetail.harness import Cloud, Harness
    from pytest_imagedetail.settings import Settings
    from pytest_imagedetail.traffic import Traffic


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini keys."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and refuse choices that cannot be right before anything is collected."""
    config.addinivalue_line(
        "markers",
        "imagedetail(*clouds, baseline=None, query={}, level='facts', profile=None, rules=(), "
        "record_mode=None, cassette=None): "
        "which clouds a test runs for, and how its answers are asked for, recorded and compared",
    )
    note_start(config)
    if any_given(config):
        settings = settings_of(config)
        from pytest_imagedetail.harness import store_of  # noqa: PLC0415  see the first lines
        from pytest_imagedetail.rules import rules_of  # noqa: PLC0415

        store = store_of(settings)
        with explained(), _looked_up():
            recorded = dict.fromkeys([*store.clouds(), *store.traffic_clouds()])
            settings.check_names(recorded, store.library_clouds())
            rules_of(*settings.rules, today=datetime.now(UTC).date())
        if not hasattr(config, "workerinput"):  # the controller of pytest-xdist, or a run alone
            _remove_old(settings)


def _remove_old(settings: "Settings") -> None:
    """Remove older reports: they must not pass for this run's if it ends early."""
    for path in settings.reports:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise pytest.UsageError(
                f"the report cannot be written: {error.strerror}\n  where: {path}\n"
                "  next:  check the path and its permissions"
            ) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `imagedetail_cloud` once for each selected cloud."""
    if "imagedetail_cloud" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("imagedetail")
    names = _selected(metafunc.config, marker)
    # An empty set would skip the test in silence; None makes the fixture fail and say why.
    metafunc.parametrize(
        "imagedetail_cloud", names or (None,), ids=names or ("no-cloud",), indirect=True
    )


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Note that tests which take our fixtures will not run."""
    if any(map(takes_ours, items)):
        items[0].config.stash[LEFT_OUT] = OF_A_PART


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Note that tests which may take our fixtures are not known: their module was skipped, say."""
    report = yield
    if not report.passed:
        collector.config.stash[LEFT_OUT] = f"{collector.nodeid} was not collected"
    return report


@pytest.fixture
def imagedetail(request: pytest.FixtureRequest) -> Iterator["Harness"]:
    """All clouds by name, and `compare` between them."""
    from pytest_imagedetail.harness import Harness  # noqa: PLC0415  see the module's first lines

    settings = settings_for(request.node)
    run = run_of(request.config)
    harness = Harness(settings, doors=run.doors)
    shut = shut_network(request) if settings.record_mode == "none" else nullcontext()
    with shut, run.serves(harness):
        yield harness
    request.node.user_properties.extend(properties(harness.results, harness.failures))


@pytest.fixture
def imagedetail_cloud(request: pytest.FixtureRequest, imagedetail: "Harness") -> "Cloud":
    """One cloud; the test runs once for each selected one."""
    if request.param is None:
        from pytest_imagedetail.settings import nothing_selected  # noqa: PLC0415  see above

        settings = imagedetail.settings
        with refused(request.node):
            settings.select(_known(settings, request.node.get_closest_marker("imagedetail")))
        pytest.fail(str(nothing_selected(settings)), pytrace=False)
    return imagedetail[request.param]


@pytest.fixture(autouse=True)
def _imagedetail_cassette_first(request: pytest.FixtureRequest) -> None:
    """Open a test's cassette before its other fixtures of function scope, whatever their order.

    So it is closed after them: what they ask on their way up and down is its, too.
    """
    if "imagedetail_cassette" in request.fixturenames:
        request.getfixturevalue("imagedetail_cassette")


@pytest.fixture
def imagedetail_cassette(request: pytest.FixtureRequest) -> Iterator["Traffic"]:
    """What the test's own HTTP client asks, recorded for this test and cloud, and replayed."""
    with cassette_of(request) as traffic:
        yield traffic


def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Explain `listing == listing`; what that takes is a comparison of the test that fails."""
    run = config.stash.get(RUN, None)
    return explain_equality(config, op, left, right, harness=run.current if run else None)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the reports and judge what was used, or hand a worker's part to the controller."""
    config = session.config
    run = config.stash.get(RUN, None)
    if run is not None:
        run.end(session)
    output = getattr(config, "workeroutput", None)  # pytest-xdist's way to talk to its controller
    if output is not None:
        output["imagedetail"] = pickle.dumps(run.left() if run else Left())
        return
    if run is not None:
        _conclude(session, run, all_passed=exitstatus == pytest.ExitCode.OK)
    if config.getoption("--imagedetail-report") or config.getini("imagedetail_report"):
        from pytest_imagedetail import report  # noqa: PLC0415  see the module's first lines
        from pytest_imagedetail.errors import ReportError  # noqa: PLC0415

        left = run.left() if run else Left()
        for path in settings_of(config).reports:
            try:
                report.write(left.results, path, failures=left.failures)
            except ReportError as error:
                sys.stderr.write(f"\nERROR: {error}\n")
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def _conclude(session: pytest.Session, run: Run, *, all_passed: bool) -> None:
    """Do and say what only the whole run can tell."""
    from pytest_imagedetail.errors import ImageDetailError  # noqa: PLC0415  see the first lines

    config = session.config
    settings = settings_of(config)
    try:
        renew_shared(config, settings, run)
        left = run.left()
        run.verdicts = (
            judge(config, settings, left, all_passed=all_passed),
            judge_verified(config, left, all_passed=all_passed),
            judge_written(config, left),
        )
    except ImageDetailError as error:
        run.verdicts = (Verdict(lines=tuple(f"ERROR: {error}".splitlines()), fails=True),)
    if any(each.fails for each in run.verdicts) and all_passed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a pytest-xdist worker when the run began."""
    node.workerinput["imagedetail_started"] = node.config.stash[STARTED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a pytest-xdist worker compared and recorded."""
    sent = getattr(node, "workeroutput", {}).get("imagedetail")
    if sent is not None:
        run_of(node.config).from_workers.append(pickle.loads(sent))  # noqa: S301  our own worker's


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was recorded and where reports are."""
    run = config.stash.get(RUN, None)
    if run is None:
        return
    done = run.left().done
    reports = settings_of(config).reports
    lines = [line for verdict in run.verdicts for line in verdict.lines]
    if done or reports or lines:
        terminalreporter.section("imagedetail")
    for name, what in sorted(done.items()):
        terminalreporter.write_line(f"{name}: {what}")
    for path in reports:
        terminalreporter.write_line(f"report {path}")
    for line in lines:
        terminalreporter.write_line(line)


@contextmanager
def _looked_up() -> Iterator[None]:
    """Have a folder of cassettes that may not be read end the run with its message alone."""
    from pytest_imagedetail.errors import CassetteError  # noqa: PLC0415  see the first lines

    try:
        yield
    except CassetteError as error:
        raise pytest.UsageError(str(error)) from None


def _selected(config: pytest.Config, marker: pytest.Mark | None) -> tuple[str, ...]:
    """The clouds that a test runs for; none if its marker cannot be right, as its setup will say.

    Raises:
        pytest.Collector.CollectError: What cannot be right is the whole run's.
    """
    from pytest_imagedetail.errors import CassetteError, UsageError  # noqa: PLC0415  see the module's first lines

    try:
        settings = resolved(config, marker)
        return settings.select(_known(settings, marker))
    except UsageError as error:
        if marker is not None:
            return ()
        message = str(error)
    except CassetteError as error:  # the folder of cassettes may not be read
        message = str(error)
    raise pytest.Collector.CollectError(message)


def _known(settings: "Settings", marker: pytest.Mark | None) -> tuple[str, ...]:
    """Clouds to choose from: the recorded ones, and one that only the marker names."""
    named = [name for name in (marker.args if marker else ()) if not set(name) & set("*?[")]
    return tuple(dict.fromkeys([*_recorded(settings), *named]))


def _recorded(settings: "Settings") -> tuple[str, ...]:
    from pytest_imagedetail.harness import store_of, to_choose_from  # noqa: PLC0415  see above

    return to_choose_from(store_of(settings), settings)
