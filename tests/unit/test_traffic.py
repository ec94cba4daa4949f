"""A session plays, records, refuses, verifies, and matches requests. See also tests/plugin."""

import json
import time
import urllib.request
from dataclasses import replace
from itertools import product

import pytest

from pytest_imagedetail.cassette import CLIENTS, Store, load
from pytest_imagedetail.errors import (
    DamagedCassetteError,
    NoInteractionError,
    RecordingError,
    ReleaseError,
    ResponseError,
    StaleCassetteError,
    VerificationError,
)
from pytest_imagedetail.model import NO_RESPONSE, Headers, Provenance, Query, Recording
from pytest_imagedetail.redact import Known
from pytest_imagedetail.redact.placeholders import OWN_PROJECT, owner
from pytest_imagedetail.traffic import Cassette, LiveCallbacks, Session, Traffic
from pytest_imagedetail.traffic.authentication import split_keystone
from pytest_imagedetail.traffic.matching import as_recorded, differences, key_of, parts_of
from pytest_imagedetail.transport import http
from pytest_imagedetail.transport.http import Access
from tests.cloud import SimulatedCloud, authenticate
from unit import interaction_of

NOVA = "http://nova.corp.example:8774/v2.1"
HOST = "https://compute.staging.invalid"
BASE = f"{HOST}/v2.1"
KEYSTONE = "http://keystone.corp.example:5000"
TOKEN = "8f14e45fceea167a5a36dedd4bea2543"
A, B = "a1" * 16, "b2" * 16
OFFLINE = LiveCallbacks()
TOKEN_FIELDS = ("id", "expires", "expires_at", "methods", "catalog")


def received(path, answer=b"{}", status=200, *, base=NOVA, method="GET", got=(), **more):
    """Build an interaction with a real host."""
    more.setdefault("sent", [("X-Auth-Token", TOKEN)] if base == NOVA else [])
    return interaction_of(f"{base}{path}", answer, status, method=method, headers=got, **more)


def kept(path, answer=b"{}", **more):
    """Build an interaction with placeholders."""
    return received(path, answer, base=BASE, **more)


def recording(*interactions, **facts):
    facts = {"cloud": "staging", "test": "t.py::a", "plugin": "1"} | facts
    provenance = Provenance(pages=len(interactions), **facts)
    return Recording(provenance=provenance, interactions=interactions)


def session(tmp_path, record_mode="none", *recorded, live=OFFLINE):
    """Build one test's session; its cassette holds these interactions, if any."""
    store = Store(directory=tmp_path)
    if recorded:
        store.write(recording(*recorded), known=Known())
    cassette = Cassette(store=store, cloud="staging", test="t.py::a", node="t.py::a")
    return Session(cassette, record_mode=record_mode, live=live)


def done(tmp_path, record_mode, *interactions, live=OFFLINE):
    """Keep this traffic; return the session's summary and the recorded URLs and bodies."""
    own = session(tmp_path, record_mode, live=live)
    for each in interactions:
        own.record(each)
    said = own.keep()
    return said, [(each.url, each.response.body) for each in own.cassette.load().interactions]


def missed(own, asked):
    """Return the message for a request that is not recorded."""
    with pytest.raises(NoInteractionError) as caught:
        own.refuse(asked)
    return str(caught.value)


def test_the_fixture_shows_what_the_session_does(tmp_path):
    """Equal requests are answered in order, as often as recorded."""
    own = session(tmp_path, "none", kept("/a", b"1"), kept("/b"), kept("/a", b"2"))
    held = Traffic(own)
    assert (held.cloud, held.test, held.record_mode) == ("staging", "t.py::a", "none")
    assert held.path == tmp_path / "staging" / "tests" / "t" / "a.yaml"
    assert (held.replays, held.endpoint, held.played) == (True, BASE, 0)
    assert [own.answer(received("/a")).body for _ in "12"] == [b"1", b"2"]
    assert not own.can_answer(received("/a"))
    assert (held.played, held.unplayed) == (2, (f"2: GET {BASE}/b",))
    assert repr(held) == "<imagedetail cassette a.yaml: 3 interactions>"
    assert Traffic(session(tmp_path, "rewrite")).endpoint is None


