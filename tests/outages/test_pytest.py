"""`pytest --imagedetail-record-mode=rewrite` during an outage: red, and older recordings kept."""

import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from outages.faults import FAULTS
from outages.server import FaultyServer, hang, say, show

REWRITE = "--imagedetail-record-mode=rewrite"


@pytest.fixture
def server(cloud, pytester, monkeypatch):
    """A project whose cloud was recorded before it fails."""
    with FaultyServer(cloud) as server:
        (pytester.path / "clouds.yaml").write_text(server.clouds_yaml("staging"))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(pytester.path / "clouds.yaml"))
        pytester.makefile(".yaml", imagedetail="clouds: {staging: {}}")
        pytester.makepyfile("def test_listing(imagedetail_cloud): imagedetail_cloud.list()")
        server.plan(show("old 1", next_="m1"), show("old 2"))
        pytester.runpytest_inprocess(REWRITE).assert_outcomes(passed=1)
        yield server


def test_a_fault_is_a_red_test(server, pytester, files):
    """It says why, and no secret is shown, not even in a traceback; a rest is given."""
    before = files(pytester.path / "cassettes")
    fault = FAULTS["page 2 fails"]
    server.plan(*fault.acts)
    result = pytester.runpytest_inprocess(REWRITE, "-vv", "-l", "--tb=long", "--full-trace")
    result.assert_outcomes(failed=1)
    output = result.stdout.str() + result.stderr.str()
    assert f"Error: {fault.begins(1, 1)}" in output
    assert all(line in output for line in fault.goes_on("staging"))
    assert not [secret for secret in server.secrets if secret in output]
    assert files(pytester.path / "cassettes") == before
    server.plan(say(503, b"", b"Retry-After: 0"), show("new"))
    pytester.runpytest_inprocess(REWRITE).assert_outcomes(passed=1)
    assert files(pytester.path / "cassettes") != before


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill -9"])
def test_a_run_that_is_ended_while_it_records(server, pytester, files, how):
    """The answer is on its way when the run ends: the old recording, and nothing beside it."""
    before = files(pytester.path / "cassettes")
    server.plan(hang())
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", REWRITE],
        cwd=pytester.path,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.arrived.wait(60)
        time.sleep(0.1)  # it waits for the answer by now
        run.send_signal(how)
        run.communicate(timeout=60)
    finally:
        run.kill()
        run.communicate()
    assert run.returncode == (2 if how is signal.SIGINT else -signal.SIGKILL)
    assert files(pytester.path / "cassettes") == before
