"""Turn options, ini keys and the marker into settings."""

import contextlib
import os.path
from collections.abc import Container, Iterator, Mapping
from typing import Any

import pytest

from pytest_imagedetail.errors import CassetteError, UsageError, did_you_mean
from pytest_imagedetail.model import Types, check_types
from pytest_imagedetail.settings import (
    RULES_TYPE,
    WILDCARDS,
    Choices,
    Settings,
    resolve,
    rule_sources,
    unknown_cloud,
)
from pytest_imagedetail.workspace import known_clouds, read_rules, selectable, store_of

_NAME_TYPE = (str, "a name in quotes")
MARKER_TYPES: Types = {
    "baseline": _NAME_TYPE,
    "query": (Mapping, "a dict, for example {'status': 'ACTIVE'}"),
    "level": _NAME_TYPE,
    "profile": _NAME_TYPE,
    "rules": RULES_TYPE,
    "record_mode": _NAME_TYPE,
    "cassette": _NAME_TYPE,
}
"""The marker's keyword arguments and their types."""
_CLOUD_TYPE: Types = {"the name of a cloud": (str, "a name or a glob in quotes, as 'public-*'")}
_PLACE = " in the imagedetail marker"

_PREFIX = "imagedetail_"
_SETTINGS = pytest.StashKey[dict[int, tuple[pytest.Mark | None, Settings]]]()


def check(config: pytest.Config) -> None:
    """Remove older reports in case this run ends early, and reject invalid options."""
    settings = settings_of(config)
    # pytest-xdist's controller removes them; --collect-only writes none.
    removes = not (hasattr(config, "workerinput") or config.getoption("collectonly"))
    with _as_pytest_error():
        for path in settings.reports if removes else ():
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                problem = f"the report cannot be written: {error.strerror}"
                remedy = "check the path and its permissions"
                raise UsageError(problem, where=str(path), remedy=remedy) from None
        names = known_clouds(settings)
        settings.select(names)
        if settings.baseline is not None and settings.baseline not in names:
            raise unknown_cloud(settings.baseline, names, where=settings.cassette_dir)
        read_rules(settings)


def settings_of(config: pytest.Config) -> Settings:
    """Return the settings of the run."""
    with _as_pytest_error():
        return _resolve(config, None)


def settings_for(item: pytest.Item) -> Settings:
    """Return the settings of one test, which its marker may change."""
    with as_test_failure(item):
        return _resolve(item.config, item.get_closest_marker("imagedetail"))


def selected_clouds(
    config: pytest.Config, marker: pytest.Mark | None, fixtures: Container[str]
) -> tuple[str, ...]:
    """Return the clouds that a test runs for; none for an invalid marker, which fails its setup.

    Raise `pytest.Collector.CollectError` if the settings of the whole run are invalid.
    """
    try:
        settings = _resolve(config, marker)
        if settings.clouds:
            return settings.select(selectable_clouds(settings, marker, fixtures))
        if "imagedetail_cloud" in fixtures:
            return settings.select(selectable_clouds(settings, marker))
    except (UsageError, CassetteError) as error:  # the cassette folder may be unreadable
        if marker is None or not isinstance(error, UsageError):
            raise pytest.Collector.CollectError(str(error)) from None
    return ()


def selectable_clouds(
    settings: Settings, marker: pytest.Mark | None, fixtures: Container[str] = ()
) -> tuple[str, ...]:
    """Return the clouds to choose from: the recorded ones, and those that the marker names.

    Clouds that only have the traffic of tests are for `imagedetail_cassette`.
    """
    named = [name for name in (marker.args if marker else ()) if WILDCARDS.isdisjoint(name)]
    store = store_of(settings)
    traffic = store.traffic_clouds() if "imagedetail_cassette" in fixtures else ()
    return tuple(dict.fromkeys([*selectable(store, settings), *named, *traffic]))


@contextlib.contextmanager
def _as_pytest_error() -> Iterator[None]:
    """Turn an error into pytest's usage error, which ends the run with only its message."""
    try:
        yield
    except (UsageError, CassetteError) as error:
        raise pytest.UsageError(str(error)) from None


def runnable_id(item: pytest.Item) -> str:
    """Return a test's node id as pytest accepts it in the folder where it was started."""
    module, *rest = item.nodeid.partition("::")
    folder = item.config.invocation_params.dir
    return "".join([os.path.relpath(item.config.rootpath / module, folder), *rest])


@contextlib.contextmanager
def as_test_failure(item: pytest.Item) -> Iterator[None]:
    """Turn a usage error into a failure of one test that shows only the message."""
    try:
        yield
    except UsageError as error:
        has_marker = item.get_closest_marker("imagedetail") is not None
        place = f"{item.nodeid}, its marker imagedetail" if has_marker else item.nodeid
        where = ", ".join(filter(None, dict.fromkeys([place, error.where])))
        message = str(UsageError(error.problem, where=where, remedy=error.remedy))
        raise pytest.fail.Exception(message, pytrace=False) from None


def _resolve(config: pytest.Config, marker: pytest.Mark | None) -> Settings:
    # Markers are not hashable. The cache keeps each one alive, so that no other gets its id.
    cached = config.stash.setdefault(_SETTINGS, {})
    if id(marker) not in cached:
        every = vars(config.option).items()
        options = {name: value for name, value in every if name.startswith(_PREFIX)}
        settings = resolve(
            _choices(options),
            _from_marker(marker),
            _choices({name: _from_ini(config, name) for name in options}),
            root=config.rootpath,
        )
        cached[id(marker)] = (marker, settings)
    return cached[id(marker)][1]


def _from_ini(config: pytest.Config, option: str) -> Any:
    return config.getini(f"{_PREFIX}clouds" if option == f"{_PREFIX}cloud" else option) or None


def _choices(options: Mapping[str, Any]) -> Choices:
    choices = {name.removeprefix(_PREFIX): value for name, value in options.items()}
    rules = choices.pop("rules")
    lists = {
        "allowed_hosts": choices.pop("allow_host"),
        "clouds": choices.pop("cloud"),
        "reports": choices.pop("report"),
        "rules": [rules] if rules else (),
    }
    return choices | {name: tuple(values) for name, values in lists.items() if values}


def _from_marker(marker: pytest.Mark | None) -> Choices:
    if marker is None:
        return {}
    choices = {name: value for name, value in marker.kwargs.items() if value is not None}
    for name in choices:
        if name not in MARKER_TYPES:
            raise UsageError(
                f"the imagedetail marker has no argument {name}",
                remedy=f"{did_you_mean(name, tuple(MARKER_TYPES))}known arguments: "
                f"names of clouds, {', '.join(MARKER_TYPES)}",
            )
    check_types(choices, MARKER_TYPES, place=_PLACE)
    for cloud in marker.args:
        check_types({"the name of a cloud": cloud}, _CLOUD_TYPE, place=_PLACE)
    if "rules" in choices:
        choices["rules"] = rule_sources(choices["rules"], place=_PLACE)
    choices.pop("cassette", None)
    return choices | {"clouds": marker.args}
