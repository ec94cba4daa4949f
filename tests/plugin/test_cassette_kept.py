"""A test's traffic is kept once all of it has passed: its subtests, and its teardown, too."""

import sys

import pytest
from answering import answering

FIRST = """
import pytest, urllib.request

pytestmark = pytest.mark.imagedetail("staging")

def get(path):
    urllib.request.urlopen("URL" + path).close()
"""
WHOLE = {
    "subtests": """
def test_own(imagedetail_cassette, subtests):
    with subtests.test("one"):
        get("/count")
        assert PASSES
    with subtests.test("two"):
        get("/images")
""",
    "fixture": """
@pytest.fixture
def server(imagedetail_cassette):
    yield
    assert PASSES

def test_own(server):
    get("/count")
""",
    "earlier": """
@pytest.fixture
def server():
    yield
    assert PASSES

def test_own(server, imagedetail_cassette):
    get("/count")
""",
    "raises": """
def test_own(imagedetail_cassette, subtests):
    with subtests.test("one"):
        get("/count")
    if not PASSES:
        raise KeyboardInterrupt
""",
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_failing_part_of_a_test_keeps_the_old_recording(pytester, monkeypatch, kind):
    """Be it a subtest or what comes after the call; the run says that nothing was kept."""
    if "subtest" in WHOLE[kind].lower() and not hasattr(pytest, "Subtests"):
        pytest.skip("pytest has subtests from 9.0 on")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    def run(passes):
        source = (FIRST + WHOLE[kind]).replace("URL", url).replace("PASSES", str(passes))
        pytester.makepyfile(test_it=source)
        mode = "--imagedetail-record-mode=rewrite"
        # An interrupt must not end the run of this test, too.
        here = pytester.runpytest_inprocess
        start = pytester.runpytest_subprocess if kind == "raises" else here
        return start("-p", "no:recording", "-p", "no:cacheprovider", mode)

    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with answering() as (url, _):
        assert run(1).ret == 0
        [path] = (pytester.path / "cassettes").rglob("*.yaml")
        before = path.read_bytes()
        result = run(0)
    assert result.ret != 0
    assert path.read_bytes() == before
    why = (
        "the test's teardown failed" if kind in {"fixture", "earlier"} else "the test did not pass"
    )
    result.stdout.fnmatch_lines([f"staging: *: not kept: {why}"])
