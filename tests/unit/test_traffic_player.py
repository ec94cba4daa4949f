"""Play each recorded answer once, in its order; explain a miss without showing a secret."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.redact.placeholders import OWN_PROJECT, owner
from pytest_imagedetail.traffic import Place
from pytest_imagedetail.traffic.player import Player, Source
from unit.traffic import recording

BASE = "https://compute.staging.invalid/v2.1"
LIVE = "http://10.1.2.3:8774/v2.1"
PROJECT = "3f2a9c4e8b7d41c6a5e0f9d8c7b6a594"
OTHER = "aaaa9c4e8b7d41c6a5e0f9d8c7b6a594"
TOKEN = "tok-4711-abcdefgh"


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


PLACE = Place(
    store=Store(directory=Path("/nowhere")), cloud="staging", test="t.py::a", node="t.py::a"
)


def player(*recorded, others=()):
    """A player of the test's own cassette and of further sources."""
    own = {PLACE.path: recording(*recorded)} if recorded else {}
    sources = (Source(lambda: own), *others)
    return Player(PLACE, held=PLACE.path, sources=sources)


def nearest(recorded, asked, before=()):
    """What a miss says of the nearest recording."""
    plays = player(*recorded)
    for each in before:
        assert plays.play(each) is not None
    lines = str(plays.miss(asked)).splitlines()[2 + len(recorded) : -2]
    return [line.strip() for line in lines]


def test_equal_requests_are_answered_in_their_order_and_as_often_as_recorded():
    """The third of two is a miss; another request between them changes nothing."""
    plays = player(
        sent(f"{BASE}/a", answer=b"1"), sent(f"{BASE}/b"), sent(f"{BASE}/a", answer=b"2")
    )
    asked = sent(f"{LIVE}/a")
    assert plays.has(asked)
    assert plays.played == 0
    assert [plays.play(asked).body for _ in range(2)] == [b"1", b"2"]
    assert not plays.has(asked)
    assert plays.play(asked) is None
    assert (plays.played, plays.unplayed) == (2, (f"2: GET {BASE}/b",))


def test_only_the_own_file_can_have_unplayed_interactions():
    """Those of other files in its folder are other tests'."""
    both = {path: recording(sent(f"{BASE}/a")) for path in (PLACE.path, Path("/b"))}
    plays = Player(PLACE, held=PLACE.path, sources=(Source(lambda: both),))
    assert plays.unplayed == (f"1: GET {BASE}/a",)


def test_threads_get_each_answer_once():
    """No answer is lost, and none comes twice."""
    answers = [str(number).encode() for number in range(200)]
    plays = player(*(sent(f"{BASE}/a", answer=each) for each in answers))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: plays.play(sent(f"{LIVE}/a")).body, range(200)))
    assert sorted(found) == sorted(answers)
    assert plays.unplayed == ()


def test_the_first_source_that_knows_a_request_answers_it_alone():
    """A listing answers any number of times; what is used up does not go on elsewhere."""
    listing = Source(
        lambda: {Path("/a"): recording(sent(f"{BASE}/a", answer=b"a"), sent(f"{BASE}/l"))},
        repeats=True,
    )
    library = Source(
        lambda: {Path("/b"): recording(*(sent(f"{BASE}/{each}", answer=b"b") for each in "alx"))},
        repeats=True,
    )
    plays = player(sent(f"{BASE}/a", answer=b"own"), others=(listing, library))
    assert plays.play(sent(f"{LIVE}/a")).body == b"own"
    assert plays.play(sent(f"{LIVE}/a")) is None
    assert [plays.play(sent(f"{LIVE}/l")).body for _ in range(3)] == [b"{}"] * 3
    assert [plays.play(sent(f"{LIVE}/x")).body for _ in range(3)] == [b"b"] * 3
    assert plays.used == (PLACE.path, Path("/a"), Path("/b"))
    assert plays.played == 3


def test_a_source_is_read_when_it_is_needed():
    """A test that its own cassette answers pays for nothing else."""

    def read():
        raise AssertionError("not needed")

    plays = player(sent(f"{BASE}/a"), others=(Source(read),))
    assert plays.endpoint == BASE
    assert plays.play(sent(f"{LIVE}/a")) is not None
    assert plays.unplayed == ()


def test_a_miss_is_explained():
    """What was asked, what is recorded, what is nearest and why not, and what to do."""
    plays = player(*RECORDED)
    plays.play(sent(f"{LIVE}/flavors"))
    error = plays.miss(sent(f"{LIVE}/images/detail?limit=3&marker="))
    assert str(error) == (
        f"nothing is recorded for GET {BASE}/images/detail?limit=3&marker=\n"
        "recorded, 1 of 3 played:\n"
        f"  GET {BASE}/images/detail?limit=2\n"
        f"  POST {BASE}/servers\n"
        f"  GET {BASE}/flavors (played)\n"
        f"nearest: GET {BASE}/images/detail?limit=2\n"
        "  query limit: asked 3, recorded 2\n"
        "  query marker: asked (blank), recorded without\n"
        "  where: t.py::a, cassette /nowhere/staging/tests/t/a.yaml\n"
        "  next:  record it: pytest t.py::a --imagedetail-record-mode=new_episodes"
    )


