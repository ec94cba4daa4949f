"""A folder that tests share: each writes its own file and also replays the others."""

import json

import pytest

from pytest_imagedetail.cassette import load
from pytest_imagedetail.cli import main

HEAD = """
import requests
import pytest

pytestmark = pytest.mark.imagedetail("staging", cassette="inv")

def get(path):
    return requests.get("$URL" + path).json()
"""
A, B, C = (f"test_own/test_{name}.yaml" for name in "abc")
ONE, TWO, THREE, SAME = {"n": 1}, {"n": 2}, {"n": 3}, {"same": ["x"]}


def asks(**tests):
    """Return a module whose tests ask for these paths."""
    return HEAD + "".join(
        f"\ndef test_{name}(imagedetail_cassette):\n    [get(each) for each in {paths.split()!r}]\n"
        for name, paths in tests.items()
    )


@pytest.fixture
def held(pytester):
    def held():
        folder = pytester.path / "cassettes/staging/tests/inv.d"
        return {
            str(path.relative_to(folder)): [
                json.loads(each.response.body) for each in load(path).interactions
            ]
            for path in folder.rglob("*.yaml")
        }

    return held


def test_each_test_writes_its_own_file(run, held, served, pytester):
    """In the shared folder, alone and with workers, in every mode that records."""
    source = asks(a="/same/y", b="/same/x", c="/same/x /same/x")
    for mode, *more in (("once",), ("rewrite", "-n2"), ("new_episodes",), ("verify",)):
        run(source, mode, *more, passed=3)
        assert {name: len(found) for name, found in held().items()} == {A: 1, B: 1, C: 2}
    served.asked.clear()
    run(source, passed=3)
    assert served.asked == []
    assert main(["lint", str(pytester.path / "cassettes")]) == 0


def test_while_recording_only_the_own_file_counts(run, held):
    """The files of other tests answer nothing and stay."""
    run(asks(a="/n"), "once", passed=1)
    run(asks(a="/n", b="/n"), "once", passed=2)
    assert held() == {A: [ONE], B: [TWO]}
    run(asks(b="/n"), "rewrite", passed=1)
    assert held() == {A: [ONE], B: [THREE]}
    run(asks(b="/n /same/x"), "new_episodes", passed=1)
    assert held() == {A: [ONE], B: [THREE, SAME]}
    result = run(asks(c="/n"), "verify", errors=1)
    result.stdout.fnmatch_lines(["nothing is recorded for this test, *"])


def test_while_replaying_the_others_answer_what_the_own_file_lacks(run, served):
    """A new test of the folder needs no recording; without a folder, a renamed test has none."""
    run(asks(a="/same/x", b="/same/y"), "once", passed=2)
    served.asked.clear()
    run(asks(a="/same/x /same/y", c="/same/y /same/x"), passed=2)
    result = run(asks(c="/same/z"), failed=1)
    assert "site-packages" not in result.stdout.str()  # the error hides the client's frames
    result.stdout.fnmatch_lines(
        [
            "E *NoInteractionError: nothing is recorded for GET */same/z",
            "E *recorded, 0 of 2 played:",
            "E *   GET */same/x",
            "E *next:  record it: pytest test_own.py::test_c --imagedetail-record-mode=once",
        ]
    )
    result = run(asks(c="/same/x").replace('"inv"', '"inf"'))
    result.stdout.fnmatch_lines(["E *next:  or correct cassette='inf': no recording has this *"])
    assert served.asked == []
    run(asks(a="/n").replace(', cassette="inv"', ""), "once", passed=1)
    result = run(asks(renamed="/n").replace(', cassette="inv"', ""), failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *the cassette does not exist: nothing was ever recorded *",
            "E *or, if the test was renamed: imagedetail mv OLD test_own.py::test_renamed",
        ]
    )


def test_two_files_that_disagree_or_a_damaged_one_are_an_error(run, pytester):
    """It names the files. A test whose own file has all answers needs no other."""
    run(asks(a="/n"), "once", passed=1)
    run(asks(b="/n /n"), "once", passed=1)
    result = run(asks(a="/n /n", c="/n"), failed=2)
    result.stdout.fnmatch_lines(
        [
            "E *every answer that was recorded for it has been played",
            "E *CassetteError: two cassettes answer differently to GET https://*.invalid/v2.1/n",
            f"E *where: test_own.py::test_c, */{B}, */{A}",
            "E *next:  record the request for this test: pytest *::test_c --*new_episodes",
        ]
    )
    run(asks(a="/same/x", b="/same/x /same/x"), "rewrite", passed=2)
    run(asks(c="/same/x /same/x"), passed=1)
    run(asks(c="/same/x /same/x /same/x"), failed=1)
    (pytester.path / "cassettes/staging/tests/inv.d" / B).write_text("")
    result = run(asks(a="/same/x", c="/same/x"), passed=1, failed=1)
    result.stdout.fnmatch_lines([f"E *where: */{B}*"])


OWNERS = """
@pytest.mark.parametrize("number, name", [(0, "ann"), (1, "bob")])
def test_own(imagedetail_cassette, number, name):
    which = get("/owners")["images"][number]["owner"]
    found = get("/owner/" + which)
    assert (found["owner"], found["name"]) == (which, name)
"""


def test_ids_that_tests_receive_are_not_mixed_up(run):
    """While replaying, tests receive and send placeholders."""
    run(HEAD + OWNERS, "once", passed=2)
    run(HEAD + OWNERS, passed=2)
    run(HEAD + OWNERS, "none", "-k", "bob", passed=1, deselected=1)
