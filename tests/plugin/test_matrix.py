"""`imagedetail.matrix` in a test."""

import json
import re
import sys


def test_a_matrix_of_the_runs_clouds(project):
    """Without names: all clouds of the run, oldest release first."""
    project.makepyfile(
        """
        def test_matrix(imagedetail):
            matrix = imagedetail.matrix()
            assert matrix.clouds == ("nova-essex", "nova-2026.2")
            assert not matrix.breaking and matrix.steps
            assert {step.difference.kind for step in matrix.steps} >= {"field_added"}
            back = imagedetail.matrix("nova-2026.2", "nova-essex", profile="cross-version")
            assert back.breaking and not back.compatible
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_a_recorded_error_is_an_answer(project):
    """While replaying, what was recorded deliberately stands beside a listing."""
    project.makepyfile(
        """
        def test_limit(imagedetail):
            matrix = imagedetail.matrix("nova-2023.1", "nova-2024.2", limit=0)
            (step,) = matrix.steps
            assert (step.difference.kind, step.difference.baseline) == ("status_changed", 200)
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_a_matrix_has_no_truth_value(project):
    """`assert imagedetail.matrix(...)` would pass always."""
    project.makepyfile(
        """
        def test_matrix(imagedetail):
            assert imagedetail.matrix()
        """
    )
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*TypeError: a matrix is neither true nor false*")


def test_what_was_not_recorded_is_an_error(project):
    """No cloud falls out of the row in silence."""
    project.makepyfile(
        """
        def test_matrix(imagedetail):
            imagedetail.matrix(name="never asked")
        """
    )
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*nothing is recorded for cloud 'nova-2026.2'*")


def test_a_failed_assertion_explains_the_matrix(project):
    """Counts, the worst, and how to see the rest; an earlier comparison is not what failed."""
    project.makepyfile(
        """
        def test_matrix(imagedetail):
            imagedetail.compare("nova-2026.2", "nova-essex")
            matrix = imagedetail.matrix("nova-2026.2", "nova-essex")
            assert matrix.compatible
        """
    )
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*nova-2026.2 → nova-essex: * changes: * breaking, *",
            "*breaking * nova-2026.2 -> nova-essex: *",
            "*pytest -vv",
            "*or: imagedetail matrix nova-2026.2 nova-essex",
        ]
    )
    result.stdout.no_fnmatch_line("*imagedetail diff*")
    verbose = project.runpytest("-vv")
    verbose.stdout.fnmatch_lines(["*2 clouds, 1 query, 2 answers", "*header_changed*"])


def test_a_matrix_is_in_the_report_and_counted(project):
    """With what could not be compared, too."""
    project.makepyfile(
        """
        import pytest
        from pytest_imagedetail.errors import CassetteNotFoundError

        def test_matrix(imagedetail):
            assert not imagedetail.matrix("nova-essex", "nova-2026.2").breaking
            with pytest.raises(CassetteNotFoundError):
                imagedetail.matrix("nova-essex", "nova-2026.2", name="never asked")
        """
    )
    result = project.runpytest("--imagedetail-report=r.json", "--junitxml=junit.xml")
    result.assert_outcomes(passed=1)
    document = json.loads((project.path / "r.json").read_text())
    (matrix,) = document["matrices"]
    assert [each["cloud"] for each in matrix["clouds"]] == ["nova-essex", "nova-2026.2"]
    assert document["comparisons"] == []
    assert "nothing is recorded" in document["failures"][0]["problem"]
    junit = (project.path / "junit.xml").read_text()
    assert '<property name="imagedetail_matrices" value="1" />' in junit
    assert '<property name="imagedetail_not_compared" value="1" />' in junit


def test_a_rule_holds_in_a_matrix(project):
    """The project's file, or one that the call names."""
    rule = "- {path: 'images[*].minDisk.**', reason: moved, expires: never}"
    (project.path / "imagedetail-rules.yaml").write_text(rule)
    (project.path / "everything.yaml").write_text(
        "- {path: 'images[*].**', reason: another world, expires: never}\n"
        "- {path: 'headers.**', reason: another world, expires: never}\n"
    )
    project.makepyfile(
        """
        def test_matrix(imagedetail):
            back = ("nova-2026.2", "nova-essex")
            assert [one.path for one in imagedetail.matrix(*back).unused_rules]
            matrix = imagedetail.matrix(*back, rules="everything.yaml")
            assert matrix.compatible and matrix.expected and not matrix.steps and not matrix.same
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_a_declared_release_judges_recordings_that_name_none(project):
    """Whoever declares releases later need not record again."""
    saved = '{"images": [{"id": "1", "name": "cirros", "links": []}]}'
    (project.path / "body.json").write_text(saved)
    for name in ("one", "two"):
        run = project.run(
            sys.executable, "-m", "pytest_imagedetail", "import", "body.json", "--cloud", name
        )
        assert run.ret == 0
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
        run = project.run(sys.executable, "-m", "pytest_imagedetail", *verb)
        assert {"essex", "2026.2"} <= set(re.findall(r'"release": "([^"]*)"', str(run.stdout)))
