"""The built-in Keystone: real clients take its answers and follow its catalog."""

import json
import re
from urllib.parse import urlsplit

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

openstack = pytest.importorskip("openstack", reason="needs openstacksdk (the extra `record`)")
session = pytest.importorskip("keystoneauth1.session")
v2 = pytest.importorskip("keystoneauth1.identity.v2")
v3 = pytest.importorskip("keystoneauth1.identity.v3")
requests = pytest.importorskip("requests")

COMPUTE, IMAGE = "https://compute.staging.invalid/v2.1", "https://image.staging.invalid"
AUTH = "https://keystone.example:5000"
SCOPE = {"project_name": "p", "user_domain_name": "Default", "project_domain_name": "Default"}


def entry(kind="compute", interface="public", url=COMPUTE, region="RegionOne"):
    """One endpoint of a catalog."""
    return {"type": kind, "name": kind, "interface": interface, "region": region, "url": url}


def request(url, method="GET", sent=b"", answer=b"", status=0):
    """An interaction."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    response = Response(status_code=status, body=body)
    return Interaction(method=method, url=url, request_body=sent, response=response)


class Wire(requests.adapters.BaseAdapter):
    """Asks a Keystone without a wire; what it does not know is a 404."""

    def __init__(self, *catalog):
        super().__init__()
        self.keystone, self.asked = keystone_of(catalog, COMPUTE), []
        self.client = requests.Session()
        self.client.mount("https://", self)

    def send(self, asked, **_):
        self.asked.append(f"{asked.method} {urlsplit(asked.url).path}")
        body = asked.body.encode() if isinstance(asked.body, str) else asked.body or b""
        found = self.keystone.answer(request(asked.url, asked.method, body))
        found = found or Response(status_code=404, body=b"")
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = found.status_code, asked.url, asked
        answer.headers.update(dict(found.headers.fields))
        answer._content = found.body
        return answer

    def close(self):
        """Nothing is open."""


def test_keystoneauth_logs_in_and_finds_the_recorded_endpoints():
    """With each login, by type, interface and region; the token does not expire."""
    catalog = [entry(), entry("image", url=IMAGE), entry(interface="internal", region="two")]
    for login in (
        v2.Password(f"{AUTH}/v2.0", username="u", password="p", tenant_name="t"),
        v3.Password(f"{AUTH}/v3", username="u", password="p", **SCOPE),
        v3.ApplicationCredential(
            f"{AUTH}/v3", application_credential_id="i", application_credential_secret="s"
        ),
        v3.Token(f"{AUTH}/v3", token="t", project_id="p"),
    ):
        client = session.Session(login, session=Wire(*catalog).client)
        assert client.get_token() == "replayed"
        assert client.get_endpoint(service_type="compute") == COMPUTE
        assert client.get_endpoint(service_type="image", interface="public") == IMAGE
        two = {"service_type": "compute", "interface": "internal", "region_name": "two"}
        assert client.get_endpoint(**two) == COMPUTE
        assert not client.auth.get_access(client).will_expire_soon()
        assert (client.get_project_id(), client.get_user_id()) == (f"{0:032x}", f"{1:032x}")
    for interface in ("public", "internal", "admin"):  # without a recorded catalog
        login = v3.Password(f"{AUTH}/v3", username="u", password="p", **SCOPE)
        client = session.Session(login, session=Wire().client)
        assert client.get_endpoint(service_type="compute", interface=interface) == COMPUTE


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_openstacksdk_connects():
    """By any usual URL of Keystone, versions discovered on the way."""
    for place in ("", "/", "/v3", "/identity", "/identity/v3"):
        wire = Wire(entry())
        auth = {"auth_url": f"{AUTH}{place}", "username": "u", "password": "p", **SCOPE}
        with openstack.connection.Connection(auth=auth, region_name="RegionOne") as connection:
            connection.session.session = wire.client
            assert connection.authorize() == "replayed"
            assert connection.endpoint_for("compute") == COMPUTE
            assert connection.current_project_id == f"{0:032x}"
        assert any(re.search(r"POST .*/v3/auth/tokens", each) for each in wire.asked), place


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
        "token": {"id": "replayed", "tenant": project | {"enabled": True}, **dates},
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
