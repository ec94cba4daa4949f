"""Clients in other languages, each a process of its own, list the images of every release."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CLOUDS = sorted(path.name for path in (HERE.parents[1] / "cassettes").glob("nova-*"))
GO = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}  # where Debian's packages are

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


@dataclass(frozen=True, kw_only=True)
class Client:
    """A program that prints id and name of each image.

    Attributes:
        command: Runs it.
        env: Beside `OS_*`.
        name: What it makes of an image's name, in Python.
    """

    command: list[str]
    env: dict[str, str] = field(default_factory=dict)
    name: str = "each['name']"


@pytest.fixture
def listing(pytester):
    """Run a client against clouds, in a project that has no recordings."""

    def listing(client, clouds=tuple(CLOUDS)):
        source = TEST.format(
            clouds=clouds, env=client.env, command=client.command, name=client.name
        )
        pytester.makepyfile(test_client=source)
        return pytester.runpytest_subprocess("-p", "no:recording", "-p", "no:cacheprovider")

    return listing


def needs(probe, missing, env=()):
    """Skip the test unless a command succeeds."""
    try:
        done = subprocess.run(
            probe, cwd=HERE, env=os.environ | dict(env), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip(f"{probe[0]} is not installed")
    if done.returncode:
        pytest.skip(f"{missing} is not installed")


def test_gophercloud(listing, tmp_path):
    """Go: `images.ListDetail`, in one page and in pages of five, which it follows by links.

    A name that is null becomes an empty one.
    """
    needs(["go", "list", "github.com/gophercloud/gophercloud"], "Go's gophercloud", GO)
    program = str(tmp_path / "images")
    env = os.environ | GO | {"GOCACHE": str(tmp_path / "cache")}
    subprocess.run(["go", "build", "-o", program, "."], cwd=HERE / "go", env=env, check=True)
    for limit in ("0", "5"):  # 0 is Go's "not given"
        client = Client(command=[program], env={"LIMIT": limit}, name="each['name'] or ''")
        listing(client).assert_outcomes(passed=len(CLOUDS))


def test_fog_openstack(listing):
    """Ruby: `images.all` and `list_images_detail`, on /v2.1 at its own microversion and on /v2.

    On /v2 also in pages of five, which it asks for by marker.
    """
    needs(["ruby", "-e", "require 'fog/openstack'"], "Ruby's fog-openstack")
    command = ["ruby", str(HERE / "ruby" / "images.rb")]
    legacy = {"SERVICE": "compute_legacy"}
    for env in ({}, legacy, legacy | {"LIMIT": "5"}):
        client = Client(command=command, env=env)
        listing(client).assert_outcomes(passed=len(CLOUDS))


def test_pkgcloud(listing):
    """JavaScript: `getImages`, with a login at Keystone v2.0, its default, and at v3."""
    needs(["node", "-e", "require('./node/node_modules/pkgcloud')"], "Node's pkgcloud")
    command = ["node", str(HERE / "node" / "images.js")]
    for env, clouds in (({}, CLOUDS[-1:]), ({"KEYSTONE": "v3"}, CLOUDS)):
        listing(Client(command=command, env=env), clouds).assert_outcomes(passed=len(clouds))
