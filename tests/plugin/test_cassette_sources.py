"""Without a recording of its own, a test replays the recordings of its cloud."""

from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "cassettes"
CLIENTS = Path(__file__).with_name("shipped_clients.py")
HEAD = """
import pytest, requests

def listed(url, **headers):
    answer = requests.get(f"{url}/images/detail?limit=3", headers=headers)
    assert answer.status_code == 200
    return [each["name"] for each in answer.json()["images"]]

"""
NOVA = '@pytest.mark.imagedetail("nova-2026.2")\n'
FLAVORS = "    requests.get('https://nova.example/v2.1/flavors')\n"


SERVED = """
import pytest

@pytest.fixture
def imagedetail_cassette(request, imagedetail_server):
    # monkeypatch would be another fixture of the test, before which the cassette opens.
    module, cloud = request.module, request.param
    module.KEYSTONE = imagedetail_server.env(cloud)["OS_AUTH_URL"] + "/v3"
    module.URL = imagedetail_server.url(cloud) + "/images/detail"
    module.HEADERS = {"X-Auth-Token": imagedetail_server.token}
"""


@pytest.mark.parametrize("conftest", ["", SERVED], ids=["replayed", "served"])
def test_every_client_gets_every_release(pytester, conftest):
    """apache-libcloud, novaclient, openstacksdk, keystoneauth1 and requests."""
    for library in ("novaclient", "libcloud"):
        pytest.importorskip(library, reason="a client of the group `test`")
    source = CLIENTS.read_text(encoding="utf-8")
    pytester.makeconftest(conftest)
    pytester.makepyfile(test_clients=source)
    result = pytester.runpytest_subprocess("-p", "no:recording", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=source.count("\ndef test_") * 9, warnings=None)
    assert not (pytester.path / "cassettes").exists()


def test_a_request_is_answered_as_often_as_it_is_sent(run):
    """With either microversion header, on any host, at any age; `/` is Nova's or Keystone's."""
    source = """def test_client(imagedetail_cassette):
    endpoint = imagedetail_cassette.endpoint
    assert endpoint == "https://compute.nova-2026.2.invalid/v2.1"
    first = listed(endpoint)
    assert len(first) == 3
    assert listed(endpoint, **{"X-OpenStack-Nova-API-Version": "2.1"}) == first
    new = {"OpenStack-API-Version": "compute 2.1"}
    assert listed("http://my.cloud.example:8774/v2.1", **new) == first
    assert imagedetail_cassette.interactions == imagedetail_cassette.unplayed == ()
    root = endpoint.removesuffix("/v2.1")
    assert [each["id"] for each in requests.get(root).json()["versions"]] == ["v2.0", "v2.1"]
    keystone = requests.get("https://keystone.example/").json()["versions"]["values"]
    assert [each["id"] for each in keystone] == ["v3.14"]
"""
    run(HEAD + NOVA + source, "none", "--imagedetail-max-age=0", passed=1)


def test_it_runs_for_each_cloud_of_a_glob(run):
    """That the option selects; the other fixture gets the same cloud."""
    source = """
def test_cloud_first(imagedetail_cloud, imagedetail_cassette):
    assert imagedetail_cassette.cloud == imagedetail_cloud.name
    assert len(requests.get(f"{imagedetail_cloud.endpoint}/images/detail").json()["images"]) == 14

"""
    run(HEAD + source, "none", "--imagedetail-cloud=nova-2019*", passed=2)


def test_an_own_listing_comes_before_the_library(run, pytester):
    """The library answers what it lacks."""
    path = pytester.path / "cassettes" / "nova-2026.2" / "limit=1.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes((LIBRARY / "nova-2026.2" / "limit=1.yaml").read_bytes())
    source = f"""{HEAD}{NOVA}def test_client(imagedetail_cassette):
    url = imagedetail_cassette.endpoint
    assert requests.get(f"{{url}}/images/detail?limit=1").status_code == 200
    assert len(listed(url)) == 3
"""
    more = ("--imagedetail-unused=fail", "--imagedetail-cloud=nova-2026.2")
    assert run(source, "none", *more).ret == 0
    path.write_text(path.read_text().replace("200", "299"))
    run(source, failed=1).stdout.fnmatch_lines(["E *DamagedCassetteError: *"])


def test_a_shipped_cloud_is_replayed_in_every_record_mode(run, pytester):
    """Nothing is recorded under its name: it would hide the shipped release."""
    source = f"""{HEAD}{NOVA}def test_client(imagedetail_cloud, imagedetail_cassette):
    assert len(listed("https://nova.example/v2.1")) == 3
"""
    for mode in ("once", "new_episodes", "rewrite", "verify"):
        run(source, mode, passed=1)
    for mode, remedy in (("none", ""), ("once", "a shipped recording cannot be added to: *")):
        result = run(source + FLAVORS, mode, failed=1)
        result.stdout.fnmatch_lines(
            [
                "E *NoInteractionError: nothing is recorded for GET https://*.invalid/v2.1/flavors",
                "E *nearest: GET https://compute.nova-2026.2.invalid/v2.1/images",
                f"E *next:  {remedy}*",
            ]
        )
        result.stdout.no_fnmatch_line("E *recorded, * played:")  # these are not the test's own
    assert not (pytester.path / "cassettes").exists()
