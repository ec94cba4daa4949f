"""Recording during outages is an error, and older recordings stay.

What else a transport may do is in tests/unit/test_transport.py, the remedies for each status in
tests/unit/test_listing.py, and secrets in output in tests/secrets.
"""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from pytest_imagedetail.cassette import load
from pytest_imagedetail.cli import main
from pytest_imagedetail.record import clouds
from tests.cloud.scripted import ScriptedCloud, hang, say, show

RECORD = ("record", "--os-cloud", "staging")
REWRITE = "--imagedetail-record-mode=rewrite"
TEST = "def test_listing(imagedetail_cloud): imagedetail_cloud.list()"
FIRST = show("changed", next_="m1")
PAGE_2 = ", not 200 or 203: no\n  where: cloud staging, query all, page 2\n  next:  "
OUTAGES = (  # what happens, and the start of the message
    ((FIRST, say(500, b"no")), f"the cloud answered 500{PAGE_2}the cloud is busy or failed"),
    ((FIRST, say(400, b"no")), f"the cloud answered 400{PAGE_2}Nova refuses the query"),
    ((FIRST, hang), "no answer within 0.4 seconds\n  where: cloud staging, page 2\n  next:  noth"),
    (
        (say(301, b"it has moved", ("Location", "https://elsewhere.example/v2")),),
        "the cloud answered 301, not 200 or 203: it has moved\n  where: cloud staging, query all\n",
    ),
)


@pytest.fixture
def cloud(pytester, monkeypatch, capsys):
    """A cloud with two recorded pages, in clouds.yaml of the current folder."""
    with ScriptedCloud("essex") as cloud:
        (pytester.path / "clouds.yaml").write_text(cloud.clouds_yaml("staging"))
        (pytester.path / "imagedetail.yaml").write_text(json.dumps({"clouds": {"staging": {}}}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(pytester.path / "clouds.yaml"))
        cloud.plan(show("old 1", "old 2", next_="m1"), show("old 3"))
        assert main(RECORD) == 0
        capsys.readouterr()
        yield cloud


@pytest.fixture
def files(pytester):
    def read():
        found = (pytester.path / "cassettes").rglob("*")
        return {
            path: path.read_bytes()
            for path in found
            if path.is_file() and path.name != ".imagedetail.lock"
        }

    return read


@pytest.fixture
def record(cloud, capsys, monkeypatch):
    """Run the command in this process, with a short timeout."""
    connect = clouds.connect
    monkeypatch.setattr(
        clouds, "connect", lambda name, **more: replace(connect(name, **more), timeout=0.4)
    )

    def run():
        code = main([*RECORD, "--rewrite"])
        return code, capsys.readouterr()

    return run


def test_the_command_says_what_where_and_what_next(cloud, record, files):
    """It shows no secret, and no file changes."""
    before = files()
    for acts, message in OUTAGES:
        cloud.plan(*acts)
        code, (out, err) = record()
        assert (code, out) == (2, ""), message
        assert err.startswith(f"imagedetail: {message}")
        assert (len(cloud.asked), cloud.script) == (len(acts), []), message
        assert not [secret for secret in (*cloud.secrets, "elsewhere.example") if secret in err]
        assert files() == before, message


def test_a_rest_is_given_and_a_token_renewed(cloud, record, files):
    """It waits a second and says so; the refusals are not recorded."""
    limited = say(413, b'{"overLimit": {}}', ("Retry-After", "1"))
    cloud.plan(say(401, b"expired"), limited, show("new 1", next_="m1"), show("new 2"))
    began = time.monotonic()
    code, (out, err) = record()
    assert 1 <= time.monotonic() - began < 60
    assert (code, err) == (0, "imagedetail: staging asked to wait 1 s (Retry-After)\n")
    assert out.startswith("replaced  cassettes/staging/all.yaml  2 images")
    targets = [each.rpartition("/")[2] for each in cloud.asked]
    assert targets == ["detail", "detail", "detail", "detail?marker=m1"]
    assert cloud.logins == 2
    (path,) = files()
    assert [each.response.status_code for each in load(path).interactions] == [200, 200]


def test_a_fault_is_a_red_test(cloud, pytester, files):
    """It says why; a busy cloud is asked again."""
    pytester.makepyfile(TEST)
    before = files()
    acts, message = OUTAGES[0]
    cloud.plan(*acts)
    result = pytester.runpytest_inprocess(REWRITE)
    result.assert_outcomes(failed=1)
    problem, *rest = message.splitlines()
    result.stdout.fnmatch_lines([f"E *ResponseError: {problem}", *(f"E *{line}*" for line in rest)])
    assert files() == before
    cloud.plan(say(503, b"", ("Retry-After", "0")), show("new"))
    result = pytester.runpytest_inprocess(REWRITE, "--log-cli-level=WARNING")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["WARNING * staging asked to wait 0 s (Retry-After)"])
    assert files() != before


@pytest.mark.parametrize(
    ("arguments", "code"), [(("pytest", REWRITE), 2), (("pytest_imagedetail", *RECORD), 130)]
)
def test_what_is_ended_while_it_records(cloud, pytester, files, arguments, code):
    """An old recording stays if the run ends before the answer arrives."""
    pytester.makepyfile(TEST)
    before = files()
    cloud.plan(hang)
    command = [sys.executable, "-m", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    run = subprocess.Popen(command, env=dict(os.environ), **pipes)
    try:
        assert cloud.arrived.wait(60)
        time.sleep(0.1)  # the answer is on its way
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
    finally:
        run.kill()
        run.communicate()
    assert run.returncode == code
    assert files() == before
    assert ("\nstaging: all: not kept: the run was interrupted\n" in out) is (code == 2)
    if code == 130:
        says = "stopped; nothing is half-written: run the same command again to go on"
        assert err.splitlines()[-1] == f"imagedetail: {says}"
        assert "Traceback" not in err
