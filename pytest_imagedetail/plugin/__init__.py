"""The pytest face: options, marker and fixtures. Imports pytest and the standard library alone.

Everything else is imported when a fixture is first used, so that a run without them pays nothing.
"""

import contextlib
import functools
import pickle
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_imagedetail.comparison import Comparison
    from pytest_imagedetail.harness import Cloud, Connect, Harness
    from pytest_imagedetail.model import Failure
    from pytest_imagedetail.settings import Choices, Settings


_OPTIONS = (
    "record-mode",
    "cloud",
    "cassette-dir",
    "clouds-file",
    "baseline",
    "profile",
    "fail-on",
    "report",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini keys, all with the plugin's prefix."""
    group = parser.getgroup("imagedetail", "OpenStack images/detail: record, replay, compare")
    group.addoption(
        "--imagedetail-record-mode",
        choices=("none", "once", "new_episodes", "rewrite", "verify"),
        help="none: replay only (default); once, new_episodes: record what is missing; "
        "rewrite: record afresh; verify: compare live answers with cassettes, write nothing",
    )
    group.addoption(
        "--imagedetail-cloud",
        action="append",
        default=[],
        metavar="NAME",
        help="run for this cloud only; repeatable, globs allowed "
        "(default: all that have cassettes or are declared)",
    )
    group.addoption(
        "--imagedetail-cassette-dir",
        metavar="DIR",
        help="folder of cassettes (default: cassettes under rootdir)",
    )
    group.addoption(
        "--imagedetail-clouds-file",
        metavar="FILE",
        help="names and releases of clouds (default: imagedetail.yaml, if present)",
    )
    group.addoption(
        "--imagedetail-baseline", metavar="NAME", help="the cloud that others are compared with"
    )
    group.addoption(
        "--imagedetail-profile",
        choices=("wire", "same-cloud", "cross-version", "cross-cloud"),
        help="how far answers are normalized before comparing (default: cross-version)",
    )
    group.addoption(
        "--imagedetail-fail-on",
        choices=("breaking", "change", "none"),
        help="from which severity on a comparison is not compatible (default: breaking)",
    )
    group.addoption(
        "--imagedetail-report",
        action="append",
        default=[],
        metavar="FILE",
        help="write all comparisons of the run to FILE (.html, .json or .md); repeatable",
    )
    parser.addini("imagedetail_record_mode", "as --imagedetail-record-mode")
    parser.addini("imagedetail_clouds", "as --imagedetail-cloud", type="linelist")
    parser.addini("imagedetail_cassette_dir", "as --imagedetail-cassette-dir")
    parser.addini("imagedetail_clouds_file", "as --imagedetail-clouds-file")
    parser.addini("imagedetail_baseline", "as --imagedetail-baseline")
    parser.addini("imagedetail_profile", "as --imagedetail-profile")
    parser.addini("imagedetail_fail_on", "as --imagedetail-fail-on")
    parser.addini("imagedetail_report", "as --imagedetail-report", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and refuse choices that cannot be right before anything is collected."""
    config.addinivalue_line(
        "markers",
        "imagedetail(*clouds, baseline=None, profile=None, record_mode=None): "
        "which clouds a test runs for, and how its answers are recorded and compared",
    )
    if any(config.getoption(f"--imagedetail-{name}") for name in _OPTIONS):
        settings = _settings(config, None)
        from pytest_imagedetail.harness import store_of  # noqa: PLC0415  see the first lines

        store = store_of(settings)
        with _explained():
            settings.check_names(store.clouds(), store.library_clouds())
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
    settings = _settings(metafunc.config, marker)
    with _explained():
        names = settings.select(_known(settings, marker))
    # An empty set would skip the test in silence; None makes the fixture fail and say why.
    metafunc.parametrize(
        "imagedetail_cloud", names or (None,), ids=names or ("no-cloud",), indirect=True
    )


@pytest.fixture
def imagedetail(request: pytest.FixtureRequest) -> "Harness":
    """All clouds by name, and `compare` between them."""
    from pytest_imagedetail.harness import Harness  # noqa: PLC0415  see the module's first lines

    settings = _settings(request.config, request.node.get_closest_marker("imagedetail"))
    run = _run(request.config)
    harness = Harness(settings, connect=run.connect)
    run.harnesses.append(harness)
    return harness


@pytest.fixture
def imagedetail_cloud(request: pytest.FixtureRequest, imagedetail: "Harness") -> "Cloud":
    """One cloud; the test runs once for each selected one."""
    if request.param is None:
        from pytest_imagedetail.settings import nothing_selected  # noqa: PLC0415  see above

        pytest.fail(str(nothing_selected(imagedetail.settings)), pytrace=False)
    return imagedetail[request.param]


@dataclass(slots=True)
class _Run:
    """What the fixtures of one pytest run share and leave behind."""

    connect: "Connect"
    harnesses: list["Harness"] = field(default_factory=list)
    from_workers: list["_Left"] = field(default_factory=list)

    def left(self) -> "_Left":
        """What this process and its workers left."""
        own = [
            _Left(comparisons=one.comparisons, failures=one.failures, done=one.done)
            for one in self.harnesses
        ]
        left = _Left()
        for each in (*self.from_workers, *own):
            left.comparisons.extend(each.comparisons)
            left.failures.extend(each.failures)
            left.done.update(each.done)
        return left


@dataclass(slots=True)
class _Left:
    """What one process's tests leave: comparisons, failed ones, and what was done to cassettes."""

    comparisons: list["Comparison"] = field(default_factory=list)
    failures: list["Failure"] = field(default_factory=list)
    done: dict[str, str] = field(default_factory=dict)


_RUN = pytest.StashKey[_Run]()


def _run(config: pytest.Config) -> _Run:
    """The run's state, made at first use together with the hooks that only users of it need."""
    if _RUN not in config.stash:
        from pytest_imagedetail.clouds import connect  # noqa: PLC0415  see the module's first lines

        config.stash[_RUN] = _Run(connect=functools.cache(connect))
        config.pluginmanager.register(_Explain(), "imagedetail-explain")
    return config.stash[_RUN]


class _Explain:
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
    from pytest_imagedetail.report import terminal  # noqa: PLC0415  see the module's first lines

    if harness.comparisons and not harness.comparisons[-1].same:
        show = terminal.render if verbose else terminal.brief
        error.add_note("\n" + show(harness.comparisons[-1]))


def _cut_own_frames(error: BaseException) -> None:
    """Let a traceback end in the test's own line: our errors say all there is to say."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        called = place.tb_next.tb_frame.f_globals.get("__name__", "")
        if called.startswith("pytest_imagedetail.") and called != __name__:
            place.tb_next = None
        place = place.tb_next
    error.__cause__ = None
    error.__suppress_context__ = True


def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Explain `listing == listing`."""
    listing = sys.modules.get("pytest_imagedetail.listing")
    if op != "==" or listing is None:
        return None
    if not isinstance(left, listing.Listing) or not isinstance(right, listing.Listing):
        return None
    from pytest_imagedetail.compare import compare  # noqa: PLC0415  see the module's first lines
    from pytest_imagedetail.errors import ComparisonError  # noqa: PLC0415
    from pytest_imagedetail.report import terminal  # noqa: PLC0415

    try:
        comparison = compare(left, right)
    except ComparisonError as error:
        return str(error).splitlines()
    show = terminal.render if config.get_verbosity() > 1 else terminal.brief
    return show(comparison).splitlines()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the reports, or hand a worker's comparisons to the controller."""
    config = session.config
    run = config.stash.get(_RUN, None)
    output = getattr(config, "workeroutput", None)  # pytest-xdist's way to talk to its controller
    if output is not None:
        output["imagedetail"] = pickle.dumps(run.left() if run else _Left())
        return
    if config.getoption("--imagedetail-report") or config.getini("imagedetail_report"):
        from pytest_imagedetail import report  # noqa: PLC0415  see the module's first lines
        from pytest_imagedetail.errors import ReportError  # noqa: PLC0415

        left = run.left() if run else _Left()
        for path in _settings(config, None).reports:
            try:
                report.write(left.comparisons, path, failures=left.failures)
            except ReportError as error:
                sys.stderr.write(f"\nERROR: {error}\n")
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a pytest-xdist worker compared and recorded."""
    sent = getattr(node, "workeroutput", {}).get("imagedetail")
    if sent is not None:
        _run(node.config).from_workers.append(pickle.loads(sent))  # noqa: S301  our own worker's


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was recorded and where reports are."""
    run = config.stash.get(_RUN, None)
    if run is None:
        return
    done = run.left().done
    reports = _settings(config, None).reports
    if done or reports:
        terminalreporter.section("imagedetail")
    for name, what in sorted(done.items()):
        terminalreporter.write_line(f"{name}: {what}")
    for path in reports:
        terminalreporter.write_line(f"report {path}")


def _settings(config: pytest.Config, marker: pytest.Mark | None) -> "Settings":
    """The choices of the run, or of one test if it has a marker; resolved here and nowhere else."""
    from pytest_imagedetail.settings import resolve  # noqa: PLC0415  see the module's first lines

    with _explained():
        return resolve(
            _from_options(config),
            _from_marker(marker),
            _from_ini(config),
            root=config.rootpath,
        )


def _from_options(config: pytest.Config) -> "Choices":
    from pytest_imagedetail.settings import Choices  # noqa: PLC0415  see the module's first lines

    return Choices(
        cassette_dir=config.getoption("--imagedetail-cassette-dir"),
        record_mode=config.getoption("--imagedetail-record-mode"),
        clouds=tuple(config.getoption("--imagedetail-cloud")),
        clouds_file=config.getoption("--imagedetail-clouds-file"),
        baseline=config.getoption("--imagedetail-baseline"),
        profile=config.getoption("--imagedetail-profile"),
        fail_on=config.getoption("--imagedetail-fail-on"),
        reports=tuple(config.getoption("--imagedetail-report")),
    )


def _from_ini(config: pytest.Config) -> "Choices":
    from pytest_imagedetail.settings import Choices  # noqa: PLC0415  see the module's first lines

    return Choices(
        cassette_dir=config.getini("imagedetail_cassette_dir"),
        record_mode=config.getini("imagedetail_record_mode"),
        clouds=tuple(config.getini("imagedetail_clouds")),
        clouds_file=config.getini("imagedetail_clouds_file") or None,
        baseline=config.getini("imagedetail_baseline"),
        profile=config.getini("imagedetail_profile"),
        fail_on=config.getini("imagedetail_fail_on"),
        reports=tuple(config.getini("imagedetail_report")),
    )


def _from_marker(marker: pytest.Mark | None) -> "Choices":
    from pytest_imagedetail.errors import UsageError  # noqa: PLC0415  see the module's first lines
    from pytest_imagedetail.settings import Choices  # noqa: PLC0415

    if marker is None:
        return Choices()
    known = {"baseline", "profile", "record_mode"}
    unknown = sorted(set(marker.kwargs) - known)
    if unknown:
        raise UsageError(
            f"the imagedetail marker has no argument {', '.join(unknown)}",
            remedy=f"known arguments: names of clouds, {', '.join(sorted(known))}",
        )
    return Choices(clouds=tuple(marker.args), **marker.kwargs)


def _known(settings: "Settings", marker: pytest.Mark | None) -> tuple[str, ...]:
    """Clouds to choose from: the recorded ones, and one that only the marker names."""
    named = [name for name in (marker.args if marker else ()) if not set(name) & set("*?[")]
    return tuple(dict.fromkeys([*_recorded(settings), *named]))


def _recorded(settings: "Settings") -> tuple[str, ...]:
    from pytest_imagedetail.harness import store_of  # noqa: PLC0415  see the module's first lines

    return store_of(settings).clouds()


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn a usage error into pytest's, which ends the run with its message alone."""
    from pytest_imagedetail.errors import UsageError  # noqa: PLC0415  see the module's first lines

    try:
        yield
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
