"""The built-in Keystone: real clients take its answers and follow its catalog."""

import json
import re
from urllib.parse import urlsplit

import pytest

from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.traffic.keystone import (
    catalog_in,
    endpoint_of,
    keystone_of,
    left_out,
    version_document,
)

session = pytest.importorskip("keystoneauth1.session", reason="needs the extra `record`")
openstack = pytest.importorskip("openstack", reason="needs openstacksdk (the extra `record`)")
v2 = pytest.importorskip("keystoneauth1.identity.v2")
v3 = pytest.importorskip("keystoneauth1.identity.v3")
requests = pytest.importorskip("requests")

COMPUTE = "https://compute.staging.invalid/v2.1"
IMAGE = "https://image.staging.invalid"
AUTH = "https://keystone.example:5000"
SCOPE = {"project_name": "p", "user_domain_name": "Default", "project_domain_name": "Default"}


def entry(kind="compute", interface="public", url=COMPUTE, region="RegionOne"):
    """One endpoint of a catalog."""
    return {"type": kind, "name": kind, "interface": interface, "region": region, "url": url}


class Wire(requests.adapters.BaseAdapter):
    """Asks a Keystone without a wire."""

    def __init__(self, keystone):
        super().__init__()
        self.keystone = keystone
        self.asked = []

    def send(self, request, **_):
        """Answer as the stub does; what it does not know is a 404."""
        self.asked.append(f"{request.method} {urlsplit(request.url).path}")
        body = request.body or b""
        found = self.keystone.answer(
            Interaction(
                method=request.method,
                url=request.url,
                request_body=body.encode() if isinstance(body, str) else body,
                response=Response(status_code=0, body=b""),
            )
        ) or Response(status_code=404, body=b"")
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = found.status_code, request.url, request
        answer.headers.update(dict(found.headers.fields))
        answer._content = found.body
        return answer

    def close(self):
        """Nothing is open."""


def asking(catalog, login):
    """A session that asks a stub, and the wire between."""
    wire = Wire(keystone_of(tuple(catalog), COMPUTE))
    client = requests.Session()
    client.mount("https://", wire)
    return session.Session(login, session=client), wire


LOGINS = {
    "v2password": lambda: v2.Password(f"{AUTH}/v2.0", username="u", password="p", tenant_name="t"),
    "v3password": lambda: v3.Password(f"{AUTH}/v3", username="u", password="p", **SCOPE),
    "v3applicationcredential": lambda: v3.ApplicationCredential(
        f"{AUTH}/v3", application_credential_id="i", application_credential_secret="s"
    ),
    "v3token": lambda: v3.Token(f"{AUTH}/v3", token="t", project_id="p"),
}


def test_keystoneauth_logs_in_and_finds_the_recorded_endpoints():
    """With each login, by type, interface and region; the token does not expire."""
    catalog = [entry(), entry("image", url=IMAGE), entry(interface="internal", region="two")]
    for login in LOGINS.values():
        client, _ = asking(catalog, login())
        assert client.get_token() == "replayed"
        assert client.get_endpoint(service_type="compute") == COMPUTE
        assert client.get_endpoint(service_type="image", interface="public") == IMAGE
        two = {"service_type": "compute", "interface": "internal", "region_name": "two"}
        assert client.get_endpoint(**two) == COMPUTE
        access = client.auth.get_access(client)
        assert not access.will_expire_soon()
        assert (client.get_project_id(), client.get_user_id()) == (f"{0:032x}", f"{1:032x}")
    for interface in ("public", "internal", "admin"):  # without a recorded catalog
        client, _ = asking([], LOGINS["v3password"]())
        assert client.get_endpoint(service_type="compute", interface=interface) == COMPUTE


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("place", ["", "/", "/v3", "/identity", "/identity/v3"])
def test_openstacksdk_connects(place):
    """By any usual URL of Keystone, versions discovered on the way."""
    wire = Wire(keystone_of((entry(),), COMPUTE))
    client = requests.Session()
    client.mount("https://", wire)
    auth = {"auth_url": f"{AUTH}{place}", "username": "u", "password": "p", **SCOPE}
    with openstack.connection.Connection(auth=auth, region_name="RegionOne") as connection:
        connection.session.session = client
        assert connection.authorize() == "replayed"
        assert connection.endpoint_for("compute") == COMPUTE
        assert connection.current_project_id == f"{0:032x}"
    assert any(re.search(r"POST .*/v3/auth/tokens", each) for each in wire.asked)


def answered(path, method="GET"):
    """What Keystone answers."""
    asked = Interaction(
        method=method, url=f"{AUTH}{path}", response=Response(status_code=0, body=b"")
    )
    return keystone_of((entry(),), COMPUTE).answer(asked)


def test_only_logins_and_versions_are_answered():
    """Anything else must be recorded; what is answered has the right length."""
    for method, path in (
        ("GET", "/v2.1/images/detail"),
        ("DELETE", "/v3/auth/tokens"),
        ("POST", "/v3/users"),
        ("POST", "/v3"),
        ("PUT", "/"),
    ):
        assert answered(path, method) is None, path
    assert answered("/v3/auth/tokens", "POST").status_code == 201
    assert answered("/v3/auth/tokens").status_code == 200
    answer = answered("/v3")
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert json.loads(answer.body)["version"]["links"][0]["href"] == f"{AUTH}/v3/"
    catalog = json.loads(answered("/v3/auth/catalog").body)["catalog"]
    assert [each["type"] for each in catalog] == ["compute"]


