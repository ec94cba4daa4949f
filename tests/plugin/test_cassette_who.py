"""One recording has one process that asks and one identity that it asks as."""

import concurrent.futures.process
import multiprocessing

import pytest
import requests
from answering import answering

import pytest_imagedetail.cassette.capture

LOADED = (pytest_imagedetail.cassette.capture, requests, concurrent.futures.process)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

FORKS = """
import http.client, multiprocessing, os
from concurrent.futures import ProcessPoolExecutor
import pytest, requests

def ask(number):
    return requests.get(f"{url}/images/{number}").status_code

def swallow(number):
    try:
        ask(number)
    except Exception:
        pass

@pytest.fixture(scope="module", autouse=True)
def connection():
    connection = http.client.HTTPConnection("{url}".split("/")[2])
    connection.connect()
    yield connection
    connection.close()

@pytest.mark.imagedetail("staging")
def test_nine(imagedetail_cassette, connection):
    assert ask(0) == 200
    if MODE == "here":
        for number in range(1, 9):
            assert ask(number) == 200
    elif MODE in ("os.fork", "connected"):
        child = os.fork()
        if child == 0:
            try:
                connection.request("GET", "/v2.1/a") if MODE == "connected" else ask(1)
            except Exception:
                pass
            os._exit(0)
        os.waitpid(child, 0)
    else:
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
            list(pool.map(globals()[MODE], range(1, 9)))
"""


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="nothing forks here"
)
def test_a_forked_process_cannot_be_recorded(run, pytester):
    """Its requests are an error, in the child and, if that swallows it, in the test."""
    with answering() as (url, asked):
        source = FORKS.replace("{url}", url)
        run(source.replace("MODE", "'here'"), "--imagedetail-record-mode=once")
        [path] = pytester.path.rglob("*.yaml")
        before = path.read_bytes()
        for how in ("ask", "swallow", "os.fork", "connected"):
            for mode in ("rewrite", "new_episodes", "verify"):
                asked.clear()
                forks = source.replace("MODE", repr(how)).replace("ask(0)", "ask(99)")
                result = run(forks, f"--imagedetail-record-mode={mode}")
                outcome = {"failed": 1} if how == "ask" else {"passed": 1, "errors": 1}
                result.assert_outcomes(**outcome)
                result.stdout.fnmatch_lines(
                    ["E *RecordingError: a forked process sent a request, which cannot be recorded"]
                )
                assert asked == ["GET /v2.1/images/99"]
                assert path.read_bytes() == before


TOKENS = """
import threading
import pytest, requests

def ask(token):
    assert requests.get("{url}/images", headers={"X-Auth-Token": token}).status_code == 200

def in_thread(token):
    thread = threading.Thread(target=ask, args=(token,))
    thread.start()
    thread.join()

@pytest.mark.imagedetail("staging")
def test_two(imagedetail_cassette):
    ask("token-of-an-admin")
    SECOND
"""


def test_two_identities_cannot_be_recorded(run, pytester):
    """Replay could not tell them apart; nor in threads, nor where one of them is added."""
    with answering() as (url, _):
        source = TOKENS.replace("{url}", url)
        for second in ("ask", "in_thread"):
            text = source.replace("SECOND", f"{second}('token-of-a-member')")
            result = run(text, "--imagedetail-record-mode=once")
            result.assert_outcomes(passed=1, errors=1)
            result.stdout.fnmatch_lines(
                [
                    "E *RecordingError: the recording was not kept: its requests were sent as *",
                    "E *next:  who asks is part of the cloud: use one cloud name for each, *",
                ]
            )
            assert list(pytester.path.rglob("*.yaml")) == []
        same = source.replace("SECOND", "in_thread('token-of-an-admin')")
        run(same, "--imagedetail-record-mode=once").assert_outcomes(passed=1)
    run(same).assert_outcomes(passed=1)


def test_new_episodes_of_another_project_are_refused(run, pytester):
    """The recording is that of the project in its first path."""
    mode = "--imagedetail-record-mode=new_episodes"
    with answering() as (url, _):
        source = TOKENS.replace("{url}", url.replace("/v2.1", f"/v2/{'a1' * 16}"))
        one = source.replace("SECOND", "")
        run(one, mode).assert_outcomes(passed=1)
        [path] = pytester.path.rglob("*.yaml")
        before = path.read_bytes()
        other = source.replace("a1" * 16, "b2" * 16).replace("SECOND", "ask('token-of-an-admin')")
        result = run(other, mode)
        result.assert_outcomes(passed=1, errors=1)
        result.stdout.fnmatch_lines(
            [
                "E *RecordingError: nothing was added to the recording: another project asked *",
                "E * next:  use the credentials of that project again",
                "E *or record everything as the new one: pytest *::test_two --*-mode=rewrite",
            ]
        )
        assert path.read_bytes() == before
        run(other, mode.replace("new_episodes", "rewrite")).assert_outcomes(passed=1)
