"""`imagedetail lint`: exit codes, JSON, and the hook for pre-commit.

The rules are in tests/unit/test_lint.py, and the printed form in docs/lint.md.
"""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import yaml

from pytest_imagedetail.lint import RULES

ROOT = Path(__file__).parents[2]
ORPHAN = "cassettes/stray.txt:1: warning orphan not a recording\n"


@pytest.fixture
def lint(cassettes, imagedetail):
    """Run the verb beside two recorded clouds."""
    return partial(imagedetail, "lint")


@pytest.fixture
def essex(cassettes):
    return cassettes / "nova-essex/all.yaml"


def test_warnings_fail_only_with_strict(lint, cassettes, tmp_path):
    """Notes never fail, a secret always does, and a rule can be skipped."""
    result = lint("--strict")
    assert (result.returncode, result.stdout) == (0, "4 files: nothing found\n")
    (cassettes / "stray.txt").write_text("x")
    assert (lint().returncode, lint("--strict").returncode) == (0, 1)
    assert lint("--strict", "--ignore=orphan").returncode == 0
    result = lint("--json", "cassettes/stray.txt")
    finding = {"path": "cassettes/stray.txt", "line": 1, "severity": "warning", "rule": "orphan"}
    more = {"message": "not a recording", "next": RULES["orphan"].remedy}
    assert json.loads(result.stdout) == {"schema": 1, "files": 1, "findings": [finding | more]}
    (cassettes / "stray.txt").write_text("gAAAAABmX1" + "a" * 40)
    result = lint("cassettes/stray.txt")
    assert result.returncode == 1
    shape = "something in the shape of a token, a key or a password"
    assert result.stdout.startswith(f"{ORPHAN}cassettes/stray.txt:1: error secret {shape}\n")
    (cassettes / "stray.txt").unlink()
    (tmp_path / "imagedetail.yaml").write_text("clouds: {nova-essex: {}}")
    result = lint("--strict")
    assert result.returncode == 0
    assert result.stdout.startswith(
        "cassettes/nova-2026.2/all.yaml:4: note undeclared imagedetail.yaml declares clouds, but "
        "not nova-2026.2\n"
    )
    result = lint("--ignore=strays")
    assert result.returncode == 4
    assert result.stderr.startswith(
        "imagedetail: there is no rule 'strays'\n  next:  known: unreadable, format, "
    )


def test_what_cannot_be_read_is_no_verdict(lint, cassettes):
    """Exit code 2, and 4 if there is nothing to check."""
    result = lint("cassettes/nowhere.yaml")
    assert result.returncode == 2
    head = "cassettes/nowhere.yaml:1: error unreadable cannot be read: No such file or directory\n"
    assert result.stdout.startswith(head)
    shutil.rmtree(cassettes)
    for arguments in ((), ("--json", "cassettes")):
        result = lint(*arguments)
        assert (result.returncode, result.stdout) == (4, "")
        assert result.stderr == (
            "imagedetail: there is nothing to check\n"
            "  where: cassettes\n"
            "  next:  name files or a folder, or record first: imagedetail record --os-cloud NAME\n"
        )
        cassettes.mkdir(exist_ok=True)
    (cassettes / "README.md").touch()
    assert lint().stdout == "1 file: nothing found\n"


def test_pre_commit_runs_the_hook(cassettes, essex, git, tmp_path):
    """`pre-commit` selects the cassettes of a repository and stops a bad commit."""
    pytest.importorskip("pre_commit", reason="pre-commit is not installed")
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["entry"], hook["language"]) == ("imagedetail lint", "python")
    local = {**hook, "language": "system", "entry": f"{sys.executable} -m pytest_{hook['entry']}"}
    config = {"repos": [{"repo": "local", "hooks": [local]}]}
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "other.yaml").write_text("no: cassette\n")
    git("init", "-q")
    (tmp_path / ".git/info/exclude").write_text(".cache\n")

    def hooks():
        git("add", "-A")
        command = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose"]
        home = {"HOME": str(tmp_path), "PRE_COMMIT_HOME": str(tmp_path / ".cache")}
        env = {**os.environ, **home}
        done = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    code, out = hooks()
    assert (code, "5 files: nothing found" in out) == (0, True), out
    essex.write_text(essex.read_text().replace("ACTIVE", "DELETED"))
    code, out = hooks()
    assert code == 1
    assert " error hash the cassette was changed after it was written" in out
