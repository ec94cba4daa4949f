"""Fixtures with a running cloud of each selected release."""

import os

import pytest

from . import running

SELECTED = [int(word) for word in os.environ.get("IMAGEDETAIL_REALCLOUD_RELEASES", "34").split()]


def pytest_generate_tests(metafunc):
    """Run the tests that take `series` for each release that the environment selects."""
    if "series" in metafunc.fixturenames:
        metafunc.parametrize("series", SELECTED, scope="session")


@pytest.fixture(scope="session")
def cloud(series):
    """Run a cloud."""
    with running(series) as found:
        yield found
