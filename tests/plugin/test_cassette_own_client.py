"""A test's own client: recorded, replayed, refused what is not there."""

import json
import subprocess
import sys

import httpx
import pytest
import requests
import urllib3

from pytest_imagedetail.cassette import capture

aiohttp = pytest.importorskip("aiohttp", reason="the matrix of clients needs aiohttp")
session = pytest.importorskip("keystoneauth1.session", reason="needs the extra `record`")

LOADED = (aiohttp, capture, httpx, requests, session, urllib3)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

CLOUD = """
import json, sys
from tests.cloud import SimulatedCloud
with SimulatedCloud(release="2023.1") as cloud:
    account = cloud.account
    facts = {"url": cloud.compute_url, "token": account.token, "auth": dict(cloud.credentials)}
    print(json.dumps(facts), flush=True)
    sys.stdin.read()
"""

CONFTEST = """
import json, os
from pathlib import Path

import pytest, requests

FACTS = json.loads(Path(__file__).with_name("facts.json").read_text())
HEADERS = {"X-Auth-Token": FACTS["token"], "Accept-Encoding": "gzip"}

def by_requests(url):
    answer = requests.get(url, headers=HEADERS)
    return answer.status_code, answer.json(), answer.headers

def by_keystoneauth1(url):
    from keystoneauth1 import session
    from keystoneauth1.identity import v3
    client = session.Session(v3.Password(**FACTS["auth"]))
    path = url.removeprefix(FACTS["url"])
    answer = client.get(path, endpoint_filter={"service_type": "compute"})
    return answer.status_code, answer.json(), answer.headers

@pytest.fixture
def ask():
    return globals()["by_" + os.environ.get("CLIENT", "requests")]

@pytest.fixture
def url():
    return FACTS["url"] + "/images/detail?"
"""

TEST = """
import pytest

@pytest.mark.imagedetail("staging")
def test_two_images(imagedetail_cassette, ask, url):
    status, document, headers = ask(url + "limit=2")
    assert status == 200
    assert len(document["images"]) == 2
    assert "Content-Encoding" not in headers
"""

FOLDER = "cassettes/staging/tests"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a module is rewritten within a second


@pytest.fixture
def own(pytester):
    """A project whose tests ask a cloud; what it yields stops the cloud."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_own=TEST)
    command = [sys.executable, "-c", CLOUD]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as cloud:
        facts = cloud.stdout.readline()
        (pytester.path / "facts.json").write_text(facts)

        def stop():
            cloud.stdin.close()
            cloud.wait()

        pytester.facts = json.loads(facts)
        yield stop
        stop()


def run(pytester, *arguments):
    """Run the project, in this process."""
    plugins = ("-p", "no:randomly", "-p", "no:recording", "-p", "no:cacheprovider")
    return pytester.runpytest_inprocess(*plugins, *arguments)


def record(pytester, mode="once", *arguments):
    """Run it in a record mode."""
    return run(pytester, f"--imagedetail-record-mode={mode}", *arguments)


def cassette(pytester, name="test_own/test_two_images"):
    """The path of a recording."""
    return pytester.path / FOLDER / f"{name}.yaml"


def test_no_secret_reaches_the_cassette(pytester, own, monkeypatch):
    """Neither a token nor a password nor the address of the cloud, and nothing of Keystone's."""
    monkeypatch.setenv("CLIENT", "keystoneauth1")
    result = record(pytester)
    result.assert_outcomes(passed=1)
    line = "staging: tests/test_own/test_two_images: recorded (new), 1 of Keystone left out"
    result.stdout.fnmatch_lines([line])
    text = cassette(pytester).read_text()
    for secret in (pytester.facts["token"], pytester.facts["auth"]["password"], "127.0.0.1"):
        assert secret not in text
    assert "auth/tokens" not in text
    own()
    run(pytester).assert_outcomes(passed=1)


