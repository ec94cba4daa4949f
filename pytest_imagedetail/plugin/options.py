"""Options, ini keys and the marker as pytest has them, made into the choices of a run."""

import contextlib
import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_imagedetail.settings import Choices, Settings


OPTIONS = (
    "record-mode",
    "cloud",
    "cassette-dir",
    "clouds-file",
    "baseline",
    "profile",
    "fail-on",
    "report",
    "max-age",
    "unused",
    "rules",
)


OF_MARKER = ("baseline", "query", "level", "profile", "rules", "record_mode", "cassette")
"""The marker's arguments beside the names of clouds."""

_RESOLVED = pytest.StashKey[dict[int, tuple[pytest.Mark | None, "Settings"]]]()


def add_options(parser: pytest.Parser) -> None:
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
    group.addoption(
        "--imagedetail-max-age",
        metavar="DAYS",
        help="refuse to replay recordings that are older (default: any age)",
    )
    group.addoption(
        "--imagedetail-unused",
        choices=("ignore", "warn", "fail"),
        help="what a full run does about recordings that no test used (default: warn)",
    )
    group.addoption(
        "--imagedetail-rules",
        metavar="FILE",
        help="accepted differences (default: imagedetail-rules.yaml, if present)",
    )
    parser.addini("imagedetail_record_mode", "as --imagedetail-record-mode")
    parser.addini("imagedetail_clouds", "as --imagedetail-cloud", type="linelist")
    parser.addini("imagedetail_cassette_dir", "as --imagedetail-cassette-dir")
    parser.addini("imagedetail_clouds_file", "as --imagedetail-clouds-file")
    parser.addini("imagedetail_baseline", "as --imagedetail-baseline")
    parser.addini("imagedetail_profile", "as --imagedetail-profile")
    parser.addini("imagedetail_fail_on", "as --imagedetail-fail-on")
    parser.addini("imagedetail_report", "as --imagedetail-report", type="linelist")
    parser.addini("imagedetail_max_age", "as --imagedetail-max-age")
    parser.addini("imagedetail_unused", "as --imagedetail-unused")
    parser.addini("imagedetail_rules", "as --imagedetail-rules")


def any_given(config: pytest.Config) -> bool:
    """Whether one of the options is given, on the command line or as an ini key."""
    keys = ("clouds" if name == "cloud" else name.replace("-", "_") for name in OPTIONS)
    given = (config.getoption(f"--imagedetail-{name}") for name in OPTIONS)
    return any(each not in (None, []) for each in given) or any(
        config.getini(f"imagedetail_{key}") for key in keys
    )


def settings_of(config: pytest.Config) -> "Settings":
    """The choices of the run.

    Raises:
        pytest.UsageError: One that cannot be right.
    """
    with explained():
        return resolved(config, None)


def settings_for(item: pytest.Item) -> "Settings":
    """The choices of one test, which its marker may make; it fails if one cannot be right."""
    with refused(item):
        return resolved(item.config, item.get_closest_marker("imagedetail"))


def resolved(config: pytest.Config, marker: pytest.Mark | None) -> "Settings":
    """The choices of the run, or of one test if it has a marker; resolved here and nowhere else.

    Raises:
        UsageError: One that cannot be right.
    """
    # A marker cannot be hashed for the dictionary of its arguments, but it lives as long as its
    # test; kept beside its settings, no other one can get its id.
    known = config.stash.setdefault(_RESOLVED, {})
    if id(marker) not in known:
        known[id(marker)] = (marker, _resolve(config, marker))
    return known[id(marker)][1]


def _resolve(config: pytest.Config, marker: pytest.Mark | None) -> "Settings":
    from pytest_imagedetail.settings import resolve  # noqa: PLC0415  see the plugin's first lines

    return resolve(
        _from_options(config),
        _from_marker(marker),
        _from_ini(config),
        root=config.rootpath,
    )


def _from_options(config: pytest.Config) -> "Choices":
    from pytest_imagedetail.settings import Choices  # noqa: PLC0415  see the plugin's first lines

    return Choices(
        cassette_dir=config.getoption("--imagedetail-cassette-dir"),
        record_mode=config.getoption("--imagedetail-record-mode"),
        clouds=tuple(config.getoption("--imagedetail-cloud")),
        clouds_file=config.getoption("--imagedetail-clouds-file"),
        baseline=config.getoption("--imagedetail-baseline"),
        profile=config.getoption("--imagedetail-profile"),
        fail_on=config.getoption("--imagedetail-fail-on"),
        reports=tuple(config.getoption("--imagedetail-report")),
        max_age=config.getoption("--imagedetail-max-age"),
        unused=config.getoption("--imagedetail-unused"),
        rules=_one(config.getoption("--imagedetail-rules")),
    )


