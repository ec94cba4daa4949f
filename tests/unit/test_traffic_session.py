"""A test's session, and the part of it that the fixture shows."""

from dataclasses import replace

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import (
    CassetteNotFoundError,
    NoInteractionError,
    RecordingError,
    ReleaseError,
    ResponseError,
    VerificationError,
)
from pytest_imagedetail.model import RECORD_MODES, Headers
from pytest_imagedetail.redact import Known
from pytest_imagedetail.traffic import Live, Place, Session, Traffic
from unit.traffic import BASE, TOKEN, kept, received, recording

OFFLINE = Live()


def session(tmp_path, record_mode="none", *recorded, live=OFFLINE):
    """A session of one test, with a cassette of these interactions if there are any."""
    store = Store(directory=tmp_path)
    if recorded:
        store.write(recording(*recorded), known=Known())
    place = Place(store=store, cloud="staging", test="t.py::a", node="t.py::a")
    return Session(place, record_mode=record_mode, live=live)


def test_the_fixture_shows_what_the_session_does(tmp_path):
    """What is recorded, what was played of it and what was not; an expected miss is no failure."""
    own = session(tmp_path, "none", kept("/a", b"1"), kept("/b"))
    held = Traffic(own)
    assert own.closed
    assert (held.cloud, held.test, held.record_mode) == ("staging", "t.py::a", "none")
    assert held.path == tmp_path / "staging" / "tests" / "t" / "a.yaml"
    assert (held.replays, held.endpoint, held.played) == (True, BASE, 0)
    assert own.answer(kept("/a")).body == b"1"
    assert (held.played, held.unplayed) == (1, (f"2: GET {BASE}/b",))
    assert repr(held) == "<imagedetail cassette a.yaml: 2 interactions>"
    with pytest.raises(AttributeError):
        held.replays = False
    for miss in (own.refuse, own.answer):
        with pytest.raises(NoInteractionError) as caught:
            miss(kept("/other"))
        assert "did you mean" not in str(caught.value)  # a cloud that is there is no misspelling
    assert own.failed is not None
    held.expect_miss()
    assert own.failed is None


def test_once_replays_if_something_is_recorded(tmp_path):
    """The other modes replay always or never."""
    for name in RECORD_MODES:
        assert session(tmp_path, name).replays is (name == "none"), name
    for name in RECORD_MODES:
        assert session(tmp_path, name, kept("/a")).replays is (name in {"none", "once"}), name


def test_a_session_that_has_nothing_to_keep_or_to_verify(tmp_path):
    """A login alone is no recording; secrets of a request are known before its answer."""
    own = session(tmp_path, "once")
    assert not own.can_answer(received("/a"))
    assert own.secrets() == {TOKEN}
    token = Headers([("X-Subject-Token", "8f14e45fceea167a5a36dedd4bea2543")])
    login = received("/v3/auth/tokens", base="http://keystone.corp.example:5000", method="POST")
    own.record(replace(login, response=replace(login.response, headers=token)))
    with pytest.raises(RecordingError, match="the test asked only Keystone"):
        own.keep()
    own = session(tmp_path, "verify")
    with pytest.raises(CassetteNotFoundError) as caught, own.running():
        pass
    assert str(caught.value) == (
        "nothing is recorded for this test, so there is nothing to verify\n"
        f"  where: t.py::a, cassette {tmp_path}/staging/tests/t/a.yaml\n"
        "  next:  record it: pytest t.py::a --imagedetail-record-mode=once"
    )


def done(tmp_path, record_mode, *interactions, live=OFFLINE):
    """What a session says of the traffic that it keeps, and what the cassette then holds."""
    own = session(tmp_path, record_mode, live=live)
    for each in interactions:
        own.record(each)
    said = own.keep()
    return said, [(each.url, each.response.body) for each in own.place.load().interactions]


def test_new_episodes_add_and_rewrite_replaces(tmp_path):
    """What the run knows as secret, and e-mail addresses, are redacted."""
    live = Live(secrets=lambda: frozenset({"a-secret-of-the-run"}))
    one, other = received("/a", b"a-secret-of-the-run"), received("/b", b"me@corp.example")
    first = (f"{BASE}/a", b"<redacted>")
    second = (f"{BASE}/b", b"redacted@redacted.invalid")
    assert done(tmp_path, "once", one, live=live) == ("recorded (new)", [first])
    assert session(tmp_path, "new_episodes").can_answer(one)
    assert not session(tmp_path, "rewrite").can_answer(one)
    assert done(tmp_path, "new_episodes", other) == ("recorded (replaced)", [first, second])
    assert done(tmp_path, "rewrite", other) == ("recorded (replaced)", [second])


def test_another_answer_or_release_is_refused(tmp_path):
    """With every change in a line and both ways out; the old recording stays."""

    def guard():
        raise ReleaseError("the cloud was upgraded", remedy="")

    done(tmp_path, "once", received("/a"), received("/b"))
    [path] = tmp_path.rglob("*.yaml")
    before = path.read_bytes()
    changed = [received(each, status=404) for each in ("/a", "/b")]
    for mode, traffic, live, error in (
        ("rewrite", [received("/a")], Live(guard=guard), ReleaseError),
        ("verify", [received("/a")], Live(guard=guard), ReleaseError),
        ("rewrite", [received("/a", status=503)], Live(), ResponseError),
        ("verify", changed, Live(), VerificationError),
    ):
        with pytest.raises(error) as caught:
            done(tmp_path, mode, *traffic, live=live)
        assert path.read_bytes() == before
    assert str(caught.value) == (
        "the live cloud's answers differ from the recording\n"
        f"  GET {BASE}/a: status 200 -> 404\n"
        f"  GET {BASE}/b: status 200 -> 404\n"
        f"  where: t.py::a, cassette {tmp_path}/staging/tests/t/a.yaml; nothing was written\n"
        "  next:  if the cloud was upgraded, record the test under a new cloud name: "
        "@pytest.mark.imagedetail(NAME)\n"
        "  next:  if only its data changed, replace the recording: "
        "pytest t.py::a --imagedetail-record-mode=rewrite"
    )
