"""Comparing in a test: a failed assertion explains itself."""

import json
import re

import pytest

from pytest_imagedetail.cli import main

PASSING = """
    import pytest
    from pytest_imagedetail.errors import CassetteNotFoundError, ImageDetailError, UsageError

    BACK = ("nova-2026.2", "nova-essex")

    def test_same(imagedetail_cloud):
        assert imagedetail_cloud.list() == imagedetail_cloud.list()

    def test_an_upgrade_is_compatible(imagedetail, imagedetail_cloud):
        comparison = imagedetail.compare("nova-essex", imagedetail_cloud)
        assert comparison.compatible
        assert comparison.same is (imagedetail_cloud.name == "nova-essex")

    def test_the_baseline_is_the_declared_cloud(imagedetail, pytestconfig):
        option = pytestconfig.getoption("--imagedetail-baseline")
        assert imagedetail.baseline.name == (option or "nova-2026.2")

    def test_a_matrix_of_the_clouds_of_the_run(imagedetail):
        matrix = imagedetail.matrix()
        assert matrix.clouds == ("nova-essex", "nova-2026.2")
        assert not matrix.breaking and matrix.steps
        back = imagedetail.matrix(*BACK, profile="cross-version")
        assert back.breaking and not back.compatible and back.unused_rules
        back = imagedetail.matrix(*BACK, rules="everything.yaml")
        assert back.compatible and back.expected and not back.steps and not back.same

    def test_a_recorded_error_is_an_answer_of_a_matrix(imagedetail):
        (step,) = imagedetail.matrix("nova-2023.1", "nova-2024.2", limit=0).steps
        assert (step.difference.kind, step.difference.baseline) == ("status_changed", 200)
        assert imagedetail.compare("nova-2023.1", "nova-2024.2", limit=0).breaking

    def test_globs(imagedetail):
        clouds = imagedetail.matrix("nova-2026.1", "nova-20*", name="dup").clouds
        assert clouds[:2] + clouds[-1:] == ("nova-2026.1", "nova-2019.1", "nova-2026.2")
        assert imagedetail.compare("nova-2019.1*", "nova-202[56].1", limit=3).compatible
        with pytest.raises(ImageDetailError, match="nova-2026.1 is named 2 times, and a matrix"):
            imagedetail.matrix("nova-2026.1", "nova-2026.2", "nova-2026.1")
        with pytest.raises(ImageDetailError, match="matches 2 clouds, and exactly one is needed"):
            imagedetail["nova-2019*"]

    def test_a_cloud_or_its_name(imagedetail):
        old, new = (imagedetail[name] for name in BACK)
        assert imagedetail[old].name == old.name
        assert imagedetail.matrix(old, BACK[1]).clouds == imagedetail.matrix(*BACK).clouds

    def test_an_argument_of_another_type_is_named(imagedetail):
        cloud = imagedetail[BACK[0]]
        calls = {
            "properties": lambda: cloud.list(properties="x"),
            "params": lambda: cloud.list(params=[("a", "b")]),
            "microversion": lambda: cloud.list(microversion=2.30),
            "status": lambda: cloud.list(status=["ACTIVE", "SAVING"]),
            "os_distro": lambda: cloud.list(properties={"os_distro": {"cirros"}}),
            "nothing": lambda: cloud.list(params={"nothing": None}),
            "expect": lambda: cloud.list(expect="400"),
            "expect ": lambda: cloud.list(expect=True),
            "candidate": lambda: imagedetail.compare(cloud, None),
            "rules": lambda: imagedetail.compare(*BACK, rules=5),
            "the name of a cloud": lambda: imagedetail[5],
            "the name of a cloud ": lambda: imagedetail.matrix(cloud, cloud.list()),
        }
        for name, call in calls.items():
            with pytest.raises(UsageError, match=f"^{name.strip()} ") as caught:
                call()
            assert caught.value.remedy.startswith("write "), name

    def test_what_cannot_be_compared(imagedetail):
        with pytest.raises(CassetteNotFoundError):
            imagedetail.matrix("nova-essex", "nova-2026.2", name="never asked")
        for choice in ("level", "profile"):
            with pytest.raises(UsageError, match=f"unknown {choice} ''"):
                imagedetail.compare(*BACK, **{choice: ""})
"""
FAILING = """
    BACK = ("nova-2026.2", "nova-essex")

    def test_comparison(imagedetail):
        assert imagedetail.compare(*BACK).compatible

    def test_equality(imagedetail):
        imagedetail.compare(*BACK)  # is not what failed
        assert imagedetail["nova-2026.2"].list() == imagedetail["nova-essex"].list()

    def test_matrix(imagedetail):
        matrix = imagedetail.matrix(*BACK)
        assert matrix.compatible

    def test_unrelated(imagedetail):
        imagedetail.compare("nova-essex", "nova-essex")
        assert 1 == 2

    def test_truth_of_a_comparison(imagedetail):
        assert imagedetail.compare(*BACK)

    def test_truth_of_a_matrix(imagedetail):
        assert imagedetail.matrix()
"""
DIFFERENCES = [
    "E *breaking   field_removed images[[]*[]].OS-EXT-IMG-SIZE:size (14 images)",
    'E *compatible header_changed headers.openstack-api-version: "compute 2.1" -> absent',
    "E *order      nova-2026.2 is a newer release than nova-essex; the older one comes first",
    "E *4 more lines: pytest -vv",
    "E *or: imagedetail diff nova-2026.2 nova-essex",
]


