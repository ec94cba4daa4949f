"""Revisions as sides of a comparison, with a real git."""

import shutil
import subprocess

import pytest

from tests.docs.pages import ROOT

OLD, NEW = (ROOT / "cassettes" / name for name in ("nova-2023.1", "nova-2024.2"))


@pytest.fixture
def git(tmp_path):
    """Run git in a repository: the release changed after two commits; return what it prints."""

    def run(*arguments):
        identity = ("-c", "user.name=me", "-c", "user.email=me@example.com")
        command = ["git", *identity, *arguments]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout

    run("init", "-q")
    folder = tmp_path / "cassettes/staging"
    folder.mkdir(parents=True)
    for name in ("all.yaml", "limit=0.yaml"):
        shutil.copy(OLD / name, folder / name)
    (tmp_path / "body.json").write_text('{"images": []}')
    for name in ("first", "second"):
        (tmp_path / "notes").write_text(name)
        run("add", ".")
        run("commit", "-qm", name)
    for name in ("all.yaml", "limit=0.yaml"):
        shutil.copy(NEW / name, folder / name)
    return run


def test_a_side_may_be_a_revision(imagedetail, git, tmp_path, monkeypatch):
    """Each verb that takes a path takes git's form of it, from a subfolder, too."""
    path = "cassettes/staging/limit=0.yaml"
    for old in (f"HEAD~1:{path}", f":{path}"):
        result = imagedetail("diff", old, path)
        assert (result.returncode, result.stderr) == (1, ""), old
        assert "1 difference: 1 breaking, 0 compatible, 0 data" in result.stdout
    accept = ("accept", f"HEAD:{path}", path, "--path=status_code", "--reason=x", "--expires=never")
    assert imagedetail(*accept).returncode == 0
    assert imagedetail("diff", f"HEAD:{path}", path).returncode == 0
    assert imagedetail("show", "HEAD:body.json").stdout.endswith("0 images, complete\n")

    monkeypatch.chdir(tmp_path / "cassettes")
    shown = imagedetail("show", "HEAD:./staging/all.yaml").stdout
    assert shown.startswith("nova-2023.1, query all: 200")
    assert shown == imagedetail("show", "HEAD:cassettes/staging/all.yaml").stdout


def test_a_file_comes_before_a_revision(imagedetail, git, tmp_path):
    """A name with a colon is a path if there is such a file."""
    for name in ("C:\\all.yaml", "HEAD:body.json.yaml"):
        shutil.copy(NEW / "all.yaml", tmp_path / name)
        assert imagedetail("show", name).stdout.startswith("nova-2024.2, query all: 200")


def test_a_revision_that_is_not_there(imagedetail, git, tmp_path, monkeypatch):
    """The error is git's, with the forms that it takes; a damaged cassette is named as typed."""
    for name, said in (
        ("HEAD:nope.yaml", "fatal: path 'nope.yaml' does not exist in 'HEAD'"),
        ("C:\\old.yaml", "fatal: invalid object name 'C'."),
        ("HEAD:./staging/all.yaml", "fatal: path 'staging/all.yaml' does not exist in 'HEAD'"),
    ):
        result = imagedetail("show", name)
        assert result.returncode == 2
        problem, where, *_, last = result.stderr.splitlines()
        assert problem == (
            f"imagedetail: there is no such file, and git has none of that name: {said}"
        )
        assert where == f"  where: {name}"
        assert last.startswith("  next:  name a file, or one of a revision: REVISION:PATH")
    written = tmp_path / "written"
    result = imagedetail("diff", "--", f"--output={written}:x.yaml", "body.json")
    assert (result.returncode, written.exists()) == (2, False)
    result = imagedetail("show", "HEAD:notes")
    assert result.stderr.startswith("imagedetail: the body is not JSON")
    (tmp_path / "not.yaml").write_bytes(b"\xff: 1")
    git("add", ".")
    result = imagedetail("show", ":not.yaml")
    assert "  where: :not.yaml" in result.stderr

    monkeypatch.setenv("PATH", str(tmp_path))
    result = imagedetail("show", "HEAD:body.json")
    assert "git cannot be run: No such file or directory" in result.stderr
