"""Every committed recording loads, replays, has no secret, and has the expected name."""

import json
import re
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.request import HTTPSHandler, OpenerDirector, Request

from vcr import VCR

from pytest_imagedetail.cassette import CLIENTS, dumps, file_name, load, load_own, traffic_name
from pytest_imagedetail.lint import Linter, lint
from pytest_imagedetail.redact import Known, placeholders
from pytest_imagedetail.redact.final_check import refuse_leaks
from tests.realcloud.library import LIBRARY, LISTINGS
from tests.realcloud.questions import CLIENTS as ASKED
from tests.realcloud.releases import RELEASES

ROOT = LIBRARY.parent
FOLDERS = sorted([*LIBRARY.iterdir(), *ROOT.glob("examples/*/cassettes/*/")])
LISTINGS_THERE = [path for folder in FOLDERS for path in sorted(folder.glob("*.yaml"))]
PATHS = [*LISTINGS_THERE, *sorted(LIBRARY.glob("*/tests/*.yaml"))]
PRIVATE = re.compile(
    rb"\b(?:127|10)\.\d+\.\d+\.\d+|\b192\.168\.\d+\.\d+|\b172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+"
    rb"|localhost|X-Auth-Token|X-Subject-Token|Set-Cookie|password"
)

OPENER = OpenerDirector()  # follows no redirect and raises no error
OPENER.add_handler(HTTPSHandler())


def test_the_library_has_exactly_the_recordings_of_realcloud():
    """Two more clouds were imported by hand."""
    expected = {
        Path(release.cloud, name)
        for release in RELEASES.values()
        for name in (*(file_name(each.query) for each in LISTINGS), traffic_name(CLIENTS))
    }
    expected |= {Path("fujitsu-k5/all.yaml"), Path("openstack-sample/all.yaml")}
    assert {path.relative_to(LIBRARY) for path in LIBRARY.rglob("*.yaml")} == expected
    assert len(expected) <= 450


def test_requests_of_clients_are_recorded_and_v2_is_the_same_in_all_releases():
    """Responses under /v2 are the same on nine releases of Nova, except for hosts."""
    expected = [
        (each.path.format(project=placeholders.OWN_PROJECT), each.headers) for each in ASKED
    ]
    answers = {}
    for release in RELEASES.values():
        recording = load_own(LIBRARY / release.cloud / traffic_name(CLIENTS))
        asked = [
            (each.url.partition(".invalid")[2], dict(each.request_headers.fields))
            for each in recording.interactions
        ]
        assert asked == [(path, {"Accept": "application/json"} | more) for path, more in expected]
        for (path, _), each in zip(expected, recording.interactions, strict=True):
            body = each.response.body.replace(release.cloud.encode(), b"CLOUD")
            answers.setdefault(path, set()).add((each.response.status_code, body))
    different = {path for path, each in answers.items() if len(each) > 1}
    linked = "/v2.1/images/detail?foo=x&limit=5&marker=5eed0012-0000-4000-8000-000000000012"
    assert different == {"/", "/v2.1", "/v2.1/", "/v2", "/v2/", linked}


def test_every_next_link_leads_to_a_recorded_page():
    """A client that follows links reaches the last page from any page."""
    for release in RELEASES.values():
        paths = (LIBRARY / release.cloud).rglob("*.yaml")
        pages = [each for path in paths for each in load(path).interactions]
        links = {
            link["href"]
            for each in pages
            if each.response.status_code == HTTPStatus.OK
            for link in json.loads(each.response.body).get("images_links", ())
        }
        assert links
        assert links <= {each.url for each in pages}, release.cloud


def test_writing_them_again_gives_the_same_bytes():
    """Only the schema version and the hash may differ."""
    for path in PATHS:
        old, new = path.read_text(encoding="utf-8"), dumps(load(path))
        changed = set(new.splitlines()) - set(old.splitlines())
        assert {line.split(":")[0] for line in changed} <= {"  schema", "  sha256"}, path
        assert len(new) == len(old), path


def test_they_hold_no_secret():
    """They have no token, private address, port, secret header or real host."""
    for path in PATHS:
        data = path.read_bytes()
        refuse_leaks(data, known=Known(), where=str(path))
        assert not PRIVATE.findall(data), path
        hosts = set(re.findall(rb"https?://([^/\"\s>%&;]+)", data))
        # The examples were recorded from shipped releases, so some hosts are these releases'.
        cloud = re.escape(load(path).provenance.cloud.encode())
        own = rb"[a-z-]+\.(?:%b|nova-[\d.]+)\.invalid" % cloud
        foreign = rb"host-[0-9a-f]{3}\.invalid(?::\d+)?"
        assert all(re.fullmatch(rb"%b|%b" % (own, foreign), each) for each in hosts), (path, hosts)


def test_lint_finds_nothing():
    linter = Linter(releases={}, max_age=None, now=datetime.now(UTC), folder=LIBRARY)
    done = lint({folder.parent for folder in FOLDERS}, linter)
    assert done.findings == ()
    assert done.files >= len(PATHS)


def test_stock_vcrpy_replays_them():
    """Plain vcrpy reads the same interactions and replays every response."""
    for path in PATHS:
        with VCR(record_mode="none").use_cassette(str(path)) as cassette:
            pages = load(path).interactions
            assert len(cassette) == len(pages), path
            for page in pages:
                asked = Request(page.url, headers=dict(page.request_headers.fields))
                answer = OPENER.open(asked, timeout=5)
                assert answer.status == page.response.status_code, path
                assert answer.read() == page.response.body, path
            assert cassette.all_played, path
