"""`imagedetail record` during outages: exit code 2, a message, and the older recording kept.

What else a transport may do is in tests/unit/test_transport.py.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from outages.conftest import RECORD
from pytest_imagedetail.cassette import load
from pytest_imagedetail.cli import main
from pytest_imagedetail.record import clouds
from tests.cloud.scripted import hang, say, show

BUSY = ["  next:  the cloud is busy or failed: ask again later; nothing was written"]
TRY_AGAIN = [
    "  next:  nothing was written and an older recording is untouched",
    "  next:  check that the cloud is up and reachable from here, then ask again",
]
REDIRECTED = [
    "  next:  redirects are not followed, because the token would be sent along",
    "  next:  check that the compute endpoint in the catalog is right, its scheme and path too",
]
FIRST = show("changed", next_="m1")
OUTAGES = (  # what happens, and the message
    ((hang,), "no answer within 0.4 seconds", "", TRY_AGAIN),
    (
        (say(301, b"it has moved", ("Location", "https://elsewhere.example/v2")),),
        "the cloud answered 301, not 200 or 203: it has moved",
        ", query all",
        REDIRECTED,
    ),
    (
        (FIRST, say(500, b"computeFault")),
        "the cloud answered 500, not 200 or 203: computeFault",
        ", query all, page 2",
        BUSY,
    ),
)


@pytest.fixture
def record(cloud, capsys, monkeypatch):
    """Run the command in this process, with a short timeout."""
    connect = clouds.connect
    monkeypatch.setattr(clouds, "connect", lambda name: replace(connect(name), timeout=0.4))

    def run():
        code = main([*RECORD, "--rewrite"])
        return code, capsys.readouterr()

    return run


def test_outages(cloud, record, files):
    """It is said what, where and what next, without a secret; nothing on disk has changed."""
    before = files()
    for acts, problem, where, remedies in OUTAGES:
        cloud.plan(*acts)
        code, (out, err) = record()
        assert (code, out) == (2, ""), problem
        assert err.splitlines() == [
            f"imagedetail: {problem}",
            f"  where: cloud staging{where}",
            *remedies,
        ]
        assert (len(cloud.asked), cloud.script) == (len(acts), []), problem
        assert not [secret for secret in (*cloud.secrets, "elsewhere.example") if secret in err]
        assert files() == before, problem


def test_a_rest_is_given_and_a_token_renewed(cloud, record, files):
    """A second in earnest, which is said; the refusals are no part of the recording."""
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
    [path] = files()
    pages = load(path).interactions
    assert [each.response.status_code for each in pages] == [200, 200]
    assert [b"new 1" in pages[0].response.body, b"new 2" in pages[1].response.body] == [True, True]


def test_ctrl_c(cloud, files):
    """While an answer is slow: the shell's exit code, and no trace."""
    before = files()
    cloud.plan(hang)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_imagedetail", *RECORD],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert cloud.arrived.wait(60)
        time.sleep(0.1)  # the answer is on its way
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == (
        "imagedetail: stopped; nothing is half-written: run the same command again to go on"
    )
    assert "Traceback" not in err
    assert files() == before
