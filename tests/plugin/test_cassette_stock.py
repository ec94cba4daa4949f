"""Scrubbed cassettes of vcrpy are replayed; tests/library replays ours with vcrpy."""

import requests
import vcr
from answering import BODY

from pytest_imagedetail.cli import main

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
FOLDER = "cassettes/staging/tests"


def test_a_scrubbed_cassette_of_vcrpy_is_replayed_and_left_alone(pytester, run, served):
    """With another client; new requests go to the test's own file."""
    theirs = pytester.path / "shared.yaml"
    with vcr.use_cassette(str(theirs)):
        url = f"{served.url}/images/detail?limit=2"
        requests.get(url, headers={"X-Auth-Token": "live-token-4711-gAAAA"}, timeout=9)
    served.asked.clear()
    assert main(["scrub", str(theirs), "--cloud=staging"]) == 0
    scrubbed = pytester.path / FOLDER / "shared.yaml"
    before = scrubbed.read_bytes()
    for mode in ("none", "once"):
        run(TEST, mode, passed=2)
    assert served.asked == []
    run(TEST, "verify", errors=2)
    run(TEST, "new_episodes", passed=2)
    assert len(served.asked) == 2
    assert scrubbed.read_bytes() == before
    scrubbed.write_bytes(theirs.read_bytes())
    (pytester.path / "saved.json").write_bytes(BODY)
    assert main(["import", "saved.json", "--cloud=staging"]) == 0
    result = run(TEST.replace("limit=2", "limit=3"), failed=2)
    result.stdout.fnmatch_lines(
        ["E *DamagedCassetteError: no provenance: *", "E * next:  *imagedetail scrub *"]
    )


def test_scrubbed_cassettes_of_pytest_recording_are_those_of_their_tests(pytester, run, served):
    """Even for a test with parameters in a class."""
    theirs = pytester.path / "old/test_own/TestOne.test_images[1.5].yaml"
    with vcr.use_cassette(str(theirs)):
        requests.get(f"{served.url}/images/detail?limit=2", timeout=9)
    assert main(["scrub", "old", "--cloud=staging"]) == 0
    run(
        """
        import pytest, requests

        @pytest.mark.imagedetail("staging")
        class TestOne:
            @pytest.mark.parametrize("one", ["1.5"])
            def test_images(self, imagedetail_cassette, one):
                assert requests.get("$URL/images/detail?limit=2").ok
        """,
        passed=1,
    )