def test_a_miss_shows_recordings_and_no_secret(tmp_path):
    """Long values are cut and long lists counted. A misspelled cloud gets a suggestion."""
    recorded = [kept("/flavors?x=1&y=2&z=3"), *(kept(f"/images/{n}") for n in range(8))]
    secret = b'{"adminPass": "hunter2-secret"}'
    asked = received(f"/images/x?token={TOKEN}&changes-since={'9' * 5000}", request_body=secret)
    own = session(tmp_path, "none", *recorded)
    text = missed(own, asked)
    assert "  and 1 more\n" in text
    assert f"nearest: GET {BASE}/images/0\n" in text
    assert 'body: asked {"adminPass": "<redacted>"}, recorded without' in text
    assert max(map(len, text.splitlines())) < 350
    assert not [each for each in (TOKEN, "hunter2", "corp.example") if each in text]
    nearest = f"nearest: GET {BASE}/flavors?x=1&y=2&z=3\n"  # the path matters most
    assert nearest in missed(own, received("/flavors?a=1"))
    few = session(tmp_path / "few", "none", *recorded[1:])
    assert "0 of 8 played:" in (text := missed(few, asked))
    assert "more\n" not in text
    other = recording(*recorded, test=None, cloud="staging2")
    Store(directory=tmp_path / "x").write(other, known=Known())
    assert "did you mean staging2?" in missed(session(tmp_path / "x"), asked)


def test_the_first_project_of_a_path_is_the_recordings_own(tmp_path):
    """A second project matches only its own placeholder."""
    own, other = (
        received(f"/{project}/images", body, base=f"{HOST}/v2")
        for project, body in ((OWN_PROJECT, b"own"), (owner(B), b"other"))
    )
    for number, (recorded, projects, bodies) in enumerate(
        (
            ([own, own], (A, A), [b"own", b"own"]),
            ([own, own], (A, B), [b"own", None]),
            ([own, other], (A, B), [b"own", b"other"]),
            ([own], ("demo",), [b"own"]),
        )
    ):
        plays = session(tmp_path / str(number), "none", *recorded)
        asked = [received(f"/{each}/images", base="http://10.1.2.3/v2") for each in projects]
        found = [plays.answer(each).body if plays.can_answer(each) else None for each in asked]
        assert found == bodies, projects


def test_a_recorded_host_is_answered_as_itself_only(tmp_path):
    """Services have the same paths, and a client may ask several at once; others are any host."""
    image = "https://image.staging.invalid/v2.1"
    own = session(
        tmp_path, "none", kept("/", b"1"), received("/", b"2", base=image), kept("/", b"3")
    )
    assert own.answer(received("/", base=image)).body == b"2"
    assert not own.can_answer(received("/", base=image))
    assert [own.answer(received("/")).body for _ in range(2)] == [b"1", b"3"]


def test_a_request_that_is_sent_often_is_replayed_in_linear_time(tmp_path):
    """A client may poll."""
    asked = received("/status")

    def seconds(number):
        own = session(tmp_path / str(number), "none", *[kept("/status")] * number)
        assert own.can_answer(asked)
        start = time.thread_time()
        for _ in range(number):
            own.answer(asked)
        return time.thread_time() - start

    assert seconds(1000) < 40 * seconds(100)


def test_a_listing_of_a_query_with_an_address_is_replayed(tmp_path):
    """Listings keep the addresses of people; a test's own traffic does not."""
    asked = "/images/detail?name=me@corp.example"
    facts = {"test": None, "query": Query.of(name="me@corp.example")}
    Store(directory=tmp_path).write(recording(kept(asked), **facts), known=Known())
    assert session(tmp_path).can_answer(received(asked))


