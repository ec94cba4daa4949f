"""What a run keeps: nothing of a failure, and the older recording until a better one is whole."""

import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from outages.server import FaultyServer, hang, say, show

from pytest_imagedetail.cassette import loads
from tests.cloud import SimulatedCloud

QUERY = """
    def test_images(imagedetail_cloud):
        imagedetail_cloud.list()
        {last}
"""
TRAFFIC = """
    import urllib.request
    from contextlib import suppress
    from urllib.error import HTTPError

    def test_images(imagedetail_cloud, imagedetail_cassette):
        {first}
        url = f"{{imagedetail_cloud.endpoint}}/images/detail"
        with suppress(HTTPError):
            asked = urllib.request.Request(url, headers=dict(imagedetail_cloud.headers))
            urllib.request.urlopen(asked, timeout=30).read()
        {last}
"""
KINDS = {"query": QUERY, "traffic": TRAFFIC}


@pytest.fixture(scope="module")
def cloud():
    """Keystone and Nova of a time when the endpoint named the project."""
    with SimulatedCloud(release="essex") as cloud:
        yield cloud


@pytest.fixture(params=KINDS)
def project(request, cloud, pytester, monkeypatch):
    """A project whose cloud answers as a test plans, recorded once without faults."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a test is rewritten within a second
    with FaultyServer(cloud) as server:
        (pytester.path / "clouds.yaml").write_text(server.clouds_yaml("staging"))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(pytester.path / "clouds.yaml"))
        pytester.makefile(".yaml", imagedetail="clouds: {staging: {release: essex}}")
        yield Project(pytester, server, KINDS[request.param])


class Project:
    """What a user has: a test, a cloud, and perhaps a cassette."""

    def __init__(self, pytester, server, template):
        self.pytester = pytester
        self.server = server
        self.template = template
        self.test()

    def test(self, first="pass", last="pass"):
        """Write the one test, with a line of its own before or behind the request."""
        self.pytester.makepyfile(test_own=self.template.format(first=first, last=last))

    def run(self, mode, *acts, **outcomes):
        """Run it in a record mode, while the cloud does this."""
        self.server.plan(*acts)
        result = self.pytester.runpytest_inprocess(f"--imagedetail-record-mode={mode}")
        result.assert_outcomes(**outcomes)
        assert len(self.server.asked) == len(acts), "the fault was not provoked"
        return result

    def recorded(self):
        """The test's cassette, made without faults."""
        self.run("once", show("old"), passed=1)
        return self.cassette

    @property
    def cassette(self):
        (path,) = (self.pytester.path / "cassettes").rglob("*.yaml")
        return path

    def files(self):
        """Every file below the folder of cassettes with its time and inode."""
        folder = self.pytester.path / "cassettes"
        return {
            path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
            for path in folder.rglob("*")
            if path.is_file()
        }


def red(project):
    """A query fails where it is asked; traffic is judged when its test is over."""
    return {"failed": 1} if project.template is QUERY else {"passed": 1, "errors": 1}


def test_once_keeps_no_refusal_and_no_failure(project):
    """A recorded 401 would be replayed forever. The run is red and says what was answered."""
    for status in (401, 403, 500, 503):
        again = 2 if status == 401 and project.template is QUERY else 1  # a new token is tried once
        result = project.run("once", *[say(status, b"no")] * again, **red(project))
        result.stdout.fnmatch_lines([f"E *the cloud answered {status}*"])
        assert project.files() == {}


@pytest.mark.parametrize("project", ["traffic"], indirect=True)
def test_a_failure_that_the_test_is_about_is_kept(project):
    """The same 401 is a recording if the test says so."""
    project.test(first="imagedetail_cassette.expect(401)")
    project.run("once", say(401, b"no"), passed=1)
    assert [each.response.status_code for each in loads(project.cassette).interactions] == [401]


@pytest.mark.parametrize("mode", ["rewrite", "verify"])
def test_with_the_cloud_down_the_old_recording_stays(project, mode):
    """Nothing is removed before there is something better."""
    project.recorded()
    before = project.files()
    project.server.go_away()
    result = project.pytester.runpytest_inprocess(f"--imagedetail-record-mode={mode}")
    assert result.ret == 1
    assert project.files() == before


@pytest.mark.parametrize("project", ["traffic"], indirect=True)
def test_a_test_that_fails_after_its_request_keeps_nothing_new(project):
    """Half of a recording is not a recording, with an older one and without."""
    project.test(last="assert False, 'half-way'")
    project.run("once", show("new"), failed=1)
    assert project.files() == {}
    project.test()
    project.recorded()
    before = project.files()
    project.test(last="assert False, 'half-way'")
    project.run("rewrite", show("new"), failed=1)
    assert project.files() == before


def test_rewrite_of_the_same_touches_nothing(project):
    """No byte, no time, no inode; another answer is written."""
    project.recorded()
    before = project.files()
    result = project.run("rewrite", show("old"), passed=1)
    result.stdout.fnmatch_lines(["*recorded (unchanged)"])
    assert project.files() == before
    project.run("rewrite", show("new"), passed=1)
    assert project.files() != before


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill -9"])
def test_a_run_that_is_ended_while_it_records(project, how):
    """The answer is on its way when the run ends: the old recording, and nothing beside it."""
    project.recorded()
    before = project.files()
    project.server.arrived.clear()
    project.server.plan(hang())
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--imagedetail-record-mode=rewrite"],
        cwd=project.pytester.path,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert project.server.arrived.wait(60)
        time.sleep(0.1)  # it waits for the answer by now
        run.send_signal(how)
        run.communicate(timeout=60)
    finally:
        run.kill()
        run.communicate()
    assert run.returncode == (2 if how is signal.SIGINT else -signal.SIGKILL)
    assert project.files() == before
