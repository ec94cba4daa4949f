"""Comparing in a test: a failed assertion says what differs and where to see the rest."""

import json
import re
import sys
from fnmatch import fnmatch

PASSING = """
    import pytest
    from pytest_imagedetail.errors import CassetteNotFoundError

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
        assert {step.difference.kind for step in matrix.steps} >= {"field_added"}
        back = imagedetail.matrix(*BACK, profile="cross-version")
        assert back.breaking and not back.compatible

    def test_a_recorded_error_is_an_answer_of_a_matrix(imagedetail):
        (step,) = imagedetail.matrix("nova-2023.1", "nova-2024.2", limit=0).steps
        assert (step.difference.kind, step.difference.baseline) == ("status_changed", 200)

    def test_rules_of_the_run_and_of_a_call(imagedetail):
        assert [one.path for one in imagedetail.matrix(*BACK).unused_rules]
        matrix = imagedetail.matrix(*BACK, rules="everything.yaml")
        assert matrix.compatible and matrix.expected and not matrix.steps and not matrix.same

    def test_what_cannot_be_compared(imagedetail):
        with pytest.raises(CassetteNotFoundError):
            imagedetail.matrix("nova-essex", "nova-2026.2", name="never asked")
"""
FAILING = """
    BACK = ("nova-2026.2", "nova-essex")

    def test_comparison(imagedetail):
        assert imagedetail.compare(*BACK).compatible

    def test_equality(imagedetail):
        assert imagedetail["nova-2026.2"].list() == imagedetail["nova-essex"].list()

    def test_matrix(imagedetail):
        imagedetail.compare(*BACK)  # is not what failed
        matrix = imagedetail.matrix(*BACK)
        assert matrix.compatible

    def test_unrelated(imagedetail):
        imagedetail.compare("nova-essex", "nova-essex")
        assert 1 == 2

    def test_truth_of_a_comparison(imagedetail):
        assert imagedetail.compare(*BACK)

    def test_truth_of_a_matrix(imagedetail):
        assert imagedetail.matrix()

    def test_missing(imagedetail):
        imagedetail.matrix(name="never asked")
"""
DIFFERENCES = [
    "E *breaking   field_removed images[[]*[]].OS-EXT-IMG-SIZE:size (13 images)",
    'E *compatible link_changed images[[]*[]].links.alternate: "/images/<id>" -> *',
    'E *compatible link_changed images[[]*[]].links.bookmark: "/images/<id>" -> *',
    'E *compatible link_changed images[[]*[]].links.self: "/<v>/images/<id>" -> *',
    "E *values and reasons: pytest -vv",
    "E *or: imagedetail diff nova-2026.2 nova-essex",
]


def sections(result):
    """The lines that follow each failing test's name."""
    parts = re.split(r"^_+ (test_\w+) _+$", result.stdout.str(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], map(str.splitlines, parts[2::2]), strict=True))


def shows(lines, *patterns):
    """Assert that lines match these patterns, in this order."""
    left = iter(lines)
    for pattern in patterns:
        assert any(fnmatch(line, pattern) for line in left), (pattern, lines)


def test_what_a_test_can_compare(project):
    """Listings, comparisons, the baseline and matrices; a matrix is in the report and counted."""
    rule = "- {path: 'images[*].minDisk.**', reason: moved, expires: never}"
    (project.path / "imagedetail-rules.yaml").write_text(rule)
    (project.path / "everything.yaml").write_text(
        "- {path: 'images[*].**', reason: another world, expires: never}\n"
        "- {path: 'headers.**', reason: another world, expires: never}\n"
    )
    project.makepyfile(PASSING)
    arguments = ("--imagedetail-report=r.json", "--junitxml=junit.xml")
    project.runpytest(*arguments).assert_outcomes(passed=9)
    document = json.loads((project.path / "r.json").read_text())
    clouds = [[each["cloud"] for each in matrix["clouds"]] for matrix in document["matrices"]]
    assert ["nova-essex", "nova-2026.2"] in clouds
    assert "nothing is recorded" in document["failures"][0]["problem"]
    junit = (project.path / "junit.xml").read_text()
    assert '<property name="imagedetail_matrices" value="2" />' in junit
    assert '<property name="imagedetail_not_compared" value="1" />' in junit
    baseline = ("--imagedetail-baseline=nova-essex", "-k", "baseline")
    project.runpytest(*baseline).assert_outcomes(passed=1, deselected=8)


