"""`imagedetail check` of real clouds gives the known deviations in tests/check/live.json."""

import json
import os
from pathlib import Path

import pytest

from pytest_imagedetail.cli import main

pytestmark = pytest.mark.realcloud

LIVE = Path(__file__).parents[1] / "check" / "live.json"


def test_verdicts(cloud, tmp_path, monkeypatch, capsys):
    """UPDATE_LIVE=1 updates the file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(cloud.clouds_yaml))
    declared = {"clouds": {cloud.name: {"release": cloud.release.name}}}
    (tmp_path / "imagedetail.yaml").write_text(json.dumps(declared))
    assert main(["check", cloud.name, "--live", "--no-forecast", "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    found = {each["id"]: each["verdict"] for each in checks}
    assert {*found.values()} <= {"pass", "known-deviation"}
    deviations = " ".join(id_ for id_, verdict in found.items() if verdict != "pass")
    known = json.loads(LIVE.read_text())
    if "UPDATE_LIVE" in os.environ:
        LIVE.write_text(
            json.dumps(known | {cloud.name: deviations}, indent=2, sort_keys=True) + "\n"
        )
    else:
        assert deviations == known[cloud.name]
