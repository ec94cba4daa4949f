"""What a marker chooses; a wrong one fails its own test with a message and no traceback."""

ARGUMENTS = "baseline, query, level, profile, rules, record_mode, cassette"
IN = "in the imagedetail marker"
KNOWN = (
    "did you mean nova-2019.2? known clouds: nova-2026.2, nova-essex, fujitsu-k5, nova-2019.1, "
    "nova-2019.2, nova-2020.2, nova-2022.1, nova-2023.1, nova-2024.2, nova-2025.2, nova-2026.1, "
    "openstack-sample"
)
CLOUD = "write a name or a glob in quotes, as 'public-*'"

CASES = [
    (
        "profil='wire'",
        "the imagedetail marker has no argument profil",
        [f"did you mean profile? known arguments: names of clouds, {ARGUMENTS}"],
    ),
    (
        "profile='wir'",
        "unknown profile 'wir'",
        ["did you mean wire? known: wire, same-cloud, cross-version, cross-cloud"],
    ),
    ("level=5", f"level {IN} cannot be 5", ["write a name in quotes"]),
    ("None", f"the name of a cloud {IN} cannot be None", [CLOUD]),
    ("query=1", f"query {IN} cannot be 1", ["write a dict, for example {'status': 'ACTIVE'}"]),
    ("rules=[1]", f"rules {IN} cannot be 1", ["write a file, a rule as a dict, or a list of them"]),
    (
        "'nova-9'",
        "unknown cloud 'nova-9'",
        [
            KNOWN,
            "or record it: imagedetail record nova-9",
            "or in a test: pytest --imagedetail-record-mode=once",
        ],
    ),
]


def test_it_names_test_and_argument(project):
    """The whole message and nothing else; other tests of the module run."""
    cases = [(f"test_{at}", "imagedetail_cloud", *case) for at, case in enumerate(CASES)]
    others = ("imagedetail_cassette", "imagedetail")
    cases += [(f"test_{fixture}", fixture, *CASES[0]) for fixture in others]
    source = ["import pytest", "def test_beside(imagedetail): pass"]
    for name, fixture, arguments, *_ in cases:
        source.append(f"@pytest.mark.imagedetail({arguments})\ndef {name}({fixture}): pass")
    project.makepyfile(test_it="\n".join(source))
    result = project.runpytest("--tb=long")
    result.assert_outcomes(errors=len(cases), passed=1)
    lines = result.outlines
    for test, fixture, _, problem, remedies in cases:
        cloud = "nova-9" if problem.startswith("unknown cloud") else "no-cloud"
        name = test + f"[{cloud}]" * (fixture == "imagedetail_cloud")
        head = next(line for line in lines if f" ERROR at setup of {name} " in line)
        start = lines.index(head) + 1
        folder = f", {project.path}/cassettes" if "nova-9" in problem else ""
        message = [
            problem,
            f"  where: test_it.py::{name}, its marker imagedetail{folder}",
            *(f"  next:  {line}" for line in remedies),
        ]
        assert lines[start : start + len(message)] == message
        assert lines[start + len(message)].startswith(("===", "___"))


def test_a_query_and_a_level_of_the_marker_are_those_of_each_call(project):
    """Unless the call says otherwise; None takes a filter away."""
    project.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.imagedetail("nova-2026.2", query={"status": "ACTIVE"})

        def test_listing(imagedetail_cloud):
            active = imagedetail_cloud.list()
            assert {image["status"] for image in active.images} == {"ACTIVE"}
            assert str(active.query) == "status=ACTIVE"
            assert len(imagedetail_cloud.list(status=None).images) > len(active.images)

        @pytest.mark.imagedetail(query={"status": "ACTIVE"}, level="shape")
        def test_comparison(imagedetail):
            comparison = imagedetail.compare("nova-essex", "nova-2026.2")
            assert (str(comparison.baseline.query), comparison.level) == ("status=ACTIVE", "shape")
            assert imagedetail.compare("nova-essex", "nova-2026.2", level="facts").level == "facts"
            matrix = imagedetail.matrix("nova-essex", "nova-2026.2")
            assert "status=ACTIVE" in str(matrix.to_dict())

        @pytest.mark.imagedetail("nova-2026.2", query={"colour": "red"})
        def test_unknown(imagedetail_cloud):
            pass
        """
    )
    result = project.runpytest()
    result.assert_outcomes(passed=2, errors=1)
    assert "_pytest/" not in result.stdout.str()
    result.stdout.fnmatch_lines(
        ["unknown filter 'colour'", "*next:  known filters: changes_since, server, name, *"]
    )


def test_a_choice_of_the_whole_run_is_said_without_frames(project):
    (project.path / "imagedetail.yaml").write_text("clods: {}\n")
    project.makepyfile("def test_one(imagedetail_cloud): pass\ndef test_two(imagedetail): pass")
    result = project.runpytest("--tb=long", "--continue-on-collection-errors")
    result.assert_outcomes(errors=1)
    assert not [line for line in result.outlines if "plugin" in line and ".py:" in line]
    message = ["the file has unknown keys: clods", "  where: *imagedetail.yaml"]
    result.stdout.fnmatch_lines(message, consecutive=True)


FORGOTTEN = """
import unittest
import pytest, requests

pytestmark = pytest.mark.imagedetail("nova-2026.2")

class TestOld(unittest.TestCase):
    def test_old(self):
        requests.get("https://cloud.example/v2.1/images/detail")

def test_late(request):
    with pytest.raises(Exception, match="while the network is shut"):
        requests.get("https://cloud.example/v2.1/images/detail")
    request.getfixturevalue("imagedetail_cassette")
    assert requests.get("https://cloud.example/v2.1/images/detail").ok

def test_offline():
    pass
"""


def test_a_marker_without_a_fixture_blocks_the_network(run):
    """Until a test gets the fixture. One that needs no network passes."""
    result = run(FORGOTTEN, failed=1, passed=2)
    result.stdout.fnmatch_lines(
        [
            "E *something tried to reach the name server for cloud.example while the *",
            "E * where: test_own.py::TestOld::test_old",
            "E * next:  the marker imagedetail needs a fixture: imagedetail_cassette answers *",
        ]
    )