def test_an_answered_login_is_whole():
    """In both versions; the catalog is another test's."""
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
    assert access == {
        "token": {
            "id": "replayed",
            "tenant": project | {"enabled": True},
            "issued_at": "2000-01-01T00:00:00Z",
            "expires": "2999-12-31T23:59:59Z",
        },
        "user": user | {"username": "replayed", "roles": []},
        "metadata": {"is_admin": 0, "roles": []},
    }


def test_a_service_may_have_no_name():
    """Not every recorded catalog has them."""
    nameless = {name: value for name, value in entry().items() if name != "name"}
    asked = Interaction(url=f"{AUTH}/v3/auth/catalog", response=Response(status_code=0, body=b""))
    answer = keystone_of((nameless,), COMPUTE).answer(asked)
    assert json.loads(answer.body)["catalog"][0]["name"] == ""


def sent(body, url=f"{AUTH}/v3/auth/tokens"):
    """An interaction."""
    return Interaction(
        method="POST",
        url=url,
        response=Response(status_code=201, headers=Headers(), body=json.dumps(body).encode()),
    )


def test_the_catalog_has_the_endpoints_that_were_asked():
    """Keystone's answers are read, of v2.0 and v3 alike."""
    nova, glance = "http://nova:8774/v2.1", "http://glance:9292"
    third = {"type": "compute", "name": "nova", "endpoints": []}
    third["endpoints"] = [
        {"interface": "public", "region_id": "one", "url": nova},
        {"interface": "admin", "region": "one", "url": glance},
    ]
    second = {"type": "compute", "name": "nova"}
    second["endpoints"] = [{"region": "one", "publicURL": nova, "internalURL": nova, "id": "x"}]
    asked = sent({}, url=f"{nova}/images/detail")
    expected = entry(url=nova, region="one") | {"name": "nova"}
    assert catalog_in([sent({"token": {"catalog": [third]}}), asked]) == (expected,)
    assert catalog_in([sent({"access": {"serviceCatalog": [second]}}), asked]) == (
        expected,
        expected | {"interface": "internal"},
    )


def test_a_catalog_of_another_shape_is_none():
    """Other services have catalogs, too."""
    half = {"endpoints": [{"interface": "public"}]}
    for body in [], "x", {"catalog": 5}, {"token": {"catalog": [1, half]}}, None:
        assert catalog_in([sent(body)]) == ()


def test_the_endpoint_is_read_off_a_request():
    """It ends at the version, or at the project if there is one."""
    for url, endpoint in (
        ("http://n:8774/v2.1/images/detail?x=1", "http://n:8774/v2.1"),
        (f"http://n/v2/{0:032x}/images", f"http://n/v2/{0:032x}"),
        ("http://n/compute/v2.1", "http://n/compute/v2.1"),
        ("http://me:pw@n/images", "http://n"),
    ):
        assert endpoint_of(url) == endpoint


LOGIN = sent({"token": {}})


def test_interactions_with_keystone_are_counted():
    """The count is a part of the run's summary."""
    asked = sent({}, url=f"{COMPUTE}/images")
    assert left_out([LOGIN, asked, LOGIN], where="t.py::a") == ", 2 of Keystone left out"
    assert left_out([asked], where="t.py::a") == ""


def test_what_no_replay_can_answer_is_an_error():
    """The message shows no id and no token."""
    token = "8f14e45fceea167a5a36dedd4bea2543"
    links = {"self": f"{AUTH}/v3/users"}
    users = sent({"users": [], "links": links}, url=f"{AUTH}/v3/users?name=me")
    revoked = sent({}, url=f"{AUTH}/v2.0/tokens/{token}")
    with pytest.raises(RecordingError) as caught:
        left_out([LOGIN, users, users, revoked], where="t.py::a")
    assert str(caught.value) == (
        "the built-in Keystone could not answer during a replay: POST /v3/users, "
        "POST /v2.0/tokens\n"
        "  where: t.py::a\n"
        "  next:  ask Keystone only for a token, its catalog and its versions in this test\n"
        "  next:  nothing was written and an older recording is untouched"
    )


def test_a_compute_endpoint_has_its_versions():
    """Only v2.1 has microversions."""

    def versions(url, method="GET"):
        asked = Interaction(method=method, url=url, response=Response(status_code=0, body=b""))
        found = version_document(asked, ("http://n/v2", "http://n/v2.1"), "2.96")
        document = found and json.loads(found.body)
        return found and [
            (each["id"], each["version"], each["status"])
            for each in document.get("versions") or [document["version"]]
        ]

    old, new = ("v2.0", "", "SUPPORTED"), ("v2.1", "2.96", "CURRENT")
    assert versions("http://n/") == [old, new]
    assert versions("http://n/v2") == [old]
    assert versions("http://n/v2.1/") == [new]
    asked = Interaction(url="http://n/v2.1", response=Response(status_code=0, body=b""))
    answer = version_document(asked, ("http://n/v2.1",), "2.96")
    assert json.loads(answer.body)["version"] == {
        "id": "v2.1",
        "status": "CURRENT",
        "version": "2.96",
        "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": "http://n/v2.1/"}],
    }
    assert versions("http://n/", "POST") is None
    assert versions("http://n/v2.1/images") is None
