"""A test's own client: recorded once all has passed, replayed, verified, and refused."""

import os
import sys
from pathlib import Path

import pytest

TEST = """
import pytest, requests

@pytest.mark.imagedetail("staging")
def test_images(imagedetail_cassette):
    answer = requests.get("$URL/images?limit=2", headers={"X-Auth-Token": "a-live-token-12345"})
    assert answer.status_code == 200
"""
IMAGES = "test_own/test_images.yaml"


def test_record_replay_and_verify(run, served, cassettes_of):
    """Verifying writes nothing; a test that asks nothing verifies nothing."""
    run(TEST, "once", passed=1)
    served.asked.clear()
    run(TEST, passed=1)
    run(TEST, "once", passed=1)
    assert served.asked == []
    before = cassettes_of()
    assert before.keys() == {IMAGES}
    run(TEST, "verify", passed=1).stdout.fnmatch_lines(["staging: *: verified"])
    assert len(served.asked) == 1
    result = run(TEST.replace("limit=2", "limit=3"), "verify", passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of *", "*not recorded: GET *limit=3"])
    result = run(TEST.partition("    answer")[0] + "    pass\n", "verify", passed=1, errors=1)
    result.stdout.fnmatch_lines(["the test sent no request to the cloud, and its recording has 1*"])
    assert cassettes_of() == before


def test_expected_failures_and_skips_are_recorded_and_miss_nothing(run, cassettes_of):
    """A skipped test replaces nothing: it asked only a part. A miss is no expected failure."""
    for after in ("pytest.skip('not here')", "pytest.xfail('known')"):
        source = f"{TEST}    {after}\n"
        assert run(source).ret == 1, after
        for mode in ("once", "none", "verify"):
            result = run(source, mode)
            assert (result.ret, len(cassettes_of())) == (0, 1), (after, mode)
        before = cassettes_of()
        asks_more = source.replace("    answer", '    requests.get("$URL/n")\n    answer')
        assert run(asks_more).ret == 1
        assert run(asks_more.replace("def", "@pytest.mark.xfail\ndef")).ret == 1
        assert run(asks_more, "rewrite").ret == 0
        assert (cassettes_of() == before) == ("skip" in after)
        for path in Path("cassettes").rglob("*.yaml"):
            path.unlink()


CAUGHT = """
import pytest, requests

pytestmark = pytest.mark.imagedetail("staging")

def misses():
    with pytest.raises(Exception, match="nothing is recorded"):
        requests.get("https://compute.staging.invalid/v2.1/images")

def test_caught(imagedetail_cassette):
    misses()

def test_expected(imagedetail_cassette):
    imagedetail_cassette.expect_miss()
    misses()

def test_skips(imagedetail_cassette):
    misses()
    pytest.skip("the cloud is down")

@pytest.mark.imagedetail("nova-2026.2")
def test_expects(imagedetail_cassette):
    imagedetail_cassette.expect_miss()
    assert requests.get(imagedetail_cassette.endpoint + "/images/detail").ok
"""


def test_a_miss_that_the_test_itself_caught(run, pytester):
    """A caught miss fails the test, even if the test then skips; expect_miss() allows it."""
    result = run(CAUGHT, passed=3, skipped=1, errors=3)
    path = f"{pytester.path}/cassettes/staging/tests/test_own/test_caught.yaml"
    shown = result.stdout.str().split("NoInteractionError: ")[1].split("___")[0]
    assert [line.removeprefix("E").strip() for line in shown.splitlines()[:6]] == [
        "nothing is recorded for GET https://compute.staging.invalid/v2.1/images",
        "the cassette does not exist: nothing was ever recorded for this test",
        f"where: test_own.py::test_caught, cassette {path}",
        "next:  record it: pytest test_own.py::test_caught --imagedetail-record-mode=once",
        "the test passed because something caught this error",
        "if the test is about that: imagedetail_cassette.expect_miss()",
    ]
    result.stdout.fnmatch_lines(["expect_miss(): every request *"])


RERUNS = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):  # as pytest-rerunfailures does
    if not all(each.passed for each in runtestprotocol(item, nextitem=nextitem, log=False)):
        item._initrequest()
        runtestprotocol(item, nextitem=nextitem)
    return True
