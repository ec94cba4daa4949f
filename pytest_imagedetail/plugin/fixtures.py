"""Provide the fixtures' values, and register the other hooks when one is used."""

import shlex
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest

from pytest_imagedetail import network
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import CassetteNotFoundError
from pytest_imagedetail.harness import Cloud, Harness
from pytest_imagedetail.plugin import options
from pytest_imagedetail.plugin.cassette import OwnTraffic
from pytest_imagedetail.plugin.explain import FailureExplainer, add_refusals
from pytest_imagedetail.plugin.masking import start_masking
from pytest_imagedetail.plugin.run import Run, state_of
from pytest_imagedetail.plugin.summary import RunSummary
from pytest_imagedetail.server import Servers
from pytest_imagedetail.settings import Settings, nothing_selected
from pytest_imagedetail.workspace import store_of, with_library

_RUN = "imagedetail-run"


def load(config: pytest.Config, *, fixtures: frozenset[str]) -> Run:
    """Return the state of the run; on the first call, register it and its hooks."""
    plugins = config.pluginmanager
    run: Run | None = plugins.get_plugin(_RUN)
    if run is None:
        run = Run(fixtures)
        plugins.register(run, _RUN)
        plugins.register(OwnTraffic(run), "imagedetail-own-traffic")
        plugins.register(FailureExplainer(run, config.rootpath), "imagedetail-explain")
        plugins.register(RunSummary(run), "imagedetail-summary")
    return run


@contextmanager
def harness_of(request: pytest.FixtureRequest, run: Run) -> Iterator[Harness]:
    """Yield all clouds, with the network blocked while replaying."""
    settings = options.settings_for(request.node)
    harness = Harness(settings, store=store_of(settings), sessions=run.sessions)
    node, test = request.node, options.runnable_id(request.node)
    guard: AbstractContextManager[None] = nullcontext()
    if settings.record_mode == "none":
        remedy = (
            f"record what is missing: pytest {shlex.quote(test)} "
            "--imagedetail-record-mode=once\n"
            "for a test's own client: the fixture imagedetail_cassette"
        )
        refused = state_of(node).refused
        guard = network.shut(test, remedy=remedy, refused=refused, allowed=settings.allowed_hosts)
    else:
        start_masking(request.config, run.secrets)
    with guard:
        run.current = harness
        try:
            yield harness
        finally:
            run.current = None
            run.result.add(harness.result)
    node.user_properties.extend(harness.result.properties())
    if harness.unverified and state_of(node).outcome in {"passed", "skipped", "xfailed"}:
        error = harness.unverified[0]
        error.add_note("the test did not fail, although verify found this")
        raise error


def cloud_of(request: pytest.FixtureRequest, harness: Harness) -> Cloud:
    """Return the cloud that a test runs for."""
    settings = harness.settings
    with options.as_test_failure(request.node):
        if request.param is not None:
            return harness[request.param]
        marker = request.node.get_closest_marker("imagedetail")
        settings.select(options.selectable_clouds(settings, marker))
    pytest.fail(str(nothing_selected(settings)), pytrace=False)


class Refusals:
    """Hooks that fail the running test for requests that no recording answers.

    The program that sent one may have hidden the error. A refusal during setup counts for the call.
    """

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Fail a call that would pass; add the refusals to the error of a failed one."""
        try:
            result = yield
            self._fail()
            if self._servers.expects_miss and not self._servers.refused:
                pytest.fail("expect_miss(): every request of this test was answered", pytrace=False)
        except pytest.skip.Exception:
            self._fail()
            raise
        except Exception as error:
            add_refusals(error, self._servers.refused)
            raise
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a teardown, even for refusals during a failed setup or an expected failure."""
        if state_of(item).outcome == "failed":
            self._servers.refused.clear()  # the failure shows them
        try:
            result = yield
            self._fail()
        finally:
            self._servers.refused.clear()
            self._servers.expects_miss = False
        return result

    def _fail(self) -> None:
        if self._servers.refused and not self._servers.expects_miss:
            errors = dict.fromkeys(map(str, self._servers.refused))
            remedy = "if the test is about that: imagedetail_server.expect_miss()"
            raise CassetteNotFoundError("\n".join(errors), remedy=remedy)


@contextmanager
def servers_of(config: pytest.Config, run: Run, folder: Path) -> Iterator[Servers]:
    """Yield the recorded clouds of a run, served until it ends."""
    settings = options.settings_of(config)
    # Record modes do not apply: only existing cassettes are served.
    store = with_library(store_of(settings))
    with Servers(store, _clouds(store, settings), clouds_yaml=folder / "clouds.yaml") as servers:
        config.pluginmanager.register(Refusals(servers), "imagedetail-refusals")
        run.server_hosts = lambda: servers.hosts
        yield servers
    run.result.used |= servers.used


def _clouds(store: Store, settings: Settings) -> tuple[str, ...]:
    selected = settings.select(store.all_clouds())
    if not selected:
        raise nothing_selected(settings)
    return tuple(filter(store.has, selected))
