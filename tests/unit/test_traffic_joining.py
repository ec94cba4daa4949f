"""What a test heard is joined to what is there, and both stay as they were."""

import copy

import pytest

from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.redact import Numbering
from pytest_imagedetail.traffic.joining import alone, join
from pytest_imagedetail.traffic.modes import mode_of
from pytest_imagedetail.traffic.recording import made_of
from pytest_imagedetail.traffic.renumbering import Words
from unit.traffic import BASE, heard, kept, recording

OWNERS = [f"{letter}1" * 16 for letter in "abc"]


def told(*interactions):
    """What was heard, redacted, to be joined."""
    return made_of(
        interactions, cloud="staging", test="shared", release=None, numbering=Numbering()
    )


def joined(old, new, live, record_mode="new_episodes", *, shared=False, before=(), beside=None):
    """Both joined."""
    return join(
        old,
        new,
        mode=mode_of(record_mode, shared=shared, recorded=old, is_ours=lambda: True),
        known=Words(),
        before=before,
        live=live,
        beside=beside or {},
        remedy="keep them apart",
    )


def urls(recorded):
    """What was asked, below the endpoint."""
    return [each.url.removeprefix(BASE) for each in recorded.interactions]


def test_where_nothing_is_recorded():
    """What was heard is what is written and what was told, in words of its own."""
    new = told(heard("/a", {"owner": OWNERS[0]}))
    done = alone(new)
    assert done.recording == done.told == new.recording
    [name] = new.ids.values()
    assert done.words.read(name) == name


def test_a_test_of_its_own_goes_on_with_its_recording():
    """What it was told is what was played and what is new; what is new stands behind."""
    old = recording(kept("/a"), kept("/b"))
    live = [heard("/c")]
    before = [(heard("/b"), old.interactions[1])]
    done = joined(old, told(*live), live, before=before)
    assert urls(done.recording) == ["/a", "/b", "/c"]
    assert urls(done.told) == ["/b", "/c"]


def test_tests_that_share_add_what_is_not_there():
    """The same request is there once, and its ids have the names that the cassette gave them."""
    first = told(heard("/x"), heard("/a", {"owner": OWNERS[0]})).recording
    live = [heard("/b", {"owner": OWNERS[1]}), heard("/a", {"owner": OWNERS[0]})]
    done = joined(first, told(*live), live, "once", shared=True)
    assert urls(done.recording) == ["/x", "/a", "/b"]
    assert urls(done.told) == ["/b", "/a"]
    assert done.told.interactions[1] == first.interactions[1]
    bodies = [each.response.body for each in done.recording.interactions]
    assert bodies[1] != bodies[2]


def test_joining_changes_nothing_that_it_is_given():
    """It may be done again: someone else may have written meanwhile."""
    old = told(heard("/a", {"owner": OWNERS[0]})).recording
    live = [heard("/a", {"owner": OWNERS[0]}), heard("/b", {"owner": OWNERS[2]})]
    new = told(*live)
    was = copy.deepcopy((old, new, live))
    done = joined(old, new, live, "once", shared=True)
    assert (old, new, live) == was
    assert joined(old, new, live, "once", shared=True) == done


def test_what_would_be_replayed_for_another_is_refused():
    """The error says what the caller knows to do about it."""
    old = told(heard(f"/os-quota-sets/{OWNERS[0]}", {"name": "ann"})).recording
    live = [heard(f"/os-quota-sets/{OWNERS[1]}", {"name": "bob"})]
    with pytest.raises(RecordingError, match="could take one id for another") as caught:
        joined(old, told(*live), live, "once", shared=True)
    assert "next:  keep them apart" in str(caught.value)
