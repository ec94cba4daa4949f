"""What was heard becomes a recording: redacted first, and without what nobody would replay."""

import json
from dataclasses import replace

import pytest

from pytest_imagedetail.cassette import Store, dumps
from pytest_imagedetail.errors import RecordingError, ResponseError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.traffic.matching import missing_from
from pytest_imagedetail.traffic.recording import (
    made_of,
    of_stock,
    refuse_failures,
    refuse_two_identities,
)
from pytest_imagedetail.transport.http import Access
from unit.traffic import BASE, MEND, NOVA, TOKEN, heard, kept, recording

PASSWORD = "a-live-password"
KEYSTONE = "http://keystone.corp.example:5000/v3/auth/tokens"
USER = "9a1b2c3d4e5f60718293a4b5c6d7e8f9"
CATALOG = [
    {
        "type": "compute",
        "name": "nova",
        "endpoints": [{"interface": "public", "region": "one", "url": NOVA}],
    },
    {
        "type": "image",
        "name": "glance",
        "endpoints": [{"interface": "public", "region": "one", "url": "http://glance.corp:9292"}],
    },
]

LOGIN = Interaction(
    method="POST",
    url=KEYSTONE,
    request_body=json.dumps(
        {"auth": {"identity": {"password": {"user": {"name": "me", "password": PASSWORD}}}}}
    ).encode(),
    response=Response(
        status_code=201,
        headers=Headers([("X-Subject-Token", TOKEN)]),
        body=json.dumps({"token": {"user": {"id": USER}, "catalog": CATALOG}}).encode(),
    ),
)


def made(*interactions):
    """A recording of what was heard."""
    return made_of(interactions, cloud="staging", test="t.py::a", release="2023.1")


def test_keystone_tells_what_is_secret_and_is_left_out():
    """No token, password, user or host is in the text, and the catalog is of whom was asked."""
    answer = {"owner": USER, "note": f"{PASSWORD} {TOKEN}", "href": f"{NOVA}/images"}
    done = made(LOGIN, heard("/images", answer))
    text = dumps(done.recording)
    for secret in (TOKEN, PASSWORD, USER, "corp.example", "auth/tokens"):
        assert secret not in text
    assert {TOKEN, PASSWORD, USER} <= done.known.secrets | done.known.owners
    assert [each.url for each in done.recording.interactions] == [f"{BASE}/images"]
    provenance = done.recording.provenance
    assert (provenance.pages, provenance.endpoint) == (1, BASE)
    assert (provenance.release, provenance.api_version) == ("2023.1", "v2.1")
    assert [(each["type"], each["url"]) for each in provenance.catalog] == [("compute", BASE)]
    assert TOKEN not in repr(done)


def test_what_was_made_is_what_is_read_back(tmp_path):
    """The recording that is handed on is the one that a later run loads, byte for byte."""
    done = made(heard("/images", b'{"a":1.50,\n "b":[]}'))
    store = Store(directory=tmp_path)
    store.write(done.recording, secrets=done.known)
    loaded = store.load_traffic("staging", "t.py::a")
    assert loaded.interactions == done.recording.interactions
    assert missing_from(loaded.interactions, done.recording.interactions) == 0


@pytest.mark.parametrize("status", MEND)
def test_a_failure_is_not_kept(status):
    """It would be replayed for ever; the error says how to keep it if the test is about it."""
    done = recording(kept("/images"), kept("/images", status=status))
    with pytest.raises(ResponseError) as caught:
        refuse_failures(done, expected=frozenset(), where="t.py::a")
    assert caught.value.status_code == status
    assert str(caught.value) == (
        f"the recording was not kept: the cloud answered {status} to GET {BASE}/images\n"
        "  where: t.py::a\n"
        f"  next:  {MEND[status]}, then record again\n"
        f"  next:  or, if the test is about it: imagedetail_cassette.expect({status})\n"
        "  next:  an older recording is untouched"
    )
    refuse_failures(done, expected=frozenset({status}), where="t.py::a")


