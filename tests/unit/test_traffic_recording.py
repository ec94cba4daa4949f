"""What was heard becomes a recording: redacted first, merged without contradiction, counted."""

import json
from dataclasses import replace
from itertools import permutations

import pytest

from pytest_imagedetail.cassette import Store, dumps
from pytest_imagedetail.errors import RecordingError, ResponseError
from pytest_imagedetail.model import Headers, Interaction, Provenance, Recording, Response
from pytest_imagedetail.patience import NOBODY_ANSWERED
from pytest_imagedetail.traffic.recording import (
    appended,
    changes,
    lacking,
    made_of,
    merged,
    of_stock,
    refuse_failures,
    refuse_no_answer,
)
from pytest_imagedetail.traffic.renumbering import Words
from pytest_imagedetail.traffic.together import Together, lost

NOVA = "http://nova.corp.example:8774/v2.1"
KEYSTONE = "http://keystone.corp.example:5000/v3/auth/tokens"
BASE = "https://compute.staging.invalid/v2.1"
TOKEN, PASSWORD = "8f14e45fceea167a5a36dedd4bea2543", "a-live-password"
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


def heard(path, answer=b"{}", status=200, *, base=NOVA, method="GET", **more):
    """One interaction."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    fields = [("X-Auth-Token", TOKEN)] if base == NOVA else []
    return Interaction(
        method=method,
        url=f"{base}{path}",
        request_headers=Headers(fields),
        response=Response(status_code=status, body=body),
        **more,
    )


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
    return made_of(interactions, cloud="staging", test="shared", release="2023.1")


def recording(*interactions, **facts):
    """A recording in placeholders."""
    provenance = Provenance(
        cloud="staging", test="shared", pages=len(interactions), plugin="1", **facts
    )
    return Recording(provenance=provenance, interactions=interactions)


def kept(path, answer=b"{}", **more):
    """One interaction in placeholders."""
    return heard(path, answer, base=BASE, **more)


def test_keystone_tells_what_is_secret_and_is_left_out():
    """No token, password, user or host is in the text, and the catalog is of whom was asked."""
    answer = {"owner": USER, "note": f"{PASSWORD} {TOKEN}", "href": f"{NOVA}/images"}
    done = made(LOGIN, heard("/images", answer))
    text = dumps(done.recording)
    for secret in (TOKEN, PASSWORD, USER, "corp.example", "auth/tokens"):
        assert secret not in text
    assert {TOKEN, PASSWORD, USER} <= done.secrets
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
    store.write_traffic(done.recording, secrets=done.secrets)
    loaded = store.load_traffic("staging", "shared")
    assert loaded.interactions == done.recording.interactions
    assert lacking(loaded, done.recording.interactions) == []


REFUSED = "mend what the cloud refused (credentials, policy)"
BUSY = "wait until the cloud has time"
MEND = {401: REFUSED, 403: REFUSED, 407: REFUSED, 500: REFUSED} | dict.fromkeys(
    (408, 413, 425, 429, 502, 503, 504), BUSY
)


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


@pytest.mark.parametrize("status", sorted(NOBODY_ANSWERED))
def test_verifying_an_answer_of_nobody_is_an_error(status):
    """It says nothing of the recording, unless that holds it, or the test is about it."""
    old, live = recording(kept("/images")), recording(kept("/images", status=status))
    with pytest.raises(ResponseError) as caught:
        refuse_no_answer(old, live, expected=frozenset(), where="t.py::a")
    assert caught.value.status_code == status
    assert str(caught.value) == (
        f"the recording was not verified: the cloud answered {status} to GET {BASE}/images\n"
        "  where: t.py::a; nothing was written\n"
        f"  next:  {MEND[status]}, then verify again\n"
        f"  next:  or, if the test is about it: imagedetail_cassette.expect({status})"
    )
    refuse_no_answer(old, live, expected=frozenset({status}), where="t.py::a")
    refuse_no_answer(live, live, expected=frozenset(), where="t.py::a")
    twice = recording(*live.interactions, *live.interactions)
    with pytest.raises(ResponseError):
        refuse_no_answer(live, twice, expected=frozenset(), where="t.py::a")


@pytest.mark.parametrize("status", [200, 403, 404, 500])
def test_another_answer_is_one(status):
    """It is compared, and a difference where it is one."""
    live = recording(kept("/images", status=status))
    refuse_no_answer(recording(kept("/images")), live, expected=frozenset(), where="t.py::a")


@pytest.mark.parametrize("status", [200, 204, 302, 400, 404, 409])
def test_another_status_is_kept(status):
    """A test may well be about what is not there."""
    refuse_failures(
        recording(kept("/images", status=status)), expected=frozenset(), where="t.py::a"
    )


def test_merging_adds_what_is_new():
    """What both heard stands once, and as often as the one that asked more often did."""
    old = recording(kept("/a", b"1"), kept("/b"), recorded_at="2026-02-01", redactions={"hosts": 1})
    new = recording(
        kept("/a", b"1"), kept("/a", b"2"), kept("/c"), recorded_at="2026-01-01",
        redactions={"hosts": 2},
    )  # fmt: skip
    done = merged(old, new, replacing=False)
    assert [(each.url[-2:], each.response.body) for each in done.interactions] == [
        ("/a", b"1"), ("/b", b"{}"), ("/a", b"2"), ("/c", b"{}"),
    ]  # fmt: skip
    assert done.provenance.pages == 4
    assert done.provenance.recorded_at == "2026-01-01"
    assert done.provenance.redactions == {"hosts": 3}


def test_merging_the_same_changes_nothing():
    """Neither order nor counts: the file is left alone."""
    old = recording(kept("/a"), kept("/b"), redactions={"hosts": 1})
    new = recording(kept("/b"), kept("/a"), redactions={"hosts": 1})
    assert merged(old, new, replacing=False) == old


@pytest.mark.parametrize(
    "other",
    [
        {"answer": b"2"},
        {"status": 404},
    ],
)
def test_merging_what_contradicts_is_refused(other):
    """A test would be answered what another one heard; both are told how to go apart."""
    old, new = recording(kept("/a", b"1")), recording(kept("/a", **{"answer": b"1", **other}))
    with pytest.raises(RecordingError) as caught:
        merged(old, new, replacing=False)
    assert str(caught.value) == (
        f"another test of this cassette was answered otherwise to GET {BASE}/a\n"
        "  where: cloud staging, cassette shared\n"
        "  next:  give the tests cassettes of their own: without cassette= in the marker, each "
        "has\n"
        "  next:  what is recorded is untouched"
    )
    assert merged(old, new, replacing=True).interactions == new.interactions


WRITERS = [
    [("/a", b"1"), ("/a", b"2"), ("/b", b"3")],
    [("/a", b"1"), ("/c", b"4")],
    [("/c", b"4"), ("/c", b"5"), ("/b", b"3"), ("/b", b"3")],
    [("/b", b"3")],
]


@pytest.mark.parametrize("replacing", [False, True])
@pytest.mark.parametrize("order", list(permutations(range(len(WRITERS)))), ids=str)
def test_several_writers_lose_nothing_of_each_other(order, replacing):
    """Whoever writes first or last, each finds all of its own, and no old answer is left."""
    old = [kept("/old"), *(kept("/a", b"0") for _ in range(3 if replacing else 0))]
    done, together = recording(*old), Together()
    for number in order:
        told = recording(*(kept(*each) for each in WRITERS[number]))
        done = merged(done, told, replacing=replacing, beside=together.heard)
        together.add(told.interactions, Words())
    for writer in WRITERS:
        assert lacking(done, [kept(*each) for each in writer]) == []
    assert sorted((each.url[-2:], each.response.body) for each in done.interactions) == [
        ("/a", b"1"), ("/a", b"2"), ("/b", b"3"), ("/b", b"3"), ("/c", b"4"), ("/c", b"5"),
        ("ld", b"{}"),
    ]  # fmt: skip


def test_what_several_writers_wrote_is_counted():
    """Each interaction as often as the test that asked most often; what is not there is named."""
    together = Together()
    for writer in WRITERS:
        together.add([kept(*each) for each in writer], Words())
    written = together.written()
    assert sum(written.values()) == 6
    all_of_it = [each for one in together.heard.values() for each in one]
    assert lost(recording(*all_of_it, kept("/more")), written) == []
    assert lost(recording(*all_of_it[1:]), written) == [f"GET {BASE}/a"]
    assert lost(recording(kept("/a", b"9")), written) == [
        f"GET {BASE}/{each}" for each in ("a", "a", "b", "b", "c", "c")
    ]
    assert len(lost(None, written)) == 6


def test_a_writer_is_held_to_what_others_of_its_run_heard():
    """Where it replaces, too: else the last one would win, whatever the others heard."""
    old, together = recording(kept("/a", b"0"), kept("/b")), Together()
    first = recording(kept("/a", b"1"))
    done = merged(old, first, replacing=True, beside=together.heard)
    together.add(first.interactions, Words())
    with pytest.raises(RecordingError, match="another test of this cassette was answered"):
        merged(done, recording(kept("/a", b"2")), replacing=True, beside=together.heard)


def test_replacing_leaves_the_rest_of_equal_answers_and_the_order():
    """A test that asks less often hears a part; one that hears otherwise replaces all of it."""
    old = recording(kept("/a", b"1"), kept("/b"), kept("/a", b"2"), kept("/c"))
    assert merged(old, recording(kept("/a", b"1")), replacing=True).interactions == old.interactions
    done = merged(old, recording(kept("/a", b"3")), replacing=True)
    assert [each.url[-2:] for each in done.interactions] == ["/a", "/b", "/c"]
    done = merged(old, recording(*(kept("/a", b"3"),) * 3), replacing=True)
    assert [each.url[-2:] for each in done.interactions] == ["/a", "/b", "/a", "/c", "/a"]


def test_requests_differ_by_method_body_and_microversion():
    """None of them contradicts another."""
    one = kept("/a", b"1")
    version = Headers([("OpenStack-API-Version", "compute 2.1")])
    others = [
        replace(one, method="POST"),
        replace(one, request_body=b"{}"),
        replace(one, request_headers=version),
    ]
    new = recording(*(replace(each, response=kept("", b"2").response) for each in others))
    assert len(merged(recording(one), new, replacing=False).interactions) == 4


@pytest.mark.parametrize("combine", [appended, lambda *each: merged(*each, replacing=False)])
def test_traffic_with_several_hosts_cannot_be_combined(combine):
    """Nobody knows which of them is which placeholder in the other recording."""
    image = heard("/b", base="https://image.staging.invalid")
    for pair in ((recording(kept("/a"), image), recording(kept("/a"))),):
        for old, new in (pair, pair[::-1]):
            with pytest.raises(RecordingError, match="it is of several hosts"):
                combine(old, new)


def test_appending_keeps_both_in_their_order():
    """A request that was asked again is recorded again."""
    done = appended(recording(kept("/a", b"1")), recording(kept("/a", b"2"), kept("/b")))
    assert [each.response.body for each in done.interactions] == [b"1", b"2", b"{}"]
    assert done.provenance.pages == 3


def test_what_is_lacking_is_counted():
    """Two that are equal are two."""
    one = kept("/a")
    assert lacking(recording(one), [one, one]) == [one]
    assert lacking(recording(one, one), [one]) == []
    assert lacking(recording(one), [replace(one, request_body=b"x")]) != []


def test_what_changed_is_told_line_by_line():
    """Requests that came and went, statuses, headers, and values by their paths."""
    old = recording(
        kept("/gone"), kept("/a", {"x": 1, "y": [1]}), kept("/s"), kept("/n", b"text"), kept("/w")
    )
    new = recording(
        kept("/a", {"x": "1", "z": 2, "y": [2]}), kept("/s", status=404), kept("/n", b"other"),
        kept("/w", b"{ }"), kept("/w", b"{ }"), kept("/new"),
    )  # fmt: skip
    assert changes(old, new) == [
        f"no longer asked: GET {BASE}/gone",
        f'GET {BASE}/a: body.x: 1 -> "1"',
        f"GET {BASE}/a: body.y[0]: 1 -> 2",
        f"GET {BASE}/a: body.z: added, 2",
        f"GET {BASE}/s: status 200 -> 404",
        f"GET {BASE}/n: body: 4 -> 5 bytes, not the same",
        f"asked 2 times, recorded 1: GET {BASE}/w",
        f"GET {BASE}/w: body: the same values, written otherwise",
        f"not recorded: GET {BASE}/new",
    ]
    assert changes(new, new) == []


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


@pytest.mark.parametrize("combine", [appended, lambda *each: merged(*each, replacing=False)])
def test_the_text_does_not_depend_on_who_came_first(combine):
    """What was redacted is counted in one order, as `redact` itself counts."""
    tokens = recording(kept("/a"), redactions={"tokens": 1})
    hosts = recording(kept("/b"), redactions={"hosts": 2, "ids": 1})
    for done in (combine(tokens, hosts), combine(hosts, tokens)):
        assert list(done.provenance.redactions.items()) == [("hosts", 2), ("ids", 1), ("tokens", 1)]
