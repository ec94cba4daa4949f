"""A marker that cannot be right fails its own test, with a message and no frame of anybody's."""

import pytest

TESTS = """
    import pytest

    {marker}
    def test_marked({fixture}):
        pass

    def test_beside(imagedetail):
        assert imagedetail.compare("nova-essex", "nova-2026.2").compatible
"""

ARGUMENTS = "baseline, cassette, profile, record_mode, rules"


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
    (
        "'nova-9*'",
        "unknown cloud 'nova-9*'",
        [
            "known clouds: nova-2026.2, nova-essex",
            "record it, or declare it in imagedetail.yaml",
        ],
    ),
]
FIXTURES = ("imagedetail", "imagedetail_cloud", "imagedetail_cassette")


@pytest.mark.parametrize(
    ("fixture", "arguments", "problem", "remedies"),
    [
        (fixture, *case)
        for fixture in FIXTURES
        for case in CASES
        if fixture != "imagedetail" or "*" not in case[0]  # it has every cloud, whatever is named
    ],
)
def test_it_names_test_and_argument(project, fixture, arguments, problem, remedies):
    """The whole message, nothing else; and the other tests of the module run."""
    marker = f"@pytest.mark.imagedetail({arguments})"
    project.makepyfile(test_it=TESTS.format(marker=marker, fixture=fixture))
    result = project.runpytest("--tb=long")
    result.assert_outcomes(errors=1, passed=1)
    name = "test_marked" + "[no-cloud]" * (fixture == "imagedetail_cloud")
    lines = result.outlines
    head = next(line for line in lines if f" ERROR at setup of {name} " in line)
    start = lines.index(head) + 1
    message = [
        problem,
        f"  where: test_it.py::{name}, its marker imagedetail",
        *(f"  next:  {line}" for line in remedies),
    ]
    assert lines[start : start + len(message)] == message
    assert lines[start + len(message)].startswith("===")


def test_a_choice_of_the_whole_run_is_said_without_frames(project):
    """A clouds file that cannot be right is nobody's marker."""
    (project.path / "imagedetail.yaml").write_text("clods: {}\n")
    project.makepyfile("def test_one(imagedetail_cloud): pass\ndef test_two(imagedetail): pass")
    result = project.runpytest("--tb=long", "--continue-on-collection-errors")
    result.assert_outcomes(errors=1)
    assert [line for line in result.outlines if "plugin" in line and ".py:" in line] == []
    message = [
        "the file has unknown keys: clods",
        f"  where: {project.path / 'imagedetail.yaml'}",
    ]
    start = result.outlines.index(message[0])
    assert result.outlines[start : start + 2] == message
