"""Received traffic becomes a recording: redacted, and refused if it must not be kept."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_imagedetail.cassette import Store, dumps
from pytest_imagedetail.errors import RecordingError, ResponseError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.redact.placeholders import OWN_PROJECT, owner
from pytest_imagedetail.traffic import Place
from pytest_imagedetail.traffic.authentication import without_keystone
from pytest_imagedetail.traffic.matching import missing_from
from pytest_imagedetail.traffic.recording import (
    appended,
    made_of,
    of_stock,
    refuse_failures,
    refuse_other_project,
    refuse_two_identities,
)
from pytest_imagedetail.transport.http import Access
from unit.traffic import BASE, NOVA, REMEDIES, TOKEN, kept, received, recording

PASSWORD = "a-live-password"
KEYSTONE = "http://keystone.corp.example:5000"
USER = "9a1b2c3d4e5f60718293a4b5c6d7e8f9"
A, B = "a" * 32, "b" * 32
CATALOG = [
    {
        "type": kind,
        "name": name,
        "endpoints": [{"interface": "public", "region": "one", "url": url}],
    }
    for kind, name, url in (
        ("compute", "nova", NOVA),
        ("image", "glance", "http://glance.corp:9292"),
    )
]
LOGIN = Interaction(
    method="POST",
    url=f"{KEYSTONE}/v3/auth/tokens",
    request_body=json.dumps(
        {"auth": {"identity": {"password": {"user": {"name": "me", "password": PASSWORD}}}}}
    ).encode(),
    response=Response(
        status_code=201,
        headers=Headers([("X-Subject-Token", TOKEN)]),
        body=json.dumps({"token": {"user": {"id": USER}, "catalog": CATALOG}}).encode(),
    ),
)
PLACE = Place(
    store=Store(directory=Path("/nowhere")), cloud="staging", test="t.py::a", node="t.py::a"
)


def made(*interactions, **facts):
    """A recording of received traffic, and what is known."""
    return made_of(interactions, cloud="staging", test="t.py::a", release="2023.1", **facts)


def test_logins_are_recognized():
    """By what is asked or answered, not by one path."""

    def asked(url, answer, *, sent=b"", got=(), method="GET"):
        each = received("", answer, base=url, method=method, request_body=sent)
        return replace(each, response=replace(each.response, headers=Headers(got)))

    token = {"token": {"id": "x", "expires": "2026"}}
    version = {"media-types": [{"type": "application/vnd.openstack.identity-v3+json"}]}
    user = Headers([("X-Auth-Key", "x"), ("X-Storage-User", "x")])
    facts = ("id", "expires", "expires_at", "methods", "catalog")
    logins = (
        asked("http://k:5000/v2.0/tokens", {"access": token}, method="POST"),
        asked("http://k/identity/v3/auth/tokens", {"token": {"methods": []}}, method="POST"),
        asked("http://k/v1.1/auth", {"auth": {**token, "serviceCatalog": {}}}, method="POST"),
        asked("http://k/auth/v1.0", b"", got=[("X-Auth-Token", "x")]),
        asked("http://k/auth/v1.0", b"", got=[("X-Storage-Token", "x")]),
        asked("http://k/x", b"", sent=b'{"auth": {"passwordCredentials": {}}}'),
        asked("http://k/x", b"", sent=b'{"auth": {"token": {"id": "x"}}}'),
        asked("http://k/x", b"", sent=b'{"auth": {"identity": {"methods": []}}}'),
        replace(asked("http://k/x", b""), request_headers=user),
        asked("http://k/x", {"version": version}),
        asked("http://k/x", {"versions": [version]}),
        asked("http://k/x", {"versions": {"values": [version]}}),
        asked("http://admin:35357/v3/users", {"users": []}),
        asked("http://other/v2.0/OS-KSADM/roles", {"roles": []}),
        asked("http://k/x", b'<access><token id="x"/></access>'),
        asked("http://k/identity/v3/users", {"users": []}),
        asked("http://k/login", {"token": "x"}, method="POST"),
        *(asked("http://k/login", {"token": {name: "x"}}, method="POST") for name in facts),
    )
    others = (
        asked(f"{NOVA}/images", {"images": []}),
        asked(f"{NOVA}/servers", {"server": {"adminPass": "x"}}),
        asked("http://other/v3/users", {"users": []}),
        asked(f"{NOVA}/images/1", {"metadata": {"token": "x"}}),
    )
    assert without_keystone([*logins, *others]) == ([*others], [*logins])


def test_what_is_made_of_traffic(tmp_path):
    """Keystone is left out; what it and the run know is redacted; a later run loads the same."""
    answer = {"owner": USER, "note": f"{PASSWORD} {TOKEN}", "href": f"{NOVA}/images"}
    done, known = made(LOGIN, received("/images", answer))
    text = dumps(done)
    for secret in (TOKEN, PASSWORD, USER, "corp.example", "auth/tokens"):
        assert secret not in text
    assert {TOKEN, PASSWORD, USER} <= known.secrets | known.owners
    assert [each.url for each in done.interactions] == [f"{BASE}/images"]
    provenance = done.provenance
    assert (provenance.pages, provenance.endpoint) == (1, BASE)
    assert len(provenance.recorded_at) == len("2026-05-01T12:00:00Z")
    assert (provenance.release, provenance.api_version) == ("2023.1", "v2.1")
    assert [(each["type"], each["url"]) for each in provenance.catalog] == [("compute", BASE)]
    store = Store(directory=tmp_path)
    store.write(done, known=known)
    loaded = store.load_traffic("staging", "t.py::a")
    assert (loaded.provenance, loaded.interactions) == (done.provenance, done.interactions)
    assert missing_from(loaded.interactions, done.interactions) == 0
    assert missing_from((), done.interactions) == 1
    facts = {"project_id": A, "user_id": USER, "max_microversion": "2.96"}
    run = Access(endpoint=NOVA, token="token-of-the-run", **facts)
    done, _ = made(received("/images", f"token-of-the-run {A} {USER}".encode()), accesses=[run])
    assert (done.provenance.endpoint, done.provenance.max_microversion) == (BASE, "2.96")
    (each,) = done.interactions
    assert each.response.body == f"<redacted> {OWN_PROJECT} {owner(USER)}".encode()


def test_a_failure_is_kept_only_if_it_is_expected():
    """The error says how to keep it; any other status is kept."""
    for status, remedy in REMEDIES.items():
        done = recording(kept("/images"), kept("/images", status=status))
        with pytest.raises(ResponseError) as caught:
            refuse_failures(done, expected=frozenset(), where="t.py::a")
        assert caught.value.status_code == status
        assert str(caught.value) == (
            f"the recording was not kept: the cloud answered {status} to GET {BASE}/images\n"
            "  where: t.py::a; nothing was written\n"
            f"  next:  {remedy}\n"
            f"  next:  or, if the test is about it: imagedetail_cassette.expect({status})"
        )
        refuse_failures(done, expected=frozenset({status}), where="t.py::a")
    for status in (200, 204, 302, 400, 404, 409):
        done = recording(kept("/images", status=status))
        refuse_failures(done, expected=frozenset(), where="t.py::a")


def test_what_is_added_to_a_recording():
    """Interactions, counts and facts that it lacks; not what another project asked."""
    catalog = ({"type": "compute"},)
    old = recording(kept("/a"), redactions={"ids": 1}, release="2023.1")
    new = recording(kept("/b"), redactions={"ids": 2, "hosts": 1}, catalog=catalog, project=A)
    both = appended(old, new)
    assert both.interactions == (kept("/a"), kept("/b"))
    facts = both.provenance
    assert (facts.pages, facts.release, facts.catalog) == (2, "2023.1", catalog)
    assert (facts.project, dict(facts.redactions)) == (A, {"hosts": 1, "ids": 3})
    assert appended(new, old).provenance.project == A
    one, other, unknown = (recording(project=each) for each in (A, B, None))
    for before, now in ((one, one), (one, unknown), (unknown, other)):
        refuse_other_project(before, now, place=PLACE)
    with pytest.raises(RecordingError, match="another project asked than the one that recorded"):
        refuse_other_project(one, other, place=PLACE)


def test_the_built_in_keystone_replaces_that_of_a_stock_cassette():
    """What the built-in Keystone cannot answer stays, and a cassette of logins alone."""
    users = received("/v3/users", base=KEYSTONE)
    done = of_stock(recording(LOGIN, received("/images"), users))
    assert [each.url for each in done.interactions] == [f"{NOVA}/images", users.url]
    assert (done.provenance.pages, done.provenance.endpoint) == (2, NOVA)
    assert of_stock(recording(LOGIN)).interactions == (LOGIN,)


def login(token, user, project, version="v3"):
    """A login and its answer."""
    if version == "v3":
        answer = {"token": {"user": {"id": user}, "project": {"id": project}}}
        found = received("/v3/auth/tokens", answer, 201, base=KEYSTONE, method="POST")
        headers = Headers([("X-Subject-Token", token)])
        return replace(found, response=replace(found.response, headers=headers))
    answer = {"access": {"token": {"id": token, "tenant": {"id": project}}, "user": {"id": user}}}
    body = b'{"auth": {"passwordCredentials": {"username": "me", "password": "a-password"}}}'
    return received("/v2.0/tokens", answer, base=KEYSTONE, method="POST", request_body=body)


def sent_as(token, path="/images", status=200, header="X-Auth-Token"):
    """A request with a token."""
    return replace(received(path, status=status), request_headers=Headers([(header, token)]))


def access(token, user, project):
    """What the run itself knows of a cloud."""
    return Access(endpoint=NOVA, token=token, project_id=project, user_id=user)


def test_a_recording_has_one_identity():
    """A renewed token is the same user, a refused one is none; replay would mix up two."""
    one, two = sent_as("one"), sent_as("two")
    first, names = login("one", "u", A), ("Api-Key", "Auth-Project-Id", "Auth-User", "Project-Id")
    for refused, traffic, *accesses in (
        (None, [one, one]),
        (None, [first, one, login("two", "u", A), two]),
        (None, [first, one, login("two", "u", A, "v2.0"), two]),
        (None, [first, one, two], access("two", "u", A)),
        (None, [one, sent_as("two", status=401)]),
        (None, [one, kept("/versions")]),
        (None, [one, sent_as("AWS4 Signature=1", header="Authorization")]),
        (None, [sent_as("one", f"/v2/{A}/images"), sent_as("one", f"/v2/{B}/images")]),
        (None, [sent_as("one", "/v2/demo/images"), sent_as("one", "/v2/demo/flavors")]),
        ("users", [one, two]),
        ("users", [first, one, login("two", "u", B), two]),
        ("users", [first, one, login("two", "v", A), two]),
        ("users", [first, one, login("two", "u", B, "v2.0"), two]),
        ("users", [first, one, two]),
        ("users", [one, two], access("two", "u", A)),
        ("users", [one, two], access("one", None, A), access("two", None, A)),
        ("users", [one, sent_as("Bearer two", header="Authorization")]),
        *(
            ("users", [one, *(sent_as(each, header=f"X-{name}") for each in ("admin", "bob"))])
            for name in (*names, "Tenant-Id")
        ),
        ("projects", [sent_as("one", "/v2/demo/images"), sent_as("one", "/v2/7/images")]),
        ("projects", [sent_as("one", "/v2/7/images"), sent_as("one", f"/v2/{A}/images")]),
    ):
        if refused is None:
            refuse_two_identities(traffic, accesses=accesses, where="t.py::a")
            continue
        with pytest.raises(RecordingError, match=refused) as caught:
            refuse_two_identities(traffic, accesses=accesses, where="t.py::a")
        assert "one cloud name for each" in caught.value.remedy
