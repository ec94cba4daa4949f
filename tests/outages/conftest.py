"""A cloud behind a faulty server, and its files."""

import pytest

from tests.cloud import SimulatedCloud


@pytest.fixture(scope="session")
def cloud():
    """Keystone and Nova of a time when the endpoint named the project."""
    with SimulatedCloud(release="essex") as cloud:
        yield cloud


@pytest.fixture
def files():
    """Every file below a folder with its bytes: cassettes, and whatever was left beside them."""

    def read(folder):
        found = (path for path in folder.rglob("*") if path.name != ".imagedetail.lock")
        return {path: path.read_bytes() for path in found if path.is_file()}

    return read