def test_a_miss_says_what_is_recorded_and_what_comes_nearest(pytester, own):
    """The message has the request, the recording, the difference and the command."""
    record(pytester).assert_outcomes(passed=1)
    pytester.makepyfile(test_own=TEST.replace("limit=2", "limit=3&marker="))
    result = run(pytester)
    result.assert_outcomes(failed=1)
    base = "https://compute.staging.invalid/v2.1/images/detail"
    result.stdout.fnmatch_lines(
        [
            f"E *NoInteractionError: nothing is recorded for GET {base}?limit=3&marker=",
            "E * recorded, 0 of 1 played:",
            f"E *   GET {base}?limit=2",
            f"E * nearest: GET {base}?limit=2",
            "E *   query limit: asked 3, recorded 2",
            "E *   query marker: asked (blank), recorded without",
            f"E * where: test_own.py::test_two_images, cassette */{FOLDER}/test_own/*.yaml",
            "E * next:  record it: pytest test_own.py::test_two_images --*-mode=new_episodes",
        ]
    )
    assert pytester.facts["token"] not in result.stdout.str()
    assert "site-packages" not in result.stdout.str().split("FAILURES")[1]


def test_without_a_recording_the_test_says_how_to_make_one(pytester, own):
    """The default never asks: a missing cassette is an error with a command."""
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *the cassette does not exist: nothing was ever recorded for this test",
            "E * next:  record it: pytest test_own.py::test_two_images --*-mode=once",
        ]
    )
    assert not (pytester.path / "cassettes").exists()


def test_a_failing_test_keeps_nothing(pytester, own):
    """What a test was answered that then failed is not a recording."""
    pytester.makepyfile(test_own=TEST + "    assert False\n")
    for mode in ("once", "new_episodes", "rewrite"):
        result = record(pytester, mode)
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["staging: *: not kept: the test did not pass"])
        assert not cassette(pytester).exists()


def test_a_good_recording_stays(pytester, own):
    """An unchanged answer rewrites nothing, not even the date; nor does a cloud that is down."""
    record(pytester).assert_outcomes(passed=1)
    before = cassette(pytester).stat()
    result = record(pytester, "rewrite")
    result.stdout.fnmatch_lines(["staging: *: recorded (unchanged)"])
    own()
    record(pytester, "rewrite").assert_outcomes(failed=1)
    after = cassette(pytester).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("mode", ["once", "rewrite"])
def test_a_refused_request_is_not_kept_unless_the_test_is_about_it(pytester, own, mode):
    """A 401 would be replayed for ever."""
    refused = TEST.replace('ask(url + "limit=2")', "ask401(url)").split("    assert len")[0]
    refused = refused.replace("status == 200", "status == 401")
    code = "\nimport requests\ndef ask401(url):\n    return requests.get(url).status_code, 0, 0\n"
    pytester.makepyfile(test_own=code + refused)
    result = record(pytester, mode)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "E *ResponseError: the recording was not kept: the cloud answered 401 to GET *",
            "E *or, if the test is about it: imagedetail_cassette.expect(401)",
        ]
    )
    assert not cassette(pytester).exists()
    wanted = refused.replace("    status,", "    imagedetail_cassette.expect(401)\n    status,")
    pytester.makepyfile(test_own=code + wanted)
    record(pytester, mode).assert_outcomes(passed=1)
    own()
    run(pytester).assert_outcomes(passed=1)


def test_new_episodes_adds_and_replays_what_is_there(pytester, own):
    """Only what is missing is asked."""
    record(pytester).assert_outcomes(passed=1)
    more = '    assert len(ask(url + "limit=1")[1]["images"]) == 1\n'
    pytester.makepyfile(test_own=TEST + more)
    record(pytester, "new_episodes").assert_outcomes(passed=1)
    own()
    pytester.makepyfile(
        test_own=TEST + more + "    assert imagedetail_cassette.played == 2\n"
        "    assert len(imagedetail_cassette.interactions) == 2\n"
    )
    run(pytester).assert_outcomes(passed=1)


def test_verify_compares_and_writes_nothing(pytester, own):
    """The same answer passes; another is an error with its difference."""
    record(pytester).assert_outcomes(passed=1)
    before = cassette(pytester).read_bytes()
    result = record(pytester, "verify")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["staging: *: verified"])
    pytester.makepyfile(test_own=TEST.replace("limit=2", "limit=2&status=ACTIVE"))
    result = record(pytester, "verify")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E *VerificationError: *", "E *not recorded: GET *status=ACTIVE"])
    assert cassette(pytester).read_bytes() == before


