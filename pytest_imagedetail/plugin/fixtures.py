"""Provide the values of the fixtures, and register the other hooks when one is used."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest

from pytest_imagedetail import network
from pytest_imagedetail.harness import Cloud, Harness, store_of
from pytest_imagedetail.plugin.cassette import OwnTraffic, refuse_swallowed
from pytest_imagedetail.plugin.ending import Ending
from pytest_imagedetail.plugin.explain import Explain
from pytest_imagedetail.plugin.masking import start_masking
from pytest_imagedetail.plugin.options import known, refused, settings_for
from pytest_imagedetail.plugin.run import Run, state_of
from pytest_imagedetail.settings import nothing_selected

_RUN = "imagedetail-run"


def load(config: pytest.Config, *, fixtures: frozenset[str]) -> Run:
    """Return the state of the run; register it and the hooks that need it, once."""
    plugins = config.pluginmanager
    run: Run | None = plugins.get_plugin(_RUN)
    if run is None:
        run = Run(fixtures=fixtures)
        plugins.register(run, _RUN)
        plugins.register(OwnTraffic(run), "imagedetail-own-traffic")
        plugins.register(Explain(run, config.rootpath), "imagedetail-explain")
        plugins.register(Ending(run), "imagedetail-ending")
    return run


@contextmanager
def harness_of(request: pytest.FixtureRequest, run: Run) -> Iterator[Harness]:
    """Yield all clouds, with the network shut while replaying."""
    settings = settings_for(request.node)
    store = store_of(settings, reader=run.reader)
    harness = Harness(settings, store=store, sessions=run.sessions)
    if settings.record_mode != "none":
        start_masking(request.config, run.secrets)
    shut = shut_network(request) if settings.record_mode == "none" else nullcontext()
    with shut, run.serves(harness) as result:
        yield harness
    request.node.user_properties.extend(result.properties())


@contextmanager
def shut_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Refuse connections during a test that replays."""
    item = request.node
    remedy = (
        f"record what is missing: pytest {shlex.quote(item.nodeid)} "
        "--imagedetail-record-mode=once\n"
        "for a test's own client: the fixture imagedetail_cassette"
    )
    with network.shut(item.nodeid, remedy=remedy) as shut:
        state_of(item).refused.append(shut.refused)
        yield
    if state_of(item).passed:
        refuse_swallowed(item, shut.refused)


def cloud_of(request: pytest.FixtureRequest, harness: Harness) -> Cloud:
    """Return the cloud that a test runs for."""
    if request.param is not None:
        return harness[request.param]
    settings = harness.settings
    with refused(request.node):
        settings.select(known(settings, request.node.get_closest_marker("imagedetail")))
    pytest.fail(str(nothing_selected(settings)), pytrace=False)
