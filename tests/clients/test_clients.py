"""Clients in Go, Ruby and JavaScript list the images of every release."""

import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.server import Server

HERE = Path(__file__).parent
CLOUDS = sorted(path.name for path in (HERE.parents[1] / "cassettes").glob("nova-*"))
GO = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}  # where Debian's packages are

COMMAND = [sys.executable, "-m", "pytest_imagedetail"]
DATED = re.compile(r"^  (?:recorded_at|sha256): .*\n", re.MULTILINE)

ENV = {
    "OS_USERNAME": "any",
    "OS_PASSWORD": "any",
    "OS_PROJECT_NAME": "any",
    "OS_USER_DOMAIN_NAME": "Default",
    "OS_REGION_NAME": "RegionOne",
}

TEST = """
import json, os, subprocess
import pytest

@pytest.mark.parametrize("cloud", {clouds})
def test_listing(imagedetail_server, imagedetail, cloud):
    env = os.environ | imagedetail_server.env(cloud) | {env}
    done = subprocess.run({command}, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    listed = [json.loads(line) for line in done.stdout.splitlines()]
    images = imagedetail[cloud].list().images
    assert len(images) == 14
    assert listed == [[each["id"], {name}] for each in images]
"""


@pytest.fixture
def listing(pytester):
    """Run a program that prints id and name of each image, and check what it prints.

    `name` is a Python expression for the name that the program prints.
    """

    def listing(*command, clouds=tuple(CLOUDS), name="each['name']", **env):
        source = TEST.format(clouds=clouds, env=env, command=command, name=name)
        pytester.makepyfile(test_client=source)
        result = pytester.runpytest_subprocess("-p", "no:recording", "-p", "no:cacheprovider")
        result.assert_outcomes(passed=len(clouds))

    return listing


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return a folder with a clouds.yaml of every release, and recordings of them.

    `imagedetail record` writes these into `ref`: all images, the first five, fog's microversion.
    """
    pytest.importorskip("openstack", reason="recording needs the extra `record`")
    folder = tmp_path_factory.mktemp("site")
    with ExitStack() as stack:
        store = Store(directory=folder / "none", library=HERE.parents[1] / "cassettes")
        servers = [stack.enter_context(Server(store, name)) for name in CLOUDS]
        entries = {each.name: each.clouds_yaml for each in servers}
        (folder / "clouds.yaml").write_text(yaml.safe_dump({"clouds": entries}))
        for query in ([], ["--query=limit=5"], ["--microversion=2.15"]):
            command = [*COMMAND, "record", *CLOUDS, "--cassette-dir=ref", *query]
            subprocess.run(command, cwd=folder, capture_output=True, check=True)
        yield folder


@pytest.fixture
def records(site):
    """Record a client through `imagedetail serve --record`, for every release.

    The result must be the same as that of `imagedetail record`.
    """

    def records(recording, *program, **more):
        command = ["serve", "--record", *CLOUDS, "--cassette-dir=own", "--clouds-yaml=proxy.yaml"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen([*COMMAND, *command], cwd=site, **pipes) as served:
            try:
                for line in [served.stdout.readline() for _ in CLOUDS]:
                    env = os.environ | ENV | {"OS_AUTH_URL": line.split()[1]} | more
                    subprocess.run(program, env=env, check=True, capture_output=True)
            finally:
                served.send_signal(signal.SIGTERM)
                _, errors = served.communicate(timeout=60)
        assert (served.returncode, errors) == (0, "")
        for name in CLOUDS:
            own, ref = (site / folder / name / recording for folder in ("own", "ref"))
            assert DATED.sub("", own.read_text()) == DATED.sub("", ref.read_text()), own
            own.unlink()

    return records


def needs(probe, missing, env=()):
    try:
        done = subprocess.run(
            probe, cwd=HERE, env=os.environ | dict(env), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip(f"{probe[0]} is not installed")
    if done.returncode:
        pytest.skip(f"{missing} is not installed")


def test_gophercloud(listing, records, tmp_path):
    """Go's `images.ListDetail` lists one page or pages of five; null becomes an empty name."""
    needs(["go", "list", "github.com/gophercloud/gophercloud"], "Go's gophercloud", GO)
    program = str(tmp_path / "images")
    env = os.environ | GO | {"GOCACHE": str(tmp_path / "cache")}
    subprocess.run(["go", "build", "-o", program, "."], cwd=HERE / "go", env=env, check=True)
    for limit, recording in (("0", "all.yaml"), ("5", "limit=5.yaml")):  # 0 is Go's "not given"
        listing(program, name="each['name'] or ''", LIMIT=limit)
        records(recording, program, LIMIT=limit)


def test_fog_openstack(listing, records):
    """Ruby's `images.all` and `list_images_detail` use /v2.1 at microversion 2.15, and /v2.

    On /v2 it also lists pages of five by marker.
    """
    needs(["ruby", "-e", "require 'fog/openstack'"], "Ruby's fog-openstack")
    command = ("ruby", str(HERE / "ruby" / "images.rb"))
    listing(*command)
    listing(*command, SERVICE="compute_legacy")
    listing(*command, SERVICE="compute_legacy", LIMIT="5")
    records("all@2.15.yaml", *command)


def test_pkgcloud(listing, records):
    """JavaScript's `getImages` logs in at Keystone v2.0, its default, or v3."""
    needs(["node", "-e", "require('./node/node_modules/pkgcloud')"], "Node's pkgcloud")
    command = ("node", str(HERE / "node" / "images.js"))
    listing(*command, clouds=CLOUDS[-1:])
    listing(*command, KEYSTONE="v3")
    records("all.yaml", *command)
