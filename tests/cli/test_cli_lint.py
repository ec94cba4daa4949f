"""`imagedetail lint`: exit codes, JSON, and the hook for pre-commit.

The rules are in tests/unit/test_lint.py, and the printed form in docs/lint.md.
"""

import json
import os
import re
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
    return partial(imagedetail, "lint")


def test_warnings_fail_only_with_strict(lint, cassettes, tmp_path):
    """Notes never fail, a secret always does, and a rule can be skipped."""
    stray, config = cassettes / "stray.txt", tmp_path / "imagedetail.yaml"
    undeclared = "cassettes/nova-2026.2/all.yaml:4: note undeclared imagedetail.yaml declares"
    for path, text, arguments, code, start in (
        (None, "", ["--strict"], 0, "4 files: nothing found\n"),
        (stray, "x", [], 0, ORPHAN),
        (stray, "x", ["--strict"], 1, ORPHAN),
        (stray, "x", ["--strict", "--ignore=orphan"], 0, "5 files: nothing found\n"),
        (stray, "gAAAAABmX1" + "a" * 40, [stray.relative_to(tmp_path)], 1, f"{ORPHAN}cassettes/"),
        (config, "clouds: {nova-essex: {}}", ["--strict"], 0, undeclared),
    ):
        if path:
            path.write_text(text)
        result = lint(*map(str, arguments))
        assert (result.returncode, result.stdout.startswith(start)) == (code, True), result.stdout
        stray.unlink(missing_ok=True)
    stray.write_text("x")
    finding = {"path": "cassettes/stray.txt", "line": 1, "severity": "warning", "rule": "orphan"}
    finding |= {"message": "not a recording", "next": RULES["orphan"].remedy}
    printed = json.loads(lint("--json", "cassettes/stray.txt").stdout)
    assert printed == {"schema": 1, "files": 1, "skipped": 0, "findings": [finding]}


def test_what_cannot_be_read_is_no_verdict(lint, cassettes):
    """Exit code 2, and 4 for an unknown rule or if there is nothing to check."""
    result = lint("cassettes/nowhere.yaml")
    head = "cassettes/nowhere.yaml:1: error unreadable cannot be read: No such file or directory\n"
    assert (result.returncode, result.stdout.startswith(head)) == (2, True)
    cassettes.rename(cassettes.with_name("elsewhere"))
    for arguments, says in (
        (["--ignore=strays"], "there is no rule 'strays'\n  next:  known: unreadable, format, "),
        ([], "there is nothing to check\n  where: cassettes\n  next:  name files or a folder, or "),
        (["--json", "cassettes"], "there is nothing to check\n  where: cassettes\n"),
    ):
        result = lint(*arguments)
        assert (result.returncode, result.stdout) == (4, ""), arguments
        assert result.stderr.startswith(f"imagedetail: {says}"), arguments
        cassettes.mkdir(exist_ok=True)
    (cassettes / "README.md").touch()
    assert lint().stdout == "1 file: nothing found\n"


def test_nothing_is_passed_over_in_silence(lint, tmp_path):
    """What is not text is an error, other names are counted; a folder is no recording."""
    entry = "- request: {uri: 'http://a/', method: GET, body: null, headers: {X-Auth-Token: [T]}}"
    recording = f"version: 1\ninteractions:\n{entry}\n".replace("T]", "gAAAAABmX1" + "a" * 40 + "]")
    folder = tmp_path / "old"
    folder.mkdir()
    for name in ("a.yaml.bak", "a.yaml.gz", "a"):
        (folder / name).write_text(recording)
    for name, content, rule in (
        ("a.yaml", recording.encode("utf-16"), "format not a UTF-8 file: byte 0 is 0xff"),
        ("a.har", recording.encode("utf-16-le"), "format not a readable YAML file: "),
        ("a.yaml", recording[:-3].encode(), "format not a readable YAML file: "),
    ):
        (folder / name).write_bytes(content)
        done = lint("old")
        assert (done.returncode, f" error {rule}" in done.stdout) == (1, True), done.stdout
        assert "or delete it, then record it again with its own tool, and scrub that" in done.stdout
        assert "imagedetail" not in done.stdout
        assert re.match("1 file, 3 skipped: [12] errors?$", done.stdout.splitlines()[-1])
        (folder / name).unlink()
    (tmp_path / "body.json").write_text('{"images": []}')
    lint.func("import", "body.json", "--cloud=c1.yaml")
    assert lint().stdout == "5 files: nothing found\n"


def test_pre_commit_runs_the_hook(cassettes, git, tmp_path):
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
    command = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--verbose"]
    home = {"HOME": str(tmp_path), "PRE_COMMIT_HOME": str(tmp_path / ".cache")}
    run = partial(subprocess.run, capture_output=True, text=True, check=False)
    essex = cassettes / "nova-essex/all.yaml"
    for status, code, says in (
        ("ACTIVE", 0, "5 files: nothing found"),
        ("DELETED", 1, " error hash the cassette was changed after it was written"),
    ):
        essex.write_text(essex.read_text().replace("ACTIVE", status))
        git("add", "-A")
        done = run(command, cwd=tmp_path, env={**os.environ, **home})
        assert (done.returncode, says in done.stdout) == (code, True), done.stdout