def sections(result):
    """Return a matcher of the lines below each failing test's name."""
    parts = re.split(r"^_+ (test_\w+) _+$", result.stdout.str(), flags=re.MULTILINE)
    lines = [pytest.LineMatcher(text.splitlines()) for text in parts[2::2]]
    return dict(zip(parts[1::2], lines, strict=True))


def test_what_a_test_can_compare(project):
    """Listings, comparisons, the baseline and matrices; reports have the matrices."""
    rule = "- {path: 'images[*].minDisk.**', reason: moved, expires: never}"
    (project.path / "imagedetail-rules.yaml").write_text(rule)
    (project.path / "everything.yaml").write_text(
        "- {path: 'images[*].**', reason: another world, expires: never}\n"
        "- {path: 'headers.**', reason: another world, expires: never}\n"
    )
    project.makepyfile(PASSING)
    arguments = ("--imagedetail-report=r.json", "--junitxml=junit.xml")
    result = project.runpytest(*arguments)
    result.assert_outcomes(passed=11)
    result.stdout.fnmatch_lines(["the tests passed, although: 3 errors; 5 of 11 comparisons fail"])
    document = json.loads((project.path / "r.json").read_text())
    clouds = [[each["cloud"] for each in matrix["clouds"]] for matrix in document["matrices"]]
    assert ["nova-essex", "nova-2026.2"] in clouds
    assert "nothing is recorded" in document["failures"][0]["problem"]
    junit = (project.path / "junit.xml").read_text()
    assert '<property name="imagedetail_matrices" value="3" />' in junit
    assert '<property name="imagedetail_not_compared" value="3" />' in junit
    baseline = ("--imagedetail-baseline=nova-essex", "-k", "baseline")
    project.runpytest(*baseline).assert_outcomes(passed=1, deselected=10)


def test_a_failed_assertion_explains_itself(project, monkeypatch):
    """Counts, the worst differences, and how to see the rest; once."""
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
    project.makepyfile(FAILING)
    for ci in ("", "true"):  # there, pytest repeats assertions in its summary
        monkeypatch.setenv("CI", ci)
        result = project.runpytest()
        result.assert_outcomes(failed=6)
        found = sections(result)
        counts = "nova-2026.2 -> nova-essex: 15 differences: 9 breaking, 6 compatible, 0 data"
        found["test_comparison"].fnmatch_lines([f"E *{counts}", *DIFFERENCES])
        found["test_equality"].fnmatch_lines([f"E *assert {counts}", *DIFFERENCES])
        assert found["test_equality"].str().count("or: imagedetail diff") == 1
        found["test_equality"].no_fnmatch_line("*Full output truncated*")
        found["test_matrix"].fnmatch_lines(
            [
                "*nova-2026.2 → nova-essex: * differences: * breaking, *",
                "*breaking * nova-2026.2 -> nova-essex: *",
                "*pytest -vv",
                "*or: imagedetail matrix nova-2026.2 nova-essex",
            ]
        )
        found["test_unrelated"].no_fnmatch_line("*no difference*")
        for what in ("comparison", "matrix"):
            expected = f"E *TypeError: a {what} is neither true nor false: ask *"
            found[f"test_truth_of_a_{what}"].fnmatch_lines([expected])
    found = sections(project.runpytest("-vv"))
    found["test_comparison"].fnmatch_lines(
        [
            "E *baseline *nova-2026.2 *14 images *query all *release 2026.2 *recorded 2*",
            "E *breaking    field_removed   images[[]*[]].OS-EXT-IMG-SIZE:size  14 images: *",
            "E *not offered: essex never had it; the baseline's release has",
        ]
    )
    found["test_matrix"].fnmatch_lines(["*2 clouds, * queries, * answers*", "*header_changed*"])


