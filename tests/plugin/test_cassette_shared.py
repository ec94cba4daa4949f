"""A cassette that several tests record: nothing is lost, nothing contradicts, no id is mixed up."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from pytest_imagedetail.cassette import capture, loads

LOADED = (capture,)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

HEAD = """
import json, os, urllib.request
import pytest

pytestmark = pytest.mark.imagedetail("staging", cassette="inv")

def get(path):
    with urllib.request.urlopen("URL/v2.1" + path) as answer:
        return json.load(answer)
"""


class Answering(BaseHTTPRequestHandler):
    """Answers with what the path is made of, with a count, or with what names an owner."""

    def do_GET(self) -> None:
        """Answer by the first word of the path."""
        _, _, what, *rest = self.path.split("/")
        self.server.asked.append(self.path)
        if what == "n":
            document: Any = {"n": len([each for each in self.server.asked if each == self.path])}
        elif what == "owner":
            document = {"owner": rest[0], "name": self.server.names.get(rest[0])}
        elif what == "list":
            document = {"images": [{"owner": each} for each in self.server.owners]}
        else:
            document = {what: rest}
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[ThreadingHTTPServer]:
    """A server on loopback that counts what it is asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    server.asked, server.names, server.owners = [], {}, []
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def live():
    """The server."""
    with serving() as server:
        yield server


@pytest.fixture
def run(pytester, monkeypatch, live):
    """Run a module that asks the server, in a record mode."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a module is rewritten within a second

    def run(source, mode="none", *arguments):
        url = f"http://127.0.0.1:{live.server_port}"
        pytester.makepyfile(test_own=HEAD.replace("URL", url) + source)
        plugins = ("-p", "no:randomly", "-p", "no:recording", "-p", "no:cacheprovider")
        mode = f"--imagedetail-record-mode={mode}"
        return pytester.runpytest_inprocess(*plugins, mode, *arguments)

    return run


def held(pytester):
    """What the one cassette holds: path and body of each interaction."""
    [path] = (pytester.path / "cassettes").rglob("*.yaml")
    return [
        (each.url.partition("/v2.1")[2], each.response.body.decode())
        for each in loads(path).interactions
    ]


TWICE = """
def test_a(imagedetail_cassette):
    assert get("/same/x") == get("/same/x")

def test_b(imagedetail_cassette):
    get("/same/x")
"""


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["alone", "workers"])
def test_rewriting_keeps_what_the_one_that_asked_most_often_heard(pytester, run, more):
    """Another test of the run that asked less often takes nothing away."""
    for mode in ("once", "rewrite"):
        run(TWICE, mode, *more).assert_outcomes(passed=2)
        assert [path for path, _ in held(pytester)] == ["/same/x", "/same/x"]
        run(TWICE).assert_outcomes(passed=2)


def test_rewriting_one_of_them_leaves_what_the_others_asked_beyond(pytester, run):
    """The answer is the same, so the recording of the others holds."""
    run(TWICE, "once").assert_outcomes(passed=2)
    run(TWICE, "rewrite", "-k", "test_b").assert_outcomes(passed=1, deselected=1)
    run(TWICE).assert_outcomes(passed=2)


def test_rewriting_judges_the_tests_of_the_run_as_once_does(pytester, run):
    """They contradict each other, and the last one must not win; the answer of old may go."""
    source = """
@pytest.mark.parametrize("number", [0, 1, 2])
def test_count(imagedetail_cassette, number):
    get("/n")
"""
    for mode, kept in (("once", 1), ("rewrite", 4)):
        result = run(source, mode)
        result.assert_outcomes(passed=3, errors=2)
        result.stdout.fnmatch_lines(
            ["E *RecordingError: another test of this cassette was answered otherwise to GET */n"]
        )
        assert held(pytester) == [("/n", json.dumps({"n": kept}))]


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["alone", "workers"])
def test_new_episodes_adds_what_is_asked_more_often(pytester, run, more):
    """The first is played, so the second is one more; each test replays from the start."""
    once = "def test_a(imagedetail_cassette):\n    get('/same/x')\n"
    twice = "\n".join(
        f"def test_{name}(imagedetail_cassette):\n    get('/same/x')\n    get('/same/x')\n"
        for name in "ab"
    )
    run(once, "once").assert_outcomes(passed=1)
    run(twice, "new_episodes", *more).assert_outcomes(passed=2)
    assert [path for path, _ in held(pytester)] == ["/same/x", "/same/x"]
    run(twice).assert_outcomes(passed=2)


A1, B2 = "a1" * 16, "b2" * 16
OWNS = f"""
A1, B2 = "{A1}", "{B2}"

def owner(which):
    found = get("/owner/" + which)
    return found["owner"], found["name"]

"""
ASKS = {
    "a1": "def test_own(imagedetail_cassette):\n    assert owner(A1)[1] == 'ann'\n",
    "b2": "    assert owner(B2)[1] == 'bob'\n",
}


@pytest.mark.parametrize("shared", [True, False])
def test_new_episodes_do_not_mix_up_ids(run, pytester, live, shared):
    """The new one gets a number of its own, and each replays with its own answer."""
    live.names = {A1: "ann", B2: "bob"}
    mark = "" if shared else "@pytest.mark.imagedetail('staging')\n"
    run(OWNS + mark + ASKS["a1"], "once").assert_outcomes(passed=1)
    both = OWNS + mark + ASKS["a1"] + ASKS["b2"]
    run(both, "new_episodes").assert_outcomes(passed=1)
    paths = [path for path, _ in held(pytester)]
    assert len(set(paths)) == 2
    for path, body in held(pytester):
        assert json.loads(body)["owner"] == path.rpartition("/")[2]
    run(both).assert_outcomes(passed=1)
    run(both, "verify").assert_outcomes(passed=1)


LISTS = """
def test_a(imagedetail_cassette):
    owner(B2)
    get("/list")

