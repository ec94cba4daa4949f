"""A test's own client: recorded with one, replayed with every other, refused what is not there."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from pytest_imagedetail.cassette import dumps, loads

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
import asyncio, http.client, json, os, urllib.request
from urllib.parse import urlencode, urlsplit

import aiohttp, httpx, pytest, requests, urllib3

FACTS = json.load(open(os.path.join(os.path.dirname(__file__), "facts.json")))
HEADERS = {"X-Auth-Token": FACTS["token"], "Accept-Encoding": "gzip"}

def by_requests(url):
    answer = requests.get(url, headers=HEADERS)
    return answer.status_code, answer.json(), answer.headers

def by_urllib3(url):
    answer = urllib3.PoolManager().request("GET", url, headers=HEADERS)
    return answer.status, json.loads(answer.data), answer.headers

def by_urllib(url):
    with urllib.request.urlopen(urllib.request.Request(url, headers=HEADERS)) as answer:
        return answer.status, json.load(answer), answer.headers

def by_http_client(url):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}", headers=HEADERS)
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read()), answer.headers
    connection.close()
    return found

def by_httpx(url):
    answer = httpx.get(url, headers=HEADERS)
    return answer.status_code, answer.json(), answer.headers

def by_httpx_async(url):
    async def ask():
        async with httpx.AsyncClient() as client:
            return await client.get(url, headers=HEADERS)
    answer = asyncio.run(ask())
    return answer.status_code, answer.json(), answer.headers

def by_aiohttp(url):
    async def ask():
        async with aiohttp.ClientSession() as client, client.get(url, headers=HEADERS) as answer:
            return answer.status, await answer.json(), answer.headers
    return asyncio.run(ask())

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

CLIENTS = (
    "requests",
    "urllib3",
    "urllib",
    "http_client",
    "httpx",
    "httpx_async",
    "aiohttp",
    "keystoneauth1",
)
FOLDER = "cassettes/staging/tests"


@pytest.fixture
def own(pytester, monkeypatch):
    """A project whose tests ask a cloud of another process; what it yields stops the cloud."""
    pytest.importorskip("aiohttp", reason="the matrix of clients needs aiohttp")
    pytest.importorskip("keystoneauth1", reason="the matrix of clients needs the extra `record`")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
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
    """Run the project in a process of its own, as users do."""
    return pytester.runpytest_subprocess("-p", "no:randomly", *arguments)


def record(pytester, mode="once", *arguments):
    """Run it in a record mode."""
    return run(pytester, f"--imagedetail-record-mode={mode}", *arguments)


def cassette(pytester, name="test_own/test_two_images"):
    """The path of a recording."""
    return pytester.path / FOLDER / f"{name}.yaml"


@pytest.mark.parametrize("recorder", CLIENTS)
def test_recorded_with_one_and_replayed_with_each(pytester, own, monkeypatch, recorder):
    """A cassette is bound to no client, and needs no cloud."""
    monkeypatch.setenv("CLIENT", recorder)
    result = record(pytester)
    result.assert_outcomes(passed=1)
    beside = ", 1 of Keystone left out" if recorder == "keystoneauth1" else ""
    line = f"staging: tests/test_own/test_two_images: recorded (new){beside}"
    result.stdout.fnmatch_lines([line])
    own()
    params = f"@pytest.fixture(params={CLIENTS!r})\ndef ask(request):"
    conftest = CONFTEST.replace('os.environ.get("CLIENT", "requests")', "request.param")
    pytester.makeconftest(conftest.replace("@pytest.fixture\ndef ask():", params))
    text = cassette(pytester).read_bytes()
    pytester.makepyfile(test_own=TEST.replace('("staging")', '("staging", cassette="one")'))
    shared = cassette(pytester, "one")
    shared.write_text(_renamed(cassette(pytester), "one"))
    run(pytester).assert_outcomes(passed=len(CLIENTS))
    assert cassette(pytester).read_bytes() == text


def _renamed(path, name):
    """The text of a recording that says it is of another name."""
    recording = loads(path)
    return dumps(replace(recording, provenance=replace(recording.provenance, test=name)))


def test_no_secret_reaches_the_cassette(pytester, own, monkeypatch):
    """Neither a token nor a password nor the address of the cloud, and nothing of Keystone's."""
    monkeypatch.setenv("CLIENT", "keystoneauth1")
    record(pytester).assert_outcomes(passed=1)
    text = cassette(pytester).read_text()
    for secret in (pytester.facts["token"], pytester.facts["auth"]["password"], "127.0.0.1"):
        assert secret not in text
    assert "auth/tokens" not in text


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


@pytest.mark.parametrize("mode", ["once", "new_episodes", "rewrite"])
def test_a_failing_test_keeps_nothing(pytester, own, mode):
    """What a test heard that then failed is no recording."""
    pytester.makepyfile(test_own=TEST + "    assert False\n")
    result = record(pytester, mode)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["staging: *: not kept: the test did not pass"])
    assert not cassette(pytester).exists()


def test_rewrite_with_the_cloud_down_keeps_the_old_recording(pytester, own):
    """What cannot be recorded afresh is not deleted first."""
    record(pytester).assert_outcomes(passed=1)
    before = cassette(pytester).stat()
    own()
    record(pytester, "rewrite").assert_outcomes(failed=1)
    after = cassette(pytester).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_unchanged_answer_rewrites_nothing(pytester, own):
    """Not even the date of the file."""
    record(pytester).assert_outcomes(passed=1)
    before = cassette(pytester).stat()
    result = record(pytester, "rewrite")
    result.stdout.fnmatch_lines(["staging: *: recorded (unchanged)"])
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


