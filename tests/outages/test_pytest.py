"""`pytest --imagedetail-record-mode=rewrite` during an outage: red, and older recordings kept."""

import signal
import subprocess
import sys
import time

import pytest

from tests.cloud.scripted import hang, say, show

REWRITE = "--imagedetail-record-mode=rewrite"
TEST = "def test_listing(imagedetail_cloud): imagedetail_cloud.list()"


def test_a_fault_is_a_red_test(cloud, pytester, files):
    """It says why, and no secret is shown, not even in a traceback; a rest is given."""
    pytester.makepyfile(TEST)
    before = files()
    cloud.plan(show("changed", next_="m1"), say(500, b"computeFault"))
    result = pytester.runpytest_inprocess(REWRITE, "-vv", "-l", "--tb=long", "--full-trace")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *ResponseError: the cloud answered 500, not 200 or 203: computeFault",
            "E * where: cloud staging, query all, page 2",
            "E * next:  the cloud is busy or failed: ask again later; nothing was written",
        ]
    )
    output = result.stdout.str() + result.stderr.str()
    assert not [secret for secret in cloud.secrets if secret in output]
    assert files() == before
    cloud.plan(say(503, b"", ("Retry-After", "0")), show("new"))
    result = pytester.runpytest_inprocess(REWRITE, "--log-cli-level=WARNING")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["WARNING * staging asked to wait 0 s (Retry-After)"])
    assert files() != before


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill -9"])
def test_a_run_that_is_ended_while_it_records(cloud, pytester, files, how):
    """The answer is on its way when the run ends: the old recording, and nothing beside it.

    After Ctrl-C, the summary says so.
    """
    pytester.makepyfile(TEST)
    before = files()
    cloud.plan(hang)
    command = [sys.executable, "-m", "pytest", REWRITE]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert cloud.arrived.wait(60)
        time.sleep(0.1)  # it waits for the answer by now
        run.send_signal(how)
        out, _ = run.communicate(timeout=60)
    finally:
        run.kill()
        run.communicate()
    assert run.returncode == (2 if how is signal.SIGINT else -signal.SIGKILL)
    said = "\nstaging: all: not kept: the run was interrupted\n" in out
    assert said is (how is signal.SIGINT)
    assert files() == before
