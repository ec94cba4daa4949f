"""`imagedetail scrub` for folders of old recordings, and in place of them."""

import subprocess
from pathlib import Path

import pytest
import requests
import vcr

from pytest_imagedetail.body import yaml
from pytest_imagedetail.cassette import loads
from tests.cli.test_cli_scrub import shows

TOKEN = "gAAAAABk" + "x" * 60
PROJECT = "0f3c7f60b2a14f5f9ec21a25c2f1a0d3"
PASSWORD = "hunter2-and-more"


def recording(name):
    """What vcrpy writes of one listing, in which a password and a token stand."""
    image = f'{{"id": "1", "name": "{name}", "metadata": {{"admin_password": "{PASSWORD}"}}}}'
    request = {
        "method": "GET",
        "uri": f"http://nova.example.com:8774/v2/{PROJECT}/images/detail",
        "body": None,
        "headers": {"X-Auth-Token": [TOKEN]},
    }
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Type": ["application/json"]},
        "body": {"string": f'{{"images": [{image}]}}'},
    }
    document = {"version": 1, "interactions": [{"request": request, "response": response}]}
    return yaml.dump(document)


@pytest.fixture
def old(tmp_path):
    """A folder in the layout of pytest-recording, with a file of another kind."""
    folder = tmp_path / "old"
    for name in ("test_images/test_list", "test_servers/test_list", "test_images/test_more"):
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(recording(name))
    (folder / "notes.json").write_text("{}")
    (folder / ".git").mkdir()
    (folder / ".git" / "config.yaml").write_text("a: b")
    return folder


@pytest.fixture
def git(tmp_path):
    """Run git in the project."""

    def run(*arguments):
        identity = ("-c", "user.name=me", "-c", "user.email=me@example.com")
        subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True
        )

    run("init", "-q")
    return run


def safe(path):
    """Whether nothing that was planted is left in a file, in any encoding."""
    return not any(shows(path, secret) for secret in (TOKEN, PROJECT, PASSWORD, "nova.example"))


def test_a_folder_keeps_its_structure(imagedetail, old, tmp_path):
    """Two files of one name are two cassettes; other files are passed over and named."""
    result = imagedetail("scrub", "old", "--cloud=staging")
    assert result.returncode == 0, result.stderr
    assert "3 files: 3 done, 0 failed" in result.stdout
    assert "passed over, not a known recording: " in result.stderr
    assert "old/notes.json" in result.stderr
    folder = tmp_path / "cassettes/staging/tests"
    names = {str(path.relative_to(folder)) for path in folder.rglob("*.yaml")}
    assert names == {
        "test_images/test_list.yaml",
        "test_images/test_more.yaml",
        "test_servers/test_list.yaml",
    }
    assert all(map(safe, folder.rglob("*.yaml")))
    assert imagedetail("lint").stdout == "3 files: nothing found\n"
    assert "3 files: 3 done" in imagedetail("scrub", "old", "--cloud=staging").stdout


def test_in_place_replaces_what_git_keeps(imagedetail, old, git):
    """Not a file before all are safe in git; then vcrpy replays them, and lint is content."""
    path = old / "test_images/test_list.yaml"
    before = path.read_text()
    arguments = ("scrub", "old", "--cloud=staging", "--in-place")
    for step in ("not in git", "staged", "changed"):
        result = imagedetail(*arguments)
        assert (result.returncode, path.read_text().strip()) == (2, before.strip()), step
        assert "the file is not committed, or has changes that are not" in result.stderr
        if step == "not in git":
            git("add", ".")
        elif step == "staged":
            git("commit", "-qm", "old")
            path.write_text(f"{before}\n")
    path.write_text(before)
    result = imagedetail(*arguments)
    assert result.returncode == 0, result.stderr
    assert all(map(safe, old.rglob("test_*.yaml")))
    assert loads(path).provenance.source == "scrubbed"
    assert imagedetail("lint", "old").stdout == "3 files: nothing found\n"
    replayer = vcr.VCR(record_mode="none", match_on=["method", "path"])
    with replayer.use_cassette(str(path)):
        answer = requests.get(f"http://any.example/v2/{'0' * 32}/images/detail")
    assert answer.json()["images"][0]["name"] == "test_images/test_list"
    assert imagedetail("scrub", "old", "--cloud=staging", "--in-place").returncode == 0


def test_in_place_is_for_yaml_of_vcrpy(imagedetail, tmp_path, git):
    """Other tools could not read the cassette; a login alone leaves nothing."""
    betamax = Path(__file__).parents[1] / "scrub-data" / "betamax.json"
    (tmp_path / "betamax.json").write_bytes(betamax.read_bytes())
    git("add", ".")
    git("commit", "-qm", "old")
    result = imagedetail("scrub", "betamax.json", "--cloud=staging", "--in-place")
    assert result.returncode == 2
    assert "only YAML recordings of vcrpy and pytest-recording can be replaced" in result.stderr
    (tmp_path / "vcr.yaml").write_text(recording("a"))
    git("add", ".")
    git("commit", "-qm", "more")
    result = imagedetail("scrub", "vcr.yaml", "betamax.json", "--cloud=staging", "--in-place")
    assert (result.returncode, result.stdout) == (2, "")
    assert (tmp_path / "vcr.yaml").read_text() == recording("a")
    assert (tmp_path / "betamax.json").read_bytes() == betamax.read_bytes()


def test_files_that_differ_in_suffix_only_are_refused(imagedetail, old):
    """Even with --force, one would replace the other."""
    path = old / "test_images/test_list.yaml"
    path.with_suffix(".yml").write_text(path.read_text())
    for more in ((), ("--force",), ("--check",)):
        result = imagedetail("scrub", "old", "--cloud=staging", *more)
        assert (result.returncode, result.stdout) == (4, "")
        assert "two recordings would become one cassette" in result.stderr


def test_nothing_to_scrub_is_an_error(imagedetail, tmp_path):
    """A folder without recordings, and a file that is not there."""
    (tmp_path / "empty").mkdir()
    result = imagedetail("scrub", "empty", "--cloud=staging")
    assert (result.returncode, result.stdout) == (4, "")
    assert "there is no recording to scrub" in result.stderr
    assert imagedetail("scrub", "gone.yaml", "--cloud=staging").returncode == 2


def test_in_place_is_all_or_nothing(imagedetail, old, git):
    """A file that cannot be scrubbed leaves the others as they are: they may share secrets."""
    damaged = old / "test_servers" / "test_list.yaml"
    damaged.write_text(damaged.read_text().replace("method: GET", "method: {}"))
    git("add", ".")
    git("commit", "-qm", "old")
    before = {path: path.read_text() for path in old.rglob("test_*.yaml")}
    result = imagedetail("scrub", "old", "--cloud=staging", "--in-place")
    assert result.returncode == 2
    assert "nothing was written" in result.stderr
    assert {path: path.read_text() for path in before} == before
