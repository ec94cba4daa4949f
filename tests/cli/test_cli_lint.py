"""`imagedetail lint`: what it prints, how it ends, and that a hook of pre-commit can call it."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import yaml

from pytest_imagedetail.cassette import dumps, loads
from pytest_imagedetail.lint import RULES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lint(cassettes, imagedetail):
    """Run the verb beside two recorded clouds."""
    return partial(imagedetail, "lint")


def test_sound_cassettes_are_counted(lint):
    """Nothing found, and how much was looked at."""
    result = lint()
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "4 files: nothing found\n"


def test_an_import_is_sound(lint, imagedetail, tmp_path):
    """Nobody says where it was asked for, and its placeholder names no cloud."""
    (tmp_path / "body.json").write_text('{"images": [{"id": "1", "name": "a"}]}')
    assert imagedetail("import", "body.json", "--cloud=saved").returncode == 0
    assert lint().stdout == "5 files: nothing found\n"


def test_findings_can_be_followed(lint, cassettes):
    """One line each with file and line, then what to do about each rule, then the count."""
    shutil.copy(cassettes / "nova-essex/all.yaml", cassettes / "nova-essex/limit=1.yaml")
    (cassettes / "nova-essex/.all.0123.tmp").write_text("half")
    result = lint()
    assert result.returncode == 1
    assert result.stdout == (
        "cassettes/nova-essex/.all.0123.tmp:1: warning orphan left over from a write that was "
        "killed\n"
        "cassettes/nova-essex/limit=1.yaml:2: error duplicate a copy of "
        "cassettes/nova-essex/all.yaml\n"
        "\n"
        "what to do next\n"
        "  duplicate: delete the copy; record what should stand there\n"
        "  orphan: delete it, or keep it in another folder\n"
        "\n"
        "6 files: 1 error, 1 warning\n"
    )


def test_paths_are_looked_at_alone(lint, cassettes):
    """As pre-commit passes them: these files and no other."""
    (cassettes / "stray.txt").write_text("x")
    assert lint("cassettes/nova-essex/all.yaml").stdout == "1 file: nothing found\n"
    assert lint("cassettes/stray.txt").returncode == 1


def test_json_is_one_document(lint, cassettes):
    """With every finding as its parts."""
    (cassettes / "stray.txt").write_text("x")
    result = lint("--json")
    assert json.loads(result.stdout) == {
        "schema": 1,
        "files": 5,
        "findings": [
            {
                "path": "cassettes/stray.txt",
                "line": 1,
                "severity": "warning",
                "rule": "orphan",
                "message": "no cassette, and nothing reads it",
                "next": RULES["orphan"].remedy,
            }
        ],
    }
    assert result.returncode == 1


def test_age_is_judged_when_asked(lint, cassettes):
    """What was recorded a moment ago passes a day; what is of 2020 does not pass a year."""
    assert lint("--max-age=1").returncode == 0
    path = cassettes / "nova-essex/all.yaml"
    date_back(path, "2020-02-03T04:05:06Z")
    result = lint("--max-age=365")
    assert result.returncode == 1
    assert result.stdout.startswith(f"{path.relative_to(cassettes.parent)}:7: error age it is ")


def test_notes_alone_do_not_fail(lint, tmp_path):
    """A cloud that is not declared is told, once."""
    (tmp_path / "imagedetail.yaml").write_text("clouds: {nova-essex: {}}")
    result = lint()
    assert result.returncode == 0
    assert result.stdout.splitlines()[0] == (
        "cassettes/nova-2026.2/all.yaml:4: note undeclared imagedetail.yaml declares clouds, and "
        "nova-2026.2 is none of them"
    )


def test_a_rule_can_be_passed_over(lint, cassettes):
    """By its name; an unknown one is refused with those that there are."""
    (cassettes / "stray.txt").write_text("x")
    assert lint("--ignore=orphan").returncode == 0
    result = lint("--ignore=strays")
    assert result.returncode == 4
    assert result.stderr.startswith(
        "imagedetail: there is no rule 'strays'\n  next:  known: unreadable, format, "
    )


def test_what_cannot_be_read_is_no_verdict(lint):
    """Exit code 2, which is neither clean nor found."""
    result = lint("cassettes/nowhere.yaml")
    assert result.returncode == 2
    assert result.stdout.startswith(
        "cassettes/nowhere.yaml:1: error unreadable there is no such file\n"
    )


def test_nothing_to_look_through_is_no_verdict(lint, cassettes):
    """Neither without a folder, nor in an empty one, nor in one with a README alone."""
    nothing = (
        "imagedetail: there is nothing to look through\n"
        "  where: cassettes\n"
        "  next:  name files or a folder, or record first: imagedetail record --os-cloud NAME\n"
    )
    shutil.rmtree(cassettes)
    result = lint()
    assert (result.returncode, result.stdout, result.stderr) == (4, "", nothing)
    cassettes.mkdir()
    for kept in (None, "README.md"):
        if kept:
            (cassettes / kept).touch()
        for arguments in ([], ["cassettes"], ["--json", "cassettes"]):
            result = lint(*arguments)
            assert (result.returncode, result.stdout, result.stderr) == (4, "", nothing)


def test_a_welcome_file_that_is_named_is_looked_at(lint, cassettes):
    """As pre-commit passes what was changed."""
    (cassettes / "README.md").touch()
    result = lint("cassettes/README.md")
    assert (result.returncode, result.stdout) == (0, "1 file: nothing found\n")


@pytest.mark.parametrize("closed", ["cassettes", "cassettes/nova-essex"])
@pytest.mark.parametrize("mode", [0o000, 0o600])
def test_a_folder_that_cannot_be_read_is_no_verdict(cassettes, tmp_path, closed, mode):
    """What lies in it is not known; neither is it where names can be read and files cannot."""
    without_power = unprivileged()
    folder = tmp_path / closed
    folder.chmod(mode)
    try:
        result = subprocess.run(
            [*without_power, sys.executable, "-m", "pytest_imagedetail", "lint", closed],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        folder.chmod(0o755)
    assert result.stderr == ""
    assert result.returncode == 2
    assert " error unreadable cannot be read: Permission denied\n" in result.stdout
    assert "  unreadable: check the path and its permissions\n" in result.stdout


def unprivileged():
    """What runs a command without root's right to read everything; nothing for who has none."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may read everything, and there is no setpriv to give that up")
    rights = "-dac_override,-dac_read_search"
    return ["setpriv", "--inh-caps=-all", f"--bounding-set={rights}"]


