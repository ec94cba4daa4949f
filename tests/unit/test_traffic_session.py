"""What a test holds is small: what an editor completes is what a test may use."""

from pathlib import Path

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import CassetteNotFoundError, NoInteractionError
from pytest_imagedetail.model import RECORD_MODES
from pytest_imagedetail.redact import Known
from pytest_imagedetail.traffic import Place, Session, Traffic
from pytest_imagedetail.traffic.session import Mode
from unit.traffic import BASE, kept, recording

PAGE = Path(__file__).parents[2] / "docs" / "own-client.md"


def session(tmp_path, record_mode="none", *recorded):
    """A session of one test, with a cassette of these interactions if there are any."""
    store = Store(directory=tmp_path)
    if recorded:
        store.write(recording(*recorded), secrets=Known())
    place = Place(store=store, cloud="staging", test="t.py::a", node="t.py::a")
    return Session(place, record_mode=record_mode)


def test_what_a_test_may_use_is_documented_and_nothing_else_is_there():
    """Recording and refusing are the plugin's; a test cannot get in their way by a slip."""
    names = [name for name in dir(Traffic) if not name.startswith("_")]
    assert sorted(names) == [
        "cloud",
        "endpoint",
        "expect",
        "expect_miss",
        "interactions",
        "path",
        "played",
        "record_mode",
        "replays",
        "test",
        "unplayed",
    ]
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in names if f"`{name}" not in page] == []


def test_it_shows_what_the_session_does(tmp_path):
    """While replaying: what is recorded, what was played of it, and what was not."""
    own = session(tmp_path, "none", kept("/a", b"1"), kept("/b"))
    held = Traffic(own)
    assert own.closed
    assert (held.cloud, held.test, held.record_mode) == ("staging", "t.py::a", "none")
    assert held.path == tmp_path / "staging" / "tests" / "t" / "a.yaml"
    assert (held.replays, held.endpoint, held.played) == (True, BASE, 0)
    assert own.answer(kept("/a")).body == b"1"
    assert held.played == 1
    assert held.unplayed == (f"2: GET {BASE}/b",)
    assert repr(held) == "<imagedetail cassette a.yaml: 2 interactions>"
    with pytest.raises(AttributeError):
        held.replays = False


def test_what_it_is_told_the_session_knows(tmp_path):
    """A test that is about a miss says so."""
    own = session(tmp_path, "none", kept("/a"))
    with pytest.raises(NoInteractionError):
        own.refuse(kept("/other"))
    assert len(own.failed) == 1
    Traffic(own).expect_miss()
    assert own.failed == []


def test_a_record_mode_replays_records_or_compares():
    """Only `once` depends on what is there."""
    done = {
        (name, there): [
            word for word in ("replays", "plays", "adds", "verifies") if getattr(mode, word)
        ]
        for name in RECORD_MODES
        for there in (False, True)
        for mode in [Mode(name=name, is_recorded=there)]
    }
    assert done.pop(("once", False)) == []
    assert done.pop(("once", True)) == ["replays", "plays"]
    expected = {
        "none": ["replays", "plays"],
        "new_episodes": ["plays", "adds"],
        "rewrite": [],
        "verify": ["verifies"],
    }
    assert done == {(name, there): expected[name] for name, there in done}


def test_there_is_nothing_to_verify(tmp_path):
    """The error comes before the test asks a cloud."""
    own = session(tmp_path, "verify")
    with pytest.raises(CassetteNotFoundError) as caught, own.running():
        pass
    assert str(caught.value) == (
        "nothing is recorded for this test, so there is nothing to verify\n"
        f"  where: t.py::a, cassette {tmp_path}/staging/tests/t/a.yaml\n"
        "  next:  record it: pytest t.py::a --imagedetail-record-mode=once"
    )
