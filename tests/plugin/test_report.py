"""Reports of a whole run, by suffix; workers' comparisons are in them."""

import json

import pytest

TESTS = """
    def test_there(imagedetail):
        imagedetail.compare("nova-essex", "nova-2026.2")

    def test_back(imagedetail):
        imagedetail.compare("nova-2026.2", "nova-essex")
"""


@pytest.mark.parametrize("arguments", [(), ("-n2",)], ids=["alone", "xdist"])
def test_every_comparison_of_the_run_is_in_the_report(project, arguments):
    """JSON, HTML and Markdown say the same, with one process and with several."""
    project.makepyfile(TESTS)
    files = ("out/run.json", "out/run.html", "out/run.md")
    options = [f"--imagedetail-report={name}" for name in files]
    result = project.runpytest(*options, *arguments)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"report *{name}" for name in files])
    document = json.loads((project.path / "out/run.json").read_text())
    assert document["schema"] == 1
    heads = [(each["baseline"]["cloud"], each["same"]) for each in document["comparisons"]]
    assert sorted(heads) == [("nova-2026.2", False), ("nova-essex", False)]
    for name in ("out/run.html", "out/run.md"):
        text = (project.path / name).read_text()
        for pair in ("nova-essex → nova-2026.2", "nova-2026.2 → nova-essex"):
            assert pair in text
        assert "12 differences: 9 breaking, 3 compatible, 0 data" in text


def test_a_run_that_compared_nothing_says_so(project):
    """An empty report is not a report of sameness."""
    project.makepyfile("def test_x(imagedetail_cloud): pass")
    project.runpytest("--imagedetail-report=run.md").assert_outcomes(passed=2)
    assert (project.path / "run.md").read_text() == "# Image details\n\nNothing was compared.\n"


def test_an_unknown_suffix_is_refused_before_any_test(project):
    """Nobody waits for a run whose report cannot be written."""
    project.makepyfile("def test_x(imagedetail_cloud): pass")
    result = project.runpytest("--imagedetail-report=run.pdf")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: unknown report suffix '.pdf'", "  next:  known: .html, .json, .md"]
    )