def test_own_listings_come_before_the_library(tmp_path):
    """Whatever their files are called."""
    own, library = tmp_path / "own", tmp_path / "library"
    for folder, query, body in ((own, Query.of(limit=1), b"own"), (library, Query(), b"shipped")):
        listing = recording(kept("/images/detail", body), test=None, query=query)
        Store(directory=folder).write(listing, known=Known())
    store = Store(directory=own, library=library)
    cassette = Cassette(store=store, cloud="staging", test="t.py::a", node="t.py::a")
    replays = Session(cassette, record_mode="none")
    assert replays.answer(received("/images/detail")).body == b"own"


def test_the_traffic_of_clients_is_read_only_if_no_listing_answers(tmp_path):
    """It may be long, and most tests need only listings."""
    store = Store(directory=tmp_path)
    listing = recording(kept("/images/detail"), test=None, query=Query())
    traffic = recording(kept("/flavors", b"old"), test=CLIENTS)
    for each in (listing, traffic):
        store.write(each, known=Known())
    damaged = tmp_path / "staging" / "tests" / "clients.yaml"
    damaged.write_text(damaged.read_text().replace("old", "new"))
    assert session(tmp_path).can_answer(received("/images/detail"))
    with pytest.raises(DamagedCassetteError):
        session(tmp_path).can_answer(received("/flavors"))


def test_the_recorders_own_requests_pass_by(tmp_path):
    own = session(tmp_path, "once")
    with SimulatedCloud(release="2026.2") as cloud, own.intercepting():
        urllib.request.urlopen(f"{cloud.compute_url}/?a=1").read()
        http.get(cloud.compute_url, Headers(), access=authenticate(cloud), name="a")
    assert own.keep() == "recorded (new)"
    assert [each.url for each in own.cassette.load().interactions] == [f"{BASE}/?a=1"]


def test_authentication_is_not_recorded(tmp_path):
    """A login alone is an error, and so is what the built-in Keystone cannot answer.

    Its catalog leads to the recorded services.
    """
    got = [("X-Subject-Token", TOKEN)]
    login = received("/v3/auth/tokens", base=KEYSTONE, method="POST", status=201, got=got)
    with pytest.raises(RecordingError, match="the test asked only Keystone"):
        done(tmp_path, "once", login)
    said = session(tmp_path, "once", live=OFFLINE).keep()
    assert said == "not recorded: no client in this process sent a request"
    revoked = received(f"/v2.0/tokens/{TOKEN}", base=KEYSTONE, method="POST")
    with pytest.raises(RecordingError) as caught:
        done(tmp_path, "once", login, received("/images"), revoked)
    problem = "the built-in Keystone could not answer during a replay: POST /v2.0/tokens"
    assert caught.value.problem == problem
    glance = "http://glance.corp.example:9292"
    services = [
        {"type": kind, "endpoints": [{"interface": "public", "url": url}]}
        for kind, url in (("compute", NOVA), ("image", glance))
    ]
    answer = {"token": {"catalog": services}}
    login = received("/v3/auth/tokens", answer, 201, base=KEYSTONE, method="POST", got=got)
    traffic = login, received("/images"), received("/v2/images", base=glance)
    said, recorded = done(tmp_path, "new_episodes", *traffic)
    assert (said, len(recorded)) == ("recorded (new), 1 request to Keystone left out", 2)
    replayed = json.loads(session(tmp_path).answer(login).body)["token"]["catalog"]
    urls = {each["type"]: each["endpoints"][0]["url"] for each in replayed}
    assert urls == {"compute": BASE, "image": "https://image.staging.invalid"}


