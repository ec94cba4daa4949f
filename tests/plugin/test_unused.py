"""Recordings that no test used: named at the end of a full run, and of no other run."""

import shutil

import pytest

from tests.cloud import SimulatedCloud

ALL = """
    def test_all(imagedetail_cloud):
        assert imagedetail_cloud.list().complete
"""
ACTIVE = """
    def test_active(imagedetail_cloud):
        assert imagedetail_cloud.list(status="ACTIVE").complete
"""
LAST = "no test used these recordings: delete them, or pass --imagedetail-unused=ignore"
UNUSED = [
    "unused cassettes/nova-2026.2/status=ACTIVE-4ed5ae09.yaml",
    "unused cassettes/nova-essex/status=ACTIVE-4ed5ae09.yaml",
]


@pytest.fixture
def partly(project):
    """A project whose one test uses the half of its four recordings; it names those files here."""
    names = sorted(path.name for path in (project.path / "cassettes" / "nova-essex").iterdir())
    UNUSED[:] = [f"unused cassettes/{cloud}/{names[1]}" for cloud in ("nova-2026.2", "nova-essex")]
    project.makepyfile(test_all=ALL)
    return project


def said(result):
    """What the summary says of it."""
    return [line for line in result.outlines if "unused" in line]


def test_what_no_test_used_is_named(partly):
    """Each file with its path and what to do; fail makes the run red, by option and by ini key."""
    for choice, code in (("warn", 0), ("fail", 1)):
        result = partly.runpytest("-W", "error", f"--imagedetail-unused={choice}")
        result.assert_outcomes(passed=2)
        assert (result.ret, said(result)) == (code, [*UNUSED, LAST])
        result.stdout.fnmatch_lines(["*= imagedetail =*", "unused *", "unused *", LAST])
    result = partly.runpytest("--imagedetail-unused=ignore")
    assert (result.ret, said(result)) == (0, [])
    assert said(partly.runpytest("--imagedetail-cloud=nova-essex")) == [UNUSED[1], LAST]
    partly.makeini("[pytest]\nimagedetail_unused = fail")
    assert partly.runpytest().ret == 1
    assert partly.runpytest("--imagedetail-unused=warn").ret == 0


def test_a_run_that_uses_all_says_nothing(partly):
    """Each file was read by some test; recordings of the library are never judged."""
    partly.makepyfile(
        test_active=ACTIVE,
        test_shipped="def test_it(imagedetail): imagedetail['nova-2019.1'].list(limit=0)",
    )
    result = partly.runpytest("--imagedetail-unused=fail")
    result.assert_outcomes(passed=5)
    assert (result.ret, said(result)) == (0, [])
    result.stdout.no_fnmatch_line("*= imagedetail =*")


def test_comparing_uses_what_it_compares(partly):
    """Through the fixture `imagedetail`, too."""
    for verb, unused in (("compare", [*UNUSED, LAST]), ("matrix", [])):
        call = f"imagedetail.{verb}('nova-essex', 'nova-2026.2')"
        partly.makepyfile(test_all=f"def test_{verb}(imagedetail): {call}")
        assert said(partly.runpytest()) == unused


def test_workers_are_seen_as_one_run(partly):
    """What one of them used is used; the controller says the rest once."""
    partly.makepyfile(test_active=ACTIVE)
    (partly.path / "cassettes/nova-essex/limit=1.yaml").write_text("of no interest")
    result = partly.runpytest("-n2", "--imagedetail-unused=fail")
    result.assert_outcomes(passed=4)
    assert (result.ret, said(result)) == (
        1,
        ["unused cassettes/nova-essex/limit=1.yaml", LAST],
    )


def test_a_part_of_the_tests_is_not_judged(partly):
    """The rest may use what these do not; fail says why nothing is said, and does not fail."""
    partly.makeini("[pytest]\nmarkers = slow")
    partly.makepyfile(test_active=f"import pytest\npytestmark = pytest.mark.slow\n{ACTIVE.strip()}")
    shutil.copy(
        partly.path / "cassettes/nova-essex/all.yaml",
        partly.path / "cassettes/nova-essex/limit=1.yaml",
    )
    part = "unused recordings were not judged: this run is of a part of the tests"
    for arguments in (
        ("-k", "test_all"),
        ("-m", "not slow"),
        ("test_all.py",),
        ("test_all.py::test_all",),
        ("--lf",),
        ("--ignore=test_active.py",),
        ("--deselect=test_active.py",),
    ):
        result = partly.runpytest("--imagedetail-unused=fail", *arguments)
        assert (result.ret, said(result)) == (0, [part]), arguments
    assert said(partly.runpytest("-k", "test_all")) == []
    assert said(partly.runpytest(".")) != []


def test_testpaths_are_all_tests(partly):
    """The configured paths are a full run, by themselves or typed; a part of them is none."""
    partly.makeini("[pytest]\ntestpaths = one two")
    for name in ("one", "two"):
        (partly.path / name).mkdir()
    (partly.path / "test_all.py").rename(partly.path / "one/test_all.py")
    (partly.path / "two/test_two.py").write_text("def test_two(): pass")
    for arguments in ((), ("one", "two"), (".",)):
        assert said(partly.runpytest(*arguments)) == [*UNUSED, LAST], arguments
    assert said(partly.runpytest("one")) == []


