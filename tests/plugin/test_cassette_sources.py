"""Without a recording of its own, a test replays the recordings of its cloud."""

from pathlib import Path

import pytest
import requests

import pytest_imagedetail.cassette.capture

LOADED = (pytest_imagedetail.cassette.capture, requests)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

LIBRARY = Path(__file__).parents[2] / "cassettes"

CLIENT = """
import pytest, requests

def listed(url, **headers):
    answer = requests.get(f"{url}/images/detail?limit=3", headers=headers)
    assert answer.status_code == 200
    return [each["name"] for each in answer.json()["images"]]
"""
ALONE = """
@pytest.mark.imagedetail("nova-2026.2")
def test_client(imagedetail_cassette):
    assert imagedetail_cassette.endpoint == "https://compute.nova-2026.2.invalid/v2.1"
    first = listed(imagedetail_cassette.endpoint)
    assert len(first) == 3
    old, new = "X-OpenStack-Nova-API-Version", "OpenStack-API-Version"
    assert listed(imagedetail_cassette.endpoint, **{old: "2.1"}) == first
    assert listed("http://my.cloud.example:8774/v2.1", **{new: "compute 2.1"}) == first
    assert imagedetail_cassette.interactions == imagedetail_cassette.unplayed == ()
"""
EACH = """
MARK
def test_client(imagedetail_cloud, imagedetail_cassette):
    assert imagedetail_cassette.cloud == imagedetail_cloud.name
    url = f"{imagedetail_cloud.endpoint}/images/detail"
    assert requests.get(url, headers=imagedetail_cloud.headers).json()["images"]
"""
CASSETTE_ALONE = """
MARK
def test_client(imagedetail_cassette):
    answer = requests.get("https://nova.example/v2.1/images/detail")
    assert len(answer.json()["images"]) == 14
    assert imagedetail_cassette.path.name == "test_client.yaml"
"""
LOGIN = """
@pytest.mark.imagedetail("nova-2023.1")
def test_login(imagedetail_cassette):
    auth = {"auth": {"identity": {"methods": ["password"], "password": {"user": {}}}}}
    answer = requests.post("https://keystone.example/v3/auth/tokens", json=auth).json()
    [compute] = answer["token"]["catalog"]
    assert len(listed(compute["endpoints"][0]["url"])) == 3
"""
SDK = """
from keystoneauth1 import session
from keystoneauth1.identity import v3

@pytest.mark.imagedetail("nova-2025.2")
def test_sdk(imagedetail_cassette):
    auth = v3.Password("https://keystone.example/v3", username="u", password="p", project_name="x")
    client = session.Session(auth)
    wanted = {"service_type": "compute", "min_version": "2.1", "max_version": "2.latest"}
    answer = client.get("/images/detail?limit=3", endpoint_filter=wanted, microversion="2.1")
    assert len(answer.json()["images"]) == 3
"""


def test_a_client_that_discovers_versions_replays_from_the_library(run):
    """No listing holds version documents."""
    pytest.importorskip("keystoneauth1", reason="needs the extra `record`")
    run(CLIENT + SDK).assert_outcomes(passed=1)


def test_a_clients_own_test_replays_from_the_library(run):
    """Any number of times, by either microversion header, on any host, at any age."""
    run(CLIENT + ALONE, "--imagedetail-max-age=0").assert_outcomes(passed=1)
    run(CLIENT + LOGIN).assert_outcomes(passed=1)


def test_it_runs_for_each_cloud_of_a_glob(run):
    """In the marker or on the command line; with the fixture of a cloud or without."""
    for test in (EACH, CASSETTE_ALONE):
        marked = test.replace("MARK", '@pytest.mark.imagedetail("nova-20??.?")')
        run(CLIENT + marked).assert_outcomes(passed=9)
        plain = CLIENT + test.replace("MARK", "")
        run(plain, "--imagedetail-cloud=nova-2026.?").assert_outcomes(passed=2)


