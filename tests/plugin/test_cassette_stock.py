"""Stock cassettes and ours: each is replayed by the other's tool, and none of theirs is touched."""

import json
import sys

import httpx
import pytest
import requests
import vcr
from answering import BODY, answering

from pytest_imagedetail.cassette import loads

LOADED = (httpx, requests)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

TOKEN = "live-token-4711-gAAAA"
TEST = """
import pytest, requests, httpx

@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("ask", [requests.get, httpx.get])
def test_images(imagedetail_cassette, ask):
    answer = ask("{url}/images/detail?limit=2")
    assert len(answer.json()["images"]) == 40
    assert "Content-Encoding" not in answer.headers
    assert int(answer.headers["Content-Length"]) == len(answer.content)
"""
PLACE = "cassettes/staging/tests/shared.yaml"
SHARED = TEST.replace('("staging")', '("staging", cassette="shared")')


@pytest.fixture
def stock(pytester):
    """The path of a cassette that plain vcrpy wrote, where a test of ours looks for its own."""
    path = pytester.path / PLACE
    with answering() as (url, _), vcr.use_cassette(str(path)):
        requests.get(f"{url}/images/detail?limit=2", headers={"X-Auth-Token": TOKEN}, timeout=9)
    pytester.makepyfile(test_own=SHARED.format(url=url))
    return path


def run(pytester, *arguments):
    """Run the project here: another process would take longer, and nothing else."""
    return pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:recording", *arguments)


@pytest.mark.parametrize("mode", ["none", "once"])
def test_a_stock_cassette_is_replayed_and_left_alone(pytester, stock, mode):
    """With another client than recorded it, compression undone; the file stays as it is."""
    before = stock.read_bytes()
    assert b"imagedetail" not in before
    run(pytester, f"--imagedetail-record-mode={mode}").assert_outcomes(passed=2)
    assert stock.read_bytes() == before


OWN = "cassettes/staging/tests/test_own/test_images.yaml"


def test_nothing_is_written_to_a_stock_cassette(pytester, stock):
    """Nobody has redacted it; the error says how to make a safe one."""
    path = pytester.path / OWN
    path.parent.mkdir(parents=True)
    path.write_bytes(before := stock.read_bytes())
    source = SHARED.replace(', cassette="shared"', "").format(url="http://cloud.example/v2.1")
    alone = source.replace('@pytest.mark.parametrize("ask", [requests.get, httpx.get])\n', "")
    pytester.makepyfile(test_own=alone.replace(", ask", "").replace("ask(", "requests.get("))
    run(pytester).assert_outcomes(passed=1)
    for mode in ("new_episodes", "rewrite", "verify"):
        result = run(pytester, f"--imagedetail-record-mode={mode}")
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(
            [
                f"E *RecordingError: record mode {mode} needs a cassette of imagedetail, *",
                f"E * next:  make a safe cassette of it: imagedetail scrub {path} --cloud staging",
                "E *and replay that: @pytest.mark.imagedetail('staging', cassette='test_images')",
            ]
        )
        assert path.read_bytes() == before


def test_a_read_only_cassette_is_recorded_beside(pytester, stock):
    """What a test records goes to its own file, which comes first from then on."""
    before = stock.read_bytes()
    run(pytester, "--imagedetail-record-mode=verify").assert_outcomes(errors=2)
    with answering() as (url, asked):
        source = SHARED.split('    assert "Content-Encoding')[0].format(url=url)
        pytester.makepyfile(test_own=source)
        run(pytester, "--imagedetail-record-mode=new_episodes").assert_outcomes(passed=2)
        assert len(asked) == 2
    assert stock.read_bytes() == before
    assert len(list((stock.parent / "shared.d").rglob("*.yaml"))) == 2
    stock.unlink()
    run(pytester).assert_outcomes(passed=2)


def test_a_damaged_stock_cassette_is_an_error(pytester, stock):
    """It is never treated as missing."""
    text = stock.read_text().replace("version: 1", "version: 2")
    stock.write_text(text)
    result = run(pytester, "--imagedetail-record-mode=once")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["E *DamagedCassetteError: unknown cassette version 2; *"])
    assert stock.read_text() == text


@pytest.fixture
def ours(pytester):
    """The path of a cassette of ours, recorded from a server that compresses."""
    with answering() as (url, _):
        live = SHARED.split('    assert "Content-Encoding')[0]  # what comes live is compressed
        pytester.makepyfile(test_own=live.format(url=url))
        run(pytester, "--imagedetail-record-mode=once").assert_outcomes(passed=2)
    return min((pytester.path / "cassettes").rglob("*.yaml"))


def test_ours_is_replayed_by_plain_vcrpy(ours):
    """With the placeholders for hosts; no cloud is there."""
    with vcr.use_cassette(str(ours), record_mode="none") as cassette:
        for each in loads(ours).interactions:
            answer = requests.request(each.method, each.url, timeout=1)
            assert answer.status_code == each.response.status_code
            assert answer.json() == json.loads(BODY)
            assert answer.headers["Content-Length"] == str(len(answer.content))
        assert cassette.all_played


def test_ours_is_replayed_by_pytest_recording(pytester, ours):
    """Under the name that it looks for, with its own way to shut the network."""
    pytest.importorskip("pytest_recording", reason="pytest-recording is not installed")
    place = pytester.path / "cassettes/test_theirs/test_images.yaml"
    place.parent.mkdir()
    place.write_bytes(ours.read_bytes())
    url = loads(ours).interactions[0].url
    pytester.makepyfile(
        test_theirs=f"""
        import pytest, requests

        @pytest.mark.vcr
        @pytest.mark.block_network
        def test_images():
            assert len(requests.get({url!r}).json()["images"]) == 40
        """
    )
    arguments = ("-p", "no:randomly", "test_theirs.py", "--record-mode=none")
    pytester.runpytest_inprocess(*arguments).assert_outcomes(passed=1)


def test_a_stock_cassette_is_listed(pytester, stock):
    """As what it is; it is no fault of the folder."""
    listed = pytester.run(sys.executable, "-m", "pytest_imagedetail", "ls")
    assert listed.ret == 0
    listed.stdout.fnmatch_lines([f"staging *{stock.stem}*  stock  cassettes/staging/tests/*"])