def test_what_is_added_is_redacted_and_counted(tmp_path):
    """The project is that of the first path that has one."""
    live = LiveCallbacks(secrets=lambda: frozenset({"a-secret-of-the-run"}))
    for path in ("/1", f"/{A}/images"):
        body = b"password=abc a-secret-of-the-run me@corp.example"
        added = received(path, body, base="http://nova.corp.example:8774/v2")
        said, found = done(tmp_path, "new_episodes", added, live=live)
        assert said.startswith("recorded")
        assert found[-1][1] == b"password=<redacted> <redacted> redacted@redacted.invalid"
    [path] = tmp_path.rglob("*.yaml")
    provenance = load(path).provenance
    assert (provenance.pages, provenance.project) == (2, owner(A))
    assert (provenance.redactions["secrets"], provenance.redactions["people"]) == (4, 2)


def test_a_failure_or_another_release_is_refused(tmp_path):
    """The old recording stays, unless the test expects the failure."""

    def guard():
        raise ReleaseError("the cloud was upgraded", remedy="")

    done(tmp_path, "once", received("/a"))
    [path] = tmp_path.rglob("*.yaml")
    before = path.read_bytes()
    for mode in ("rewrite", "verify"):
        with pytest.raises(ReleaseError) as caught:
            done(tmp_path, mode, received("/b"), live=LiveCallbacks(guard=guard))
        changed = [f"no longer sent: GET {BASE}/a", f"not recorded: GET {BASE}/b"]
        assert getattr(caught.value, "__notes__", []) == (changed if mode == "verify" else [])
        more = (403, 500) if mode == "rewrite" else ()
        for status in (401, 407, 408, 413, 425, 429, 502, 503, 504, *more):
            with pytest.raises(ResponseError, match=f"answered {status} to GET {BASE}/a") as caught:
                done(tmp_path, mode, received("/a", status=status))
            assert f"imagedetail_cassette.expect({status})" in caught.value.remedy
        assert path.read_bytes() == before
    own = session(tmp_path, "rewrite")
    Traffic(own).expect(503)
    for status in (200, 204, 302, 400, 404, 409, 503):
        own.record(received("/a", status=status))
    assert own.keep() == "recorded (replaced)"
    fewer = session(tmp_path, "rewrite")  # an unseen process may send the others
    fewer.record(received("/a"))
    assert fewer.keep() == "recorded (replaced; 6 of 7 requests were not sent again)"


def test_a_request_that_the_cloud_did_not_answer_is_no_recording(tmp_path):
    """The test may have caught that; a replay would miss it. A request sent again is answered."""
    own = session(tmp_path, "once")
    asked = replace(received("/flavors"), response=NO_RESPONSE)
    own.can_answer(asked)
    own.record(received("/images"))
    with pytest.raises(RecordingError, match="the cloud did not answer 1 request"):
        own.keep()
    own.can_answer(asked)
    own.record(received("/flavors"))
    assert own.keep() == "recorded (new)"
    # vcrpy neither sends the target of a recorded redirect nor what another thread was answered.
    own = session(tmp_path, "new_episodes")
    assert own.answer(asked)
    with pytest.raises(RecordingError, match=r"no answer left(?s:.+)--imagedetail-record-mode=rew"):
        own.answer(asked)


def test_a_recording_of_another_release_is_refused(tmp_path):
    """The test's own before it runs, a neighbor's with the first request."""
    store = Store(directory=tmp_path)
    store.write(recording(kept("/a"), release="2024.1"), known=Known(), shared="inv")
    own, other = (
        Cassette(store=store, cloud="staging", test=test, node=test, shared="inv")
        for test in ("t.py::a", "t.py::b")
    )
    with pytest.raises(StaleCassetteError, match=r"of release 2024\.1"):
        Session(own, record_mode="none", release="juno")
    beside = Session(other, record_mode="none", release="juno")
    with pytest.raises(StaleCassetteError, match=r"of release 2024\.1"):
        beside.can_answer(received("/a"))


