"""Recording in a test: each record mode against a simulated cloud, credentials from clouds.yaml."""

from pathlib import Path

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from tests.cloud import SimulatedCloud

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
    """Run the project in a record mode, in a process of its own as users do."""
    return pytester.runpytest_subprocess(f"--imagedetail-record-mode={mode}", "-Werror", *arguments)


def cassette(pytester) -> Path:
    """The one cassette of the project."""
    (path,) = (pytester.path / "cassettes").rglob("*.yaml")
    return path


def test_once_records_and_then_replays(pytester, live):
    """The first run asks the cloud, the next needs none."""
    result = run(pytester, "once")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*= imagedetail =*", "staging: status=ACTIVE: recorded (new)"])
    live.stop()
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_no_secret_of_the_session_is_in_the_cassette(pytester, live):
    """Neither token nor password nor project id nor address reaches the file."""
    run(pytester, "once").assert_outcomes(passed=1)
    text = cassette(pytester).read_text()
    account = live.account
    for secret in (account.token, account.password, live.project_id, "127.0.0.1"):
        assert secret not in text
    assert "https://compute.staging.invalid/v2.1/images/detail?status=ACTIVE" in text


def test_none_never_asks(pytester, live):
    """The default replays only, even while a cloud is up: a declared cloud has to be recorded."""
    result = pytester.runpytest_subprocess()
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


def test_rewrite_with_the_cloud_down_keeps_the_old_recording(pytester, live):
    """What cannot be recorded afresh is not deleted first."""
    run(pytester, "once").assert_outcomes(passed=1)
    before = cassette(pytester).read_bytes()
    live.stop()
    result = run(pytester, "rewrite")
    assert result.ret == 1
    assert cassette(pytester).read_bytes() == before


def test_rewrite_of_an_unchanged_answer_leaves_the_file_alone(pytester, live):
    """Re-recording the same answer makes no change to commit, not even of a date."""
    run(pytester, "once").assert_outcomes(passed=1)
    before = cassette(pytester).read_bytes()
    result = run(pytester, "rewrite")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["staging: status=ACTIVE: recorded (unchanged)"])
    assert cassette(pytester).read_bytes() == before


def test_verify_passes_while_the_cloud_answers_the_same(pytester, live):
    """The live cloud is asked and nothing is written."""
    run(pytester, "once").assert_outcomes(passed=1)
    before = cassette(pytester).stat().st_mtime_ns
    result = run(pytester, "verify")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["staging: status=ACTIVE: verified"])
    assert cassette(pytester).stat().st_mtime_ns == before


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


def test_workers_record_side_by_side(pytester, live):
    """With pytest-xdist, nothing that was recorded is lost, and the controller lists it."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("limit", range(1, 9))
        def test_page(imagedetail_cloud, limit):
            assert len(imagedetail_cloud.list(limit=limit).images) == limit
        """
    )
    result = run(pytester, "once", "-n4")
    result.assert_outcomes(passed=8)
    result.stdout.fnmatch_lines([f"staging: limit={n}: recorded (new)" for n in range(1, 9)])
    names = sorted(path.name for path in (pytester.path / "cassettes" / "staging").iterdir())
    assert names == [f"limit={limit}.yaml" for limit in range(1, 9)]
    live.stop()
    pytester.runpytest_subprocess("-n2").assert_outcomes(passed=8)


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
