"""The pytest plugin: its options, its marker, its fixtures, and the hooks that every run needs.

pytest imports this module at every start, so it imports nothing but pytest. The rest is imported
and registered once a test that uses one of the fixtures has been collected.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from pytest_imagedetail.harness import Cloud, Harness
    from pytest_imagedetail.plugin.run import Run
    from pytest_imagedetail.server import Servers
    from pytest_imagedetail.traffic import Traffic

OPTIONS: dict[str, dict[str, Any]] = {
    "record-mode": {
        "choices": ("none", "once", "new_episodes", "rewrite", "verify"),
        "help": "none: replay only (default); once, new_episodes: record what is missing; "
        "rewrite: record afresh; verify: compare live answers with cassettes, write nothing",
    },
    "cloud": {
        "action": "append",
        "default": [],
        "metavar": "NAME",
        "help": "run for this cloud only; repeatable, globs allowed "
        "(default: all that have cassettes or are declared)",
    },
    "cassette-dir": {
        "metavar": "DIR",
        "help": "folder of cassettes (default: cassettes under rootdir)",
    },
    "clouds-file": {
        "metavar": "FILE",
        "help": "names and releases of clouds (default: imagedetail.yaml, if present)",
    },
    "baseline": {"metavar": "NAME", "help": "the cloud that others are compared with"},
    "profile": {
        "choices": ("wire", "same-cloud", "cross-version", "cross-cloud"),
        "help": "how far answers are normalized before comparing (default: cross-version)",
    },
    "fail-on": {
        "choices": ("breaking", "change", "none"),
        "help": "from which severity on a comparison is not compatible (default: breaking)",
    },
    "report": {
        "action": "append",
        "default": [],
        "metavar": "FILE",
        "help": "write all comparisons of the run to FILE (.html, .json, .md or .xml); repeatable",
    },
    "max-age": {
        "metavar": "DAYS",
        "help": "refuse to replay recordings that are older (default: any age)",
    },
    "unused": {
        "choices": ("ignore", "warn", "fail"),
        "help": "what a full run does about recordings that no test used (default: warn)",
    },
    "allow-host": {
        "action": "append",
        "default": [],
        "metavar": "HOST[:PORT]",
        "help": "let replaying tests use this host, for example a database; repeatable; "
        "requests to it are neither recorded nor replayed",
    },
    "rules": {
        "metavar": "FILE",
        "help": "accepted differences (default: imagedetail-rules.yaml, if present)",
    },
}
"""The command-line options without their prefix, with their arguments for argparse."""

_FIXTURES = frozenset(
    {"imagedetail", "imagedetail_cloud", "imagedetail_cassette", "imagedetail_server"}
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini keys."""
    group = parser.getgroup("imagedetail", "OpenStack images/detail: record, replay, compare")
    for name, keywords in OPTIONS.items():
        group.addoption(f"--imagedetail-{name}", **keywords)
        kind: Literal["linelist", "string"] = "linelist" if "action" in keywords else "string"
        parser.addini(_ini_key(name), f"as --imagedetail-{name}", kind)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and reject invalid options before collection."""
    config.addinivalue_line(
        "markers",
        "imagedetail(*clouds, baseline=None, query={}, level='facts', profile=None, rules=(), "
        "record_mode=None, cassette=None): "
        "which clouds a test runs for, and how its answers are asked for, recorded and compared",
    )
    values = [config.getoption(f"--imagedetail-{name}") for name in OPTIONS]
    if config.inipath is not None or config.getoption("override_ini"):
        values += [config.getini(_ini_key(name)) or None for name in OPTIONS]
    if any(value not in (None, []) for value in values):
        from pytest_imagedetail.plugin.options import check

        check(config)
        _load(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Load the rest of the plugin for a test that uses one of the fixtures, or only the marker.

    Parametrize `imagedetail_cloud` by the selected clouds, and `imagedetail_cassette` alone by the
    named ones.
    """
    if _FIXTURES.isdisjoint(metafunc.fixturenames):
        if "imagedetail" in metafunc.definition.keywords:  # perhaps a forgotten fixture
            _load(metafunc.config)
        return
    _load(metafunc.config)
    from pytest_imagedetail.plugin.options import selected_clouds

    marker = metafunc.definition.get_closest_marker("imagedetail")
    names = selected_clouds(metafunc.config, marker, metafunc.fixturenames)
    if "imagedetail_cloud" in metafunc.fixturenames:
        # An empty set would skip the test silently; None makes the fixture fail with a reason.
        metafunc.parametrize(
            "imagedetail_cloud", names or (None,), ids=names or ("no-cloud",), indirect=True
        )
    elif "imagedetail_cassette" in metafunc.fixturenames and len(names) > 1:
        metafunc.parametrize("imagedetail_cassette", names, ids=names, indirect=True)


@pytest.hookimpl(optionalhook=True)  # a hook of pytest-xdist
def pytest_testnodedown(node: Any) -> None:
    """Add the results of a worker."""
    result = getattr(node, "workeroutput", {}).get("imagedetail")
    if result is not None:
        _load(node.config).receive(result)


@pytest.fixture
def imagedetail(request: pytest.FixtureRequest) -> Iterator["Harness"]:
    """All clouds by name, and `compare` between them."""
    from pytest_imagedetail.plugin.fixtures import harness_of

    with harness_of(request, _load(request.config)) as harness:
        yield harness


@pytest.fixture
def imagedetail_cloud(request: pytest.FixtureRequest, imagedetail: "Harness") -> "Cloud":
    """One cloud; the test runs once for each selected one."""
    from pytest_imagedetail.plugin.fixtures import cloud_of

    return cloud_of(request, imagedetail)


@pytest.fixture
def imagedetail_cassette(request: pytest.FixtureRequest) -> Iterator["Traffic"]:
    """Record and replay the requests of the test's own HTTP client."""
    from pytest_imagedetail.plugin.cassette import cassette_of

    with cassette_of(request, _load(request.config)) as traffic:
        yield traffic


@pytest.fixture(scope="session")
def imagedetail_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Servers"]:
    """Recordings as clouds, over HTTP on loopback, for programs in any language."""
    from pytest_imagedetail.plugin.fixtures import servers_of

    folder = tmp_path_factory.mktemp("imagedetail")
    with servers_of(request.config, _load(request.config), folder) as servers:
        yield servers


def _load(config: pytest.Config) -> "Run":
    from pytest_imagedetail.plugin.fixtures import load

    return load(config, fixtures=_FIXTURES)


def _ini_key(option: str) -> str:
    return "imagedetail_" + ("clouds" if option == "cloud" else option.replace("-", "_"))