def test_deselecting_others_is_no_part(partly):
    """An ini file that leaves out slow tests which use no recordings leaves a full run."""
    partly.makeini("[pytest]\naddopts = -m 'not slow'\nmarkers = slow")
    partly.makepyfile(test_slow="import pytest\n@pytest.mark.slow\ndef test_slow(): pass")
    result = partly.runpytest()
    result.assert_outcomes(passed=2, deselected=1)
    assert said(result) == [*UNUSED, LAST]


def test_a_run_with_a_test_that_did_not_pass_is_not_judged(partly):
    """It may have read no more than half of what it reads otherwise."""
    for number, (body, why) in enumerate(
        (
            ("    assert False", "this run did not pass"),
            ("    pytest.skip('not here')", "not every test that takes recordings was run"),
            ("    pytest.xfail('known')", "not every test that takes recordings was run"),
        )
    ):
        source = f"import pytest\ndef test_active_{number}(imagedetail):\n{body}"
        partly.makepyfile(test_active=source)
        result = partly.runpytest("--imagedetail-unused=fail")
        assert said(result) == [f"unused recordings were not judged: {why}"]
    assert said(partly.runpytest()) == []


def test_a_skip_of_another_test_does_not_matter(partly):
    """Only tests that take recordings have to run."""
    partly.makepyfile(test_other="import pytest\n@pytest.mark.skip\ndef test_other(): pass")
    assert said(partly.runpytest()) == [*UNUSED, LAST]


def test_an_early_stop_is_not_judged(partly):
    """As many failures as are allowed, and tests that never ran."""
    partly.makepyfile(test_a="def test_fails(): assert False")
    assert said(partly.runpytest("-x")) == []


def test_a_run_that_records_is_not_judged(partly):
    """Nothing is read, so nothing is unused."""
    result = partly.runpytest("--imagedetail-record-mode=once", "--imagedetail-unused=fail")
    assert said(result) == ["unused recordings were not judged: this run records"]


def test_a_run_without_our_fixtures_says_nothing(partly):
    """Whatever lies in the folder."""
    partly.makepyfile(test_all="def test_nothing(): pass")
    result = partly.runpytest("--imagedetail-unused=fail")
    assert (result.ret, said(result)) == (0, [])


def test_what_a_test_did_not_ask_of_its_own_traffic_is_named(pytester):
    """An interaction that was recorded and never played, and a cassette without a test."""
    test = """
        import pytest, urllib.request

        @pytest.mark.imagedetail("staging")
        def test_own(imagedetail_cassette):
            for limit in {limits}:
                url = f"{url}/images/detail?limit={{limit}}"
                ask = urllib.request.Request(url, headers={{"X-Auth-Token": "{token}"}})
                urllib.request.urlopen(ask).close()
        """
    with SimulatedCloud(release="2023.1") as cloud:
        facts = {"url": cloud.compute_url, "token": cloud.account.token}
        pytester.makepyfile(test.format(limits=[1, 2], **facts))
        result = pytester.runpytest("--imagedetail-record-mode=once")
        result.assert_outcomes(passed=1)
    assert said(pytester.runpytest()) == []
    (path,) = (pytester.path / "cassettes").rglob("*.yaml")
    shutil.copy(path, path.with_name("test_gone.yaml"))
    pytester.makepyfile(test.format(limits=[2], **facts))
    shown = str(path.relative_to(pytester.path))
    first = f"unused {shown}: 1: GET https://compute.staging.invalid/v2.1/images/detail?limit=1"
    other = f"unused {path.with_name('test_gone.yaml').relative_to(pytester.path)}"
    assert said(pytester.runpytest("--imagedetail-unused=fail")) == [
        *sorted([first, other]),
        LAST,
    ]


def test_many_are_named_in_part(partly):
    """Twenty lines are enough to see what is wrong."""
    for number in range(30):
        (partly.path / f"cassettes/nova-essex/limit={number}.yaml").write_text("of no interest")
    lines = said(partly.runpytest())
    assert len(lines) == 22
    assert lines[-2:] == ["unused ... and 12 more", LAST]


def test_an_unknown_choice_is_refused(partly):
    """Before a test runs, in an ini file as well."""
    partly.makeini("[pytest]\nimagedetail_unused = fial")
    result = partly.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: unknown unused 'fial'", "*did you mean fail? known: ignore, warn, fail"]
    )


def test_a_module_that_was_not_collected_may_use_the_rest(partly):
    """Its tests are not known, so nothing is said against any recording, and fail says why."""
    why = "unused recordings were not judged: test_active.py was not collected"
    for first, more in (
        ("import pytest; pytest.importorskip('no_such_module')", ()),
        ("import pytest; pytest.skip('not here', allow_module_level=True)", ("-n2",)),
    ):
        partly.makepyfile(test_active=f"{first}\n{ACTIVE.strip()}")
        result = partly.runpytest("--imagedetail-unused=fail", *more)
        result.assert_outcomes(passed=2, skipped=1)
        assert (result.ret, said(result)) == (0, [why])
