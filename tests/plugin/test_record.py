"""Recording in a test: each record mode against a simulated cloud, credentials from clouds.yaml."""

from pathlib import Path

import pytest

openstack = pytest.importorskip("openstack", reason="recording needs the extra `record`")

from pytest_imagedetail.cassette import capture
from tests.cloud import SimulatedCloud

LOADED = (capture, openstack)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

TEST = """
    def test_active(imagedetail_cloud):
        assert imagedetail_cloud.list(status="ACTIVE").status_code in (200, 203)
"""


@pytest.fixture
def live(pytester, monkeypatch):
    """A project that declares one running cloud, `staging`, and has no cassette."""
    with SimulatedCloud(release="2023.1") as cloud:
        clouds_yaml = pytester.path / "clouds.yaml"
        clouds_yaml.write_text(cloud.clouds_yaml("staging"))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds_yaml))
        pytester.makefile(".yaml", imagedetail='clouds: {staging: {release: "2023.1"}}')
        pytester.makepyfile(TEST)
        yield cloud


def run(pytester, mode, *arguments):
    """Run the project in a record mode."""
    plugins = ("-p", "no:recording", "-p", "no:cacheprovider")
    return pytester.runpytest_inprocess(*plugins, f"--imagedetail-record-mode={mode}", *arguments)


def cassette(pytester) -> Path:
    """The one cassette of the project."""
    (path,) = (pytester.path / "cassettes").rglob("*.yaml")
    return path


def test_the_record_modes(pytester, live):
    """Recorded without a secret, rewritten only if the answer changed, verified, replayed."""
    result = run(pytester, "once", "-Werror")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*= imagedetail =*", "staging: status=ACTIVE: recorded (new)"])
    text = cassette(pytester).read_text()
    account = live.account
    for secret in (account.token, account.password, live.project_id, "127.0.0.1"):
        assert secret not in text
    assert "https://compute.staging.invalid/v2.1/images/detail?status=ACTIVE" in text
    before = cassette(pytester).stat()
    for mode, done in (("rewrite", "recorded (unchanged)"), ("verify", "verified")):
        result = run(pytester, mode)
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines([f"staging: status=ACTIVE: {done}"])
    live.stop()
    run(pytester, "rewrite").assert_outcomes(failed=1)
    run(pytester, "none").assert_outcomes(passed=1)
    after = cassette(pytester).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_none_never_asks(pytester, live):
    """The default replays only, even while a cloud is up: a declared cloud has to be recorded."""
    result = run(pytester, "none")
    result.assert_outcomes(failed=1)
    assert not (pytester.path / "cassettes").exists()


def test_a_refused_token_leaves_nothing(pytester, live):
    """Wrong credentials are an error that names clouds.yaml; there is no cassette afterwards."""
    clouds_yaml = pytester.path / "clouds.yaml"
    clouds_yaml.write_text(
        clouds_yaml.read_text().replace(live.credentials["password"], "not-the-password")
    )
    result = run(pytester, "once")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *CredentialsError: Keystone gave no token*Unauthorized"])
    result.stdout.no_fnmatch_line("*not-the-password*")
    assert not (pytester.path / "cassettes").exists()


def test_a_cloud_that_nobody_configured_says_what_to_configure(pytester, live):
    """The search of openstacksdk for a cloud ends in our words."""
    pytester.makefile(".yaml", imagedetail="clouds: {nowhere: {}}")
    result = run(pytester, "once")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *CredentialsError: clouds.yaml has no usable cloud 'nowhere'",
            "E *next:  name one that clouds.yaml has, or set OS_CLIENT_CONFIG_FILE *",
        ]
    )


def test_no_log_shows_who_asked_whom(pytester, live):
    """Not at DEBUG either: Keystone's whole token document would be in the output of a failure."""
    pytester.makepyfile(
        """
        def test_active(imagedetail_cloud):
            imagedetail_cloud.list()
            assert False, "so that pytest shows the logs"
        """
    )
    result = run(pytester, "once", "--log-level=DEBUG", "-rA", "-vv")
    result.assert_outcomes(failed=1)
    account = live.account
    for secret in (account.token, account.password, live.project_id, live.auth_url, "audit_ids"):
        assert secret not in result.stdout.str()
