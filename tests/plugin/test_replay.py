"""Replaying in a test: which clouds it runs for, and what it is told when it cannot."""

import shutil

import pytest


def test_a_test_runs_once_for_each_cloud(project):
    """`imagedetail_cloud` is parametrized with every cloud that has cassettes, by name."""
    project.makepyfile(
        """
        def test_active_images_are_complete(imagedetail_cloud):
            for image in imagedetail_cloud.list(status="ACTIVE").images:
                assert image["progress"] == 100
        """
    )
    result = project.runpytest("-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "*::test_active_images_are_complete[[]nova-2026.2[]] PASSED*",
            "*::test_active_images_are_complete[[]nova-essex[]] PASSED*",
        ]
    )


def test_an_option_selects_clouds_by_name_and_glob(project):
    """`--imagedetail-cloud` takes names and globs, and may be repeated."""
    project.makepyfile("def test_x(imagedetail_cloud): assert imagedetail_cloud.list().complete")
    project.runpytest("--imagedetail-cloud=nova-essex").assert_outcomes(passed=1)
    project.runpytest("--imagedetail-cloud=nova-e*", "--imagedetail-cloud=*.2").assert_outcomes(
        passed=2
    )


def test_a_marker_selects_clouds_for_one_test(project):
    """The marker's names beat the ini key, and the option beats the marker."""
    project.makeini("[pytest]\nimagedetail_clouds = nova-2026.2")
    project.makepyfile(
        """
        import pytest

        @pytest.mark.imagedetail("nova-essex")
        def test_marked(imagedetail_cloud):
            assert imagedetail_cloud.name == "nova-essex"

        def test_unmarked(imagedetail_cloud):
            assert imagedetail_cloud.name == "nova-2026.2"
        """
    )
    project.runpytest().assert_outcomes(passed=2)
    project.runpytest("--imagedetail-cloud=nova-2026.2").assert_outcomes(passed=1, failed=1)


def test_an_unknown_cloud_ends_the_run_with_its_nearest_name(project):
    """A typing error in a cloud's name never selects nothing in silence."""
    project.makepyfile("def test_x(imagedetail_cloud): pass")
    result = project.runpytest("--imagedetail-cloud=nova-2026.1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: unknown cloud 'nova-2026.1'",
            "  next:  did you mean nova-2026.2? known clouds: nova-2026.2, nova-essex",
        ]
    )


def test_no_cloud_at_all_is_an_error_not_a_skip(pytester):
    """A test for every cloud, with none there, says so and fails."""
    pytester.makepyfile("def test_x(imagedetail_cloud): pass")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*there is no cloud to run for: nothing is recorded, and no cloud is declared",
            "*where: *cassettes",
            "*next:  record one: imagedetail record --os-cloud NAME",
            "*next:  or import a saved answer: imagedetail import FILE --cloud NAME",
        ]
    )


def test_a_missing_recording_says_how_to_record_it(project):
    """Nothing recorded is an error with the two commands, in the test's own line."""
    project.makepyfile(
        """
        def test_x(imagedetail):
            imagedetail["nova-essex"].list(name="cirros base")
        """
    )
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            '>       imagedetail[[]"nova-essex"[]].list(name="cirros base")',
            "E *CassetteNotFoundError: nothing is recorded for cloud 'nova-essex', query *base'",
            "E *where: *cassettes/nova-essex/name=cirros_base-*.yaml",
            "E *next:  in a test:  pytest --imagedetail-record-mode=once",
            "E *in a shell: imagedetail record --os-cloud=nova-essex --query='name=cirros base'",
            "E *next:  or ask what is recorded for nova-essex: status=active-*, all",
        ]
    )
    result.stdout.no_fnmatch_line("*harness.py*")


def test_a_damaged_recording_is_an_error_and_stays(project):
    """A changed body is refused by its hash, never replayed and never overwritten."""
    path = project.path / "cassettes" / "nova-essex" / "all.yaml"
    changed = path.read_text().replace("cirros-base", "cirros-case")
    path.write_text(changed)
    project.makepyfile("def test_x(imagedetail): imagedetail['nova-essex'].list()")
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *DamagedCassetteError: the cassette was changed after it was written: *",
            "E *where: *cassettes/nova-essex/all.yaml, line *",
            "E *next:  bring the file back from version control; it was left as it is",
            "E *next:  or delete it, then record it again: *--imagedetail-record-mode=once*",
        ]
    )
    assert path.read_text() == changed


