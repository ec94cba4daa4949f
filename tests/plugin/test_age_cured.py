"""A recording that is too old, and what to do about it as the messages say: both ways cure it."""

from dataclasses import replace

import pytest

openstack = pytest.importorskip("openstack", reason="recording needs the extra `record`")

from pytest_imagedetail.cassette import capture, dumps, loads
from pytest_imagedetail.cli import main
from tests.cloud import SimulatedCloud

LOADED = (capture, openstack)
"""A run in this process forgets the modules that it is the first to load, and their classes."""

LISTED = """
    def test_all(imagedetail_cloud):
        assert imagedetail_cloud.list().complete
"""
OWN = """
    import json
    import urllib.request
    from pathlib import Path

    import pytest

    URL, TOKEN = json.loads(Path("facts.json").read_text())

    @pytest.mark.imagedetail("staging")
    def test_own(imagedetail_cassette):
        asked = urllib.request.Request(URL + "/images/detail", headers={"X-Auth-Token": TOKEN})
        with urllib.request.urlopen(asked) as answer:
            assert answer.status == 200
"""
REWRITE = "--imagedetail-record-mode=rewrite"


@pytest.fixture
def live(pytester, monkeypatch):
    """A project that declares one running cloud, `staging`."""
    with SimulatedCloud(release="2023.1") as cloud:
        (pytester.path / "clouds.yaml").write_text(cloud.clouds_yaml("staging"))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(pytester.path / "clouds.yaml"))
        facts = f'["{cloud.compute_url}", "{cloud.account.token}"]'
        (pytester.path / "facts.json").write_text(facts)
        pytester.makefile(".yaml", imagedetail='clouds: {staging: {release: "2023.1"}}')
        yield cloud


def age(pytester):
    """Make the one recording one of 2020; gives its file."""
    (path,) = (pytester.path / "cassettes").rglob("*.yaml")
    recording = loads(path)
    provenance = replace(recording.provenance, recorded_at="2020-02-03T04:05:06Z")
    path.write_text(dumps(replace(recording, provenance=provenance)))
    return path


def run(pytester, *arguments):
    """Run the project, in this process."""
    plugins = ("-p", "no:recording", "-p", "no:cacheprovider")
    return pytester.runpytest_inprocess(*plugins, *arguments)


def lint(*arguments):
    """The exit code of lint."""
    return main(["lint", "--max-age", "90", *arguments])


@pytest.mark.parametrize(("test", "name"), [(LISTED, "all"), (OWN, "tests/test_it/test_own")])
def test_what_is_too_old_is_recorded_again_as_it_says(pytester, live, test, name):
    """The command of the message renews the date of an answer that is still the same."""
    pytester.makepyfile(test_it=test)
    run(pytester, "--imagedetail-record-mode=once").assert_outcomes(passed=1)
    path = age(pytester)
    before = path.read_text().splitlines()
    result = run(pytester, "--imagedetail-max-age=90")
    again = [REWRITE, "--imagedetail-max-age=90"]
    result.stdout.fnmatch_lines([f"E *next:  record it again: pytest {' '.join(again)}"])
    assert lint() == 1
    result = run(pytester, *again)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"staging: {name}: recorded (renewed)"])
    after = path.read_text().splitlines()
    changed = [line.strip().partition(":")[0] for line in after if line not in before]
    assert (changed, len(after)) == (["recorded_at", "sha256"], len(before))
    run(pytester, "--imagedetail-max-age=90").assert_outcomes(passed=1)
    assert lint() == 0
    result = run(pytester, *again)
    result.stdout.fnmatch_lines([f"staging: {name}: recorded (unchanged)"])
    assert path.read_text().splitlines() == after


def test_what_is_young_enough_stays(pytester, live):
    """Without a greatest age, or below it, a recording of the same answer is not touched."""
    pytester.makepyfile(LISTED)
    run(pytester, "--imagedetail-record-mode=once").assert_outcomes(passed=1)
    path = age(pytester)
    before = path.read_bytes()
    for limit in ([], ["--imagedetail-max-age=99999"]):
        result = run(pytester, REWRITE, *limit)
        result.stdout.fnmatch_lines(["staging: all: recorded (unchanged)"])
        assert path.read_bytes() == before


def test_the_command_renews_it_too(pytester, live, capsys):
    """As lint says: `imagedetail record`."""
    record = ["record", "--os-cloud", "staging"]
    assert main(record) == 0
    age(pytester)
    assert lint() == 1
    capsys.readouterr()
    assert main(record) == 0
    assert capsys.readouterr().out.startswith("unchanged  ")
    assert main([*record, "--max-age=90"]) == 0
    assert capsys.readouterr().out.startswith("renewed  cassettes/staging/all.yaml  ")
    assert lint() == 0
