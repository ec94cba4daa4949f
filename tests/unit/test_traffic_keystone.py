"""The built-in Keystone: what it answers and what it leaves out. Clients of it: tests/plugin."""

import json

import pytest

from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.model import Interaction, Response
from pytest_imagedetail.traffic.keystone import (
    catalog_in,
    endpoint_of,
    keystone_of,
    left_out,
    version_document,
)

COMPUTE = "https://compute.staging.invalid/v2.1"
AUTH = "https://keystone.example:5000"


def entry(kind="compute", interface="public", url=COMPUTE, region="RegionOne"):
    """One endpoint of a catalog."""
    return {"type": kind, "name": kind, "interface": interface, "region": region, "url": url}


def request(url, method="GET", sent=b"", answer=b"", status=0):
    """An interaction."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    response = Response(status_code=status, body=body)
    return Interaction(method=method, url=url, request_body=sent, response=response)


def test_what_is_answered():
    """Logins, catalog and versions; anything else must be recorded."""
    nameless = {name: value for name, value in entry().items() if name != "name"}

    def answered(path, method="GET"):
        return keystone_of((nameless,), COMPUTE).answer(request(f"{AUTH}{path}", method))

    for asked in (
        "GET /v2.1/images/detail",
        "DELETE /v3/auth/tokens",
        "POST /v3/users",
        "POST /v3",
        "PUT /",
    ):
        assert answered(*asked.split()[::-1]) is None, asked
    assert answered("/v3/auth/tokens", "POST").status_code == 201
    assert answered("/v3/auth/tokens").status_code == 200
    for base in ("", "/identity"):
        (version, *_) = json.loads(answered(f"{base}/").body)["versions"]["values"]
        assert version["links"][0]["href"] == f"{AUTH}{base}/v3/"
    answer = answered("/v3")
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert json.loads(answer.body)["version"]["links"][0]["href"] == f"{AUTH}/v3/"
    (service,) = json.loads(answered("/v3/auth/catalog").body)["catalog"]
    assert (service["type"], service["name"]) == ("compute", "")
    user, project = ({"id": f"{number:032x}", "name": "replayed"} for number in (1, 0))
    domain = {"domain": {"id": "default", "name": "Default"}}
    token = json.loads(answered("/v3/auth/tokens", "POST").body)["token"]
    assert token.pop("catalog")
    assert token == {
        "methods": ["password"],
        "user": user | domain,
        "project": project | domain,
        "roles": [{"id": user["id"], "name": "member"}],
        "issued_at": "2000-01-01T00:00:00.000000Z",
        "expires_at": "2999-12-31T23:59:59.000000Z",
    }
    access = json.loads(answered("/v2.0/tokens", "POST").body)["access"]
    assert access.pop("serviceCatalog")
    dates = {"issued_at": "2000-01-01T00:00:00Z", "expires": "2999-12-31T23:59:59Z"}
    assert access == {
        "token": {"id": "replayed-token", "tenant": project | {"enabled": True}, **dates},
        "user": user | {"username": "replayed", "roles": []},
        "metadata": {"is_admin": 0, "roles": []},
    }


def test_the_catalog_has_the_endpoints_that_were_asked():
    """Keystone's answers are read, of v2.0 and v3 alike; other services have catalogs, too."""
    nova, glance = "http://nova:8774/v2.1", "http://glance:9292"
    public = {"interface": "public", "region_id": "one", "url": nova}
    third = [public, {"interface": "admin", "region": "one", "url": glance}]
    second = [{"region": "one", "publicURL": nova, "internalURL": nova, "id": "x"}]
    service, expected = {"type": "compute", "name": "nova"}, entry(url=nova, region="one")
    expected |= {"name": "nova"}
    half = {"endpoints": [{"interface": "public"}]}
    for body, found in (
        ({"token": {"catalog": [service | {"endpoints": third}]}}, (expected,)),
        (
            {"access": {"serviceCatalog": [service | {"endpoints": second}]}},
            (expected, expected | {"interface": "internal"}),
        ),
        *(
            (other, ())
            for other in ([], "x", {"catalog": 5}, {"token": {"catalog": [1, half]}}, None)
        ),
    ):
        login = request(f"{AUTH}/v3/auth/tokens", "POST", answer=body, status=201)
        assert catalog_in([login, request(f"{nova}/images/detail", status=200)]) == found, body
    for url, endpoint in (  # it ends at the version, or at the project if there is one
        ("http://n:8774/v2.1/images/detail?x=1", "http://n:8774/v2.1"),
        (f"http://n/v2/{0:032x}/images", f"http://n/v2/{0:032x}"),
        ("http://n/compute/v2.1", "http://n/compute/v2.1"),
        ("http://me:pw@n/images", "http://n"),
    ):
        assert endpoint_of(url) == endpoint


def test_interactions_with_keystone_are_left_out_and_counted():
    """What no replay can answer is an error, which shows no id and no token."""
    login = request(f"{AUTH}/v3/auth/tokens", "POST", answer={"token": {}}, status=201)
    images = request(f"{COMPUTE}/images", status=200)
    assert left_out([login, images, login], where="t.py::a") == ", 2 of Keystone left out"
    assert left_out([images], where="t.py::a") == ""
    answer = {"users": [], "links": {"self": f"{AUTH}/v3/users"}}
    users = request(f"{AUTH}/v3/users?name=me", "POST", answer=answer, status=200)
    revoked = f"{AUTH}/v2.0/tokens/8f14e45fceea167a5a36dedd4bea2543"
    with pytest.raises(RecordingError) as caught:
        left_out([login, users, users, request(revoked, "POST", status=200)], where="t.py::a")
    assert str(caught.value) == (
        "the built-in Keystone could not answer during a replay: POST /v3/users, "
        "POST /v2.0/tokens\n"
        "  where: t.py::a\n"
        "  next:  ask Keystone only for a token, its catalog and its versions in this test\n"
        "  next:  nothing was written and an older recording is untouched"
    )


def test_a_compute_endpoint_has_its_versions():
    """Only v2.1 has microversions."""
    endpoints = ("http://n/v2", "http://n/v2.1")
    new = {
        "id": "v2.1",
        "status": "CURRENT",
        "version": "2.96",
        "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": "http://n/v2.1/"}],
    }
    root = json.loads(version_document(request("http://n/"), endpoints, "2.96").body)["versions"]
    (old,) = root[:-1]
    assert (old["id"], old["version"], old["status"]) == ("v2.0", "", "SUPPORTED")
    assert root[-1]["version"] == "2.96"
    for url, expected in (("http://n/v2", old), ("http://n/v2.1/", new), ("http://n/v2.1", new)):
        found = version_document(request(url), endpoints, "2.96")
        assert json.loads(found.body)["version"] == expected
    for asked in (request("http://n/", "POST"), request("http://n/v2.1/images")):
        assert version_document(asked, endpoints, "2.96") is None
