"""A test's cassette is open before its other fixtures of function scope, and closed after them."""

import requests
from answering import answering

import pytest_imagedetail.cassette.capture

LOADED = (pytest_imagedetail.cassette.capture, requests)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

CONFTEST = """
import threading, pytest, requests

@pytest.fixture(scope="module")
def wide():
    requests.get("{url}/wide")

@pytest.fixture(autouse=True)
def always():
    requests.get("{url}/always")

@pytest.fixture
def login():
    requests.get("{url}/up")
    yield
    thread = threading.Thread(target=requests.get, args=("{url}/late",))
    thread.start()
    thread.join()
    requests.get("{url}/down")
"""
TEST = """
import unittest, pytest, requests

pytestmark = pytest.mark.imagedetail("staging")

@pytest.mark.parametrize("one", [1, 2])
def test_before(one, login, imagedetail_cassette):
    assert requests.get("{url}/count").status_code == 200

@pytest.mark.usefixtures("login", "imagedetail_cassette")
class TestOld(unittest.TestCase):
    def setUp(self):
        requests.get("{url}/setup")

    def test_old(self):
        assert requests.get("{url}/count").status_code == 200

class TestOverridden:
    @pytest.fixture
    def imagedetail_cassette(self, imagedetail_cassette):
        yield imagedetail_cassette
        requests.get("{url}/overridden")

    def test_overridden(self, login, imagedetail_cassette):
        assert requests.get("{url}/count").status_code == 200
"""
WIDE = """
import pytest

@pytest.mark.imagedetail("staging")
def test_wide(wide, imagedetail_cassette):
    pass
"""


def test_other_fixtures_are_recorded_and_replayed(pytester, run):
    """In any order of arguments, set up and torn down, with TestCase, parameters and overriding."""
    with answering() as (url, asked):
        pytester.makeconftest(CONFTEST.replace("{url}", url))
        source = TEST.replace("{url}", url)
        run(source, "--imagedetail-record-mode=once").assert_outcomes(passed=4)
        parts = ("always", "up", "late", "down")
        assert all(asked.count(f"GET /v2.1/{each}") == 4 for each in parts)
        asked.clear()
        run(source).assert_outcomes(passed=4)
        assert asked == []
    texts = [path.read_text() for path in pytester.path.rglob("*.yaml")]
    assert len(texts) == 4
    assert all(f"/{each}\n" in text for text in texts for each in parts)


def test_a_fixture_of_wider_scope_stays_outside(pytester, run):
    """It is other tests', too, so no test's cassette can hold what it asks."""
    with answering() as (url, asked):
        pytester.makeconftest(CONFTEST.replace("{url}", url))
        run(WIDE, "--imagedetail-record-mode=once").assert_outcomes(passed=1)
        assert asked == ["GET /v2.1/wide", "GET /v2.1/always"]
    [path] = pytester.path.rglob("*.yaml")
    assert "/always\n" in path.read_text()
    assert "/wide\n" not in path.read_text()
