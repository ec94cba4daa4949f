"""What a record mode comes to, for a test's own cassette and for one that tests share."""

from dataclasses import astuple, replace

import pytest

from pytest_imagedetail.model import RECORD_MODES
from pytest_imagedetail.traffic.modes import mode_of
from unit.traffic import kept, recording

THERE = recording(kept("/a"))
STOCK = replace(THERE, provenance=replace(THERE.provenance, source="stock"))


def done(record_mode, *, recorded=None, shared=False, ours=False):
    """What is done, in words."""
    mode = mode_of(record_mode, shared=shared, recorded=recorded, is_ours=lambda: ours)
    words = ("replays", "plays", "joins", "rewrites", "verifies")
    return [word for word in words if getattr(mode, word)]


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("recorded", [None, THERE, STOCK], ids=["nothing", "ours", "stock"])
def test_none_replays_whatever_is_there(shared, recorded):
    """Nothing is asked, even if nothing is recorded."""
    assert done("none", shared=shared, recorded=recorded, ours=True) == ["replays", "plays"]


def test_a_cassette_of_one_test():
    """Only new episodes are added to what is there; all else replays, replaces or compares it."""
    assert done("once") == []
    assert done("once", recorded=THERE, ours=True) == ["replays", "plays"]
    assert done("new_episodes") == done("new_episodes", recorded=THERE) == ["plays", "joins"]
    assert done("rewrite", recorded=THERE) == ["rewrites"]
    assert done("verify", recorded=THERE) == ["verifies"]


def test_a_cassette_that_tests_share():
    """What this run began to record goes on being recorded; it is never replaced as a whole."""
    assert done("once", shared=True) == ["joins"]
    assert done("once", shared=True, recorded=THERE) == ["replays", "plays"]
    assert done("once", shared=True, recorded=THERE, ours=True) == ["joins"]
    assert done("once", shared=True, recorded=STOCK, ours=True) == ["replays", "plays"]
    assert done("new_episodes", shared=True, recorded=THERE) == ["plays", "joins"]
    assert done("rewrite", shared=True, recorded=THERE) == ["joins", "rewrites"]
    assert done("verify", shared=True, recorded=THERE) == ["verifies"]


def test_a_file_is_looked_at_only_where_its_date_matters():
    """It may not be there."""

    def never():
        raise AssertionError("nobody needs to know")

    for record_mode in RECORD_MODES:
        mode_of(record_mode, shared=True, recorded=None, is_ours=never)
        mode = mode_of(record_mode, shared=False, recorded=THERE, is_ours=never)
        assert astuple(mode)[0] is False
