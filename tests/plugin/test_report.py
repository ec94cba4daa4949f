"""Reports of a whole run, by suffix; workers' comparisons are in them."""

import json
from xml.etree import ElementTree as ET

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
    files = ("out/run.json", "out/run.html", "out/run.md", "out/run.xml")
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
    suites = ET.parse(project.path / "out/run.xml").iterfind("testsuite")
    assert sorted((each.get("name"), each.get("failures")) for each in suites) == [
        ("nova-2026.2 -> nova-essex, query all", "1"),
        ("nova-essex -> nova-2026.2, query all", "0"),
    ]


UNEQUAL = """
    import pytest

    def test_unequal(imagedetail):
        one, other = imagedetail["nova-essex"], imagedetail["nova-2026.2"]
        assert one.list() == one.list()
        assert one.list() == other.list()

    @pytest.fixture
    def the_same(imagedetail):
        assert imagedetail["nova-2026.2"].list() == imagedetail["nova-essex"].list()

    def test_in_a_setup(the_same):
        pass

    def test_refused(imagedetail):
        cloud = imagedetail["nova-2019.1"]
        assert cloud.list() == cloud.list(limit=3)
"""


@pytest.mark.parametrize("arguments", [(), ("-n2",)], ids=["alone", "xdist"])
def test_listings_that_are_not_equal_are_in_the_report(project, arguments):
    """A test that fails on `==` has compared: once, under no rules, and it is no success."""
    project.makepyfile(UNEQUAL)
    result = project.runpytest(
        "--imagedetail-report=run.json",
        "--junitxml=run.xml",
        "--imagedetail-fail-on=none",
        *arguments,
    )
    result.assert_outcomes(failed=2, errors=1)
    document = json.loads((project.path / "run.json").read_text())
    assert sorted(
        (each["baseline"]["cloud"], each["same"], each["compatible"])
        for each in document["comparisons"]
    ) == [("nova-2026.2", False, False), ("nova-essex", False, False)]
    (failure,) = document["failures"]
    assert failure["problem"].startswith("nova-2019.1 holds a part of its images only")
    counts = {
        case.get("name"): [
            each.get("value") for each in case.iter("property") if each.get("value") != "0"
        ]
        for case in ET.parse(project.path / "run.xml").iter("testcase")
    }
    assert counts == {
        "test_unequal": ["1", "12"],
        "test_in_a_setup": ["1", "9", "3"],
        "test_refused": ["1"],
    }


@pytest.mark.parametrize("ci", ["", "true"])
def test_an_inequality_is_explained_once(project, monkeypatch, ci):
    """By the assertion itself; what was compared before is not repeated below it.

    Where CI is set, pytest repeats each assertion whole in the summary at the end.
    """
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
    project.makepyfile(
        """
        def test_unequal(imagedetail):
            imagedetail.compare("nova-2026.2", "nova-essex")
            assert imagedetail["nova-essex"].list() == imagedetail["nova-2026.2"].list()
        """
    )
    result = project.runpytest()
    explained, _, _summary = result.stdout.str().partition("short test summary info")
    assert explained.count("or: imagedetail diff") == 1
    result.stdout.fnmatch_lines(["E *assert nova-essex -> nova-2026.2: 12 differences: *"])


def test_a_run_that_compared_nothing_says_so(project):
    """An empty report is not a report of sameness."""
    project.makepyfile("def test_x(imagedetail_cloud): pass")
    project.runpytest("--imagedetail-report=run.md").assert_outcomes(passed=2)
    assert (
        project.path / "run.md"
    ).read_text() == "# NOT COMPARED: no listing was compared\n\nexit code 0\n"


def test_an_unknown_suffix_is_refused_before_any_test(project):
    """Nobody waits for a run whose report cannot be written."""
    project.makepyfile("def test_x(imagedetail_cloud): pass")
    result = project.runpytest("--imagedetail-report=run.pdf")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: unknown report suffix '.pdf'", "  next:  known: .html, .json, .md, .xml"]
    )


def test_what_could_not_be_compared_is_in_the_report(project):
    """A report without its failures would look better than the run."""
    project.makepyfile(
        """
        def test_lost(imagedetail):
            imagedetail.compare("nova-essex", "nova-2026.2", name="nobody recorded this")
        """
    )
    files = ("run.json", "run.html", "run.md")
    options = [f"--imagedetail-report={name}" for name in files]
    project.runpytest(*options).assert_outcomes(failed=1)
    (failure,) = json.loads((project.path / "run.json").read_text())["failures"]
    assert failure["baseline"] == "nova-essex"
    assert failure["problem"].startswith("nothing is recorded for cloud 'nova-essex', query 'name")
    for name in files[1:]:
        assert "FAIL: 1 error" in (project.path / name).read_text()


def test_an_old_report_does_not_outlive_a_run_that_wrote_none(project):
    """A run that dies before its tests leaves no report of an earlier one behind."""
    (project.path / "run.md").write_text("old")
    project.makeconftest("import os\ndef pytest_sessionstart(): os._exit(3)")
    project.runpytest_subprocess("--imagedetail-report=run.md")
    assert not (project.path / "run.md").exists()


def test_a_report_that_cannot_be_written_is_an_error(project):
    """One line that says where, and no trace of the plugin's inside; the run is not green."""
    (project.path / "file").write_text("")
    project.makepyfile("def test_x(imagedetail_cloud): pass")
    result = project.runpytest("--imagedetail-report=file/run.md")
    assert result.ret != 0
    assert "NotADirectory" not in result.stdout.str()
    output = result.stdout.str() + result.stderr.str()
    assert "ERROR: the report cannot be written: " in output


def test_the_end_of_a_run_says_what_failed(project):
    """The verdict, each cause that fails and pytest's exit code; not if the tests expected it."""
    project.makepyfile(TESTS + "        assert False\n")
    options = ("--imagedetail-report=r.json", "--imagedetail-unused=ignore")
    result = project.runpytest(*options)
    result.stdout.fnmatch_lines(
        [
            "*= imagedetail =*",
            "FAIL: 1 of 2 comparisons fails",
            "breaking   nova-2026.2 -> nova-essex: field_removed *EXT-IMG-SIZE:size (13 images)",
            "report *r.json",
        ]
    )
    verdict = json.loads((project.path / "r.json").read_text())["verdict"]
    assert (verdict["passed"], verdict["exit_code"]) == (False, 1)
    project.makepyfile(TESTS)
    project.runpytest(*options).stdout.no_fnmatch_line("FAIL: *")
    project.runpytest("--imagedetail-fail-on=none").stdout.fnmatch_lines(
        ["PASS: 2 comparisons, and none of them fails"]
    )