def _from_ini(config: pytest.Config) -> "Choices":
    from pytest_imagedetail.settings import Choices  # noqa: PLC0415  see the plugin's first lines

    return Choices(
        cassette_dir=config.getini("imagedetail_cassette_dir"),
        record_mode=config.getini("imagedetail_record_mode"),
        clouds=tuple(config.getini("imagedetail_clouds")),
        clouds_file=config.getini("imagedetail_clouds_file") or None,
        baseline=config.getini("imagedetail_baseline"),
        profile=config.getini("imagedetail_profile"),
        fail_on=config.getini("imagedetail_fail_on"),
        reports=tuple(config.getini("imagedetail_report")),
        max_age=config.getini("imagedetail_max_age") or None,
        unused=config.getini("imagedetail_unused"),
        rules=_one(config.getini("imagedetail_rules")),
    )


def _one(name: str | None) -> tuple[str, ...]:
    return (name,) if name else ()


def _from_marker(marker: pytest.Mark | None) -> "Choices":
    from pytest_imagedetail.errors import UsageError  # noqa: PLC0415  see the plugin's first lines
    from pytest_imagedetail.settings import Choices  # noqa: PLC0415

    if marker is None:
        return Choices()
    given = marker.kwargs
    unknown = sorted(set(given) - set(OF_MARKER))
    if unknown:
        near = difflib.get_close_matches(unknown[0], OF_MARKER, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"the imagedetail marker has no argument {', '.join(unknown)}",
            remedy=f"{meant}known arguments: names of clouds, {', '.join(OF_MARKER)}",
        )
    rules = given.get("rules") or ()
    rules = tuple(rules) if isinstance(rules, list | tuple) else (rules,)
    _check_marker(marker, rules)
    return Choices(
        clouds=tuple(marker.args),
        baseline=given.get("baseline"),
        query=given.get("query"),
        level=given.get("level"),
        profile=given.get("profile"),
        rules=rules,
        record_mode=given.get("record_mode"),
    )


def _check_marker(marker: pytest.Mark, rules: tuple[object, ...]) -> None:
    """Refuse what is of no type that an argument can have."""
    names = ("baseline", "level", "profile", "record_mode", "cassette")
    given = {name: marker.kwargs[name] for name in names if marker.kwargs.get(name) is not None}
    for cloud in marker.args:
        _check("the name of a cloud", cloud, str, "a name or a glob in quotes, 'public-*' say")
    for name, value in given.items():
        _check(name, value, str, "a name in quotes")
    query = marker.kwargs.get("query") or {}
    _check("query", query, Mapping, "query={'status': 'ACTIVE'} say")
    for name in query:
        _check("a name in query", name, str, "query={'status': 'ACTIVE'} say")
    for each in rules:
        right = "a file, or a rule: {'path': ..., 'reason': ..., 'expires': ...}"
        _check("one of rules", each, (str, Path, Mapping), right)


def _check(what: str, value: object, wanted: type | tuple[type, ...], right: str) -> None:
    from pytest_imagedetail.errors import UsageError  # noqa: PLC0415  see the plugin's first lines

    if not isinstance(value, wanted) or value == "":
        problem = f"{what} in the imagedetail marker cannot be {value!r}"
        raise UsageError(problem, remedy=f"write {right}")


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn a usage error into pytest's, which ends the run with its message alone."""
    from pytest_imagedetail.errors import UsageError  # noqa: PLC0415  see the plugin's first lines

    try:
        yield
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


@contextlib.contextmanager
def refused(item: pytest.Item) -> Iterator[None]:
    """Turn a usage error into the failure of one test, with its message alone."""
    from pytest_imagedetail.errors import UsageError  # noqa: PLC0415  see the plugin's first lines

    try:
        yield
    except UsageError as error:
        marked = item.get_closest_marker("imagedetail") is not None
        where = error.where or (f"{item.nodeid}, its marker imagedetail" if marked else item.nodeid)
        message = str(UsageError(error.problem, where=where, remedy=error.remedy))
        raise pytest.fail.Exception(message, pytrace=False) from None