def test_each_change_is_a_line(tmp_path):
    """Requests, statuses, headers but Content-Length, and values by path."""
    text, html = ([("Content-Type", f"text/{kind}")] for kind in ("plain", "html"))
    old = [
        *(received("/gone"), received("/a", {"x": 1, "y": [1]}), received("/s")),
        *(received("/n", b"text"), received("/w"), received("/h", got=text)),
    ]
    new = [
        *(received("/a", {"x": "1", "z": 2, "y": [2]}), received("/s", status=404)),
        *(received("/n", b"other"), received("/w"), received("/w")),
        *(received("/h", got=html), received("/new")),
    ]
    done(tmp_path, "once", *old)
    with pytest.raises(VerificationError) as caught:
        done(tmp_path, "verify", *new)
    assert str(caught.value) == (
        "the live cloud's answers differ from the recording\n"
        f"  no longer sent: GET {BASE}/gone\n"
        f'  GET {BASE}/a: body.x: 1 -> "1"\n'
        f"  GET {BASE}/a: body.y[0]: 1 -> 2\n"
        f"  GET {BASE}/a: body.z: absent -> 2\n"
        f"  GET {BASE}/s: status 200 -> 404\n"
        f"  GET {BASE}/n: body: 4 -> 5 bytes\n"
        f"  sent 2 times, recorded 1: GET {BASE}/w\n"
        f"  GET {BASE}/h: header Content-Type: text/plain -> text/html\n"
        f"  not recorded: GET {BASE}/new\n"
        f"  where: t.py::a, cassette {tmp_path}/staging/tests/t/a.yaml; nothing was written\n"
        "  next:  if the cloud was upgraded, record the test under a new cloud name: "
        "@pytest.mark.imagedetail(NAME)\n"
        "  next:  if only its data changed, replace the recording: "
        "pytest t.py::a --imagedetail-record-mode=rewrite"
    )
    done(tmp_path, "rewrite", *new)
    assert done(tmp_path, "verify", *new)[0] == "verified"


def test_logins_are_recognized():
    """A login is recognized by its request or its answer, not by one path."""
    token = {"token": {"id": "x", "expires": "2026"}}
    version = {"media-types": [{"type": "application/vnd.openstack.identity-v3+json"}]}
    post = {"method": "POST"}
    logins = [
        received("", answer, base=f"http://{url}", **more)
        for url, answer, more in (
            ("k:5000/v2.0/tokens", {"access": token}, post),
            ("k/identity/v3/auth/tokens", {"token": {"methods": []}}, post),
            ("k/v1.1/auth", {"auth": {**token, "serviceCatalog": {}}}, post),
            *(
                ("k/x", b"", {"got": [(f"X-{name}-Token", "x")]})
                for name in ("Auth", "Storage", "Subject")
            ),
            ("k/x", b"", {"request_body": b'{"auth": {"passwordCredentials": {}}}'}),
            ("k/x", b"", {"request_body": b'{"auth": {"identity": {"methods": []}}}'}),
            *(
                ("k/x", b"", {"sent": [("X-Auth-Key", "x"), (f"X-{name}-User", "x")]})
                for name in ("Auth", "Storage")
            ),
            ("k/x", {"version": version}, {}),
            ("k/x", {"versions": {"values": [version]}}, {}),
            ("k/identity/v3", {"error": {"code": 503}}, {}),
            ("admin:35357/v2.0/users", {"users": []}, {}),
            ("k/identity/v3/OS-TRUST/trusts", {"trust": {}}, {}),
            ("k/x", b'<access><token id="x"/></access>', {}),
            ("k/login", {"token": "x"}, post),
            *(("k/login", {"token": {name: "x"}}, post) for name in TOKEN_FIELDS),
        )
    ]
    others = [
        received("/images", {"images": []}),
        received("/servers", {"server": {"adminPass": "x"}}),
        received("/v3/users", {"users": []}, base="http://other"),
        received("/v2.1/images", {"images": []}, base="http://127.0.0.1:35357"),
        received("/images/1", {"metadata": {"token": "x"}}),
    ]
    assert split_keystone([*logins, *others]) == (others, logins)


