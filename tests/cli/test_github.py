"""`imagedetail diff --github`: annotations as GitHub reads them."""

import json
import shutil
from pathlib import Path

import pytest
from unit import image_of

LIBRARY = Path(__file__).parents[2] / "cassettes"
ODD = "50 %, a:b\n::error file=x::\x1b[31m"


@pytest.fixture
def recorded(imagedetail, tmp_path):
    """Import images as the recording of a cloud."""

    def write(**clouds):
        for cloud, images in clouds.items():
            (tmp_path / "body.json").write_text(json.dumps({"images": images}))
            done = imagedetail("import", "body.json", f"--cloud={cloud}", "--force")
            assert done.returncode == 0, done.stderr

    return write


def read(line):
    """Return properties and message as GitHub's runner reads them."""
    command, _, message = line.removeprefix("::error ").partition("::")
    found = dict(each.split("=", 1) for each in command.split(","))
    for code, mark in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        found = {name: value.replace(code, mark) for name, value in found.items()}
        message = message if mark in ":," else message.replace(code, mark)
    return found, message


def test_an_annotation_is_at_the_image(imagedetail, recorded, tmp_path, monkeypatch):
    """In the candidate's file, relative to the workspace; any text stays one command."""
    recorded(
        old=[image_of(1), image_of(2, status="ACTIVE")], new=[image_of(1), image_of(2, status=ODD)]
    )
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path.parent))
    result = imagedetail("diff", "old", "new", "--github", "--fail-on=change", "--json")
    json.loads(result.stdout)
    verdict, line = result.stderr.splitlines()
    assert verdict.startswith(
        "::error title=imagedetail::FAIL: the only difference from old to new"
    )
    found, message = read(line)
    assert found["file"] == f"{tmp_path.name}/cassettes/new/all.yaml"
    assert found["title"].endswith(" value_changed")
    lines = (tmp_path / "cassettes/new/all.yaml").read_text().splitlines()
    assert image_of(2)["id"] in lines[int(found["line"]) - 1]
    assert message.splitlines()[2] == f"+ {json.dumps(ODD)}"

    odd = tmp_path / "a,b:c%.yaml"
    odd.write_bytes((tmp_path / "cassettes/new/all.yaml").read_bytes())
    result = imagedetail("diff", "old", odd.name, "--github", "--fail-on=change")
    assert read(result.stderr.splitlines()[1])[0]["file"] == f"{tmp_path.name}/{odd.name}"


def test_only_what_fails_is_annotated(imagedetail, recorded):
    """At most ten, and none below the threshold."""
    several = [image_of(number) for number in range(12)]
    recorded(old=several, new=[{**each, f"x{at}:y": 1} for at, each in enumerate(several)])
    diff = ("diff", "old", "new", "--github", "--fail-on")
    assert len(imagedetail(*diff, "change").stderr.splitlines()) == 10
    assert imagedetail(*diff, "none").stderr == ""


def test_a_matrix_is_annotated_at_the_later_cloud(imagedetail, tmp_path):
    """Each cause once, if the cassette is in the project."""
    for cloud in ("nova-2023.1", "nova-2024.2"):
        shutil.copytree(LIBRARY / cloud, tmp_path / "cassettes" / cloud)
    result = imagedetail("matrix", "nova-2023.1", "nova-2024.2", "nova-2026.2", "--github")
    verdict, line = result.stderr.splitlines()
    assert "::FAIL: 1 of 12 differences from nova-2023.1 to nova-2026.2" in verdict
    found, message = read(line)
    assert found["file"].endswith("cassettes/nova-2024.2/limit=0.yaml")
    assert found["title"] == "breaking status_changed"
    assert message.splitlines()[1] == "- 200"
    result = imagedetail("diff", "nova-2025.2", "lost", "--github")
    assert result.stderr.startswith("::error title=imagedetail::unknown cloud 'lost'")