@pytest.mark.parametrize("status", [200, 204, 302, 400, 404, 409])
def test_another_status_is_kept(status):
    """A test may well be about what is not there."""
    refuse_failures(
        recording(kept("/images", status=status)), expected=frozenset(), where="t.py::a"
    )


def test_of_a_stock_cassette_keystone_tells_the_catalog_alone():
    """Its token may have expired; what the built-in Keystone cannot answer stays."""
    users = heard("/v3/users", base="http://keystone.corp.example:5000")
    stock = replace(recording(LOGIN, heard("/images"), users))
    done = of_stock(stock)
    assert [each.url for each in done.interactions] == [f"{NOVA}/images", users.url]
    assert done.provenance.pages == 2
    assert done.provenance.endpoint == NOVA
    assert [each["url"] for each in done.provenance.catalog] == [NOVA]
    assert of_stock(recording(LOGIN)).interactions == (LOGIN,)


def login(token, user, project, version="v3"):
    """What Keystone answers to a login."""
    base = "http://keystone.corp.example:5000"
    if version == "v3":
        answer = {"token": {"user": {"id": user}, "project": {"id": project}}}
        found = heard("/v3/auth/tokens", answer, 201, base=base, method="POST")
        headers = Headers([("X-Subject-Token", token)])
        return replace(found, response=replace(found.response, headers=headers))
    answer = {"access": {"token": {"id": token, "tenant": {"id": project}}, "user": {"id": user}}}
    body = b'{"auth": {"passwordCredentials": {"username": "me", "password": "a-password"}}}'
    return heard("/v2.0/tokens", answer, base=base, method="POST", request_body=body)


def sent_as(token, path="/images", status=200, header="X-Auth-Token"):
    """A request with a token."""
    return replace(heard(path, status=status), request_headers=Headers([(header, token)]))


def access(token, user, project):
    """What the run itself knows of a cloud."""
    return Access(endpoint=NOVA, token=token, project_id=project, user_id=user)


A, B = "a" * 32, "b" * 32


def test_one_identity_is_kept():
    """A renewed token is the same one, a refused token is none, and so is no token."""
    one, two = sent_as("one"), sent_as("two")
    for received, accesses in (
        ([one, one], ()),
        ([login("one", "u", A), one, login("two", "u", A), two], ()),
        ([login("one", "u", A), one, login("two", "u", A, "v2.0"), two], ()),
        ([login("one", "u", A), one, two], (access("two", "u", A),)),
        ([one, sent_as("two", status=401)], ()),
        ([one, kept("/versions")], ()),
        ([one, sent_as("AWS4 Signature=1", header="Authorization")], ()),
        ([sent_as("one", f"/v2/{A}/images"), sent_as("one", f"/v2/{B}/images")], ()),
        ([sent_as("one", "/v2/demo/images"), sent_as("one", "/v2/demo/flavors")], ()),
    ):
        refuse_two_identities(received, accesses=accesses, where="t.py::a")


def test_two_identities_are_refused():
    """Replay would give the answer of one to the other."""
    one, two = sent_as("one"), sent_as("two")
    for received, accesses, what in (
        ([one, two], (), "users"),
        ([login("one", "u", A), one, login("two", "u", B), two], (), "users"),
        ([login("one", "u", A), one, login("two", "v", A), two], (), "users"),
        ([login("one", "u", A), one, login("two", "u", B, "v2.0"), two], (), "users"),
        ([login("one", "u", A), one, two], (), "users"),
        ([one, two], (access("two", "u", A),), "users"),
        ([one, sent_as("Bearer two", header="Authorization")], (), "users"),
        (
            [sent_as("one", "/v2/demo/images"), sent_as("one", "/v2/7/images")],
            (),
            "projects",
        ),
        (
            [sent_as("one", "/v2/7/images"), sent_as("one", f"/v2/{A}/images")],
            (),
            "projects",
        ),
    ):
        with pytest.raises(RecordingError, match=what) as caught:
            refuse_two_identities(received, accesses=accesses, where="t.py::a")
        assert "one cloud name for each" in caught.value.remedy
