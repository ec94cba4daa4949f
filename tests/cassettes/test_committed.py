"""Every recording in the repository: it loads, it is safe, and it is where it says."""

import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import HTTPSHandler, OpenerDirector, Request

import pytest
from vcr import VCR

from pytest_imagedetail.cassette import dumps, file_name, loads
from pytest_imagedetail.leaks import refuse_leaks
from pytest_imagedetail.lint import Linter, lint
from pytest_imagedetail.model import LISTING_STATUSES
from pytest_imagedetail.recorder import follow

ROOT = Path(__file__).parents[2]
CLOUDS = sorted([*ROOT.glob("cassettes/*/"), *ROOT.glob("examples/*/cassettes/*/")])
PRIVATE = re.compile(
    rb"\b(?:127|10)\.\d+\.\d+\.\d+|\b192\.168\.\d+\.\d+|\b172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+"
    rb"|localhost|:\d{4,5}/|X-Auth-Token|X-Subject-Token|Set-Cookie|password"
)

OPENER = OpenerDirector()  # follows nothing and raises for no status
OPENER.add_handler(HTTPSHandler())


@pytest.fixture(params=CLOUDS, ids=lambda folder: str(folder.relative_to(ROOT)))
def paths(request) -> list[Path]:
    """The cassettes of each cloud that is committed."""
    found = sorted(request.param.glob("*.yaml"))
    assert found
    return found


def test_there_are_cassettes():
    """The checks below have something to check."""
    assert {folder.name for folder in CLOUDS} >= {"fujitsu-k5", "openstack-sample"}


def test_they_replay(paths):
    """Each loads, its hash is right, its pages are all there, and it is what its status says."""
    for path in paths:
        recording = loads(path)
        status = recording.interactions[0].response.status_code
        listing = follow(recording, expect=None if status in LISTING_STATUSES else status)
        assert (listing.error is None) is (status in LISTING_STATUSES), path


def test_they_lie_under_their_own_names(paths):
    """Folder and file name are those of the cloud and query in the provenance."""
    for path in paths:
        provenance = loads(path).provenance
        assert path.parent.name == provenance.cloud
        assert path.name == file_name(provenance.query)


def test_they_are_the_bytes_that_would_be_written(paths):
    """Writing what was read gives the same bytes: nobody edited it, and the format holds still."""
    for path in paths:
        assert dumps(loads(path)).encode() == path.read_bytes(), path


def test_they_hold_no_secret(paths):
    """No token, no private address, no port, no header that carries a secret, no foreign host."""
    for path in paths:
        data = path.read_bytes()
        refuse_leaks(data, secrets=(), where=str(path))
        assert not PRIVATE.findall(data), path
        hosts = set(re.findall(rb"https?://([^/\"\s>%&;]+)", data))
        cloud = path.parent.name.encode()
        assert all(host.endswith(b"." + cloud + b".invalid") for host in hosts), (path, hosts)


def test_lint_finds_nothing():
    """`imagedetail lint` is content with every one of them, ours and the examples'."""
    linter = Linter(releases={}, max_age=None, now=datetime.now(UTC))
    done = lint({path.parent for path in CLOUDS}, linter)
    assert done.findings == ()
    assert done.files > 1500


def test_stock_vcrpy_replays_them(paths):
    """Plain vcrpy reads the same interactions, and a client of its gets every recorded answer."""
    for path in paths:
        with VCR(record_mode="none").use_cassette(str(path)) as cassette:
            pages = loads(path).interactions
            assert len(cassette) == len(pages)
            for page in pages:
                asked = Request(page.url, headers=dict(page.request_headers.fields))
                answer = OPENER.open(asked, timeout=5)
                assert answer.status == page.response.status_code
                assert answer.read() == page.response.body, path
            assert cassette.all_played