def login(token, user, project, version="v3", roles=()):
    """Build a login and its answer."""
    asked, roles = {"base": KEYSTONE, "method": "POST"}, [{"name": role} for role in roles]
    if version == "v3":
        answer = {"token": {"user": {"id": user}, "project": {"id": project}, "roles": roles}}
        got = [("X-Subject-Token", token)]
        return received("/v3/auth/tokens", answer, 201, got=got, **asked)
    who = {"id": user, "roles": roles}
    answer = {"access": {"token": {"id": token, "tenant": {"id": project}}, "user": who}}
    return received("/v2.0/tokens", answer, **asked)


def sent_as(token, path="/images", status=200, header="X-Auth-Token", base=NOVA):
    return received(path, status=status, sent=[(header, token)], base=base)


def test_a_recording_has_one_identity(tmp_path):
    """A renewed token is the same user. A refused token does not count."""
    one, two, first = sent_as("one"), sent_as("two"), login("one", "u", A)
    v2 = NOVA.removesuffix("/v2.1") + "/v2"
    of_a, of_b, demo, seven = (sent_as("one", f"/{e}/images", base=v2) for e in (A, B, "demo", "7"))
    own = Access(endpoint=NOVA, token="two", project_id=A, user_id="u")
    names = (
        *("Api-Key", "Auth-Project-Id", "Auth-User", "Project-Id"),
        *("Tenant-Id", "User-Id", "Roles", "Tenant-Name", "Username"),
    )
    one_identity = [
        *([first, one, login("two", "u", A, each), two] for each in ("v3", "v2.0")),
        [one, sent_as("two", status=401)],
        [one, kept("/versions")],
        [one, sent_as("AWS4 Signature=1", header="Authorization")],
        [one, sent_as("1", header="Idempotency-Key"), sent_as("2", header="X-Trace")],
        [of_a, of_b],
        [demo, demo],
    ]
    users = [
        [one, two],
        *([first, one, login("two", *who), two] for who in (("u", B), ("v", A), ("u", B, "v2.0"))),
        *(
            [one, sent_as(f"{scheme} two", header="Authorization")]
            for scheme in ("Bearer", "Basic", "Token", "ApiKey")
        ),
        [one, sent_as("two", header="X-Storage-Token")],
        *([one, *(sent_as(who, header=f"X-{each}") for who in ("admin", "bob"))] for each in names),
    ]
    cases = [(None, [first, one, two], own), ("users", [one, two], own)]
    cases += [(None, each) for each in one_identity] + [("users", each) for each in users]
    for version in ("v3", "v2.0"):
        admin, reader = (login(each, "u", A, version, [each]) for each in ("admin", "reader"))
        tokens = [sent_as("admin"), sent_as("reader")]
        cases += [("different roles", [admin, reader, *tokens])]
        cases += [(None, [admin, reader, tokens[0]]), (None, [admin, admin, *tokens[:1] * 2])]
    cases += [("projects", [demo, seven]), ("projects", [seven, of_a])]
    for number, (refused, traffic, *accesses) in enumerate(cases):
        live = LiveCallbacks(accesses=lambda accesses=accesses: accesses)
        keeps = session(tmp_path / str(number), "once", live=live)
        Traffic(keeps).expect(401)
        for each in traffic:
            keeps.record(each)
        if refused is None:
            assert keeps.keep().startswith("recorded (new)")
            continue
        with pytest.raises(RecordingError, match=refused) as caught:
            keeps.keep()
        assert "one cloud name and one test for each" in caught.value.remedy


