"""`imagedetail.matrix` in a test."""


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