"""


def test_a_test_that_is_run_again_begins_anew(run, pytester):
    """A miss in its first run is not an error of the second one."""
    run(TEST, "once", passed=1)
    pytester.makeconftest(RERUNS)
    again = TEST.replace('limit=2"', 'limit=" + limits.pop()')
    run(f"limits = ['2', '3']\n{again}", passed=1)


SHUT = """
import socket
import pytest

def reach():
    socket.create_connection(("192.0.2.1", 80))

@pytest.mark.imagedetail("staging")
def test_cassette(imagedetail_cassette):
    reach()

def test_cloud(imagedetail_cloud):
    reach()

def test_swallowed(imagedetail_cloud):
    import program
    program.start()
"""
PROGRAM = """
import contextlib, socket

def start():
    with contextlib.suppress(Exception):
        socket.create_connection(("192.0.2.1", 80))
"""


def test_the_network_is_shut_while_replaying(project, run):
    """Also without a cassette, and if a program swallows the error; the message says what to do."""
    project.makepyfile(program=PROGRAM)
    result = run(SHUT, "none", "--imagedetail-cloud=nova-2026.2", failed=2, passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the test passed, but it swallowed this error"])
    for name, remedy in (
        ("cassette", "record it: pytest test_own.py::test_cassette --imagedetail-record-mode=once"),
        ("cloud[[]nova-2026.2]", "record what is missing: pytest *test_cloud* --*-mode=once"),
    ):
        result.stdout.fnmatch_lines(
            [
                "E *something tried to reach 192.0.2.1:80 while the network is shut",
                f"E * where: test_own.py::test_{name}*",
                f"E * next:  {remedy}",
            ]
        )


def test_the_command_fits_the_folder_where_pytest_was_started(pytester, run):
    """It names the test relative to that folder."""
    run(TEST, "once")
    (pytester.path / "pytest.ini").touch()
    (pytester.path / "test_own.py").rename(pytester.mkdir("sub") / "test_below.py")
    os.chdir("sub")
    for arguments in ((), ("../sub",)):
        result = pytester.runpytest_inprocess(*arguments)
        result.stdout.fnmatch_lines(["E * next:  record it: pytest test_below.py::test_images *"])


def test_traffic_needs_one_cloud(run):
    """A marker or an option selects it."""
    unmarked = TEST.replace('@pytest.mark.imagedetail("staging")\n', "")
    result = run(unmarked, errors=1)
    result.stdout.fnmatch_lines(
        [
            "imagedetail_cassette needs one cloud *: no cloud is selected",
            "  next:  name one, which needs no configuration: @pytest.mark.imagedetail('staging')",
        ]
    )
    test = "def test_it(request): request.getfixturevalue('imagedetail_cassette')"
    many = run(test, "none", "--imagedetail-cloud=nova-*")
    many.stdout.fnmatch_lines(["*: 9 clouds are selected: nova-2019.1, *, nova-2026.2"])
    for mode in ("once", "none"):
        run(unmarked, mode, "--imagedetail-cloud=staging", passed=1)


def test_a_glob_finds_clouds_without_listings(run):
    """With and without `imagedetail_cloud`; each has only the traffic of tests."""
    others = "def test_cloud(imagedetail_cassette, imagedetail_cloud): test_images(None)\n"
    source = TEST + '@pytest.mark.imagedetail("staging")\n' + others
    source = source.replace('"staging"', '"staging-a", "staging-b"')
    run(source, "once", passed=4)
    globbed = source.replace('"staging-a", "staging-b"', '"staging-*"')
    run(globbed, passed=4)


PARTS = """
import threading, unittest
import pytest, requests

pytestmark = pytest.mark.imagedetail("staging")

@pytest.fixture(scope="module")
def wide():
    requests.get("$URL/wide")

@pytest.fixture(autouse=True)
def always():
    requests.get("$URL/always")

