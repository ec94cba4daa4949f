"""Replaying in a test: the clouds that it runs for, and errors."""

import shutil

import pytest

SELECTED = """
    import pytest

    def test_any(imagedetail_cloud):
        for image in imagedetail_cloud.list(status="ACTIVE").images:
            assert image["progress"] == 100

    @pytest.mark.imagedetail("nova-essex")
    def test_marked(imagedetail_cloud):
        assert imagedetail_cloud.list().complete

    def test_library(imagedetail):
        assert len(imagedetail["openstack-sample"].list().images) == 7
        assert "openstack-sample" not in imagedetail.clouds
"""


def test_which_clouds_a_test_runs_for(project):
    """Every recorded one; the option overrides the marker, the marker the ini key; globs work."""
    project.makepyfile(SELECTED)
    new, old = "[nova-2026.2]", "[nova-essex]"
    for ini, arguments, wanted in (
        ("", (), [f"test_any{new}", f"test_any{old}", f"test_marked{old}"]),
        ("nova-2026.2", (), [f"test_any{new}", f"test_marked{old}"]),
        ("nova-essex", ("nova-2026.2*",), [f"test_any{new}", f"test_marked{new}"]),
    ):
        project.makeini(f"[pytest]\nimagedetail_clouds = {ini}")
        result = project.runpytest("-v", *(f"--imagedetail-cloud={each}" for each in arguments))
        result.assert_outcomes(passed=len(wanted) + 1)
        ran = [line.partition("::")[2].split()[0] for line in result.outlines if "::" in line]
        assert ran == [*wanted, "test_library"]


def test_what_is_unknown_ends_the_run_before_any_test(project):
    """A typing error is never an empty selection; nor is a file in place of a folder."""
    project.makepyfile("def test_x(): pass")
    unknown = "ERROR: unknown cloud 'nova-2026.3'"
    known = "  next:  did you mean nova-2026.2? known clouds: nova-2026.2, nova-essex, *"
    (project.path / "file").write_text("in the way")
    for option, lines in (
        ("--imagedetail-cloud=nova-2026.3", [unknown, "  where: *cassettes", known]),
        ("--imagedetail-baseline=nova-2026.3", [unknown]),
        ("--imagedetail-report=run.pdf", ["ERROR: unknown report suffix '.pdf'", "*.html, *"]),
        ("--imagedetail-max-age=1.5", ["ERROR: the maximum age is a whole number of days, *"]),
        ("--imagedetail-cassette-dir=file", ["ERROR: cassettes cannot be listed: Not a *"]),
    ):
        result = project.runpytest(option)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(lines)
        assert "Traceback" not in result.stderr.str()
    project.makeini("[pytest]\nimagedetail_unused = fial")
    result = project.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: unknown unused 'fial'", "*did you mean fail? known: *"])


def test_no_cloud_at_all_is_an_error_not_a_skip(pytester):
    """A test for every cloud fails if there is none."""
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


