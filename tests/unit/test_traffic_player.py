"""Play each recorded answer once, in its order; explain a miss without showing a secret."""

import json
from pathlib import Path

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.redact.placeholders import OWN_PROJECT, owner
from pytest_imagedetail.traffic import Place, keystone
from pytest_imagedetail.traffic.player import Player, Source
from unit.traffic import BASE, recording

LIVE = "http://10.1.2.3:8774/v2.1"
PROJECT, OTHER = (f"{start}9c4e8b7d41c6a5e0f9d8c7b6a594" for start in ("3f2a", "aaaa"))
TOKEN = "tok-4711-abcdefgh"
PLACE = Place(
    store=Store(directory=Path("/nowhere")), cloud="staging", test="t.py::a", node="t.py::a"
)


def sent(url, method="GET", body=b"", headers=(), answer=b"{}"):
    """One interaction."""
    return Interaction(
        method=method,
        url=url,
        request_body=body,
        request_headers=Headers(headers),
        response=Response(status_code=200, body=answer),
    )


RECORDED = (
    sent(f"{BASE}/images/detail?limit=2"),
    sent(f"{BASE}/servers", "POST", b'{"name": "a"}'),
    sent(f"{BASE}/flavors"),
)


def player(*recorded, others=()):
    """A player of the test's own cassette, and of further sources."""
    own = {PLACE.path: recording(*recorded)} if recorded else {}
    return Player(PLACE, held=PLACE.path, sources=(Source(lambda: own), *others))


def nearest(recorded, asked, before=()):
    """What a miss says of the nearest recording."""
    plays = player(*recorded)
    for each in before:
        assert plays.play(each) is not None
    lines = str(plays.miss(asked)).splitlines()[2 + len(recorded) : -2]
    return [line.strip() for line in lines]


def test_equal_requests_are_answered_in_their_order_and_as_often_as_recorded():
    """The own cassette first; another source is read only if it is needed."""
    recorded = sent(f"{BASE}/a", answer=b"1"), sent(f"{BASE}/b"), sent(f"{BASE}/a", answer=b"2")
    plays = player(*recorded, others=(Source(lambda: pytest.fail("read")),))
    asked = sent(f"{LIVE}/a")
    assert (plays.has(asked), plays.played, plays.endpoint) == (True, 0, BASE)
    assert [plays.play(asked).body for _ in range(2)] == [b"1", b"2"]
    assert (plays.has(asked), plays.play(asked)) == (False, None)
    assert (plays.played, plays.unplayed) == (2, (f"2: GET {BASE}/b",))


def test_a_token_in_the_body_is_the_recorded_one():
    """The built-in Keystone's token stands where the live one stood, under whatever name."""
    recorded = sent(f"{BASE}/a?x=redacted", "POST", b'{"a": "<redacted>"}')
    headers = [("X-Auth-Token", keystone.TOKEN)]
    body = json.dumps({"a": keystone.TOKEN}).encode()
    asked = sent(f"{LIVE}/a?x={keystone.TOKEN}", "POST", body, headers)
    assert player(recorded).play(asked) is not None


def test_a_miss_stays_readable():
    """What is long is cut, what is many is counted, and no request shows a secret."""
    recorded = [sent(f"{BASE}/images/{number}") for number in range(12)]
    text = str(player(*recorded).miss(sent(f"{LIVE}/images/x?changes-since={'9' * 5000}")))
    assert "  and 4 more\n" in text
    assert max(map(len, text.splitlines())) < 350
    assert f"... ({len(f'GET {BASE}/images/x?changes-since=') + 5000} characters)" in text
    plays = player(*RECORDED)
    plays.play(sent(f"{LIVE}/flavors", headers=[("X-Auth-Token", TOKEN)]))
    login = b'{"auth": {"identity": {"password": {"user": {"password": "a-live-password"}}}}}'
    plays.authenticate(sent("http://10.1.2.3:5000/v3/auth/tokens", "POST", login))
    asked = f"{LIVE}/images/detail?q={TOKEN}&r=a-live-password&apikey=another-one-77"
    text = str(plays.miss(sent(asked, headers=[("X-Auth-Token", "second-token-9")])))
    assert f"recorded, 1 of 3 played:\n  GET {BASE}/images/detail?limit=2\n" in text
    assert f"  GET {BASE}/flavors (played)\nnearest: " in text
    for secret in (TOKEN, "a-live-password", "another-one-77", "second-token-9", "10.1.2.3"):
        assert secret not in text


def test_the_nearest_recording_is_shown_with_what_differs():
    """The path counts first, then the number of parts that differ; then how often it was played."""
    get, detail = f"nearest: GET {BASE}/flavors", f"nearest: GET {BASE}/images/detail?limit=2"
    new = [("OpenStack-API-Version", "compute 2.9")]
    secret = b'{"adminPass": "hunter2-secret"}'
    path = "path: asked /v2.1/images, recorded /v2.1/images/detail"
    body = 'body: asked {"adminPass": "<redacted>"}, recorded {"name": "a"}'
    for asked, *shown in (
        (sent(f"{LIVE}/images"), detail, path, "query limit: asked without, recorded 2"),
        (sent(f"{LIVE}/flavors", "DELETE"), get, "method: asked DELETE, recorded GET"),
        (sent(f"{LIVE}/servers", "POST", secret), f"nearest: POST {BASE}/servers", body),
        (
            sent(f"{LIVE}/flavors", headers=new),
            *(get, "microversion: asked compute 2.9, recorded without"),
        ),
    ):
        assert nearest(RECORDED, asked) == shown
    asked = sent(f"{LIVE}/flavors")
    for times, often in (1, "once"), (3, "3 times"):
        found = nearest([sent(f"{BASE}/flavors")] * times, asked, [asked] * times)
        assert found == [f"it was recorded {often}, and it has been played {often}"]


def test_the_first_project_of_a_path_is_the_recordings_own():
    """A second one, or another owner, is known by a placeholder of its own or not at all."""
    host = "https://compute.staging.invalid/v2"
    own = sent(f"{host}/{OWN_PROJECT}/images", answer=b"own")
    other = sent(f"{host}/{owner(OTHER)}/images", answer=b"other")
    for recorded, projects, bodies in (
        ([own, own], (PROJECT, PROJECT), [b"own", b"own"]),
        ([own, own], (PROJECT, OTHER), [b"own", None]),
        ([own, other], (PROJECT, OTHER), [b"own", b"other"]),
        ([own, other], (OTHER, OTHER), [b"other", None]),
        ([own, other], (OWN_PROJECT, PROJECT), [b"own", None]),
        ([own], ("demo",), [b"own"]),
    ):
        plays = player(*recorded)
        found = [plays.play(sent(f"http://10.1.2.3/v2/{each}/images")) for each in projects]
        assert [each and each.body for each in found] == bodies, projects
    plays = player(*(sent(f"{BASE}/owner/{owner(e)}", answer=e.encode()) for e in (PROJECT, OTHER)))
    assert plays.play(sent(f"{LIVE}/owner/{OTHER}")).body == OTHER.encode()
    assert not plays.has(sent(f"{LIVE}/owner/{owner(OTHER)}"))
    assert plays.play(sent(f"{LIVE}/owner/{owner(PROJECT)}")).body == PROJECT.encode()
