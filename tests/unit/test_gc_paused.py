"""The garbage collector is paused, and never left disabled."""

import gc

import pytest

from pytest_imagedetail.gc_paused import paused_gc


def test_the_collector_is_paused_and_enabled_again():
    """Nested calls and exceptions included; a program that disabled it wants it so."""

    @paused_gc()
    def fail():
        with paused_gc():
            pass
        assert not gc.isenabled()
        raise ZeroDivisionError

    for enabled in (True, False):
        if not enabled:
            gc.disable()
        with pytest.raises(ZeroDivisionError):
            fail()
        assert gc.isenabled() is enabled
    gc.enable()
