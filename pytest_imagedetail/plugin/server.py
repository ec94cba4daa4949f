"""Serve recordings to the programs of a run's tests: the fixture `imagedetail_server`."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.harness import reference_library
from pytest_imagedetail.plugin.options import settings_of
from pytest_imagedetail.plugin.run import Run, state_of
from pytest_imagedetail.server import Servers
from pytest_imagedetail.settings import Settings, nothing_selected


class Refusals:
    """Hooks that fail the running test for requests that no recording answers.

    The program that sent one may have hidden it. What is refused while a test is set up counts for
    its call.
    """

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a call that would pass; a failed one shows what was refused to it."""
        state_of(item).refused.append(self._servers.refused)
        try:
            result = yield
            self._fail()
            if self._servers.expects_miss and not self._servers.refused:
                pytest.fail("expect_miss(): every request of this test was answered", pytrace=False)
        except pytest.skip.Exception:
            self._fail()
            raise
        finally:
            self._servers.refused.clear()
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Fail a teardown, also for what was refused to a failed setup."""
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
            way_out = "if the test is about that: imagedetail_server.expect_miss()"
            pytest.fail("\n".join([*errors, way_out]), pytrace=False)


@contextmanager
def servers_of(config: pytest.Config, run: Run, folder: Path) -> Iterator[Servers]:
    """Yield the recorded clouds of a run, served until it ends."""
    settings = settings_of(config)
    # Record modes do not apply: only existing cassettes are served.
    store = Store(directory=settings.cassette_dir, library=reference_library(), reader=run.reader)
    with Servers(store, _clouds(store, settings), clouds_yaml=folder / "clouds.yaml") as servers:
        config.pluginmanager.register(Refusals(servers), "imagedetail-refusals")
        run.places = lambda: servers.places
        yield servers
    run.result.used |= set(map(str, servers.used))


def _clouds(store: Store, settings: Settings) -> tuple[str, ...]:
    """Return the selected clouds that have recordings, or else all that have."""
    recorded = tuple(dict.fromkeys([*store.clouds(), *store.library_clouds()]))
    if not settings.clouds:
        return recorded
    selected = tuple(filter(store.has, settings.select(recorded)))
    if not selected:
        raise nothing_selected(settings)
    return selected
