"""Comparing git revisions, and `imagedetail diff --git-driver`."""

import shutil
import subprocess
import sys

import pytest

from tests.docs.pages import ROOT

OLD, NEW = (ROOT / "cassettes" / name for name in ("nova-2023.1", "nova-2024.2"))
DRIVER = f"'{sys.executable}' -m pytest_imagedetail diff"
PLAIN = "git diff --no-ext-diff shows the text"


@pytest.fixture
def staging(commit, tmp_path):
    """A folder of recordings whose release changed after two commits."""
    folder = tmp_path / "cassettes/staging"
    folder.mkdir(parents=True)
    for name in ("all.yaml", "limit=0.yaml", "all@latest.yaml"):
        shutil.copy(OLD / name, folder / name)
    (tmp_path / "body.json").write_text('{"images": []}')
    for name in ("first", "second"):
        (tmp_path / "notes").write_text(name)
        commit(name)
    for name in ("all.yaml", "limit=0.yaml", "all@latest.yaml"):
        shutil.copy(NEW / name, folder / name)
    return folder


def test_a_side_may_be_a_revision(imagedetail, git, staging, tmp_path, monkeypatch):
    """Every verb that takes a path takes REVISION:PATH, even in a subfolder."""
    path = "cassettes/staging/limit=0.yaml"
    for old, version in ((f"HEAD~1:{path}", "HEAD~1"), (f":{path}", "index")):
        result = imagedetail("diff", old, path)
        assert (result.returncode, result.stderr) == (1, ""), old
        assert f"from nova-2023.1 ({version}) to nova-2024.2 can break" in result.stdout
    accept = ("accept", f"HEAD:{path}", path, "--path=status_code", "--reason=x", "--expires=never")
    assert imagedetail(*accept).returncode == 0
    assert imagedetail("diff", f"HEAD:{path}", path).returncode == 0
    assert imagedetail("show", "HEAD:body.json").stdout.endswith("0 images, complete\n")
    (tmp_path / "not.yaml").write_bytes(b"\xff: 1")
    git("add", ".")
    assert "  where: :not.yaml" in imagedetail("show", ":not.yaml").stderr
    monkeypatch.chdir(staging.parent)
    shown = imagedetail("show", "HEAD:./staging/all.yaml").stdout
    assert shown.startswith("nova-2023.1, query all: 200")
    monkeypatch.chdir(tmp_path)
    for name, said in (
        ("HEAD:nope.yaml", "fatal: path 'nope.yaml' does not exist in 'HEAD'"),
        ("C:\\old.yaml", "fatal: invalid object name 'C'."),
    ):
        problem, where, *_, last = imagedetail("show", name).stderr.splitlines()
        assert problem.endswith(f"no such file, and git has none of that name: {said}")
        assert where == f"  where: {name}"
        assert last.startswith("  next:  name a file, or one of a revision: REVISION:PATH")
    written = tmp_path / "written:x.yaml"
    result = imagedetail("diff", "--", f"--output={written}", "body.json")
    assert (result.returncode, written.exists()) == (2, False)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = imagedetail("show", "HEAD:body.json")
    assert "git cannot be run: No such file or directory" in result.stderr


@pytest.fixture
def driven(git, staging, tmp_path):
    """The same repository, with the command as its diff driver."""
    (tmp_path / ".gitattributes").write_text("*.yaml diff=imagedetail\n")
    git("config", "diff.imagedetail.command", f"{DRIVER} --git-driver")
    return git


def test_git_shows_comparisons(driven, tmp_path):
    """Of changed, added, removed and renamed files; also in the log."""
    limit = "cassettes/staging/limit=0.yaml"
    changed = driven("diff", limit)
    assert changed.startswith(
        f"imagedetail diff {limit}\nFAIL: the only difference from nova-2023.1 "
    )
    headers = driven("diff", "cassettes/staging/all@latest.yaml")
    assert "header_changed  headers.openstack-api-version" in headers
    assert changed.endswith("\n1 difference: 1 breaking, 0 compatible, 0 data\n\n")

    # Rules and options hold as for the same command in a shell.
    rules = tmp_path / "imagedetail-rules.yaml"
    rules.write_text("[{path: status_code, reason: x, expires: never}]")
    assert "no difference but for 1 accepted by rules (1 breaking)" in driven("diff", limit)
    driven("config", "diff.imagedetail.command", f"{DRIVER} --rules=no.yaml --git-driver")
    assert "not compared: the file cannot be read" in driven("diff", limit)
    driven("config", "diff.imagedetail.command", f"{DRIVER} --git-driver")
    rules.unlink()

    driven("commit", "-qam", "upgrade")
    assert changed in driven("log", "-p", "--ext-diff", "-1")

    shutil.copy(NEW / "limit=abc.yaml", tmp_path / "cassettes/staging/added.yaml")
    driven("rm", "-q", "cassettes/staging/all.yaml")
    driven("mv", limit, "cassettes/staging/zero.yaml")
    driven("add", ".")
    shown = driven("diff", "--cached", "-M", "--", "cassettes")
    for line in (
        "imagedetail diff cassettes/staging/added.yaml",
        "added: nova-2024.2, query limit=abc: 400, an error",
        "imagedetail diff cassettes/staging/all.yaml",
        "removed: nova-2024.2, query all: 200, 14 images",
        f"imagedetail diff {limit} -> cassettes/staging/zero.yaml",
    ):
        assert f"{line}\n" in shown


def test_nothing_ends_git(driven, tmp_path):
    """A file that cannot be compared is one line, and git goes on."""
    odd = tmp_path / "cassettes/-odd\x1b[31m.yaml"
    odd.write_text("a: b")
    driven("add", "--", str(odd))
    driven("commit", "-qm", "odd")
    odd.write_bytes(b"\xff")
    (tmp_path / "cassettes/staging/all.yaml").write_text("a: [")
    shown = driven("diff")
    assert "imagedetail diff cassettes/-odd\\u001b[31m.yaml\nnot compared: " in shown
    assert shown.count(PLAIN) == 2
    assert "1 difference: 1 breaking" in shown  # the next file

    body = tmp_path / "body.json"
    (tmp_path / ".gitattributes").write_text("* diff=imagedetail\n")
    for branch, text in (("one", "{}"), ("two", "[]")):
        driven("checkout", "-qf", "-b", branch, "HEAD~1")
        body.write_text(text)
        driven("commit", "-qam", branch)
    with pytest.raises(subprocess.CalledProcessError):
        driven("merge", "one")
    assert "imagedetail diff body.json\nnot merged\n" in driven("diff", "--cached")
    (tmp_path / "imagedetail.yaml").write_text("a: b")
    assert "not compared: " in driven("diff", "one", "two", "--", "body.json")
