"""Serve recordings to the programs of a run's tests: the fixture `imagedetail_server`."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.harness import reference_library
from pytest_imagedetail.plugin.options import settings_of
from pytest_imagedetail.plugin.run import Run, state_of
from pytest_imagedetail.server import Servers
from pytest_imagedetail.settings import Settings, nothing_selected


class Refusals:
    """Hooks that fail the running test for requests that no recording answers.

    The program that sent one may have hidden it. What is refused while a test is set up counts for
    its call.

    Attributes:
        noted: The errors since the last test.
    """

    def __init__(self) -> None:
        self.noted: list[ImageDetailError] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a call that would pass; a failed one shows what was refused to it."""
        state_of(item).refused.append(self.noted)
        try:
            result = yield
            self._fail()
        except pytest.skip.Exception:
            self._fail()
            raise
        finally:
            self.noted.clear()
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Fail a teardown, also for what was refused to a failed setup."""
        try:
            result = yield
            self._fail()
        finally:
            self.noted.clear()
        return result

    def _fail(self) -> None:
        if self.noted:
            errors = "\n".join(dict.fromkeys(map(str, self.noted)))
            pytest.fail(errors, pytrace=False)


@contextmanager
def servers_of(config: pytest.Config, run: Run, folder: Path) -> Iterator[Servers]:
    """Yield the recorded clouds of a run, served until it ends."""
    settings, refusals = settings_of(config), Refusals()
    # Record modes do not apply: only existing cassettes are served.
    store = Store(directory=settings.cassette_dir, library=reference_library(), reader=run.reader)
    config.pluginmanager.register(refusals, "imagedetail-refusals")
    with Servers(
        store,
        _clouds(store, settings),
        clouds_yaml=folder / "clouds.yaml",
        refused=refusals.noted,
    ) as servers:
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
