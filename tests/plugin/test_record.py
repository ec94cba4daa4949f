"""Recording in a test: each record mode against a simulated cloud, credentials from clouds.yaml."""

from dataclasses import replace

import pytest

from pytest_imagedetail.cassette import dumps, load
from pytest_imagedetail.cli import main

ACTIVE = """
def test_active(imagedetail_cloud):
    assert imagedetail_cloud.list(status="ACTIVE").status_code in (200, 203)
"""
REFUSED = """
def test_refused(imagedetail_cloud):
    assert imagedetail_cloud.list(limit="x"EXPECT).error["code"] == 400
"""
REDACTED = """
import pytest

@pytest.mark.parametrize("query", [
    {"name": "pass=ok"},
    {"params": {"tenant_id": "7f3c9a1e" * 4}},
    {"properties": {"user_id": "7f3c9a1e" * 4}},
])
def test_redacted(imagedetail_cloud, query):
    assert imagedetail_cloud.list(**query).status_code == 200
"""
OWN = """
import urllib.request

def test_own(imagedetail_cloud, imagedetail_cassette):
    url = f"{imagedetail_cloud.endpoint}/images/detail"
    asked = urllib.request.Request(url, headers=dict(imagedetail_cloud.headers))
    with urllib.request.urlopen(asked) as answer:
        assert answer.status == 200
"""


@pytest.fixture
def cassette(pytester):
    def found():
        (path,) = (pytester.path / "cassettes").rglob("*.yaml")
        return path

    return found


def test_a_filter_that_redaction_replaces_is_replayed(run, live):
    """The same value finds the recording again, without a cloud."""
    for mode, done in (("once", "new"), ("rewrite", "unchanged"), ("none", None)):
        result = run(REDACTED, mode, passed=3)
        if done:
            result.stdout.fnmatch_lines([f"staging: name=pass=redacted: recorded ({done})"])


def test_the_record_modes(run, live, cassette):
    """Recorded without a secret, rewritten only if the answer changed, verified, replayed."""
    result = run(ACTIVE, "none", failed=1)
    result.stdout.fnmatch_lines(["E *next:  in a test:  pytest --imagedetail-record-mode=once"])
    for mode, done in (
        ("once", "recorded (new)"),
        ("rewrite", "recorded (unchanged)"),
        ("verify", "verified"),
    ):
        result = run(ACTIVE, mode, "-Werror", passed=1)
        result.stdout.fnmatch_lines(["*= imagedetail =*", f"staging: status=ACTIVE: {done}"])
    text = cassette().read_text()
    account = live.account
    for secret in (account.token, account.password, live.project_id, "127.0.0.1"):
        assert secret not in text
    assert "https://compute.staging.invalid/v2.1/images/detail?status=ACTIVE" in text
    cassette().unlink()
    result = run(ACTIVE + ACTIVE.replace("test_active", "test_again"), "rewrite")
    result.stdout.fnmatch_lines(["staging: status=ACTIVE: recorded (new)"])
    before = cassette().stat()
    live.stop()
    run(ACTIVE, "rewrite", failed=1)
    run(ACTIVE, "none", passed=1)
    after = cassette().stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_error_is_kept_only_if_it_is_expected(run, live):
    run(REFUSED.replace("EXPECT", ""), "once", failed=1)
    for mode in ("once", "none", "verify"):
        run(REFUSED.replace("EXPECT", ", expect=400"), mode, passed=1)


def test_a_difference_that_verify_finds_fails_the_run(run, live):
    """Even if the test catches the error, skips after it or is expected to fail."""
    run(ACTIVE, "once", passed=1)
    live.compute.rows.clear()
    caught = ACTIVE.replace("    assert", "    with pytest.raises(Exception):\n        assert")
    for source, outcome in (
        (ACTIVE, {"failed": 1}),
        (ACTIVE.replace("def", "@pytest.mark.xfail\ndef"), {"xfailed": 1, "errors": 1}),
        (caught, {"passed": 1, "errors": 1}),
        (f"{caught}    pytest.skip('later')", {"skipped": 1, "errors": 1}),
    ):
        result = run(f"import pytest\n{source}", "verify", **outcome)
        result.stdout.fnmatch_lines(["*the live cloud's answer differs from its recording"])


def age(path, when="2020-02-03T04:05:06Z", **facts):
    """Change the date of a recording, or take it away."""
    recording = load(path)
    provenance = replace(recording.provenance, recorded_at=when, **facts)
    path.write_text(dumps(replace(recording, provenance=provenance)))


@pytest.mark.parametrize(
    ("test", "name"), [(ACTIVE, "status=ACTIVE"), (OWN, "tests/test_own/test_own")]
)
def test_what_is_too_old_is_recorded_again_as_it_says(run, live, cassette, capsys, test, name):
    """The command of the message renews the date of an answer that did not change."""
    limit, rewrite = "--imagedetail-max-age=90", "--imagedetail-record-mode=rewrite"
    run(test, "once", passed=1)
    age(cassette())
    before = cassette().read_text().splitlines()
    result = run(test, "none", limit)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*the recording is stale: it is * days old; the limit is 90",
            f"* where: {cassette()}, recorded 2020-02-03T04:05:06Z",
            f"* next:  record it again: pytest {rewrite} {limit}",
            "* next:  or allow more: --imagedetail-max-age DAYS",
        ]
    )
    assert run(test, "once", limit).ret == pytest.ExitCode.TESTS_FAILED
    for days, done in ((99999, "unchanged"), (90, "renewed")):
        result = run(test, "rewrite", f"--imagedetail-max-age={days}")
        result.stdout.fnmatch_lines([f"staging: {name}: recorded ({done})"])
    after = cassette().read_text().splitlines()
    changed = [line.strip().partition(":")[0] for line in after if line not in before]
    assert (changed, len(after)) == (["recorded_at", "sha256"], len(before))
    run(test, "none", limit, passed=1)
    if test == ACTIVE:  # `imagedetail record` does the same, as lint says
        age(cassette())
        record = ["record", "--os-cloud=staging", "--query=status=ACTIVE"]
        for more, says in (([], "unchanged"), (["--max-age=90"], "renewed")):
            capsys.readouterr()
            assert main([*record, *more]) == 0
            assert capsys.readouterr().out.startswith(f"{says}  ")


def test_the_age_is_judged_only_when_asked(project, run):
    """By option or ini key. Imported bodies and the library have no age; others must have one."""
    path = project.path / "cassettes/nova-essex/all.yaml"
    own = "def test_all(imagedetail): imagedetail['nova-essex'].list()"
    served = "def test_url(imagedetail_server): imagedetail_server.url('nova-essex')"
    check = ("--pyargs", "pytest_imagedetail.check", "--imagedetail-cloud=nova-essex", "-k=M24")
    run(own, passed=1)
    run(own.replace("essex", "2019.1"), "none", "--imagedetail-max-age=0", passed=1)
    age(path)
    project.makeini("[pytest]\nimagedetail_max_age = 365")
    for source, *more in ((own,), (served,), ("", *check)):
        result = run(source, "none", *more)
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.stdout.fnmatch_lines(["*the recording is stale: it is * days old; the limit is 365"])
        assert run(source, "none", "--imagedetail-max-age=99999", *more).ret == 0
    for when, problem in (
        (None, "its age is not known: the recording has no date"),
        ("2999-01-01T00:00:00Z", "so its age is not known"),
    ):
        age(path, when)
        result = run(own, failed=1)
        result.stdout.fnmatch_lines([f"E *StaleCassetteError: the recording is stale: *{problem}"])
    age(path, None, source="imported")
    run(own, passed=1)
