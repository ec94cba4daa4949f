"""JUnit XML carries the counts of what a test compared."""

from xml.etree import ElementTree as ET

import pytest

TESTS = """
    def test_compared(imagedetail):
        imagedetail.compare("nova-essex", "nova-2026.2")

    def test_lost(imagedetail):
        imagedetail.compare("nova-essex", "nova-2026.2", name="nobody recorded this")

    def test_other(imagedetail):
        imagedetail["nova-essex"].list()
"""


@pytest.mark.parametrize("arguments", [(), ("-n2",)], ids=["alone", "xdist"])
def test_counts_are_properties_of_the_test(project, arguments):
    """By severity, of each test; one that compared nothing has none."""
    project.makepyfile(TESTS)
    project.runpytest("--junitxml=run.xml", *arguments).assert_outcomes(passed=2, failed=1)
    found = {
        case.get("name"): {each.get("name"): each.get("value") for each in case.iter("property")}
        for case in ET.parse(project.path / "run.xml").iter("testcase")
    }
    assert found["test_compared"] == {
        "imagedetail_comparisons": "1",
        "imagedetail_matrices": "0",
        "imagedetail_not_compared": "0",
        "imagedetail_breaking": "0",
        "imagedetail_compatible": "12",
        "imagedetail_data": "0",
        "imagedetail_expected": "0",
    }
    assert found["test_lost"]["imagedetail_not_compared"] == "1"
    assert found["test_other"] == {}