def test_a_declared_release_judges_recordings_that_name_none(pytester):
    """A release that is declared later counts without recording again."""
    (pytester.path / "body.json").write_text('{"images": [{"id": "1", "name": "a", "links": []}]}')
    for name in ("one", "two"):
        assert main(["import", "body.json", "--cloud", name]) == 0
    (pytester.path / "imagedetail.yaml").write_text(
        'clouds: {one: {release: "2026.2"}, two: {release: essex}}'
    )
    pytester.makepyfile(
        """
        def test_order(imagedetail):
            matrix = imagedetail.matrix()
            assert matrix.clouds == ("two", "one")
            assert matrix.releases == {"two": "essex", "one": "2026.2"}
            assert imagedetail.compare("two", "one").baseline.release == "essex"
        """
    )
    arguments = ("--imagedetail-cloud=one", "--imagedetail-cloud=two")
    pytester.runpytest(*arguments).assert_outcomes(passed=1)


ACCEPTING = """
import pytest

MARKER
def test_it(imagedetail):
    comparison = imagedetail.compare("nova-2026.2", "nova-essex"ARGUMENT)
    assert comparison.compatible and comparison.expected
"""
ALL = "- {path: 'images[*].**', reason: known, expires: never}\n"
RULE = {"path": "images[*].OS-EXT-IMG-SIZE:size", "reason": "size", "expires": "never"}


@pytest.fixture
def accepts(project, run):
    """Run a test that fails unless every difference is accepted."""

    def accepts(*options, marker="", argument="", **outcomes):
        marker = marker and f"@pytest.mark.imagedetail(rules={marker})"
        argument = argument and f", rules={argument}"
        source = ACCEPTING.replace("MARKER", marker).replace("ARGUMENT", argument)
        return run(source, "none", *options, **outcomes)

    for name, text in {"all": ALL, "none": ALL.replace("**", "typo"), "size": f"[{RULE}]"}.items():
        (project.path / f"{name}.yaml").write_text(text)
    return accepts


def test_where_rules_come_from(project, accepts):
    """The argument overrides the option, the option the marker, the marker the ini key."""
    option, other = "--imagedetail-rules=all.yaml", "--imagedetail-rules=none.yaml"
    accepts(failed=1)
    project.makeini("[pytest]\nimagedetail_rules = all.yaml")
    accepts(passed=1)
    accepts(other, failed=1)
    accepts(marker="'none.yaml'", failed=1)
    accepts(option, marker="'none.yaml'", passed=1)
    accepts(other, argument="'all.yaml'", passed=1)
    rest = [{**RULE, "path": path} for path in ("images[*].links.**", "headers.*")]
    for rules, passes in ((RULE, 0), (["size.yaml", *rest], 1), ([*rest, "all.yaml"], 1)):
        accepts("--imagedetail-fail-on=change", marker=rules, passed=passes, failed=1 - passes)
    project.makeini("[pytest]")
    (project.path / "imagedetail-rules.yaml").write_text(ALL)
    accepts(passed=1)
    accepts(marker="[]", failed=1)


def test_rules_that_do_not_hold(project, accepts):
    """The failure names an expired one; a malformed file ends the run before any test."""
    (project.path / "all.yaml").write_text(ALL.replace("never", "2020-01-31"))
    option = "--imagedetail-rules=all.yaml"
    result = accepts(option, "--imagedetail-fail-on=none", failed=1)
    result.stdout.fnmatch_lines(["E *expired    the rule for images[[]*].[*][*], all.yaml, line 1"])
    result = accepts(marker=[{**RULE, "path": "minRam"}], failed=1)
    result.stdout.fnmatch_lines(
        ["E *SettingsError: path 'minRam' begins with a field*", "E *where: rules=, number 1"]
    )
    result = accepts("-vv", marker=[{**RULE, "clouds": "nova-2O26.2"}], failed=1)
    result.stdout.fnmatch_lines(["E *no cloud 'nova-2O26.2' is known (did you mean nova-2026.2?)*"])
    (project.path / "all.yaml").write_text("- {path: a}\n")
    result = accepts(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: the rule has no reason and no expires", "*all.yaml, line 1"]
    )
