"""What users of a real cloud see, and what a Go client records from it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from openstack.config import OpenStackConfig
from openstack.connection import Connection

from pytest_imagedetail.cassette import load_own

from .images import LISTED_TO_DEMO
from .library import LIBRARY

pytestmark = [
    pytest.mark.realcloud,
    # openstacksdk 4.22 warns about InfluxDB, and about a parameter that it uses itself.
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]


def _connect(cloud, user=""):
    config = OpenStackConfig(config_files=[str(cloud.clouds_yaml)], load_envvars=False)
    return Connection(config=config.get_one(cloud.name + user))


def test_what_each_user_sees(cloud):
    """Another project sees its own and public images; an administrator sees no community image."""
    for user, number in (("", len(LISTED_TO_DEMO)), ("-other", 3), ("-admin", 14)):
        answer = _connect(cloud, user).compute.get("/images/detail", microversion="2.1")
        assert len(answer.json()["images"]) == number, user


def test_a_go_client_records_the_library(cloud, tmp_path):
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