@pytest.fixture
def login():
    requests.get("$URL/up")
    yield
    thread = threading.Thread(target=requests.get, args=("$URL/down",))
    thread.start()
    thread.join()

@pytest.mark.parametrize("one", [1, 2])
def test_before(one, login, imagedetail_cassette):
    requests.get("$URL/n")

@pytest.mark.usefixtures("login", "imagedetail_cassette")
class TestOld(unittest.TestCase):
    def test_old(self):
        requests.get("$URL/n")

class TestOverridden:
    @pytest.fixture
    def imagedetail_cassette(self, imagedetail_cassette):
        yield imagedetail_cassette
        requests.get("$URL/n")

    def test_overridden(self, login, imagedetail_cassette):
        pass

def test_wide(wide, imagedetail_cassette):
    pass
"""


def test_the_cassette_is_open_before_other_fixtures_and_closed_after_them(
    run, served, cassettes_of
):
    """Also with TestCase, parameters, threads and overriding; wider fixtures stay outside."""
    run(PARTS, "once", passed=5)
    texts = cassettes_of()
    assert len(texts) == 5
    for path, text in texts.items():
        parts = ("always", "up", "down", "n") if "wide" not in path else ("always",)
        assert all(f"/{each}\n" in text for each in parts), path
        assert "/wide\n" not in text
    served.asked.clear()
    run(PARTS.replace("(wide, ", "("), "none", passed=5)
    assert served.asked == []


WHOLE = """
import pytest, requests
pytestmark = pytest.mark.imagedetail("staging")

@pytest.fixture
def server():
    yield
    assert PASSES

def test_teardown(server, imagedetail_cassette):
    requests.get("$URL/n")
"""
SUBTESTS = """
def test_subtests(imagedetail_cassette, subtests):
    with subtests.test("one"):
        requests.get("$URL/n")
        assert PASSES
    with subtests.test("two"):
        requests.get("$URL/images")
"""


def test_a_failing_part_of_a_test_keeps_the_old_recording(run, pytester, cassettes_of):
    """A subtest, a teardown or Ctrl-C; the run says that nothing was kept."""
    source = WHOLE + (SUBTESTS if hasattr(pytest, "Subtests") else "")  # from pytest 9.0 on
    assert run(source.replace("PASSES", "True"), "rewrite").ret == 0
    before = cassettes_of()
    result = run(source.replace("PASSES", "False"), "rewrite")
    assert (result.ret, cassettes_of()) == (1, before)
    reasons = ["the test's teardown failed", "the test did not pass"][: len(before)]
    result.stdout.fnmatch_lines_random([f"staging: *: not kept: {why}" for why in reasons])
    run(f"{WHOLE.replace('PASSES', 'True')}    raise KeyboardInterrupt\n", "none", "--collect-only")
    # A process of its own, or it would end the run of this test, too.
    command = ("-p", "no:recording", "--imagedetail-record-mode=rewrite")
    result = pytester.runpytest_subprocess(*command)
    assert (result.ret, cassettes_of()) == (2, before)
    result.stdout.fnmatch_lines(["staging: *: not kept: the run was interrupted"])


FORKS = """
import multiprocessing, os
from concurrent.futures import ProcessPoolExecutor
import pytest, requests

def ask(number):
    return requests.get(f"$URL/images/{number}").status_code

def swallow(number):
    try:
        ask(number)
    except Exception:
        pass

