"""Accepted differences in a run: by option, ini key, marker and argument."""

import pytest

ALL = "- {path: 'images[*].**', reason: known, expires: never}\n"
NONE = "- {path: 'images[*].typo', reason: known, expires: never}\n"
TEST = """
    import pytest

    {marker}
    def test_it(imagedetail):
        comparison = imagedetail.compare("nova-2026.2", "nova-essex"{argument})
        assert comparison.compatible
        assert comparison.expected
"""


@pytest.fixture
def compared(project):
    """A project with a test that fails unless every difference is accepted."""

    def make(*, marker="", argument="", **files):
        for name, text in files.items():
            (project.path / f"{name}.yaml").write_text(text)
        project.makepyfile(TEST.format(marker=marker, argument=argument))
        return project

    return make


def test_the_default_file(compared):
    """It is beside imagedetail.yaml, and without it the test fails."""
    project = compared()
    project.runpytest().assert_outcomes(failed=1)
    (project.path / "imagedetail-rules.yaml").write_text(ALL)
    project.runpytest().assert_outcomes(passed=1)


def test_option_marker_ini_and_argument(compared):
    """The argument beats the option, the option the marker, the marker the ini key."""
    project = compared(all=ALL, none=NONE)
    project.makeini("[pytest]\nimagedetail_rules = all.yaml")
    project.runpytest().assert_outcomes(passed=1)
    project.runpytest("--imagedetail-rules=none.yaml").assert_outcomes(failed=1)
    compared(marker="@pytest.mark.imagedetail(rules='none.yaml')")
    project.runpytest().assert_outcomes(failed=1)
    project.runpytest("--imagedetail-rules=all.yaml").assert_outcomes(passed=1)
    compared(argument=", rules='all.yaml'")
    project.runpytest("--imagedetail-rules=none.yaml").assert_outcomes(passed=1)


def test_an_expired_rule_is_in_the_failure(compared):
    """The test is red, and says which rule is over."""
    project = compared(all=ALL.replace("never", "2020-01-31"))
    result = project.runpytest("--imagedetail-rules=all.yaml", "--imagedetail-fail-on=none")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *expired    the rule for images[[]*].[*][*], all.yaml, line 1"])


@pytest.mark.parametrize("place", ["option", "ini"])
def test_a_file_that_cannot_be_right(compared, place):
    """Said before the first test, with its line."""
    project = compared(bad="- {path: a}\n")
    if place == "ini":
        project.makeini("[pytest]\nimagedetail_rules = bad.yaml")
    result = project.runpytest(*(["--imagedetail-rules=bad.yaml"] if place == "option" else []))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: the rule has no reason and no expires", "*bad.yaml, line 1"]
    )