@pytest.mark.parametrize("client", ["requests", "http_client", "urllib3"])
def test_threads_lose_nothing(pytester, own, monkeypatch, client):
    """Forty requests of eight threads are forty interactions."""
    monkeypatch.setenv("CLIENT", client)
    pytester.makepyfile(
        test_own="""
        from concurrent.futures import ThreadPoolExecutor

        import pytest

        @pytest.mark.imagedetail("staging")
        def test_two_images(imagedetail_cassette, ask, url):
            with ThreadPoolExecutor(8) as threads:
                found = list(threads.map(lambda n: ask(f"{url}limit={n}"), range(1, 41)))
            assert {status for status, _, _ in found} == {200}
            assert len(imagedetail_cassette.interactions) == 40
        """
    )
    record(pytester).assert_outcomes(passed=1)
    own()
    run(pytester).assert_outcomes(passed=1)


def test_workers_share_a_cassette(pytester, own):
    """With pytest-xdist, tests that share a cassette record it together, and nothing is lost."""
    pytester.makepyfile(
        test_own="""
        import pytest

        @pytest.mark.imagedetail("staging", cassette="Inventory")
        @pytest.mark.parametrize("limit", range(1, 13))
        def test_page(imagedetail_cassette, ask, url, limit):
            assert ask(f"{url}limit={limit}")[0] == 200
        """
    )
    record(pytester, "once", "-n4").assert_outcomes(passed=12)
    own()
    run(pytester).assert_outcomes(passed=12)
    run(pytester, "-n2").assert_outcomes(passed=12)
    assert len(list((pytester.path / FOLDER).glob("inventory-*.yaml"))) == 1


PARTS = """
import pytest

@pytest.mark.imagedetail("staging", cassette="inventory")
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_page(imagedetail_cassette, ask, url, limit):
    assert ask(f"{url}limit={limit}")[0] == 200
"""
RECORD = "pytest --imagedetail-record-mode=once"
IN_PART = "what tests share was verified in part"
LIMIT_3 = "GET https://compute.staging.invalid/v2.1/images/detail?limit=3"


def said(result):
    """The lines of the plugin's own summary."""
    lines = result.stdout.str().partition("= imagedetail =")[2].splitlines()[1:-1]
    return [line for line in lines if line]


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["alone", "workers"])
def test_verify_judges_what_tests_share_by_what_each_asks(pytester, own, more):
    """A test asks a part; what none of them asks is named at the end of a full run, which fails."""
    pytester.makepyfile(test_own=PARTS)
    record(pytester, "once").assert_outcomes(passed=3)
    result = record(pytester, "verify", *more)
    result.assert_outcomes(passed=3)
    assert (result.ret, said(result)) == (0, ["staging: tests/inventory: verified"])
    pytester.makepyfile(test_own=PARTS.replace("[1, 2, 3]", "[1, 2]"))
    result = record(pytester, "verify", *more)
    result.assert_outcomes(passed=2)
    assert (result.ret, said(result)) == (
        1,
        [
            "staging: tests/inventory: verified",
            f"no longer asked {FOLDER}/inventory.yaml: {LIMIT_3}",
            f"if that is right, delete the cassette and record: {RECORD}",
        ],
    )


def test_verify_of_a_part_says_that_it_is_one(pytester, own):
    """The rest may ask what these do not; what is asked beyond the recording is seen even so."""
    pytester.makepyfile(test_own=PARTS)
    record(pytester, "once").assert_outcomes(passed=3)
    result = record(pytester, "verify", "-k", "1 or 2")
    result.assert_outcomes(passed=2, deselected=1)
    assert (result.ret, said(result)) == (
        0,
        [
            "staging: tests/inventory: verified",
            f"{IN_PART}: 1 of its requests were not asked, this run is of a part of the tests",
        ],
    )
    pytester.makepyfile(test_own=PARTS.replace("[1, 2, 3]", "[1, 2, 4]"))
    result = record(pytester, "verify")
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["E *not recorded: GET *limit=4"])


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


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["alone", "workers"])
def test_what_tests_share_is_renewed_once_all_of_it_was_heard(pytester, own, more):
    """One of them alone hears a part, and the rest is as old as before."""
    pytester.makepyfile(test_own=PARTS)
    record(pytester, "once").assert_outcomes(passed=3)
    path = cassette(pytester, "inventory")
    old = loads(path)
    provenance = replace(old.provenance, recorded_at="2020-02-03T04:05:06Z")
    path.write_text(dumps(replace(old, provenance=provenance)))
    limit = "--imagedetail-max-age=90"
    result = record(pytester, "rewrite", limit, "-k", "1 or 2")
    assert said(result) == ["staging: tests/inventory: recorded (unchanged)"]
    assert loads(path).provenance == provenance
    result = record(pytester, "rewrite", limit, *more)
    assert said(result) == ["staging: tests/inventory: recorded (renewed)"]
    assert loads(path).interactions == old.interactions
    run(pytester, limit).assert_outcomes(passed=3)


def test_the_network_is_shut_while_replaying(pytester, own):
    """For clients that vcrpy does not know, too; the message has address, test and command."""
    pytester.makepyfile(
        test_own="""
        import socket

        import pytest

        @pytest.mark.imagedetail("staging")
        def test_raw(imagedetail_cassette, url):
            socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0])))
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