def test_the_shipped_library_answers_for_clouds_of_its_own(project):
    """Reference recordings can be asked by name without being in the project."""
    project.makepyfile(
        """
        def test_x(imagedetail):
            assert len(imagedetail["openstack-sample"].list().images) == 7
            assert "openstack-sample" not in imagedetail.clouds
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_an_unknown_marker_argument_is_refused(project):
    """A misspelt argument is an error with the known ones."""
    project.makepyfile(
        """
        import pytest

        @pytest.mark.imagedetail(record="once")
        def test_x(imagedetail_cloud): pass
        """
    )
    result = project.runpytest()
    output = result.stdout.str() + result.stderr.str()
    assert "the imagedetail marker has no argument record" in output
    assert result.ret != 0


def test_xdist_workers_replay_the_same_cassettes(project):
    """Workers only read while replaying; every cloud is tested once."""
    project.makepyfile("def test_x(imagedetail_cloud): assert imagedetail_cloud.list().images")
    project.runpytest("-n2").assert_outcomes(passed=2)


def test_a_declared_cloud_without_a_recording_fails(project):
    """A lost folder of cassettes is a red run, not one test fewer."""
    shutil.rmtree(project.path / "cassettes" / "nova-essex")
    project.makepyfile("def test_x(imagedetail_cloud): imagedetail_cloud.list()")
    result = project.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E *nothing is recorded for cloud 'nova-essex', query 'all'"])


def test_a_copy_under_another_name_does_not_answer_for_it(project):
    """A recording of one cloud in the folder of another would compare a cloud with itself."""
    folder = project.path / "cassettes"
    shutil.copy(folder / "nova-2026.2" / "all.yaml", folder / "nova-essex" / "all.yaml")
    project.makepyfile(
        "def test_x(imagedetail): assert imagedetail.compare('nova-2026.2', 'nova-essex').same"
    )
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *DamagedCassetteError: the recording is of cloud 'nova-2026.2', query 'all', and *",
            "E *next:  move it to nova-2026.2/all.yaml, or delete it and record *",
        ]
    )


def test_an_edited_release_is_refused(project):
    """The provenance decides severities, so it is under the hash as well."""
    path = project.path / "cassettes" / "nova-2026.2" / "all.yaml"
    path.write_text(path.read_text().replace("release: '2026.2'", "release: essex"))
    project.makepyfile("def test_x(imagedetail): imagedetail['nova-2026.2'].list()")
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *the cassette was changed after it was written: *"])


def test_a_recording_of_another_release_is_stale(project):
    """When the cloud is declared to be upgraded, its old recording speaks for it no more."""
    path = project.path / "imagedetail.yaml"
    path.write_text(path.read_text().replace("{release: essex}", "{release: juno}"))
    project.makepyfile("def test_x(imagedetail): imagedetail['nova-essex'].list()")
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E *the recording is stale: it is of release essex, and the cloud is declared to be juno"]
    )


def test_a_folder_that_cannot_be_looked_through_ends_the_run(pytester):
    """With its message alone, before any test: no defect of ours, and no run without recordings."""
    (pytester.path / "cassettes").write_text("in the way")
    pytester.makepyfile("def test_x(): pass")
    result = pytester.runpytest("--imagedetail-record-mode=once")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().strip() == (
        "ERROR: cassettes cannot be looked up: Not a directory\n"
        f"  where: {pytester.path}/cassettes\n"
        "  next:  make it a folder that you may read, "
        "or choose another: --imagedetail-cassette-dir"
    )


def test_an_unknown_baseline_is_refused_before_any_test(project):
    """A typing error in `--imagedetail-baseline` is seen even if no test asks for it."""
    project.makepyfile("def test_x(): pass")
    result = project.runpytest("--imagedetail-baseline=nova-1999")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: unknown cloud 'nova-1999'"])


def test_a_cloud_of_the_library_can_be_the_baseline(project):
    """Comparing with a reference recording needs no copy of it."""
    project.makepyfile(
        """
        def test_x(imagedetail):
            assert imagedetail.compare(imagedetail.baseline, "nova-essex").paired == 0
        """
    )
    project.runpytest("--imagedetail-baseline=openstack-sample").assert_outcomes(passed=1)


def test_declaring_a_cloud_of_the_library_hides_nothing(project):
    """Own recordings come first, query by query; the library answers for the rest."""
    path = project.path / "imagedetail.yaml"
    path.write_text(path.read_text().replace("clouds:", "clouds:\n  nova-2019.1: {}"))
    project.makepyfile(
        """
        def test_declared(imagedetail):
            assert imagedetail["nova-2019.1"].list().images

        def test_partly_copied(imagedetail):
            assert len(imagedetail["nova-2026.2"].list().images) == 13
            assert len(imagedetail["nova-2026.2"].list(limit=1).images) == 1
        """
    )
    project.runpytest().assert_outcomes(passed=2)