def test_requests_that_redaction_makes_equal_have_equal_answers(tmp_path):
    """Or else replay may mix them up; other requests, and the same one again, may differ."""
    form = [("Content-Type", "application/x-www-form-urlencoded")]

    def by_body(secret, answer):
        body = f"password={secret}".encode()
        return received("/log", answer, method="POST", sent=form, request_body=body)

    def by_query(value, answer=b"{}"):
        return received(f"/images?name={value}", answer)

    def by_region(port, answer=b"{}"):
        return received("/images", answer, base=NOVA.replace(":8774", f":{port}"))

    urls = [NOVA.replace(":8774", f":{port}") for port in (1, 2)]
    endpoints = [{"url": url, "interface": "public"} for url in urls]
    catalog = {"type": "compute", "name": "nova", "endpoints": endpoints}
    login = received("/v3/auth/tokens", {"token": {"catalog": [catalog]}}, 201, base=KEYSTONE)
    cases = (
        (True, login, by_region(1, b"1"), by_region(2, b"2")),
        (False, login, by_region(1, b"1"), by_region(2, b"1"), by_region(1, b"1")),
        (False, login, by_region(1, b"1"), by_region(1, b"2")),
        (True, by_query("ann@corp.example", b"1"), by_query("bob@corp.example", b"2")),
        (True, by_body("correct-Horse-1", b"1"), by_body("battery-Staple-2", b"2")),
        (False, by_body("correct-Horse-1", b"1"), by_body("battery-Staple-2", b"1")),
        (False, by_query("ann@corp.example", b"1"), by_query("ann@corp.example", b"2")),
        (False, by_query("ann", b"1"), by_query("bob", b"2")),
    )
    for number, (is_refused, *traffic) in enumerate(cases):
        folder = tmp_path / str(number)
        if is_refused:
            with pytest.raises(RecordingError, match="differ only in what is redacted"):
                done(folder, "once", *traffic)
            assert list(folder.rglob("*.yaml")) == []
        else:
            assert done(folder, "once", *traffic)[0].partition(",")[0] == "recorded (new)"


def test_verify_says_that_another_user_or_project_asks(tmp_path):
    """Only beside a difference: a renewed account may get the same answers."""
    asked = sent_as("one")
    done(tmp_path, "once", login("one", A, A), asked)
    for who, user, project in (("user", B, A), ("project", A, B)):
        other = login("one", user, project)
        assert done(tmp_path, "verify", other, asked)[0] == "verified"
        with pytest.raises(VerificationError) as caught:
            done(tmp_path, "verify", other, replace(asked, response=kept("/", b"[]").response))
        assert f"  sent as another {who}: use the credentials of" in str(caught.value)


NEW, OLD = "OpenStack-API-Version", "X-OpenStack-Nova-API-Version"


def sent(url=f"{HOST}/images", method="GET", body=b"", headers=()):
    return interaction_of(url, method=method, sent=headers, request_body=body)


def shown(asked, recorded):
    """Return the differences as a message shows them; there are none if the keys are equal."""
    parts = differences(parts_of(asked), parts_of(recorded))
    found = [f"{part}: {how}" for part, how in parts.items()]
    assert (key_of(asked) == key_of(recorded)) is (not found)
    return found


def test_queries():
    """Names in any order. Blank values count, and so do number and order of one name's values."""
    for asked, recorded, *differs in (
        ("a=1&b=x&a=2", "b=x&a=1&a=2"),
        ("name=a+b", "name=a%20b"),
        ("", "a=", "query a: asked without, recorded (blank)"),
        ("a=1&a=2", "a=2&a=1", "query a: asked 1, 2, recorded 2, 1"),
        ("a=1, 2", "a=1&a=2", "query a: asked 1, 2, recorded 1, 2"),
        ("a=%0A", "a=b", r"query a: asked \n, recorded b"),
        ("b=2&a=1", "a=3", "query a: asked 1, recorded 3", "query b: asked 2, recorded without"),
    ):
        assert shown(sent(f"{HOST}/i?{asked}"), sent(f"{HOST}/i?{recorded}")) == differs, asked


def test_paths():
    """By segments, so an encoded slash is part of a name. Hosts are not compared."""
    recorded = sent(f"{HOST}/v2/a%2Fb")
    for path in ("/v2/a%2Fb", "/v2/a%2fb", "/%76%32/a%2Fb"):
        assert shown(sent(f"{HOST}{path}"), recorded) == [], path
    for path in ("/v2/a/b", "/v2/a%2Fb/", "/V2/a%2Fb", "//v2/a%2Fb"):
        assert shown(sent(f"{HOST}{path}"), recorded) != [], path
    differs = ["path: asked /v2/a/b, recorded /v2/a%2Fb"]
    assert shown(sent(f"{HOST}/v2/a/b"), recorded) == differs
    assert shown(sent("http://cloud"), sent(f"{HOST}/")) == []