def test_the_hook_calls_the_command(lint, cassettes, tmp_path):
    """The entry of .pre-commit-hooks.yaml with a changed file passes, and fails with a bad one."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"] == "imagedetail lint"
    assert hook["language"] == "python"
    changed = "cassettes/nova-essex/all.yaml"
    path = tmp_path / changed
    assert lint(*hook.get("args", []), changed).returncode == 0
    path.write_text(path.read_text().replace("ACTIVE", "DELETED"))
    result = lint(*hook.get("args", []), changed)
    assert result.returncode == 1
    assert f"{changed}:" in result.stdout
    assert " error hash the cassette was changed after it was written" in result.stdout


def test_pre_commit_runs_the_hook(cassettes, tmp_path):
    """`pre-commit` itself selects the cassettes of a repository and stops a bad commit."""
    pytest.importorskip("pre_commit", reason="pre-commit is not installed")
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    local = {**hook, "language": "system", "entry": f"{sys.executable} -m pytest_{hook['entry']}"}
    config = {"repos": [{"repo": "local", "hooks": [local]}]}
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "other.yaml").write_text("no: cassette\n")

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path), "PRE_COMMIT_HOME": str(tmp_path / ".cache")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    run("git", "init", "-q")
    (tmp_path / ".git/info/exclude").write_text(".cache\n")
    run("git", "add", "-A")
    passed = run(sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose")
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "4 files: nothing found" in passed.stdout
    (cassettes / "nova-essex/.all.0123.tmp").write_text("half")
    run("git", "add", "-A")
    stopped = run(sys.executable, "-m", "pre_commit", "run", "--all-files")
    assert stopped.returncode == 1
    assert "cassettes/nova-essex/.all.0123.tmp:1: warning orphan" in stopped.stdout


def date_back(path, when):
    """Make a recording one of another time."""
    recording = loads(path)
    provenance = replace(recording.provenance, recorded_at=when)
    path.write_text(dumps(replace(recording, provenance=provenance)))