def test_an_interaction_is_played_once(pytester, own):
    """Asked twice and recorded once is a miss that says so."""
    record(pytester).assert_outcomes(passed=1)
    pytester.makepyfile(test_own=TEST + '    ask(url + "limit=2")\n')
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *it was recorded once, and it has been played once"])


def test_a_swallowed_miss_is_an_error(pytester, own):
    """A client that makes nothing of our error does not make the test green."""
    record(pytester).assert_outcomes(passed=1)
    pytester.makepyfile(
        client="""
        def ask(ask, url):
            try:
                ask(url)
            except Exception:
                pass
        """,
        test_own="import client\n" + TEST + '    client.ask(ask, url + "limit=9")\n',
    )
    result = run(pytester)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E *nothing is recorded for GET *limit=9"])


CAUGHT = """
import pytest, requests

@pytest.mark.imagedetail("staging")
def test_caught(imagedetail_cassette):
    {first}
    try:
        requests.get("https://compute.staging.invalid/v2.1/images")
    except Exception:
        pass
    with pytest.raises(Exception, match="nothing is recorded"):
        requests.get("https://compute.staging.invalid/v2.1/flavors")
"""


def test_a_miss_that_the_test_itself_caught_is_an_error(pytester):
    """Nothing was recorded, nothing was answered, and nothing was tested: it is named as ever."""
    pytester.makepyfile(test_own=CAUGHT.format(first="pass"))
    result = run(pytester)
    result.assert_outcomes(passed=1, errors=1)
    path = f"{pytester.path}/{FOLDER}/test_own/test_caught.yaml"
    shown = result.stdout.str().split("NoInteractionError: ")[1].split("===")[0]
    assert [line.removeprefix("E").strip() for line in shown.splitlines()[:7]] == [
        "nothing is recorded for GET https://compute.staging.invalid/v2.1/images",
        "the cassette does not exist: nothing was ever recorded for this test",
        f"where: test_own.py::test_caught, cassette {path}",
        "next:  record it: pytest test_own.py::test_caught --imagedetail-record-mode=once",
        "the test passed all the same: something caught this error",
        "if the test is about that: imagedetail_cassette.expect_miss()",
        "",
    ]


def test_a_miss_that_the_test_is_about_is_none(pytester):
    """It says so."""
    pytester.makepyfile(test_own=CAUGHT.format(first="imagedetail_cassette.expect_miss()"))
    run(pytester).assert_outcomes(passed=1)


def test_verify_of_a_test_that_asks_nothing_is_an_error(pytester, own):
    """Its recording was compared with nothing."""
    record(pytester).assert_outcomes(passed=1)
    pytester.makepyfile(test_own=TEST.split("    status,", maxsplit=1)[0] + "    pass\n")
    result = record(pytester, "verify")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "E *VerificationError: the test asked the cloud nothing, and its recording holds 1 *",
            "E * where: test_own.py::test_two_images, cassette *; nothing was written",
            "E * next:  if the test needs no recording, delete it",
        ]
    )


def test_the_network_is_shut_while_replaying(pytester, own):
    """For clients that vcrpy does not know, too; the message has address, test and command."""
    pytester.makepyfile(
        test_own="""
        import socket

        import pytest

        @pytest.mark.imagedetail("staging")
        def test_raw(imagedetail_cassette, url):
            with socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0]))):
                pass
        """
    )
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *something tried to reach 127.0.0.1:* while the network is shut",
            "E * where: test_own.py::test_raw",
            "E * next:  record it: pytest test_own.py::test_raw --imagedetail-record-mode=once",
        ]
    )


def test_nobody_knows_whose_traffic(pytester):
    """Without a cloud there is no name for the placeholders."""
    pytester.makepyfile("def test_whose(imagedetail_cassette): pass")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "imagedetail_cassette needs one cloud *: no cloud is selected",
            "  next:  name one, which needs no configuration: @pytest.mark.imagedetail('staging')",
        ]
    )
