"""What the fixtures give, and the hooks that are registered when one is used."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest

from pytest_imagedetail.harness import Cloud, Harness, store_of
from pytest_imagedetail.plugin.cassette import OwnTraffic, shut_network
from pytest_imagedetail.plugin.ending import Ending
from pytest_imagedetail.plugin.explain import Explain
from pytest_imagedetail.plugin.masking import Masking, mask_logs
from pytest_imagedetail.plugin.options import known, refused, settings_for
from pytest_imagedetail.plugin.run import Run
from pytest_imagedetail.settings import nothing_selected

_RUN = "imagedetail-run"


def load(config: pytest.Config, *, began: int, fixtures: frozenset[str]) -> Run:
    """Return the state of the run; register it and the hooks that need it if they are not yet.

    Args:
        config: Its plugin manager keeps them.
        began: When the run began, in nanoseconds.
        fixtures: The names of our fixtures.
    """
    plugins = config.pluginmanager
    run: Run | None = plugins.get_plugin(_RUN)
    if run is None:
        run = Run(began=began, fixtures=fixtures)
        plugins.register(run, _RUN)
        plugins.register(OwnTraffic(), "imagedetail-own-traffic")
        plugins.register(Explain(run, config.rootpath), "imagedetail-explain")
        plugins.register(Ending(run), "imagedetail-ending")
        plugins.register(Masking(run.secrets), "imagedetail-masking")
    mask_logs(run.secrets)
    return run


@contextmanager
def harness_of(request: pytest.FixtureRequest, run: Run) -> Iterator[Harness]:
    """Give a test all clouds, with the network shut while replaying."""
    settings = settings_for(request.node)
    store = store_of(settings, reader=run.reader)
    harness = Harness(settings, store=store, sessions=run.sessions)
    shut = shut_network(request) if settings.record_mode == "none" else nullcontext()
    with shut, run.serves(harness) as left:
        yield harness
    request.node.user_properties.extend(left.properties())


def cloud_of(request: pytest.FixtureRequest, harness: Harness) -> Cloud:
    """Give a test the cloud that it runs for."""
    if request.param is not None:
        return harness[request.param]
    settings = harness.settings
    with refused(request.node):
        settings.select(known(settings, request.node.get_closest_marker("imagedetail")))
    pytest.fail(str(nothing_selected(settings)), pytrace=False)
