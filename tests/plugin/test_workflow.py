"""The work of a downstream project from its first day to a cloud's upgrade, as one story."""

import pytest

openstack = pytest.importorskip("openstack", reason="recording needs the extra `record`")

from tests.cloud import SimulatedCloud


def test_from_nothing_to_an_upgrade(pytester, monkeypatch):
    """Not recorded: fails and says how. Recorded: passes. Replayed: same. Changed: explained."""
    clouds_yaml = pytester.path / "clouds.yaml"
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds_yaml))
    pytester.makefile(".yaml", imagedetail="clouds: {old: {release: '2026.2'}, new: {}}")
    pytester.makepyfile(
        """
        def test_upgrade(imagedetail):
            assert imagedetail.compare("old", "new").compatible
        """
    )

    first = pytester.runpytest_inprocess()
    first.assert_outcomes(failed=1)
    first.stdout.fnmatch_lines(["E *next:  in a test:  pytest --imagedetail-record-mode=once"])

    with SimulatedCloud(release="2026.2") as old, SimulatedCloud(release="2026.2") as new:
        text = old.clouds_yaml("old") + new.clouds_yaml("new").removeprefix("clouds:\n")
        clouds_yaml.write_text(text)
        recording = pytester.runpytest_inprocess("--imagedetail-record-mode=once")
    recording.assert_outcomes(passed=1)
    recording.stdout.fnmatch_lines(["new: all: recorded (new)", "old: all: recorded (new)"])

    clouds_yaml.unlink()
    replay = pytester.runpytest_inprocess("--imagedetail-fail-on=change")
    replay.assert_outcomes(passed=1)

    with SimulatedCloud(release="essex") as downgraded:
        clouds_yaml.write_text(downgraded.clouds_yaml("new"))
        (pytester.path / "cassettes" / "new" / "all.yaml").unlink()
        # `old` is not in clouds.yaml any more; its cassette alone answers.
        changed = pytester.runpytest_inprocess(
            "--imagedetail-record-mode=once", "--imagedetail-cloud=new"
        )
    changed.assert_outcomes(failed=1)
    changed.stdout.fnmatch_lines(
        ["E *breaking   field_removed images[[]*[]].OS-EXT-IMG-SIZE:size (13 images)"]
    )
