"""A Keystone of its own while replaying: real clients take its answers and follow its catalog."""

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
    refuse_nothing_left,
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


@pytest.mark.parametrize("login", LOGINS)
def test_keystoneauth_logs_in_and_finds_the_way(login):
    """Each way to log in gets a token that never expires, and the recorded endpoints."""
    catalog = [entry(), entry("image", url=IMAGE), entry(interface="internal", region="two")]
    client, _ = asking(catalog, LOGINS[login]())
    assert client.get_token() == "replayed"
    assert client.get_endpoint(service_type="compute") == COMPUTE
    assert client.get_endpoint(service_type="image", interface="public") == IMAGE
    two = {"service_type": "compute", "interface": "internal", "region_name": "two"}
    assert client.get_endpoint(**two) == COMPUTE
    assert "volume" not in client.auth.get_access(client).service_catalog.get_endpoints()
    access = client.auth.get_access(client)
    assert not access.will_expire_soon()
    assert (client.get_project_id(), client.get_user_id()) == (f"{0:032x}", f"{1:032x}")


@pytest.mark.parametrize("interface", ["public", "internal", "admin"])
def test_without_a_recorded_catalog_there_is_a_compute(interface):
    """By every interface, at the endpoint that was asked."""
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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2.1/images/detail"),
        ("DELETE", "/v3/auth/tokens"),
        ("POST", "/v3/users"),
        ("POST", "/v3"),
        ("PUT", "/"),
    ],
)
def test_what_is_not_on_the_way_to_a_token_is_not_answered(method, path):
    """It must come from a recording, or be a miss."""
    asked = Interaction(
        method=method, url=f"{AUTH}{path}", response=Response(status_code=0, body=b"")
    )
    assert keystone_of((entry(),), COMPUTE).answer(asked) is None


def test_the_length_of_an_answer_is_right():
    """Every client believes it."""
    asked = Interaction(url=f"{AUTH}/v3", response=Response(status_code=0, body=b""))
    answer = keystone_of((entry(),), COMPUTE).answer(asked)
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert json.loads(answer.body)["version"]["links"][0]["href"] == f"{AUTH}/v3/"


def told(body, url=f"{AUTH}/v3/auth/tokens"):
    """An answer, as it was heard."""
    return Interaction(
        method="POST",
        url=url,
        response=Response(status_code=201, headers=Headers(), body=json.dumps(body).encode()),
    )


def test_the_catalog_is_what_keystone_told_of_the_hosts_that_were_asked():
    """Of v2.0 and v3 alike; an endpoint that nobody asked is nobody's business."""
    nova, glance = "http://nova:8774/v2.1", "http://glance:9292"
    third = {"type": "compute", "name": "nova", "endpoints": []}
    third["endpoints"] = [
        {"interface": "public", "region_id": "one", "url": nova},
        {"interface": "admin", "region": "one", "url": glance},
    ]
    second = {"type": "compute", "name": "nova"}
    second["endpoints"] = [{"region": "one", "publicURL": nova, "internalURL": nova, "id": "x"}]
    asked = told({}, url=f"{nova}/images/detail")
    expected = entry(url=nova, region="one") | {"name": "nova"}
    assert catalog_in([told({"token": {"catalog": [third]}}), asked]) == (expected,)
    assert catalog_in([told({"access": {"serviceCatalog": [second]}}), asked]) == (
        expected,
        expected | {"interface": "internal"},
    )


@pytest.mark.parametrize("body", [[], "x", {"catalog": 5}, {"token": {"catalog": [1, {}]}}, None])
def test_another_service_may_have_a_catalog_of_another_shape(body):
    """It is none of Keystone's, and no stumble."""
    assert catalog_in([told(body)]) == ()


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://n:8774/v2.1/images/detail?x=1", "http://n:8774/v2.1"),
        (f"http://n/v2/{0:032x}/images", f"http://n/v2/{0:032x}"),
        ("http://n/compute/v2.1", "http://n/compute/v2.1"),
        ("http://n/images", "http://n"),
    ],
)
def test_the_endpoint_is_read_off_a_request(url, endpoint):
    """Up to the version, and the project where there is one."""
    assert endpoint_of(url) == endpoint


LOGIN = told({"token": {}})


def test_what_is_left_out_of_a_recording_is_counted():
    """A replay has a login of its own."""
    asked = told({}, url=f"{COMPUTE}/images")
    assert left_out([LOGIN, asked, LOGIN], where="t.py::a") == ", 2 of Keystone left out"
    assert left_out([asked], where="t.py::a") == ""


def test_what_no_replay_can_answer_is_an_error_at_once():
    """It would be recorded, green, and fail for ever; the message shows no id and no token."""
    asked = told({}, url=f"{COMPUTE}/images")
    token = "8f14e45fceea167a5a36dedd4bea2543"
    links = {"self": f"{AUTH}/v3/users"}
    users = told({"users": [], "links": links}, url=f"{AUTH}/v3/users?name=me")
    revoked = told({}, url=f"{AUTH}/v2.0/tokens/{token}")
    with pytest.raises(RecordingError) as caught:
        left_out([LOGIN, asked, users, users, revoked], where="t.py::a")
    assert str(caught.value) == (
        "Keystone was asked what no recording holds and no replay answers: POST /v3/users, "
        "POST /v2.0/tokens/...\n"
        "  where: t.py::a\n"
        "  next:  let the test do without it: a token and a catalog are all that the built-in "
        "Keystone has\n"
        "  next:  nothing was written and an older recording is untouched"
    )


def test_a_login_alone_is_no_recording():
    """Its replay would say that nothing was ever recorded, and to record it."""
    refuse_nothing_left([], where="t.py::a")
    refuse_nothing_left([LOGIN, told({}, url=f"{COMPUTE}/images")], where="t.py::a")
    with pytest.raises(RecordingError, match="the test asked Keystone alone"):
        refuse_nothing_left([LOGIN], where="t.py::a")
