"""Recordings that are too old to replay: refused when asked for, and only then."""

from dataclasses import replace

import pytest

from pytest_imagedetail.cassette import dumps, loads

TEST = """
    def test_all(imagedetail):
        assert imagedetail["nova-essex"].list().complete
"""


@pytest.fixture
def aged(project):
    """A project with a test of one recording of 2020, and another that is new."""
    path = project.path / "cassettes/nova-essex/all.yaml"
    date(path, "2020-02-03T04:05:06Z")
    project.makepyfile(TEST)
    return project


def date(path, when, **facts):
    """Make a recording one of another time, or of none."""
    recording = loads(path)
    provenance = replace(recording.provenance, recorded_at=when, **facts)
    path.write_text(dumps(replace(recording, provenance=provenance)))


def test_any_age_replays_by_default(aged):
    """What was recorded is what the cloud answered then."""
    aged.runpytest().assert_outcomes(passed=1)


def test_an_old_recording_is_refused_when_asked(aged):
    """How old it is, which file, and how to record it again."""
    result = aged.runpytest("--imagedetail-max-age=365")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *StaleCassetteError: the recording is stale: it is * days old, and at most 365 *",
            "E *where: */cassettes/nova-essex/all.yaml, recorded 2020-02-03T04:05:06Z",
            "E *next:  record it again: pytest --imagedetail-record-mode=rewrite *max-age=365",
            "E *next:  or allow more: --imagedetail-max-age DAYS",
        ]
    )


def test_a_young_recording_replays(aged):
    """Recorded a moment ago: not a day old."""
    aged.makepyfile(TEST.replace("nova-essex", "nova-2026.2"))
    aged.runpytest("--imagedetail-max-age=1").assert_outcomes(passed=1)


def test_the_ini_key_says_the_same(aged):
    """And the option beats it."""
    aged.makeini("[pytest]\nimagedetail_max_age = 365")
    aged.runpytest().assert_outcomes(failed=1)
    aged.runpytest("--imagedetail-max-age=99999").assert_outcomes(passed=1)


@pytest.mark.parametrize("mode", ["once", "new_episodes"])
def test_what_is_not_asked_again_is_judged(aged, mode):
    """These modes replay what is there."""
    result = aged.runpytest("--imagedetail-max-age=365", f"--imagedetail-record-mode={mode}")
    result.assert_outcomes(failed=1)


def test_a_recording_without_a_date_is_not_judged(aged):
    """Nobody knows when an imported body was saved."""
    date(aged.path / "cassettes/nova-essex/all.yaml", None, source="imported")
    aged.runpytest("--imagedetail-max-age=1").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("when", "problem", "where"),
    [
        (None, "for it was recorded and has no date", "without a date"),
        ("2999-01-01T00:00:00Z", "so its age is not known", "2999-01-01T00:00:00Z"),
    ],
)
def test_a_recording_of_unknown_age_is_refused_when_asked(aged, when, problem, where):
    """Without a date, or of one that is still to come; without a limit, both replay."""
    date(aged.path / "cassettes/nova-essex/all.yaml", when)
    aged.runpytest().assert_outcomes(passed=1)
    result = aged.runpytest("--imagedetail-max-age=365")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"E *StaleCassetteError: the recording is stale: *{problem}",
            f"E *where: */cassettes/nova-essex/all.yaml, recorded {where}",
        ]
    )


def test_an_impossible_age_is_refused(aged):
    """By option and by ini key, before a test is collected; an empty ini key is none."""
    aged.makeini("[pytest]\nimagedetail_max_age =")
    aged.runpytest().assert_outcomes(passed=1)
    result = aged.runpytest("--imagedetail-max-age=")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str() == (
        "ERROR: the maximum age is a whole number of days, not ''\n"
        "  next:  for example --imagedetail-max-age 90; without it, recordings of any age are "
        "replayed\n"
    )
    aged.makeini("[pytest]\nimagedetail_max_age = 1.5")
    for arguments in ([], ["--imagedetail-max-age=-3"]):
        result = aged.runpytest(*arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["ERROR: the maximum age is a whole number of days, not *"])


def test_the_library_is_not_judged(aged):
    """Nobody here could record it again."""
    aged.makepyfile(TEST.replace("nova-essex", "nova-2019.1"))
    aged.runpytest("--imagedetail-max-age=0").assert_outcomes(passed=1)