def test_a_failed_assertion_explains_itself(project):
    """Counts first, the worst first, then how to see the rest; no frame of ours."""
    project.makepyfile(FAILING)
    result = project.runpytest()
    result.assert_outcomes(failed=7)
    found = sections(result)
    counts = "nova-2026.2 -> nova-essex: 12 differences: 9 breaking, 3 compatible, 0 data"
    shows(found["test_comparison"], f"E *{counts}", *DIFFERENCES)
    shows(found["test_equality"], f"E *assert {counts}", *DIFFERENCES)
    assert not [line for line in found["test_equality"] if "Full output truncated" in line]
    shows(
        found["test_matrix"],
        "*nova-2026.2 → nova-essex: * differences: * breaking, *",
        "*breaking * nova-2026.2 -> nova-essex: *",
        "*pytest -vv",
        "*or: imagedetail matrix nova-2026.2 nova-essex",
    )
    assert not [line for line in found["test_matrix"] if "imagedetail diff" in line]
    assert not [line for line in found["test_unrelated"] if "no difference" in line]
    shows(
        found["test_truth_of_a_comparison"],
        "E *TypeError: a comparison is neither true nor false: ask *",
    )
    shows(found["test_truth_of_a_matrix"], "E *TypeError: a matrix is neither true nor false*")
    shows(found["test_missing"], "*nothing is recorded for cloud 'nova-2026.2'*")


def test_very_verbose_shows_values_and_reasons(project):
    """`-vv` shows the whole report."""
    project.makepyfile(FAILING)
    found = sections(project.runpytest("-vv"))
    shows(
        found["test_comparison"],
        "E *baseline *nova-2026.2 *13 images *query all *release 2026.2 *recorded 2*",
        "E *candidate *nova-essex *13 images *query all *release essex *recorded 2*",
        "E *breaking    field_removed   images[[]*[]].OS-EXT-IMG-SIZE:size  13 images: *",
        "E *not offered: essex never had it; the baseline's release has",
    )
    shows(found["test_matrix"], "*2 clouds, * queries, * answers*", "*header_changed*")


def test_fail_on_moves_the_bar(project):
    """`change` fails on any difference, `none` on no difference."""
    project.makepyfile(
        """
        def test_back(imagedetail):
            assert imagedetail.compare("nova-2026.2", "nova-essex").compatible

        def test_there(imagedetail):
            assert imagedetail.compare("nova-essex", "nova-2026.2").compatible
        """
    )
    project.runpytest("--imagedetail-fail-on=none").assert_outcomes(passed=2)
    project.runpytest().assert_outcomes(passed=1, failed=1)
    project.runpytest("--imagedetail-fail-on=change").assert_outcomes(failed=2)


def test_a_declared_release_judges_recordings_that_name_none(project):
    """Whoever declares releases later need not record again."""
    saved = '{"images": [{"id": "1", "name": "cirros", "links": []}]}'
    (project.path / "body.json").write_text(saved)
    command = (sys.executable, "-m", "pytest_imagedetail")
    for name in ("one", "two"):
        assert project.run(*command, "import", "body.json", "--cloud", name).ret == 0
    (project.path / "imagedetail.yaml").write_text(
        'clouds: {one: {release: "2026.2"}, two: {release: essex}}'
    )
    project.makepyfile(
        """
        def test_order(imagedetail):
            matrix = imagedetail.matrix()
            assert matrix.clouds == ("two", "one")
            assert matrix.releases == {"two": "essex", "one": "2026.2"}
            assert imagedetail.compare("two", "one").baseline.release == "essex"
        """
    )
    arguments = ("--imagedetail-cloud=one", "--imagedetail-cloud=two")
    project.runpytest(*arguments).assert_outcomes(passed=1)
    for verb in (("matrix", "o*", "t*", "--json"), ("diff", "two", "one", "--json")):
        run = project.run(*command, *verb)
        assert {"essex", "2026.2"} <= set(re.findall(r'"release": "([^"]*)"', str(run.stdout)))
