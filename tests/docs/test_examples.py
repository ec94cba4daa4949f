"""The example projects do what their README says, without network or account."""

import shutil
import sys

import pytest
import yaml

from tests.docs.pages import ROOT


def project(pytester, name):
    shutil.copytree(ROOT / "examples" / name, pytester.path, dirs_exist_ok=True)


def test_the_upgrade_gate_passes_because_of_one_rule(pytester):
    project(pytester, "upgrade-gate")
    job = yaml.safe_load((pytester.path / ".zuul.yaml").read_text())[0]["job"]
    assert f"[testenv:{job['vars']['tox_envlist']}]" in (pytester.path / "tox.ini").read_text()
    pytester.runpytest_subprocess().assert_outcomes(passed=3)
    rules = pytester.path / "imagedetail-rules.yaml"
    expired = rules.read_text().replace("2099-12-31", "2026-01-01")
    for text, line in (
        ("", "E *breaking * status_changed limit=0: 200 -> *"),
        (expired, "E *expired *the rule for status_code, imagedetail-rules.yaml, line 1"),
    ):
        rules.write_text(text)
        result = pytester.runpytest_subprocess()
        result.assert_outcomes(passed=2, failed=1)
        result.stdout.fnmatch_lines([line])


def test_the_client_tests_run_against_nine_releases(pytester):
    pytest.importorskip("libcloud", reason="the example's tool needs apache-libcloud")
    project(pytester, "client-tests")
    pytester.runpytest_subprocess().assert_outcomes(passed=18)
    assert not (pytester.path / "cassettes").exists()


def test_scrubbed_cassettes_have_no_secret_and_still_replay(pytester):
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