def test_the_nearest_recording_is_shown_with_what_differs():
    """The path counts first, then the number of parts that differ."""
    get, detail = f"nearest: GET {BASE}/flavors", f"nearest: GET {BASE}/images/detail?limit=2"
    new = [("OpenStack-API-Version", "compute 2.9")]
    for asked, shown in (
        (
            sent(f"{LIVE}/images"),
            [
                detail,
                "path: asked /v2.1/images, recorded /v2.1/images/detail",
                "query limit: asked without, recorded 2",
            ],
        ),
        (sent(f"{LIVE}/flavors", "DELETE"), [get, "method: asked DELETE, recorded GET"]),
        (
            sent(f"{LIVE}/servers", "POST", b'{"adminPass": "hunter2-secret"}'),
            [
                f"nearest: POST {BASE}/servers",
                'body: asked {"adminPass": "<redacted>"}, recorded {"name": "a"}',
            ],
        ),
        (
            sent(f"{LIVE}/flavors", headers=new),
            [get, "microversion: asked compute 2.9, recorded without"],
        ),
    ):
        assert nearest(RECORDED, asked) == shown


def test_the_first_project_of_a_path_is_the_recordings_own():
    """A second one is another, which the recording knows by a placeholder of its own or not."""
    own = sent(f"https://compute.staging.invalid/v2/{OWN_PROJECT}/images", answer=b"own")
    other = sent(f"https://compute.staging.invalid/v2/{owner(OTHER)}/images", answer=b"other")

    def answers(recorded, *projects):
        plays = player(*recorded)
        found = [plays.play(sent(f"http://10.1.2.3/v2/{each}/images")) for each in projects]
        return [each and each.body for each in found]

    assert answers([own, own], PROJECT, PROJECT) == [b"own", b"own"]
    assert answers([own, own], PROJECT, OTHER) == [b"own", None]
    assert answers([own, other], PROJECT, OTHER) == [b"own", b"other"]
    assert answers([own, other], OTHER, OTHER) == [b"other", None]
    assert answers([own, other], OWN_PROJECT, PROJECT) == [b"own", None]
    assert answers([own], "demo") == [b"own"]


def test_a_request_that_was_played_to_its_end_is_counted():
    """It can be sent as often as it was recorded."""
    asked = sent(f"{LIVE}/flavors")
    for times, often in (1, "once"), (3, "3 times"):
        recorded = [sent(f"{BASE}/flavors")] * times
        assert nearest(recorded, asked, [asked] * times) == [
            f"it was recorded {often}, and it has been played {often}"
        ]


def test_without_a_cassette_a_miss_says_so():
    """There is nothing to list and nothing that comes near."""
    asked = sent(f"{LIVE}/flavors?token=abc12345secret")
    lines = str(player().miss(asked)).splitlines()
    assert lines[:2] == [
        f"nothing is recorded for GET {BASE}/flavors?token=redacted",
        "the cassette does not exist: nothing was ever recorded for this test",
    ]


def test_what_is_long_is_cut_and_what_is_many_is_counted():
    """A message stays one that can be read."""
    recorded = [sent(f"{BASE}/images/{number}") for number in range(12)]
    text = str(player(*recorded).miss(sent(f"{LIVE}/images/x?changes-since={'9' * 5000}")))
    assert "  and 4 more\n" in text
    assert max(map(len, text.splitlines())) < 350
    assert f"... ({len(f'GET {BASE}/images/x?changes-since=') + 5000} characters)" in text


def test_no_secret_of_any_request_is_shown():
    """Not the token of this request or of an earlier one, nor what was sent to Keystone."""
    plays = player(*RECORDED)
    plays.play(sent(f"{LIVE}/flavors", headers=[("X-Auth-Token", TOKEN)]))
    login = {"auth": {"identity": {"password": {"user": {"password": "a-live-password"}}}}}
    plays.authenticate(
        sent("http://10.1.2.3:5000/v3/auth/tokens", "POST", str(login).replace("'", '"').encode())
    )
    asked = f"{LIVE}/images/detail?q={TOKEN}&r=a-live-password&apikey=another-one-77"
    text = str(plays.miss(sent(asked, headers=[("X-Auth-Token", "second-token-9")])))
    for secret in (TOKEN, "a-live-password", "another-one-77", "second-token-9", "10.1.2.3"):
        assert secret not in text


def test_an_owner_that_the_test_knows_by_itself_gets_its_own_answer():
    """Asked by the real id or by the placeholder, in any order."""
    recorded = [sent(f"{BASE}/owner/{owner(e)}", answer=e.encode()) for e in (PROJECT, OTHER)]
    plays = player(*recorded)
    assert plays.play(sent(f"{LIVE}/owner/{OTHER}")).body == OTHER.encode()
    assert not plays.has(sent(f"{LIVE}/owner/{owner(OTHER)}"))
    assert plays.play(sent(f"{LIVE}/owner/{owner(PROJECT)}")).body == PROJECT.encode()


def test_a_stock_recording_is_matched_redacted_and_answers_as_it_is():
    """Its own names are in its answers only."""
    recorded = [sent(f"{LIVE}/v2/{PROJECT}/images?token=abc12345secret", answer=b"real")]
    stock = {PLACE.path: recording(*recorded, source="stock")}
    plays = Player(PLACE, held=PLACE.path, sources=(Source(lambda: stock),))
    asked = sent(f"http://other/v2.1/v2/{OTHER}/images?token=another-secret")
    assert plays.play(asked).body == b"real"
    assert plays.interactions == tuple(recorded)
    missed = str(plays.miss(sent("http://other.example/v2.1/flavor")))
    assert f"GET {BASE}/v2/{OWN_PROJECT}/images?token=redacted (played)" in missed
    assert "10.1.2.3" not in missed
    assert "other.example" not in missed