def test_microversions():
    """No header means 2.1, either header counts, /v2 has none, other services have their own."""
    for group in (
        [(), ((OLD, "2.1"),), ((NEW.lower(), "Compute 2.1"),), (("Accept", "*/*"),)],
        [((NEW, "compute 2.35"),), ((OLD, "2.35"),), ((NEW, "compute 2.35"), (OLD, "2.1"))],
        [((NEW, "compute 2.35, volume 3.0"),), ((NEW, "volume 3.0"), (NEW, "compute 2.35"))],
    ):
        for one, other in product(group, group):
            assert shown(sent(headers=one), sent(headers=other)) == [], (one, other)
    new, volume = (sent(headers=[(NEW, each)]) for each in ("compute 2.35", "volume 3"))
    assert shown(new, volume) == ["microversion: asked compute 2.35, recorded volume 3"]
    assert shown(sent(), new) == ["microversion: asked without, recorded compute 2.35"]
    url = f"{HOST}/v2/{OWN_PROJECT}/images/detail"
    for name, value, same in ((OLD, "2.15", 1), (NEW, "compute 2.35", 1), (NEW, "volume 3.0", 0)):
        assert (shown(sent(url, headers=[(name, value)]), sent(url)) == []) == same


def test_bodies():
    """JSON by its values and types, a form by its pairs, multipart without its boundary."""
    for asked, recorded, *differs in (
        (b'{"a":1,"b":[true]}', b'{"b": [true],\n "a": 1}'),
        (b"a=1&b=2", b"b=2&a=1"),
        (b"--one\r\nx\r\n--one--", b"--two\r\nx\r\n--two--"),
        (b'{"a": 1}', b'{"a": 1.0}', 'body: asked {"a": 1}, recorded {"a": 1.0}'),
        (b"[1, 2]", b"[2, 1]", "body: asked [1, 2], recorded [2, 1]"),
        (
            b'{"a": 1, "a": 2}',
            b'{"a": 2}',
            'body: asked {"a": 2, "a (repeated)": [1, 2]}, recorded {"a": 2}',
        ),
        (b"", b"{}", "body: asked without, recorded {}"),
        (b"a=1&b=", b"a=1", "form b: asked (blank), recorded without"),
    ):
        form = [("Content-Type", "application/x-www-form-urlencoded")]
        headers = form if b"=" in asked + recorded else ()
        one, other = (sent(method="POST", body=each, headers=headers) for each in (asked, recorded))
        assert shown(one, other) == differs, asked


def test_a_request_is_redacted_as_its_recording():
    """By names, by the project, and by owners whose placeholders were recorded."""
    live, secret = "http://nova.corp.example:8774", b'{"adminPass": "hunter2-secret"}'
    for url, project, owners, expected in (
        (f"{live}/v2/{A}/images", A, (), f"/v2/{OWN_PROJECT}/images"),
        (f"{live}/v2/{B}/images", A, (), f"/v2/{owner(B)}/images"),
        (f"{HOST}/v2/{owner(B)}/images", A, (), f"/v2/{owner(B)}/images"),
        (f"{live}/owner/{A}", OWN_PROJECT, (A,), f"/owner/{owner(A)}"),
        (f"{live}/a?token=secret-1234", OWN_PROJECT, (), "/a?token=redacted"),
    ):
        known, there = Known(project=project), frozenset(map(owner, owners))
        done = as_recorded(sent(url, "POST", secret), cloud="staging", known=known, owners=there)
        (request,) = done.interactions
        assert request.url == HOST + expected
        assert request.request_body == b'{"adminPass": "<redacted>"}'
