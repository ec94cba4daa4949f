"""Every recording in the repository: it loads, it is safe, and it is where it says."""

import re
from pathlib import Path

import pytest
from vcr import VCR

from pytest_imagedetail import recorder
from pytest_imagedetail.cassette import dumps, file_name, loads
from pytest_imagedetail.leaks import refuse_leaks

ROOT = Path(__file__).parents[2]
CASSETTES = sorted(
    [*ROOT.glob("cassettes/**/*.yaml"), *ROOT.glob("examples/*/cassettes/**/*.yaml")]
)
PRIVATE = re.compile(
    rb"\b(?:127|10)\.\d+\.\d+\.\d+|\b192\.168\.\d+\.\d+|\b172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+"
    rb"|localhost|:\d{4,5}/|X-Auth-Token|X-Subject-Token|Set-Cookie|password"
)


def test_there_are_cassettes():
    """The checks below have something to check."""
    assert {path.parent.name for path in CASSETTES} >= {"fujitsu-k5", "openstack-sample"}


@pytest.fixture(params=CASSETTES, ids=lambda path: str(path.relative_to(ROOT)))
def path(request) -> Path:
    """Each committed cassette."""
    return request.param


def test_it_replays(path):
    """It loads, its hash is right, its pages are all there, and it is a listing."""
    assert recorder.follow(loads(path)).images


def test_it_lies_under_its_own_name(path):
    """Folder and file name are those of the cloud and query in its provenance."""
    provenance = loads(path).provenance
    assert path.parent.name == provenance.cloud
    assert path.name == file_name(provenance.query)


def test_it_is_the_bytes_that_would_be_written(path):
    """Writing what was read gives the same bytes: nobody edited it, and the format holds still."""
    assert dumps(loads(path)).encode() == path.read_bytes()


def test_it_holds_no_secret(path):
    """No token, no private address, no port, no header that carries a secret."""
    data = path.read_bytes()
    refuse_leaks(data, secrets=(), where=str(path))
    assert not PRIVATE.findall(data)
    hosts = set(re.findall(rb"https?://([^/\"\s>]+)", data))
    cloud = path.parent.name.encode()
    assert all(host.endswith(b"." + cloud + b".invalid") for host in hosts)


def test_stock_vcrpy_loads_it(path):
    """Plain vcrpy reads the same number of interactions."""
    with VCR(record_mode="none").use_cassette(str(path)) as cassette:
        assert len(cassette) == loads(path).provenance.pages
