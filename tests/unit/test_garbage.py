"""The garbage collector is held back, and never left switched off."""

import gc

import pytest

from pytest_imagedetail.gc_paused import uncollected


def test_nothing_is_collected_meanwhile():
    """Within another one, too: only the outermost switches it on again."""
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_switches_it_on_again():
    """Whatever happens in between."""
    with pytest.raises(ZeroDivisionError), uncollected():
        1 / 0  # noqa: B018
    assert gc.isenabled()


def test_whoever_switched_it_off_keeps_it_off():
    """A program that collects no garbage at all goes on so."""
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