def test_a_plain_client_replays_what_is_no_listing_of_v21(run):
    """The documented URL, one image and the versions of nine Novas, as often as they are asked."""
    source = """
import json, pytest, requests, urllib.request

@pytest.mark.imagedetail("nova-*")
def test_client(imagedetail_cloud, imagedetail_cassette):
    def got(path):
        sent = urllib.request.Request(f"http://my.cloud.example:8774{path}")
        sent.add_header("X-Auth-Token", "mine")
        with urllib.request.urlopen(sent) as answer:
            return json.load(answer)

    for _ in range(2):
        listed = got(f"/v2/{'7' * 32}/images/detail?status=ACTIVE")["images"]
        assert listed and {each["status"] for each in listed} == {"ACTIVE"}
        for each in got("/v2.1/images/detail")["images"]:
            assert got(f"/v2.1/images/{each['id']}")["image"] == each
        newest = got("/v2.1/")["version"]
        assert (newest["id"], newest["status"]) == ("v2.1", "CURRENT")
    unknown = "5eed9999-0000-4000-8000-000000009999"
    assert requests.get(f"http://my.cloud.example/v2.1/images/{unknown}").status_code == 404
"""
    run(source).assert_outcomes(passed=len(list(LIBRARY.glob("nova-*"))))


def test_the_root_of_a_host_is_novas_or_keystones(run):
    """Both answer `/` with their versions; the host in the catalog is Nova's."""
    source = """
import pytest, requests

@pytest.mark.imagedetail("nova-2019.1")
def test_client(imagedetail_cassette):
    root = imagedetail_cassette.endpoint.removesuffix("/v2.1")
    assert [each["id"] for each in requests.get(root).json()["versions"]] == ["v2.0", "v2.1"]
    keystone = requests.get("https://keystone.example/").json()["versions"]["values"]
    assert [each["id"] for each in keystone] == ["v3.14"]
"""
    run(source).assert_outcomes(passed=1)


def test_an_own_listing_comes_before_the_library(run, pytester):
    """And what it lacks, the library has."""
    path = pytester.path / "cassettes" / "nova-2026.2" / "limit=1.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes((LIBRARY / "nova-2026.2" / "limit=1.yaml").read_bytes())
    source = """
@pytest.mark.imagedetail("nova-2026.2")
def test_client(imagedetail_cassette):
    url = imagedetail_cassette.endpoint
    assert requests.get(f"{url}/images/detail?limit=1").status_code == 200
    assert len(listed(url)) == 3
"""
    more = ("--imagedetail-unused=fail", "--imagedetail-cloud=nova-2026.2")
    assert run(CLIENT + source, *more).ret == 0
    path.write_text(path.read_text().replace("status: ACTIVE", "status: x").replace("200", "299"))
    result = run(CLIENT + source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *DamagedCassetteError: *"])


def test_what_no_source_knows_is_a_miss(run):
    """The message names what is recorded of the cloud."""
    source = ALONE.replace("    first", "    requests.get('http://x/v2.1/flavors')\n    first", 1)
    result = run(CLIENT + source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *NoInteractionError: nothing is recorded for GET https://*.invalid/v2.1/flavors",
            "E *nearest: GET https://compute.nova-2026.2.invalid/v2.1/images",
        ]
    )


def test_a_shipped_cloud_is_replayed_in_every_record_mode(run, pytester):
    """Nothing is recorded under its name: it would hide the release that it names."""
    for mode in ("once", "new_episodes", "rewrite", "verify"):
        for test in (EACH, CASSETTE_ALONE):
            marked = test.replace("MARK", '@pytest.mark.imagedetail("nova-2026.?")')
            run(CLIENT + marked, f"--imagedetail-record-mode={mode}").assert_outcomes(passed=2)
    missing = """
@pytest.mark.imagedetail("nova-2026.2")
def test_client(imagedetail_cassette):
    requests.get("https://nova.example/v2.1/flavors")
"""
    result = run(CLIENT + missing, "--imagedetail-record-mode=once")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *next:  a shipped recording cannot be added to: *"])
    assert not (pytester.path / "cassettes").exists()


def test_a_skip_does_not_hide_a_miss_and_expecting_one_needs_one(run):
    """A skipped test asked for what is not recorded; a test about a miss has to send it."""
    source = """
@pytest.mark.imagedetail("nova-2026.2")
def test_skips(imagedetail_cassette):
    try:
        requests.get("https://nova.example/v2.1/flavors")
    except Exception:
        pytest.skip("the cloud is down")

@pytest.mark.imagedetail("nova-2026.2")
def test_expects(imagedetail_cassette):
    imagedetail_cassette.expect_miss()
    requests.get("https://nova.example/v2.1/images/detail")
"""
    result = run(CLIENT + source)
    result.assert_outcomes(skipped=1, passed=1, errors=2)
    result.stdout.fnmatch_lines(
        ["E *nothing is recorded for GET *flavors", "expect_miss(): every request *"]
    )
