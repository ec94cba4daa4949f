"""Loggers that say nothing for a while."""

import logging

import pytest

from pytest_imagedetail.transport.silenced import silenced


def test_a_logger_and_those_below_it_are_silent_and_then_not(caplog):
    """Nothing of them is seen inside the block, everything of others and of later is."""
    caplog.set_level(logging.DEBUG)
    with silenced("chatty"):
        logging.getLogger("chatty.deep").critical("a secret")
        logging.getLogger("other").debug("seen")
    logging.getLogger("chatty.deep").debug("seen again")
    assert caplog.messages == ["seen", "seen again"]


def test_an_error_restores_the_levels():
    """A logger that had a level has it again, whatever happened."""
    logger = logging.getLogger("chatty")
    logger.setLevel(logging.WARNING)
    with pytest.raises(ZeroDivisionError), silenced("chatty"):
        1 / 0  # noqa: B018
    assert logger.level == logging.WARNING
    logger.setLevel(logging.NOTSET)