def test_what_cannot_be_replayed(project):
    """The error is at the line of the test, with a remedy; nothing is overwritten."""
    path = project.path / "cassettes/nova-essex/all.yaml"
    changed = path.read_text().replace("cirros-base", "cirros-case")
    path.write_text(changed)
    (project.path / "imagedetail.yaml").write_text(
        "clouds: {lost: {}, nova-2026.2: {release: juno}}"
    )
    active = next(path.parent.with_name("nova-2026.2").glob("status=*.yaml"))
    shutil.copy(active, path.parent)
    project.makepyfile(
        """
        def test_missing(imagedetail):
            imagedetail["nova-essex"].list(name="cirros base")

        def test_damaged(imagedetail):
            imagedetail["nova-essex"].list()

        def test_copied(imagedetail):
            imagedetail["nova-essex"].list(status="ACTIVE")

        def test_of_another_release(imagedetail):
            imagedetail["nova-2026.2"].list()

        def test_lost(imagedetail_cloud):
            assert imagedetail_cloud.name != "lost" or imagedetail_cloud.list()
        """
    )
    result = project.runpytest()
    result.assert_outcomes(failed=5, passed=2)
    result.stdout.fnmatch_lines(
        [
            '>       imagedetail[[]"nova-essex"[]].list(name="cirros base")',
            "E *CassetteNotFoundError: nothing is recorded for cloud 'nova-essex', query *base'",
            "E *where: *cassettes/nova-essex/name=cirros_base-*.yaml",
            "E *next:  in a test:  pytest --imagedetail-record-mode=once",
            "E *in a shell: imagedetail record nova-essex --query='name=cirros base'",
            "E *if it was deleted, restore it from version control",
            "E *DamagedCassetteError: the cassette was changed after it was written: *",
            "E *where: *cassettes/nova-essex/all.yaml, line *",
            "E *next:  bring the file back from version control; it was left as it is",
            "E *next:  or delete it, then record it again: *--imagedetail-record-mode=once*",
            "E *DamagedCassetteError: the recording is of cloud 'nova-2026.2', query 'status=*",
            "E *the recording is stale: it is of release 2026.2, and the cloud is declared to be *",
            "E *nothing is recorded for cloud 'lost', query 'all'",
        ]
    )
    result.stdout.no_fnmatch_line("*harness.py*")
    assert path.read_text() == changed


def test_the_library_answers_for_what_the_project_lacks(project):
    """Own recordings come first, query by query, even for a declared cloud or a baseline."""
    path = project.path / "imagedetail.yaml"
    path.write_text(path.read_text().replace("clouds:", "clouds:\n  nova-2019.1: {}"))
    project.makepyfile(
        """
        def test_declared(imagedetail):
            assert imagedetail["nova-2019.1"].list().images

        def test_partly_copied(imagedetail):
            assert len(imagedetail["nova-2026.2"].list().images) == 14
            assert len(imagedetail["nova-2026.2"].list(limit=1).images) == 1

        def test_baseline(imagedetail):
            assert imagedetail.compare(imagedetail.baseline, "nova-essex").paired == 0
        """
    )
    project.runpytest("--imagedetail-baseline=openstack-sample").assert_outcomes(passed=3)


def test_what_a_test_holds(pytester):
    """A replayed cloud shows placeholders; a listing keeps its query and its status."""
    pytester.makepyfile(
        """
        import pytest
        from pytest_imagedetail.errors import ResponseError, UsageError

        NAME = "nova-2026.2"

        def test_placeholders(imagedetail):
            cloud = imagedetail[NAME]
            assert cloud.endpoint == "https://compute.nova-2026.2.invalid/v2.1"
            assert cloud.project_id == "0" * 32
            token = {"X-Auth-Token": "replayed-token", "Accept": "application/json"}
            assert cloud.headers == token

        def test_another_query_or_status_is_an_error(imagedetail):
            whole = imagedetail[NAME].list()
            refused = imagedetail[NAME].list(limit="abc", expect=400)
            assert refused.error["code"] == 400
            for sides in ((whole, whole), (NAME, whole), (whole, NAME)):
                with pytest.raises(UsageError, match="a listing answers its own query, all; no ot"):
                    imagedetail.compare(*sides, limit=3)
            for sides in ((whole, whole), (whole, refused), (refused, whole)):
                with pytest.raises(ResponseError, match="the cloud answered 200, not 400"):
                    imagedetail.compare(*sides, expect=400)
            assert imagedetail.compare(refused, refused, expect=400).same

        def test_clouds_are_not_asked_for_by_number(imagedetail):
            with pytest.raises(TypeError, match="'Harness' object is not iterable"):
                list(imagedetail)
            with pytest.raises(TypeError, match="'Harness' is not"):
                NAME in imagedetail
        """
    )
    pytester.runpytest().assert_outcomes(passed=3)
