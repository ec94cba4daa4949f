"""A cloud that was recorded before it fails."""

import json

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from pytest_imagedetail.cli import main
from tests.cloud.scripted import ScriptedCloud, show

RECORD = ("record", "--os-cloud", "staging")


@pytest.fixture
def cloud(pytester, monkeypatch, capsys):
    """Two pages of its images are recorded, in the current folder, which has its clouds.yaml."""
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
    """Every file below the folder of cassettes with its bytes, and whatever was left beside it."""

    def read():
        found = (pytester.path / "cassettes").rglob("*")
        return {
            path: path.read_bytes()
            for path in found
            if path.is_file() and path.name != ".imagedetail.lock"
        }

    return read
