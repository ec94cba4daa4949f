"""Turn options, ini keys and the marker into settings."""

import contextlib
import os.path
from collections.abc import Container, Iterator, Mapping
from typing import Any

import pytest

from pytest_imagedetail.errors import CassetteError, UsageError, did_you_mean
from pytest_imagedetail.model import Types, check_types
from pytest_imagedetail.settings import (
    RULES,
    WILDCARDS,
    Choices,
    Settings,
    resolve,
    rule_sources,
    unknown_cloud,
)
from pytest_imagedetail.workspace import known_clouds, read_rules, selectable, store_of

_NAME = (str, "a name in quotes")
OF_MARKER: Types = {
    "baseline": _NAME,
    "query": (Mapping, "a dict, for example {'status': 'ACTIVE'}"),
    "level": _NAME,
    "profile": _NAME,
    "rules": RULES,
    "record_mode": _NAME,
    "cassette": _NAME,
}
"""The marker's keyword arguments."""
_CLOUD: Types = {"the name of a cloud": (str, "a name or a glob in quotes, as 'public-*'")}
_PLACE = " in the imagedetail marker"

_PREFIX = "imagedetail_"
_RESOLVED = pytest.StashKey[dict[int, tuple[pytest.Mark | None, Settings]]]()


def check(config: pytest.Config) -> None:
    """Reject invalid options, and remove older reports in case this run ends early."""
    settings = settings_of(config)
    with explained():
        names = known_clouds(settings)
        settings.select(names)
        if settings.baseline is not None and settings.baseline not in names:
            raise unknown_cloud(settings.baseline, names, where=settings.cassette_dir)
        read_rules(settings)
        if hasattr(config, "workerinput") or config.getoption("collectonly"):
            return  # pytest-xdist's controller removes them; --collect-only writes none
        for path in settings.reports:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                problem = f"the report cannot be written: {error.strerror}"
                remedy = "check the path and its permissions"
                raise UsageError(problem, where=str(path), remedy=remedy) from None


def settings_of(config: pytest.Config) -> Settings:
    """Return the settings of the run."""
    with explained():
        return _resolved(config, None)


def settings_for(item: pytest.Item) -> Settings:
    """Return the settings of one test, which its marker may change."""
    with refused(item):
        return _resolved(item.config, item.get_closest_marker("imagedetail"))


def selected(
    config: pytest.Config, marker: pytest.Mark | None, fixtures: Container[str]
) -> tuple[str, ...]:
    """Return the clouds that a test runs for; none if its marker is invalid: its setup fails.

    Raise `pytest.Collector.CollectError` if the settings of the whole run are invalid.
    """
    try:
        settings = _resolved(config, marker)
        if settings.clouds:
            return settings.select(known(settings, marker, fixtures))
        if "imagedetail_cloud" in fixtures:
            return settings.select(known(settings, marker))
    except (UsageError, CassetteError) as error:  # the cassette folder may be unreadable
        if marker is None or not isinstance(error, UsageError):
            raise pytest.Collector.CollectError(str(error)) from None
    return ()


def known(
    settings: Settings, marker: pytest.Mark | None, fixtures: Container[str] = ()
) -> tuple[str, ...]:
    """Return the clouds to choose from: the recorded ones, and those that the marker names.

    Those without a listing are for tests of own clients.
    """
    named = [name for name in (marker.args if marker else ()) if not set(name) & WILDCARDS]
    store = store_of(settings)
    traffic = store.traffic_clouds() if "imagedetail_cassette" in fixtures else ()
    return tuple(dict.fromkeys([*selectable(store, settings), *named, *traffic]))


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn an error into pytest's usage error, which ends the run with only its message."""
    try:
        yield
    except (UsageError, CassetteError) as error:
        raise pytest.UsageError(str(error)) from None


def typed_id(item: pytest.Item) -> str:
    """Return a test's node id as pytest accepts it in the folder where it was started."""
    module, *rest = item.nodeid.partition("::")
    started = item.config.invocation_params.dir
    return "".join([os.path.relpath(item.config.rootpath / module, started), *rest])


@contextlib.contextmanager
def refused(item: pytest.Item) -> Iterator[None]:
    """Turn a usage error into a failure of one test that shows only the message."""
    try:
        yield
    except UsageError as error:
        marked = item.get_closest_marker("imagedetail") is not None
        place = f"{item.nodeid}, its marker imagedetail" if marked else item.nodeid
        where = ", ".join(filter(None, dict.fromkeys([place, error.where])))
        message = str(UsageError(error.problem, where=where, remedy=error.remedy))
        raise pytest.fail.Exception(message, pytrace=False) from None


def _resolved(config: pytest.Config, marker: pytest.Mark | None) -> Settings:
    # Markers are not hashable. The cache keeps each one alive, so that no other gets its id.
    cached = config.stash.setdefault(_RESOLVED, {})
    if id(marker) not in cached:
        options = vars(config.option).items()
        given = {name: value for name, value in options if name.startswith(_PREFIX)}
        settings = resolve(
            _choices(given),
            _from_marker(marker),
            _choices({name: _from_ini(config, name) for name in given}),
            root=config.rootpath,
        )
        cached[id(marker)] = (marker, settings)
    return cached[id(marker)][1]


def _from_ini(config: pytest.Config, option: str) -> Any:
    return config.getini(f"{_PREFIX}clouds" if option == f"{_PREFIX}cloud" else option) or None


def _choices(options: Mapping[str, Any]) -> Choices:
    given = {name.removeprefix(_PREFIX): value for name, value in options.items()}
    clouds, reports, rules = given.pop("cloud"), given.pop("report"), given.pop("rules")
    several = {"clouds": clouds, "reports": reports, "rules": [rules] if rules else ()}
    return given | {key: tuple(values) for key, values in several.items() if values}


def _from_marker(marker: pytest.Mark | None) -> Choices:
    if marker is None:
        return {}
    given = {key: value for key, value in marker.kwargs.items() if value is not None}
    for key in given:
        if key not in OF_MARKER:
            raise UsageError(
                f"the imagedetail marker has no argument {key}",
                remedy=f"{did_you_mean(key, tuple(OF_MARKER))}known arguments: names of clouds, "
                f"{', '.join(OF_MARKER)}",
            )
    check_types(given, OF_MARKER, place=_PLACE)
    for cloud in marker.args:
        check_types({"the name of a cloud": cloud}, _CLOUD, place=_PLACE)
    if "rules" in given:
        given["rules"] = rule_sources(given["rules"], place=_PLACE)
    given.pop("cassette", None)
    return given | {"clouds": marker.args}
