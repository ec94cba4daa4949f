"""`imagedetail diff --github`: annotations as GitHub reads them."""

import json
import shutil
from pathlib import Path

from unit import image_of

LIBRARY = Path(__file__).parents[2] / "cassettes"
ODD = "50 %, a:b\n::error file=x::\x1b[31m"


def read(line):
    """Return properties and message as GitHub's runner reads them."""
    command, _, message = line.removeprefix("::error ").partition("::")
    found = dict(each.split("=", 1) for each in command.split(","))
    for code, mark in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        found = {name: value.replace(code, mark) for name, value in found.items()}
        message = message if mark in ":," else message.replace(code, mark)
    return found, message


def test_an_annotation_is_at_the_image(imagedetail, tmp_path, monkeypatch):
    """In the candidate's file, relative to the workspace; any text stays one command."""
    several = [image_of(number) for number in range(12)]
    changed = [{**each, f"x{at}:y": 1} for at, each in enumerate(several)]
    odd = [several[1], image_of(2, status=ODD)]
    for cloud, images in {"old": several[1:3], "new": odd, "a": several, "b": changed}.items():
        (tmp_path / "body.json").write_text(json.dumps({"images": images}))
        imagedetail("import", "body.json", f"--cloud={cloud}")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path.parent))
    file = tmp_path / "a,b:c%.yaml"
    file.write_bytes((tmp_path / "cassettes/new/all.yaml").read_bytes())
    for name, path in (("new", "cassettes/new/all.yaml"), (file.name, file.name)):
        result = imagedetail("diff", "old", name, "--github", "--fail-on=change", "--json")
        json.loads(result.stdout)
        verdict, line = result.stderr.splitlines()
        start = "::error title=imagedetail::FAIL: the only difference from old to new"
        assert verdict.startswith(start)
        found, message = read(line)
        assert found["file"] == f"{tmp_path.name}/{path}"
        assert found["title"].endswith(" value_changed")
        lines = file.read_text().splitlines()
        assert image_of(2)["id"] in lines[int(found["line"]) - 1]
        assert message.splitlines()[2] == f"+ {json.dumps(ODD)}"
    for fail_on, most in (("change", 10), ("none", 0)):  # only what fails is annotated
        result = imagedetail("diff", "a", "b", "--github", f"--fail-on={fail_on}")
        assert len(result.stderr.splitlines()) == most


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


def test_what_is_no_difference_is_annotated(imagedetail, tmp_path):
    """An expired rule, a missing recording, and an error; they have no place in a file."""
    rule = "{kind: image_added, reason: r, expires: 2020-01-31}"
    (tmp_path / "imagedetail-rules.yaml").write_text(f"- {rule}")
    for cloud, images, query in (("a", [1], ""), ("a", [1], "--query=limit=1"), ("b", [1, 2], "")):
        (tmp_path / "body.json").write_text(json.dumps({"images": [*map(image_of, images)]}))
        imagedetail("import", "body.json", f"--cloud={cloud}", *filter(None, [query]))
    lines = imagedetail("matrix", "a", "b", "--github").stderr
    assert "::error title=imagedetail::b lacks 1 recording that a has: limit=1; " in lines
    assert "yaml, line 1: the rule for image_added expired on 2020-01-31; " in lines
    imagedetail("import", "body.json", "--cloud=d", "--release=kilo")
    (tmp_path / "imagedetail.yaml").write_text("clouds: {d: {release: juno}, c: {}}")
    for typed, problem in (
        ("diff a d", "the recording is stale: it is of release kilo"),
        ("verify c", "nothing is recorded for cloud 'c', query 'all'"),
    ):
        lines = imagedetail(*typed.split(), "--github").stderr
        assert lines.count(f"::error title=imagedetail::{problem}") == 1, typed
