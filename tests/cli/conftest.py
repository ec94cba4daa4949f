"""The command, run in this process and an empty folder, and a cloud to ask."""

import json
import signal
import subprocess
from types import SimpleNamespace

import pytest

from pytest_imagedetail.cli import main
from tests.cloud import SimulatedCloud, default_rows


@pytest.fixture
def imagedetail(tmp_path, monkeypatch, capsys):
    """Run the command; return its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))

    def listens(_signals):
        pytest.fail("`serve` listens, and would wait for a signal forever")

    monkeypatch.setattr(signal, "sigwait", listens)
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *_: None)  # it would outlive the test

    def run(*arguments):
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as end:
            code = end.code
        streams = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=streams.out, stderr=streams.err)

    return run


@pytest.fixture
def git(tmp_path):
    def git(*arguments):
        identity = ("-c", "user.name=me", "-c", "user.email=me@example.com")
        command = ["git", *identity, *arguments]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout

    return git


@pytest.fixture
def commit(git):
    """Commit everything to git, in a new repository if there is none."""

    def commit(message="x"):
        git("init", "-q")
        git("add", ".")
        git("commit", "-qm", message)

    return commit


class Site:
    """An endpoint, `staging` of clouds.yaml, whose cloud can be replaced."""

    def __init__(self, folder):
        self.folder, self.cloud, self._port = folder, None, 0

    def installs(self, release, *, without=(), edit=None):
        self.shuts_down()
        images = [each for each in default_rows() if each.name not in without]
        if edit:
            edit(images)
        self.cloud = SimulatedCloud(release=release, rows=images, port=self._port)
        self.cloud.__enter__()
        self._port = self.cloud.port
        (self.folder / "clouds.yaml").write_text(self.cloud.clouds_yaml("staging"))

    def shuts_down(self):
        if self.cloud is not None:
            self.cloud.stop()

    def declares(self, **clouds):
        """Write imagedetail.yaml; each cloud is `staging` of clouds.yaml, of this release."""
        declared = {
            name: {"os_cloud": "staging", **({"release": release} if release else {})}
            for name, release in clouds.items()
        }
        (self.folder / "imagedetail.yaml").write_text(json.dumps({"clouds": declared}))

    @property
    def recordings(self):
        paths = sorted((self.folder / "cassettes").rglob("*.yaml"))
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}


@pytest.fixture
def site(tmp_path):
    pytest.importorskip("openstack", reason="credentials need the extra `record`")
    site = Site(tmp_path)
    yield site
    site.shuts_down()
