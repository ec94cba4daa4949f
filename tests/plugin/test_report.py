"""Reports of a whole run, by suffix."""

import json
import sys
from xml.etree import ElementTree as ET

TESTS = """
    import pytest

    def test_there(imagedetail):
        imagedetail.compare("nova-essex", "nova-2026.2")

    def test_back(imagedetail):
        imagedetail.compare("nova-2026.2", "nova-essex")

    def test_unequal(imagedetail):
        one, other = imagedetail["nova-2019.1"], imagedetail["nova-essex"]
        assert one.list() == one.list()
        assert one.list() == other.list()

    @pytest.fixture
    def the_same(imagedetail):
        assert imagedetail["nova-2020.2"].list() == imagedetail["nova-essex"].list()

    def test_in_a_setup(the_same):
        pass

    def test_a_part_of_a_listing(imagedetail):
        cloud = imagedetail["nova-2019.1"]
        assert cloud.list() == cloud.list(limit=3)
"""


def test_every_comparison_of_the_run_is_in_the_report(project):
    """From every worker, with what could not be compared; pytest's JUnit file has counts."""
    project.makepyfile(TESTS)
    files = ("out/run.json", "out/run.html", "out/run.md", "out/run.xml")
    options = [f"--imagedetail-report={name}" for name in files]
    for workers in ((), ("-n2",)):
        result = project.runpytest(*options, "--junitxml=junit.xml", *workers)
        result.assert_outcomes(passed=2, failed=2, errors=1)
        result.stdout.fnmatch_lines([f"report *{name}" for name in files])
        document = json.loads((project.path / "out/run.json").read_text())
        assert sorted(each["baseline"]["cloud"] for each in document["comparisons"]) == [
            *("nova-2019.1", "nova-2020.2", "nova-2026.2", "nova-essex")
        ]
        (failure,) = document["failures"]
        assert failure["problem"].startswith("nova-2019.1 has only a part of its images")
        for name in ("out/run.html", "out/run.md"):
            text = (project.path / name).read_text()
            assert "nova-2026.2 → nova-essex" in text
            assert "15 differences: 9 breaking, 6 compatible, 0 data" in text
            assert "FAIL: 1 error; 3 of 4 comparisons fail" in text
        suites = ET.parse(project.path / "out/run.xml").iterfind("testsuite")
        found = {each.get("name"): each.get("failures") for each in suites}
        assert found["nova-2026.2 -> nova-essex, query all"] == "1"
        assert found["nova-essex -> nova-2026.2, query all"] == "0"
        cases = {
            case.get("name"): [
                each.get("value") for each in case.iter("property") if each.get("value") != "0"
            ]
            for case in ET.parse(project.path / "junit.xml").iter("testcase")
        }
        assert cases["test_back"] == ["1", "9", "6"]
        assert cases["test_a_part_of_a_listing"] == ["1"]


def test_a_report_that_was_not_written_is_not_there(project):
    """An older one is removed, unless tests are only listed; failing to write is a short error."""
    project.makeconftest("import os\ndef pytest_sessionstart(): os._exit(3)")
    for option in ("--imagedetail-unused=warn", "--imagedetail-rules=lost.yaml"):
        (project.path / "run.md").write_text("old")
        project.runpytest_subprocess("--imagedetail-report=run.md", option)
        assert not (project.path / "run.md").exists()
    project.makeconftest("")
    (project.path / "file").write_text("")
    project.makepyfile("def test_x(imagedetail_cloud): pass")
    project.runpytest("--imagedetail-report=run.md").assert_outcomes(passed=2)
    text = (project.path / "run.md").read_text()
    assert text == "# NOT COMPARED: no listing was compared\n\nexit code 0\n"
    (project.path / "run.md").write_text("old")
    project.runpytest("--imagedetail-report=run.md", "--collect-only")
    assert (project.path / "run.md").read_text() == "old"
    result = project.runpytest("--imagedetail-report=file/run.md")
    assert result.ret != 0
    output = result.stdout.str() + result.stderr.str()
    assert "NotADirectory" not in output
    assert "ERROR: the report cannot be written: " in output


def test_the_end_of_a_run_says_what_failed(project):
    """The verdict, each failing cause and pytest's exit code, unless the tests passed."""
    test = """
        def test_back(imagedetail):
            found = imagedetail.compare("nova-2026.2", "nova-essex")
            assert found.breaking
    """
    options = ("--imagedetail-report=r.json", "--imagedetail-unused=ignore")
    project.makepyfile(test)
    project.runpytest(*options).stdout.no_fnmatch_line("FAIL: *")
    project.runpytest("--imagedetail-fail-on=none").stdout.fnmatch_lines(["PASS: nova-2026.2 *"])
    project.makepyfile(test.replace("found.breaking", "found.compatible"))
    project.runpytest("--imagedetail-fail-on=none").assert_outcomes(passed=1)
    project.runpytest(*options).stdout.fnmatch_lines(
        [
            "*= imagedetail =*",
            "FAIL: 9 of 15 differences from nova-2026.2 to nova-essex can break clients",
            "breaking   nova-2026.2 -> nova-essex: field_removed *EXT-IMG-SIZE:size (14*",
            "and 6 other causes",
            "report *r.json",
        ]
    )
    verdict = json.loads((project.path / "r.json").read_text())["verdict"]
    assert (verdict["passed"], verdict["exit_code"]) == (False, 1)


def test_what_a_run_did_not_reach_is_no_pass(project):
    """After Ctrl-C, a failed import, a crashed worker or a failed test; nor in a merged report."""
    source = """
        import os, pytest

        def test_same(imagedetail):
            assert imagedetail.compare("nova-2025.2", "nova-2026.1").same

        def test_stop(imagedetail):
            STOP
    """
    same = "nova-2025.2 to nova-2026.1: no difference"
    for stop, options, code, passed, sentence in (
        ("pass", (), 0, True, same),
        ("raise KeyboardInterrupt", (), 2, False, f"1 error; {same}"),
        ("pytest.exit('', returncode=0)", (), 0, False, f"1 error; {same}"),
        ("import) nothing", (), 2, False, "1 error"),
        ("os._exit(3)", ("-n1",), 1, False, "1 error"),
        ("imagedetail['nova-2026.1'].list(name='never asked')", (), 1, False, f"1 error; {same}"),
        ("pass", ("-kneither",), 5, None, "no listing was compared"),
    ):
        project.makepyfile(source.replace("STOP", stop))
        result = project.runpytest_subprocess("--imagedetail-report=r.json", *options)
        verdict = json.loads((project.path / "r.json").read_text())["verdict"]
        assert (result.ret, verdict["exit_code"]) == (code, code)
        assert (verdict["passed"], verdict["sentence"]) == (passed, sentence)
        if passed is False and code:
            result.stdout.fnmatch_lines([f"FAIL: {sentence}", "error      *"])
        merged = (sys.executable, "-m", "pytest_imagedetail", "report", "r.json", "-o=all.json")
        assert project.run(*merged).ret == (0 if passed else 2)
