"""Recordings that no test used are named at the end of a full run."""

import shutil

import pytest

ALL = """
    def test_all(imagedetail_cloud):
        assert imagedetail_cloud.list().complete
"""
ACTIVE = """
    def test_active(imagedetail_cloud):
        assert imagedetail_cloud.list(status="ACTIVE").complete
"""
FAIL = "--imagedetail-unused=fail"
LAST = (
    "no test used these recordings: delete them, move those of renamed tests (imagedetail mv), "
    "or pass --imagedetail-unused=ignore"
)
UNUSED = [
    f"unused cassettes/{cloud}/status=active-bc8e2fbf.yaml"
    for cloud in ("nova-2026.2", "nova-essex")
]


@pytest.fixture
def partly(project):
    """A project whose one test uses two of its four recordings."""
    project.makepyfile(test_all=ALL)
    return project


def said(result):
    return [line for line in result.outlines if "unused" in line]


def test_what_no_test_used_is_named(partly):
    """Each file and a remedy; `fail` makes the run fail, as an option or an ini key."""
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
    partly.makepyfile(test_all="def test_nothing(): pass")
    assert (partly.runpytest().ret, said(partly.runpytest())) == (0, [])


def test_a_run_that_uses_all_says_nothing(partly):
    """By a matrix or in workers; the library's recordings do not count."""
    partly.makepyfile(
        test_active=ACTIVE,
        test_shipped="def test_it(imagedetail): imagedetail['nova-2019.1'].list(limit=0)",
    )
    for workers in ((), ("-n2",)):
        result = partly.runpytest(FAIL, *workers)
        result.assert_outcomes(passed=5)
        assert (result.ret, said(result)) == (0, [])
        result.stdout.no_fnmatch_line("*= imagedetail =*")
    for number in range(30):  # twenty lines are enough to see what is wrong
        (partly.path / f"cassettes/nova-essex/limit={number}.yaml").write_text("of no interest")
    lines = said(partly.runpytest("-n2"))
    assert (len(lines), lines[-2:]) == (22, ["unused ... and 10 more", LAST])
    for path in (partly.path / "cassettes/nova-essex").glob("limit=*"):
        path.unlink()
    (partly.path / "test_active.py").unlink()
    partly.makepyfile(test_all="def test_it(imagedetail): imagedetail.matrix()")
    assert said(partly.runpytest()) == []


def test_a_part_of_the_tests_is_not_judged(partly):
    """The other tests may use the rest; `fail` says that nothing was judged."""
    partly.makeini("[pytest]\nmarkers = slow")
    partly.makepyfile(test_active=f"import pytest\npytestmark = pytest.mark.slow\n{ACTIVE.strip()}")
    (partly.path / "cassettes/nova-essex/limit=1.yaml").write_text("of no interest")
    part = "unused recordings were not judged: this run selects a part of the tests"
    for arguments in (
        ("-k", "test_all"),
        ("-m", "not slow"),
        ("test_all.py",),
        ("--lf",),
        ("--ignore=test_active.py",),
        ("--deselect=test_active.py",),
    ):
        result = partly.runpytest(FAIL, *arguments)
        assert (result.ret, said(result)) == (0, [part]), arguments
    assert said(partly.runpytest("-k", "test_all")) == []
    assert said(partly.runpytest(".")) != []


def test_what_is_a_full_run(partly):
    """All paths of testpaths, typed or not, and every test that takes recordings."""
    partly.makeini("[pytest]\ntestpaths = one two\naddopts = -m 'not slow'\nmarkers = slow")
    for name in ("one", "two"):
        (partly.path / name).mkdir()
    (partly.path / "test_all.py").rename(partly.path / "one/test_all.py")
    slow = "import pytest\n@pytest.mark.slow\ndef test_slow(): pass\n"
    (partly.path / "two/test_two.py").write_text(
        f"{slow}@pytest.mark.skip\ndef test_skipped(): pass"
    )
    for arguments in ((), ("one", "two"), (".",)):
        assert said(partly.runpytest(*arguments)) == [*UNUSED, LAST], arguments
    assert said(partly.runpytest("one")) == []


def test_a_run_that_is_not_whole_is_not_judged(partly):
    """A test did not pass, a module was not collected, or the run records; `fail` says which."""
    taken = "not every test that takes recordings was run"
    test = "import pytest\ndef test_active(imagedetail):\n    "
    for source, why, *arguments in (
        (f"{test}assert False", "this run did not pass"),
        (f"{test}pytest.skip('not here')", taken),
        (f"{test}pytest.xfail('known')", taken),
        (
            "import pytest; pytest.importorskip('no_such_module')",
            "test_active.py was not collected",
        ),
        (
            "import pytest; pytest.skip('not here', allow_module_level=True)",
            "test_active.py was not collected",
            "-n2",
        ),
        ("", "this run records", "--imagedetail-record-mode=once"),
    ):
        partly.makepyfile(test_active=source)
        result = partly.runpytest(FAIL, *arguments)
        assert said(result) == [f"unused recordings were not judged: {why}"], source
    partly.makepyfile(test_active=f"{test}assert False")
    assert said(partly.runpytest()) == []


def test_what_a_test_did_not_ask_of_its_own_traffic_is_named(pytester, run):
    """Interactions that were not played, and cassettes without a test."""
    source = """
import pytest, requests

@pytest.mark.imagedetail("staging")
def test_own(imagedetail_cassette):
    for limit in LIMITS:
        requests.get(f"$URL/images/detail?limit={limit}")
"""
    run(source.replace("LIMITS", "(1, 2)"), "once", passed=1)
    assert said(run(source.replace("LIMITS", "(1, 2)"))) == []
    (path,) = (pytester.path / "cassettes").rglob("*.yaml")
    shutil.copy(path, path.with_name("test_gone.yaml"))
    folder = path.parent.relative_to(pytester.path)
    url = "https://compute.staging.invalid/v2.1/images/detail?limit=1"
    assert said(run(source.replace("LIMITS", "(2,)"), "none", FAIL)) == [
        f"unused {folder}/test_gone.yaml",
        f"unused {folder}/test_own.yaml: 1: GET {url}",
        LAST,
    ]
