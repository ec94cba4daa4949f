"""A folder that tests share: each writes its own file and replays those of the others, too."""

import json
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

pytestmark = pytest.mark.imagedetail("staging"SHARED)

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

    def run(source, mode="none", *arguments, shared=', cassette="inv"'):
        url = f"http://127.0.0.1:{live.server_port}"
        pytester.makepyfile(test_own=HEAD.replace("URL", url).replace("SHARED", shared) + source)
        plugins = ("-p", "no:randomly", "-p", "no:recording", "-p", "no:cacheprovider")
        mode = f"--imagedetail-record-mode={mode}"
        return pytester.runpytest_inprocess(*plugins, mode, *arguments)

    return run


def held(pytester):
    """What the cassettes hold: path and body of each interaction, by the file's place."""
    folder = pytester.path / "cassettes" / "staging" / "tests"
    return {
        str(path.relative_to(folder)): [
            (each.url.partition("/v2.1")[2], each.response.body.decode())
            for each in loads(path).interactions
        ]
        for path in sorted(folder.rglob("*.yaml"))
    }


def asks(**tests):
    """A module of tests, each with the paths that it asks for."""
    return "".join(
        f"\ndef test_{name}(imagedetail_cassette):\n"
        + "".join(f"    get({path!r})\n" for path in paths.split())
        for name, paths in tests.items()
    )


A, B, C = (f"inv.d/test_own/test_{name}.yaml" for name in "abc")
SAME = ("/same/x", '{\n  "same": ["x"]\n}')
ONE, TWO, THREE = (("/n", json.dumps({"n": number})) for number in (1, 2, 3))


def test_each_test_writes_its_own_file(run, pytester, live):
    """In the shared folder, alone and with workers, in every mode that records."""
    source = asks(a="/n", b="/same/x", c="/same/x /same/x")
    for mode, *more in (("once",), ("rewrite", "-n2"), ("new_episodes",), ("verify", "-n2")):
        run(source.replace("/n", "/same/y"), mode, *more).assert_outcomes(passed=3)
        assert {name: len(found) for name, found in held(pytester).items()} == {A: 1, B: 1, C: 2}
    live.asked.clear()
    run(source.replace("/n", "/same/y"), "none", "-n2").assert_outcomes(passed=3)
    assert live.asked == []


def test_while_recording_only_the_own_file_counts(run, pytester):
    """What others recorded answers nothing and is not touched."""
    run(asks(a="/n"), "once").assert_outcomes(passed=1)
    run(asks(a="/n", b="/n"), "once").assert_outcomes(passed=2)
    assert held(pytester) == {A: [ONE], B: [TWO]}
    run(asks(b="/n"), "rewrite").assert_outcomes(passed=1)
    assert held(pytester) == {A: [ONE], B: [THREE]}
    run(asks(b="/n /same/x"), "new_episodes").assert_outcomes(passed=1)
    assert held(pytester) == {A: [ONE], B: [THREE, SAME]}
    result = run(asks(c="/n"), "verify")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *CassetteNotFoundError: nothing is recorded for this test, *"])


def test_while_replaying_the_others_answer_what_the_own_file_lacks(run, live):
    """A new test of the folder needs no recording."""
    run(asks(a="/same/x", b="/same/y"), "once").assert_outcomes(passed=2)
    live.asked.clear()
    run(asks(a="/same/x /same/y", c="/same/y /same/x")).assert_outcomes(passed=2)
    result = run(asks(c="/same/z"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *NoInteractionError: nothing is recorded for GET */same/z",
            "E *recorded, 0 of 2 played:",
            "E *   GET */same/x",
            "E *next:  record it: pytest test_own.py::test_c --imagedetail-record-mode=once",
        ]
    )
    assert live.asked == []


def test_a_renamed_test_gets_nothing_of_the_old_name(run):
    """Outside a shared folder, no test is answered from another one's file."""
    run(asks(a="/same/x"), "once", shared="").assert_outcomes(passed=1)
    result = run(asks(renamed="/same/x"), shared="")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *the cassette does not exist: nothing was ever recorded *"])


def test_what_the_own_file_knows_comes_from_it_alone(run):
    """A poll that is over does not go on with another test's answers."""
    run(asks(a="/n"), "once").assert_outcomes(passed=1)
    run(asks(b="/n /n"), "once").assert_outcomes(passed=1)
    result = run(asks(a="/n /n"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *it was recorded once, and it has been played once"])


def test_two_files_that_disagree_are_an_error(run, live):
    """It names both; the answers of one that goes on where the other ends are all replayed."""
    run(asks(a="/n /same/x"), "once").assert_outcomes(passed=1)
    run(asks(b="/n"), "once").assert_outcomes(passed=1)
    result = run(asks(c="/n"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *CassetteError: two cassettes answer differently to GET https://*.invalid/v2.1/n",
            f"E *where: test_own.py::test_c, */{A}, */{B}",
            "E *next:  record the request for this test: pytest *::test_c --*new_episodes",
        ]
    )
    live.asked.clear()
    run(asks(b="/n /n"), "rewrite").assert_outcomes(passed=1)
    run(asks(c="/n /n")).assert_outcomes(passed=1)
    run(asks(c="/n /n /n")).assert_outcomes(failed=1)


def test_a_file_that_nobody_plays_is_unused(run):
    """The file of a test that is gone, unless another test of the folder needs it."""
    run(asks(a="/same/x", b="/same/y"), "once").assert_outcomes(passed=2)
    options = ("none", "--imagedetail-unused=fail", "--imagedetail-cloud=staging")
    result = run(asks(a="/same/x"), *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"unused cassettes/staging/tests/{B}"])
    assert run(asks(a="/same/x /same/y"), *options).ret == pytest.ExitCode.OK


def test_what_was_written_over_is_an_error(run, pytester):
    """The file is read back: a loss is red."""
    pytester.makeconftest(
        """
        import pytest
        from pytest_imagedetail.cassette import Store

        write = Store.write

        def losing(store, recording, **more):
            from dataclasses import replace
            kept = recording.interactions[:1]
            facts = replace(recording.provenance, pages=1)
            return write(store, replace(recording, provenance=facts, interactions=kept), **more)

        Store.write = losing

        def pytest_unconfigure():
            Store.write = write
        """
    )
    result = run(asks(a="/same/x /same/y /same/y"), "once")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E *2 of the 3 recorded interactions are not in the cassette"])


A1, B2 = "a1" * 16, "b2" * 16
OWNS = f"""
A1, B2 = "{A1}", "{B2}"

def owner(which):
    found = get("/owner/" + which)
    return found["owner"], found["name"]

"""


def test_ids_that_tests_receive_are_not_mixed_up(run, live):
    """While replaying they receive placeholders, and send them."""
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
