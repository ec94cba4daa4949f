"""An answer in XML on the command line: import, show, diff."""

import json
from pathlib import Path

from pytest_imagedetail.cli import main

HEAD = '<images xmlns="http://docs.openstack.org/compute/api/v1.1">'
IMAGE = {"id": "70a599e0", "name": "cirros", "status": "ACTIVE", "progress": 100, "minRam": 64}
FIELDS = " ".join(f'{name}="{value}"' for name, value in IMAGE.items())
BODY = f"{HEAD}<image {FIELDS}/></images>"


def test_import_show_and_diff(tmp_path, monkeypatch, capsys):
    """It is kept in XML, shown as images, and compared with JSON by its values."""
    (tmp_path / "old.xml").write_text(BODY)
    (tmp_path / "new.json").write_text(json.dumps({"images": [IMAGE]}))
    monkeypatch.chdir(tmp_path)
    assert main(["import", "old.xml", "--cloud", "old", "--release", "folsom"]) == 0
    capsys.readouterr()
    assert main(["show", "old", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == [IMAGE]
    assert main(["show", "old"]) == 0
    assert "cirros" in capsys.readouterr().out
    assert main(["diff", "old", "new.json", "--json", "--fail-on", "change"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["same"], found["normalization"]["R10"]) == (True, 2)
    assert main(["diff", "old", "new.json", "--profile", "wire"]) == 1
    assert "header_changed  headers.content-type" in capsys.readouterr().out
    Path("old.xml").write_text(BODY.replace("64", "65"))
    assert main(["diff", "old.xml", "new.json", "--fail-on", "change"]) == 1
    assert "minRam" in capsys.readouterr().out
