"""The garbage collector is paused, and never left disabled."""

import gc

import pytest

from pytest_imagedetail.gc_paused import paused_gc


def test_the_collector_is_paused_and_enabled_again():
    """Nested calls and exceptions included."""
    with paused_gc():
        with paused_gc():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), paused_gc():
        1 / 0  # noqa: B018
    assert gc.isenabled()


def test_a_disabled_collector_stays_disabled():
    """The program that disabled it wants it so."""
    gc.disable()
    try:
        with paused_gc():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