@pytest.mark.imagedetail("staging")
def test_forks(imagedetail_cassette):
    assert ask(0) == 200
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        list(pool.map(HOW, range(1, 3)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nothing forks here")
def test_a_forked_process_cannot_be_recorded(run, served, cassettes_of):
    """Its requests are an error in the child, and in the test if the child swallows it."""
    for how, outcome in (("ask", {"failed": 1}), ("swallow", {"passed": 1, "errors": 1})):
        served.asked.clear()
        result = run(FORKS.replace("HOW", how), "rewrite", **outcome)
        result.stdout.fnmatch_lines(["*a forked process sent a request, which cannot be recorded"])
        assert served.asked == ["GET /v2.1/images/0"]
        assert cassettes_of() == {}


IDENTITIES = """
import asyncio
import aiohttp, pytest, requests

A, B = "a1" * 16, "b2" * 16

def of_project(project, path=""):
    return requests.get("$URL/images".replace("v2.1", f"v2/{project}") + path)

def of_user(user, path=""):
    user = {"id": user, "password": "a pass phrase"}
    auth = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    answer = requests.post("$URL".replace("/v2.1", "/v3/auth/tokens"), json=auth)
    headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    return requests.get("$URL/images" + path, headers=headers)

def in_url(user):
    async def ask():
        async with aiohttp.ClientSession() as client:
            url = "$URL/images".replace("//", f"//{user}:a-pass-phrase@")
            return await client.get(url)
    return asyncio.run(ask())

@pytest.mark.imagedetail("staging")
def test_one(imagedetail_cassette):
    assert all(each.ok for each in (ASKED,))
"""


def test_one_recording_has_one_identity(run, cassettes_of):
    """Replay could not tell two apart, so who asks is part of the cloud. Later runs, too."""
    rewrite = "*or record everything as the new one: pytest *::test_one --*-mode=rewrite"
    for recorded, added, *message in (
        (
            "of_project(A)",
            "of_project(B, '?limit=1')",
            "nothing was added to the recording: it is of another project*",
            "*  next:  use the credentials of that project again",
            rewrite,
        ),
        ("of_user(A)", "of_user(B)", "nothing was added to the recording: it is of another user*"),
        ("of_user(A)", "of_user(A), of_user(B)", "*were sent as different users or projects"),
        ("in_url('ann')", "in_url('bob'), in_url('ann')", "*were sent as different users or *"),
    ):
        run(IDENTITIES.replace("ASKED", recorded), "rewrite", passed=1)
        before = cassettes_of()
        result = run(IDENTITIES.replace("ASKED", added), "new_episodes", passed=1, errors=1)
        result.stdout.fnmatch_lines(message)
        assert cassettes_of() == before, added
    run(IDENTITIES.replace("ASKED", "of_user(A, '?a=1')"), "new_episodes", passed=1)
    run(IDENTITIES.replace("ASKED", "of_project(B)"), "rewrite", passed=1)
    run(IDENTITIES.replace("ASKED", "of_project(B)"), passed=1)


SERVES = """
import asyncio
import httpx, pytest, requests
from answering import answering
from clients import CLIENTS

@pytest.mark.imagedetail("staging")
@pytest.mark.parametrize("client", CLIENTS)
def test_application(imagedetail_cassette, client):
    with answering() as application:
        body, _ = client("GET", application.url + "/same/own")
    assert body == b'{"same": ["own"]}'
    assert application.asked == ["GET /v2.1/same/own"]
    assert len(requests.get("$URL/images").json()["images"]) == 40

@pytest.mark.imagedetail("staging")
def test_called(imagedetail_cassette):
    def ask():
        return str(len(requests.get("$URL/images").json()["images"])).encode()

    def application(environ, start_response):
        start_response("200 OK", [])
        return [ask()]

    async def asynchronous(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": ask()})

    async def call(transport):
        async with httpx.AsyncClient(transport=transport) as client:
            return (await client.get("http://app/images")).text

    mock = httpx.MockTransport(lambda request: httpx.Response(200, content=ask()))
    for transport in (httpx.WSGITransport(application), mock):
        assert httpx.Client(transport=transport).get("http://app/images").text == "40"
    for transport in (httpx.ASGITransport(asynchronous), mock):
        assert asyncio.run(call(transport)) == "40"
"""


def test_what_a_test_serves_is_passed_through(run, served, cassettes_of):
    """Requests to the cloud are recorded and replayed; those to its own server are neither."""
    for mode in ("new_episodes", "verify", "none"):
        run(SERVES, mode, passed=9)
    assert served.asked == ["GET /v2.1/images"] * 24
    texts = cassettes_of().values()
    assert sorted(text.count("uri:") for text in texts) == [1] * 8 + [4]
