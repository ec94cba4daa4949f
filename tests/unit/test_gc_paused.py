"""The garbage collector is paused, and never left disabled."""

import gc

import pytest

from pytest_imagedetail.gc_paused import paused_gc


def test_the_collector_is_paused_and_enabled_again():
    """Nested calls and exceptions included."""

    @paused_gc()
    def fail():
        with paused_gc():
            pass
        assert not gc.isenabled()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
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
