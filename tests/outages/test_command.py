"""`imagedetail record` during outages: exit code 2, a message, and the older recording kept."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from outages.faults import FAULTS
from outages.server import FaultyServer, hang, say, show
from pytest_imagedetail import cli
from pytest_imagedetail.cassette import loads
from pytest_imagedetail.record import clouds
from pytest_imagedetail.transport import http as transport

TIMEOUT = 0.4  # seconds, for one read; a whole answer has twice as long here


@pytest.fixture
def server(cloud, tmp_path, monkeypatch):
    """A cloud that was recorded without faults, in a folder with its clouds.yaml."""
    monkeypatch.chdir(tmp_path)
    with FaultyServer(cloud) as server:
        clouds_yaml = tmp_path / "clouds.yaml"
        clouds_yaml.write_text(server.clouds_yaml("staging"))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds_yaml))
        server.plan(show("old 1", "old 2", next_="m1"), show("old 3"))
        assert cli.main(["record", "--os-cloud", "staging"]) == 0
        yield server


@pytest.fixture
def record(server, capsys, monkeypatch):
    """Run the command in this process, with a short timeout."""
    capsys.readouterr()
    monkeypatch.setattr(transport, "_WHOLE_ANSWER", 2)
    connect = clouds.connect

    monkeypatch.setattr(clouds, "connect", lambda name: replace(connect(name), timeout=TIMEOUT))

    def run():
        code = cli.main(["record", "--os-cloud", "staging", "--rewrite"])
        return code, capsys.readouterr()

    return run


def recorded(tmp_path):
    """The interactions of the cassette."""
    return loads(tmp_path / "cassettes" / "staging" / "all.yaml").interactions


@pytest.mark.parametrize("name", FAULTS)
def test_outages(server, record, files, tmp_path, name):
    """It is said what, where and what next, without a secret; nothing on disk has changed."""
    before = files(tmp_path)
    fault = FAULTS[name]
    server.plan(*fault.acts)
    code, (out, err) = record()
    assert code == 2
    assert out == ""
    first, *lines = err.splitlines()
    assert first.startswith(f"imagedetail: {fault.begins(TIMEOUT, 2 * TIMEOUT)}")
    assert lines == fault.goes_on("staging")
    assert len(server.asked) == len(fault.acts)
    assert server.script == []
    assert not [secret for secret in (*server.secrets, "elsewhere.example") if secret in err]
    assert files(tmp_path) == before


def test_a_rest_is_given(server, record, files, tmp_path):
    """A second in earnest; the refusals are no part of the recording."""
    limited = say(413, b'{"overLimit": {}}', b"Retry-After: 1")
    again = say(429, b"", b"Retry-After: 0")
    server.plan(limited, show("new 1", next_="m1"), again, show("new 2"))
    began = time.monotonic()
    code, (out, err) = record()
    assert 1 <= time.monotonic() - began < 60
    assert (code, err) == (0, "")
    assert out.startswith("replaced  cassettes/staging/all.yaml  2 images")
    targets = [target.rpartition("/")[2] for target, _ in server.asked]
    assert targets == ["detail", "detail", "detail?marker=m1", "detail?marker=m1"]
    pages = recorded(tmp_path)
    assert [each.response.status_code for each in pages] == [200, 200]
    assert [b"new 1" in pages[0].response.body, b"new 2" in pages[1].response.body] == [True, True]
    assert [each.url.rpartition("/")[2] for each in pages] == ["detail", "detail?marker=m1"]
    assert [path.name for path in files(tmp_path / "cassettes")] == ["all.yaml"]


def test_keystone_is_asked_for_a_new_token(server, record, tmp_path):
    """One login to begin with and one when the token expired."""
    server.plan(say(401, b"expired"), show("new 1"))
    code, (_, err) = record()
    assert (code, err) == (0, "")
    assert (len(server.asked), server.logins) == (2, 2)
    assert b"new 1" in recorded(tmp_path)[0].response.body


@pytest.mark.parametrize("act", [hang(), say(503, b"", b"Retry-After: 30")], ids=["slow", "rest"])
def test_ctrl_c(server, files, tmp_path, act):
    """While an answer is slow or a rest is given: the shell's exit code, and no trace."""
    before = files(tmp_path)
    server.plan(act)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_imagedetail", "record", "--os-cloud", "staging"],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.arrived.wait(60)
        time.sleep(0.1)  # the answer is on its way
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == (
        "imagedetail: stopped; nothing is half-written: run the same command again to go on"
    )
    assert "Traceback" not in err
    assert len(server.asked) == 1
    assert files(tmp_path) == before
