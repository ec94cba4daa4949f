"""Stock cassettes and ours: each is replayed by the other's tool, and none of theirs is touched."""

import json
import sys

import pytest
import requests
import vcr
from answering import BODY

from pytest_imagedetail.cassette import loads

TEST = """
import pytest, requests, httpx

@pytest.mark.imagedetail("staging", cassette="shared")
@pytest.mark.parametrize("ask", [requests.get, httpx.get])
def test_images(imagedetail_cassette, ask):
    answer = ask("$URL/images/detail?limit=2")
    assert len(answer.json()["images"]) == 40
    if imagedetail_cassette.replays:
        assert "Content-Encoding" not in answer.headers
        assert int(answer.headers["Content-Length"]) == len(answer.content)
"""
OWN = """
import pytest, requests

@pytest.mark.imagedetail("staging")
def test_images(imagedetail_cassette):
    assert requests.get("$URL/images/detail?limit=2").ok
"""
FOLDER = "cassettes/staging/tests"


@pytest.fixture
def stock(pytester, served):
    """The path of a cassette that plain vcrpy wrote, where a test of ours looks for its own."""
    path = pytester.path / FOLDER / "shared.yaml"
    with vcr.use_cassette(str(path)):
        url = f"{served.url}/images/detail?limit=2"
        requests.get(url, headers={"X-Auth-Token": "live-token-4711-gAAAA"}, timeout=9)
    served.asked.clear()
    return path


def test_a_stock_cassette_is_replayed_and_left_alone(pytester, run, served, stock):
    """With another client than recorded it; what is new goes to the test's own file."""
    before = stock.read_bytes()
    assert b"imagedetail" not in before
    for mode in ("none", "once"):
        run(TEST, mode).assert_outcomes(passed=2)
    assert served.asked == []
    run(TEST, "verify").assert_outcomes(errors=2)
    stock.write_bytes(before.replace(b"version: 1", b"version: 2"))
    result = run(TEST)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["E *DamagedCassetteError: unknown cassette version 2; *"])
    stock.write_bytes(before)
    run(TEST, "new_episodes").assert_outcomes(passed=2)
    assert len(served.asked) == 2
    assert stock.read_bytes() == before
    listed = pytester.run(sys.executable, "-m", "pytest_imagedetail", "ls")
    assert listed.ret == 0
    listed.stdout.fnmatch_lines([f"staging  shared * stock * {FOLDER}/shared.yaml"])
    stock.unlink()
    run(TEST).assert_outcomes(passed=2)


def test_nothing_is_written_to_a_stock_cassette(pytester, run, stock):
    """Nobody has redacted it; the error says how to make a safe one."""
    path = pytester.path / FOLDER / "test_own/test_images.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(before := stock.read_bytes())
    run(OWN).assert_outcomes(passed=1)
    for mode in ("new_episodes", "rewrite", "verify"):
        result = run(OWN, mode)
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(
            [
                f"E *RecordingError: record mode {mode} needs a cassette of imagedetail, *",
                f"E * next:  make a safe cassette of it: imagedetail scrub {path} --cloud staging",
                "E *and replay that: @pytest.mark.imagedetail('staging', cassette='test_images')",
            ]
        )
        assert path.read_bytes() == before


def test_ours_is_replayed_by_vcrpy_and_pytest_recording(pytester, run):
    """With the placeholders for hosts; no cloud is there."""
    pytest.importorskip("pytest_recording", reason="pytest-recording is not installed")
    run(OWN, "once").assert_outcomes(passed=1)
    ours = pytester.path / FOLDER / "test_own/test_images.yaml"
    with vcr.use_cassette(str(ours), record_mode="none") as cassette:
        [each] = loads(ours).interactions
        answer = requests.request(each.method, each.url, timeout=1)
        assert answer.json() == json.loads(BODY)
        assert answer.headers["Content-Length"] == str(len(answer.content))
        assert cassette.all_played
    place = pytester.path / "cassettes/test_theirs/test_images.yaml"
    place.parent.mkdir()
    place.write_bytes(ours.read_bytes())
    pytester.makepyfile(
        test_theirs=f"""
        import pytest, requests

        @pytest.mark.vcr
        @pytest.mark.block_network
        def test_images():
            assert len(requests.get({each.url!r}).json()["images"]) == 40
        """
    )
    arguments = ("-p", "no:randomly", "test_theirs.py", "--record-mode=none")
    pytester.runpytest_inprocess(*arguments).assert_outcomes(passed=1)
