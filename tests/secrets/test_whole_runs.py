"""Record from a cloud that sends the session's own secrets back, in many encodings.

What is written is read by an oracle that shares nothing with redaction and the final check.
"""

import sys
from dataclasses import replace

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from planting import WRITINGS, is_in

TESTS = """
import urllib.request

def test_listing(imagedetail, imagedetail_cloud):
    listing = imagedetail_cloud.list()
    comparison = imagedetail.compare(listing, imagedetail_cloud.list(status="ACTIVE"))
    assert comparison.same and False, "fails, so that everything is shown"

def test_own_client(imagedetail_cloud, imagedetail_cassette):
    url = imagedetail_cloud.endpoint + "/images/detail?limit=3"
    asked = urllib.request.Request(url, headers=dict(imagedetail_cloud.headers))
    body = urllib.request.urlopen(asked).read().decode()
    print(body, asked.headers)
    assert not body, "fails, so that everything is shown"
"""
PLAIN = ("raw", "in a sentence", "percent", "JSON", "a URL's query", "a URL's user")
COVERED = (
    *(*PLAIN, "percent twice", "JSON in JSON", "base64", "urlsafe base64", "wrapped base64"),
    "gzip in base64",
)
REPORTS = ("html", "json", "md", "xml")
LOUD = (
    *("-vv", "-l", "-rA", "--tb=long", "--log-level=DEBUG", "--log-cli-level=DEBUG"),
    *("--junitxml=junit.xml", *(f"--imagedetail-report=r.{kind}" for kind in REPORTS)),
)


def secrets_of(cloud):
    account = cloud.account
    address = cloud.compute_url.split("/")[2]
    return account.token, account.password, account.project_id, account.user_id, address


def plant(cloud, writings):
    rows = cloud.compute.rows
    texts = [WRITINGS[each](secret) for secret in secrets_of(cloud) for each in writings]
    first = rows[0]
    rows[:0] = [
        replace(
            first,
            id=f"5ec2e700-0000-4000-8000-{number:012x}",
            name=text[:255],
            properties={**first.properties, "note": text},
        )
        for number, text in enumerate(texts)
    ]


def written(pytester):
    return {path: path.read_bytes() for path in (pytester.path / "cassettes").rglob("*.yaml")}


@pytest.fixture
def found(pytester, live, shown):
    def search(result):
        *secrets, address = secrets_of(live)
        return shown(result, secrets, address) | {
            (path.name, each)
            for path, content in written(pytester).items()
            for each in (*secrets, address)
            if is_in(each, content)
        }

    return search


def test_what_a_cloud_sends_back_is_in_no_file_and_no_output(pytester, live, found):
    """Plain secrets are redacted; encoded ones are redacted or refused."""
    plant(live, PLAIN)
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("--imagedetail-record-mode=once", *LOUD)
    result.assert_outcomes(failed=2)
    assert len(written(pytester)) == 2
    assert found(result) == set()
    plant(live, COVERED)
    for mode in ("new_episodes", "rewrite", "verify"):
        kept = written(pytester)
        result = pytester.runpytest_subprocess(f"--imagedetail-record-mode={mode}", *LOUD)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        assert found(result) == set(), mode
        assert written(pytester).keys() == kept.keys()
        assert mode == "rewrite" or written(pytester) == kept


def test_the_command_shows_none_either(pytester, live, found):
    """In any verb that asks a cloud."""

    def run(*arguments):
        return pytester.run(sys.executable, "-m", "pytest_imagedetail", *arguments)

    assert run("record", "--os-cloud=staging").ret == 0
    plant(live, [*PLAIN, "base64", "gzip in base64"])
    for arguments in (
        ("record", "--os-cloud=staging"),
        ("record", "--os-cloud=staging", "--twice", "--name=twice"),
        ("verify", "--github", *(f"--report=r.{kind}" for kind in REPORTS)),
        ("verify", "--json"),
        ("doctor", "staging"),
    ):
        result = run(*arguments)
        assert result.ret in {0, 1, 2}, arguments  # a report, or a refusal: no usage, no crash
        assert "Traceback" not in result.stderr.str()
        assert "defect" not in result.stderr.str()
        assert found(result) == set(), arguments
