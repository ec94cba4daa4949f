"""Real clouds: they come up, and they answer what was measured on others like them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from openstack.config import OpenStackConfig
from openstack.connection import Connection

from pytest_imagedetail.cassette import load_own

from . import RELEASES, Cloud, layout, running
from . import cloud as life
from .images import LISTED_TO_DEMO
from .library import LIBRARY
from .services import SERVICES

pytestmark = [
    pytest.mark.realcloud,
    # openstacksdk 4.22 warns of itself: of InfluxDB, used or not, and of a parameter it passes.
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

SELECTED = [int(word) for word in os.environ.get("IMAGEDETAIL_REALCLOUD_RELEASES", "34").split()]


@pytest.fixture(scope="module", params=SELECTED)
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """A running cloud of each selected release."""
    with running(request.param) as found:
        yield found


@pytest.fixture(scope="module")
def demo(cloud: Cloud) -> Connection:
    """The demo user's connection."""
    return _connect(cloud)


def _connect(cloud: Cloud, user: str = "") -> Connection:
    config = OpenStackConfig(config_files=[str(cloud.clouds_yaml)], load_envvars=False)
    return Connection(config=config.get_one(cloud.name + user))


def _ask(connection: Connection, query: str = "", service: str = "compute") -> str:
    """The body of a listing, without what differs between two clouds of one release."""
    session = connection.session
    url = f"{session.get_endpoint(service_type=service)}/images/detail{query}"
    answer = session.get(url, raise_exc=False)
    body = answer.text.replace(str(session.get_project_id()), "PROJECT")
    return f"{answer.status_code} " + re.sub(r"127\.0\.0\.1:\d+", "HOST", body)


def _ids(connection: Connection) -> tuple[str, ...]:
    answer = connection.compute.get("/images/detail", microversion="2.1")
    return tuple(image["id"] for image in answer.json()["images"])


def test_what_demo_sees(demo: Connection) -> None:
    """The demo user is shown the fourteen, newest first."""
    assert _ids(demo) == LISTED_TO_DEMO


@pytest.mark.parametrize(("user", "count"), [("-other", 3), ("-admin", 14)])
def test_what_others_see(cloud: Cloud, user: str, count: int) -> None:
    """Another project sees its own and the public ones, an administrator no community image."""
    assert len(_ids(_connect(cloud, user))) == count


def test_version(cloud: Cloud, demo: Connection) -> None:
    """It is the release it says: Nova's highest microversion is the one of the table."""
    versions = demo.session.get(cloud.compute_url, authenticated=False).json()
    assert versions["versions"][-1]["version"] == cloud.release.max_microversion


@pytest.mark.parametrize(
    ("query", "status", "count"),
    [
        ("?type=BASE", 200, 0),
        ("?type=base", 200, 1),
        ("?status=SAVING", 200, 1),
        ("?minRam=64", 200, 2),
        ("?changes-since=2024-01-10T00:00:00Z", 200, 7),
        ("?property-os_distro=cirros", 200, 0),
        ("?marker=nope", 400, 0),
        ("?marker=5eed0011-0000-4000-8000-000000000011", 403, 0),
    ],
)
def test_measured(demo: Connection, query: str, status: int, count: int) -> None:
    """Filters do what they were seen to do in every release, under /v2 and under /v2.1."""
    for service in ("compute", "compute_legacy"):
        answer = _ask(demo, query, service)
        assert answer.startswith(f"{status} ")
        assert answer.count('"minRam"') == count


@pytest.mark.parametrize("query", ["?limit=0", "?limit=abc"])
def test_the_one_change_between_releases(cloud: Cloud, demo: Connection, query: str) -> None:
    """Nova 30 and later validate the query by a schema, and say so in other words."""
    answer = _ask(demo, query)
    assert ("Invalid input for query parameters" in answer) is (cloud.release.series >= 30)


def test_built_twice(
    cloud: Cloud, demo: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another cloud of the release, built from nothing, answers the same; so does a restarted."""
    expected = _ask(demo, service="compute_legacy")
    (tmp_path / "environments").symlink_to(layout.root() / "environments")
    monkeypatch.setenv(layout.DIRECTORY_VARIABLE, str(tmp_path))
    series = cloud.release.series
    try:
        assert _ask(_connect(life.up(series)), service="compute_legacy") == expected
        life.stop(series)
        assert [found.word for found in life.status()] == ["stopped"]
        assert _ask(_connect(life.start(series)), service="compute_legacy") == expected
        assert [len(found.state.alive) for found in life.status()] == [len(SERVICES)]
    finally:
        life.down(series)


def test_selection() -> None:
    """What is selected can be run."""
    assert set(SELECTED) <= set(RELEASES)


def test_a_go_client_records_the_library(cloud: Cloud, tmp_path: Path) -> None:
    """List all images with gophercloud through `imagedetail serve --record`."""
    if not shutil.which("go"):
        pytest.skip("go is not installed")
    client = str(tmp_path / "client")
    go = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(tmp_path / "cache")}
    source = Path(__file__).parents[1] / "clients" / "go"
    subprocess.run(["go", "build", "-o", client, "."], cwd=source, env=os.environ | go, check=True)
    command = [sys.executable, "-m", "pytest_imagedetail", "serve", "--record", cloud.name]
    files = os.environ | {"OS_CLIENT_CONFIG_FILE": str(cloud.clouds_yaml)}
    with subprocess.Popen(
        [*command, "--cassette-dir=own"], cwd=tmp_path, env=files, stdout=subprocess.PIPE, text=True
    ) as served:
        assert served.stdout is not None
        auth_url = served.stdout.readline().split()[1]
        login = {"OS_AUTH_URL": auth_url, "OS_USERNAME": "any", "OS_PASSWORD": "any"}
        place = {"OS_PROJECT_NAME": "any", "OS_USER_DOMAIN_NAME": "Default", "LIMIT": "0"}
        env = os.environ | login | place | {"OS_REGION_NAME": "RegionOne"}
        listed = subprocess.check_output([client], env=env, text=True)
        served.terminate()
    assert served.returncode == 0
    assert len(listed.splitlines()) == len(LISTED_TO_DEMO)
    ours, theirs = (
        load_own(folder / cloud.name / "all.yaml").interactions
        for folder in (tmp_path / "own", LIBRARY)
    )
    assert ours == theirs
