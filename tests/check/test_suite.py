"""The checks as pytest tests."""

import json

import pytest

from tests.cloud.scripted import ScriptedCloud, say

SUITE = ("--pyargs", "pytest_imagedetail.check", "-p", "no:cacheprovider", "-rxs")


def test_outcomes_are_the_verdicts(pytester, imagedetail, tmp_path):
    """Known deviations are expected failures; inconclusive and vacuous checks are skipped.

    A failure shows what the command shows, and rules apply alike.
    """
    rules = tmp_path / "imagedetail-rules.yaml"
    rules.write_text("- {id: S1-5ddf37945f01, reason: unset later, expires: never}\n")
    named = ("openstack-sample", "nova-2026.2", "--json")
    document = json.loads(imagedetail("check", *named).stdout)
    found = [each["verdict"] for each in document["checks"]]
    clouds = ("--imagedetail-cloud=openstack-sample", "--imagedetail-cloud=nova-2026.2")
    result = pytester.runpytest_subprocess(*SUITE, *clouds)
    result.assert_outcomes(
        passed=found.count("pass"),
        xfailed=found.count("known-deviation"),
        skipped=found.count("inconclusive") + found.count("vacuous"),
        failed=found.count("fail"),
    )
    result.stdout.fnmatch_lines(
        [
            *("fail * M24  *", " *found * an image lacks OS-EXT-IMG-SIZE:size*"),
            *(" *again * curl *", "fail * S1  *"),
            "XFAIL *nova-2026.2-S1* - unset later (for good)",
            "*inconclusive: not recorded from the shipped release*",
        ]
    )


def test_it_asks_a_live_cloud(pytester, monkeypatch):
    pytest.importorskip("openstack", reason="recording needs the extra `record`")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(pytester.path / "clouds.yaml"))
    live = (*SUITE, "--imagedetail-cloud=staging", "--imagedetail-record-mode=verify")
    with ScriptedCloud("2026.2") as cloud:
        (pytester.path / "clouds.yaml").write_text(cloud.clouds_yaml("staging"))
        result = pytester.runpytest_subprocess(*live)
        outcomes = result.parseoutcomes()
        assert (outcomes["passed"] >= 20, outcomes["failed"]) == (True, 1)
        result.stdout.fnmatch_lines(["fail * S1  *"])  # a property with a name in German
        (pytester.path / "imagedetail.yaml").write_text("clouds: {staging: {release: juno}}")
        result = pytester.runpytest_subprocess(*live)
        result.assert_outcomes(failed=30)
        result.stdout.fnmatch_lines(
            ["*is declared as release juno, and its newest microversion is 2.104*"]
        )
        (pytester.path / "imagedetail.yaml").unlink()
        cloud.plan(*[say(500)] * 60)
        pytester.runpytest_subprocess(*live).assert_outcomes(failed=30)
        assert len(cloud.asked) == 2  # the listing, and the brief listing for S1
