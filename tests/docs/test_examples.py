"""The example projects do what their README says, with no network and no account."""

import shutil
import sys

import pytest

from tests.docs.pages import ROOT


def project(pytester, name):
    shutil.copytree(ROOT / "examples" / name, pytester.path, dirs_exist_ok=True)


def test_the_gate_is_green_because_of_one_rule(pytester):
    """It fails on `limit=0` without the rule, and after the rule's last day."""
    project(pytester, "upgrade-gate")
    pytester.runpytest_subprocess().assert_outcomes(passed=3)
    rules = pytester.path / "imagedetail-rules.yaml"
    written = rules.read_text()
    rules.unlink()
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["E *breaking * status_changed limit=0: 200 -> *"])
    rules.write_text(written.replace("2099-12-31", "2026-01-01"))
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["E *expired *the rule for status_code, imagedetail-rules.yaml, line 1"]
    )


def test_a_clients_tests_run_against_nine_releases(pytester):
    """The tool of the example lists images with apache-libcloud."""
    pytest.importorskip("libcloud", reason="the example's tool needs apache-libcloud")
    project(pytester, "client-tests")
    pytester.runpytest_subprocess().assert_outcomes(passed=18)
    assert not (pytester.path / "cassettes").exists()


def test_old_cassettes_are_cleaned_and_still_replay(pytester):
    """Lint refuses them, scrub keeps their structure, and the tests pass without a change."""
    project(pytester, "clean-cassettes")
    command = (sys.executable, "-m", "pytest_imagedetail")
    assert pytester.run(*command, "lint", "recordings").ret == 1
    assert pytester.run(*command, "scrub", "recordings", "--cloud", "staging").ret == 0
    assert pytester.run(*command, "lint").ret == 0
    pytester.runpytest_subprocess().assert_outcomes(passed=2)
    for path in (pytester.path / "cassettes").rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        for secret in ("correct-horse", "gAAAA", "s3cr3t", "7c1a0fd5", "nova.example"):
            assert secret not in text, (path, secret)
