"""Fixtures with recordings of simulated clouds, and a clean environment for all tests."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import recorder
from tests.cloud import SimulatedCloud, authenticate

collect_ignore = ["coexistence"]  # a separate project; `nox -s coexistence` runs it
RELEASES = {"nova-essex": "essex", "nova-2026.2": "2026.2"}


def pytest_configure():
    """Remove settings of the caller that child processes would inherit: clouds, proxies, signals.

    A shell starts background jobs with SIGINT ignored. Without byte code, every process compiles
    its modules again.
    """
    for name in tuple(os.environ):
        if name.startswith("OS_") or name.upper().endswith("_PROXY"):
            del os.environ[name]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """Return a read-only folder of cassettes of two clouds: all images, and the active ones."""
    folder = tmp_path_factory.mktemp("recorded") / "cassettes"
    for name, release in RELEASES.items():
        with SimulatedCloud(release=release) as cloud:
            access = authenticate(cloud)
            live_cloud = recorder.LiveCloud(access=access, name=name, release=release)
            for query in (Query(), Query.of(status="ACTIVE")):
                live = recorder.ask(live_cloud, query)
                recorder.keep(Store(directory=folder), live)
    return folder


@pytest.fixture
def live(pytester, monkeypatch):
    """A running cloud that the project declares as `staging`; nothing is recorded."""
    with SimulatedCloud(release="2023.1") as cloud:
        clouds_yaml = pytester.path / "clouds.yaml"
        clouds_yaml.write_text(cloud.clouds_yaml("staging"))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds_yaml))
        pytester.makefile(".yaml", imagedetail='clouds: {staging: {release: "2023.1"}}')
        yield cloud


@pytest.fixture
def cassettes(recorded, tmp_path):
    """Return a copy of `recorded` that a test may change."""
    return Path(shutil.copytree(recorded, tmp_path / "cassettes"))