def test_b(imagedetail_cassette):
    get("/list")

def test_c(imagedetail_cassette):
    get("/list")
    owner(B2)
"""


@pytest.mark.parametrize("more", [(), ("-n3",)], ids=["alone", "workers"])
def test_ids_that_tests_meet_in_another_order_are_the_same(run, pytester, live, more):
    """Each numbers them by its own order, and the cloud has answered all of them the same."""
    live.names, live.owners = {B2: "bob"}, [A1, B2]
    for mode in ("once", "rewrite", "verify"):
        run(OWNS + LISTS, mode, *more).assert_outcomes(passed=3)
        assert len(held(pytester)) == 2
    run(OWNS + LISTS).assert_outcomes(passed=3)


def test_an_id_that_a_test_knows_by_itself_is_not_taken_for_anothers(run, pytester, live):
    """Nothing in a cassette tells one from the other, so recording the second is an error."""
    live.names = {A1: "ann", B2: "bob"}
    source = OWNS + ASKS["a1"] + ASKS["b2"].join(["\ndef test_b(imagedetail_cassette):\n", ""])
    result = run(source, "once")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            "E *Error: replaying could take one id for another: GET */0*2 would be * as GET */0*1",
            "E * where: cloud staging, cassette inv",
            "E * next:  give the test a cassette of its own: without cassette= *",
            "E * next:  ids are told apart by their order alone; what is recorded is untouched",
        ]
    )
    assert len(held(pytester)) == 1


def test_rewriting_what_a_test_knows_by_an_id_replaces_it(run, pytester, live):
    """The id is called as before, and nothing of the old answer is left."""
    source = OWNS + "def test_own(imagedetail_cassette):\n    assert owner(A1)[1] == '{}'\n"
    for mode, name in ("once", "ann"), ("rewrite", "eve"):
        live.names = {A1: name}
        run(source.format(name), mode).assert_outcomes(passed=1)
        assert [json.loads(body)["name"] for _, body in held(pytester)] == [name]
        run(source.format(name)).assert_outcomes(passed=1)


def test_ids_that_tests_are_told_are_not_mixed_up(run, live):
    """While replaying they are told placeholders, and ask by these."""
    live.names, live.owners = {A1: "ann", B2: "bob"}, [A1, B2]
    source = """
@pytest.mark.parametrize("number, name", [(0, "ann"), (1, "bob")])
def test_own(imagedetail_cassette, number, name):
    which = get("/list")["images"][number]["owner"]
    assert owner(which) == (which, name)
"""
    run(OWNS + source, "once", "-n2").assert_outcomes(passed=2)
    run(OWNS + source).assert_outcomes(passed=2)
    run(OWNS + source, "none", "-k", "bob").assert_outcomes(passed=1, deselected=1)


BACK = """
import pathlib, pytest

def cassette():
    return next(pathlib.Path("cassettes").rglob("*.yaml"))

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        {done}
"""
LOSES = """path = cassette()
        from pytest_imagedetail.cassette import dumps, loads
        from dataclasses import replace
        old = loads(path)
        facts = replace(old.provenance, pages=2)
        path.write_text(dumps(replace(old, provenance=facts, interactions=old.interactions[:2])))
"""
MANY = """
@pytest.mark.parametrize("number", range(4))
def test_own(imagedetail_cassette, number):
    get(f"/same/{number}")
"""


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["alone", "workers"])
def test_what_another_run_wrote_over_is_told_at_the_end(run, pytester, more):
    """Two runs that do not meet at one lock: the run whose interactions are lost is red."""
    pytester.makeconftest(BACK.format(done=LOSES))
    result = run(MANY, "once", *more)
    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "ERROR: 2 of the 4 interactions that this run recorded are not in cassettes/*/inv.yaml",
            "  lost:  GET https://compute.staging.invalid/v2.1/same/*",
            "  lost:  GET https://compute.staging.invalid/v2.1/same/*",
            "  next:  if another run wrote it, too, record alone: pytest --*-record-mode=rewrite",
            "  next:  if the cloud answered the tests differently, give them cassettes *",
        ]
    )
    pytester.makeconftest(BACK.format(done="cassette().unlink()"))
    shutil.rmtree(pytester.path / "cassettes")
    result = run(MANY, "once", *more)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["ERROR: 4 of the 4 interactions that this run recorded are not *"])


def test_workers_that_contradict_each_other_are_red(run, pytester):
    """None of them sees what the other heard; the end of the run does."""
    source = """
import time

@pytest.mark.parametrize("number", [0, 1])
def test_count(imagedetail_cassette, number):
    get("/n")
    time.sleep(1)
"""
    result = run(source, "rewrite", "-n2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert len(held(pytester)) == 1
    said = result.stdout.str()
    assert "ERROR: 1 of the 2 interactions" in said or "was answered otherwise" in said
