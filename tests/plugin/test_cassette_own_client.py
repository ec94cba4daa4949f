"""A test's own client: recorded, replayed, refused what is not there."""

import sys

import pytest
import requests

from pytest_imagedetail.cassette import capture
from tests.cloud import SimulatedCloud

LOADED = (capture, requests)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

CONFTEST = """
import pytest, requests

HEADERS = {"X-Auth-Token": "TOKEN", "Accept-Encoding": "gzip"}

@pytest.fixture
def ask():
    def ask(url):
        answer = requests.get(url, headers=HEADERS)
        return answer.status_code, answer.json(), answer.headers
    return ask

@pytest.fixture
def url():
    return "URL/images/detail?"
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
def cloud(pytester):
    """A cloud, and a project whose test asks it."""
    with SimulatedCloud(release="2023.1") as cloud:
        conftest = CONFTEST.replace("URL", cloud.compute_url)
        pytester.makeconftest(conftest.replace("TOKEN", cloud.account.token))
        pytester.makepyfile(test_own=TEST)
        yield cloud


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


def test_a_miss_says_what_is_recorded_and_what_comes_nearest(pytester, cloud):
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
    assert cloud.account.token not in result.stdout.str()
    assert "site-packages" not in result.stdout.str().split("FAILURES")[1]


def test_a_good_recording_stays(pytester, cloud):
    """An unchanged answer rewrites nothing, not even the date; nor does a cloud that is down."""
    record(pytester).assert_outcomes(passed=1)
    before = cassette(pytester).stat()
    result = record(pytester, "rewrite")
    result.stdout.fnmatch_lines(["staging: *: recorded (unchanged)"])
    cloud.stop()
    record(pytester, "rewrite").assert_outcomes(failed=1)
    after = cassette(pytester).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("mode", ["once", "rewrite"])
def test_a_refused_request_is_not_kept_unless_the_test_is_about_it(pytester, cloud, mode):
    """Replaying a 401 forever would hide what the test is about."""
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
    run(pytester).assert_outcomes(passed=1)


def test_verify_compares_and_writes_nothing(pytester, cloud):
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


def test_verify_of_a_test_that_asks_nothing_is_an_error(pytester, cloud):
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


def test_the_network_is_shut_while_replaying(pytester, cloud):
    """For clients that vcrpy does not know, too; the message has address, test and command."""
    pytester.makepyfile(
        test_own="""
        import socket

        import pytest

        @pytest.mark.imagedetail("staging")
        def test_raw(imagedetail_cassette):
            with socket.create_connection(("192.0.2.1", 80)):
                pass
        """
    )
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *something tried to reach 192.0.2.1:80 while the network is shut",
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
