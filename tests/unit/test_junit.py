"""The report as JUnit XML, which Jenkins and GitLab read."""

from datetime import date
from xml.etree import ElementTree as ET

from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.matrix import compare_neighbors
from pytest_imagedetail.model import FAIL_ON, Failure
from pytest_imagedetail.report import junit, report_of
from pytest_imagedetail.rules import rules_of
from unit import image_of, listing_of
from unit.test_report import nasty, rich

SHAPES = {  # of junit-10.xsd: required attributes, further ones, elements in it
    "testsuites": ("", "name time tests failures errors", "testsuite"),
    "testsuite": ("name tests failures errors", "skipped time id", "properties testcase"),
    "properties": ("", "", "property"),
    "property": ("name value", "", ""),
    "testcase": ("name", "time classname group", "skipped error failure"),
    "failure": ("", "type message", ""),
    "error": ("", "type message", ""),
}
FAILURE = Failure(baseline="one", candidate="two", problem="lost\n  where: x\n  next:  y")


def parsed(results, failures=()):
    """Parse the document; check it against the schema, and its counts against its cases."""
    document = ET.fromstring(junit.render(report_of(results, failures)))
    for element in document.iter():
        required, further, inside = map(str.split, SHAPES[element.tag])
        assert set(required) <= set(element.keys()) <= {*required, *further}
        assert {child.tag for child in element} <= set(inside)
    for each in (document, *document.iter("testsuite")):
        found = [len([*each.iter(tag)]) for tag in ("testcase", "failure", "error")]
        assert [int(each.get(name)) for name in ("tests", "failures", "errors")] == found
    return document


def properties(suite):
    return {each.get("name"): each.get("value") for each in suite.iter("property")}


def matrices():
    """Yield matrices that pass, that have unlike images, and that lost a recording."""
    one, two, other = (
        listing_of(image_of(number), cloud=cloud, release="2026.2")
        for cloud, number in (("one", 1), ("two", 1), ("other", 2))
    )
    rows = [
        {each.cloud: {each.query: each} for each in pair} for pair in ((one, two), (two, other))
    ]
    limited = listing_of(image_of(), cloud="one", query="limit=3")
    before = {"one": {**rows[0]["one"], limited.query: limited}, "two": rows[0]["two"]}
    for fail_on in FAIL_ON:
        for row in rows:
            yield compare_neighbors(row, fail_on=fail_on)
        yield compare_neighbors(before, fail_on=fail_on, own=before)


def comparisons():
    """Yield comparisons with each threshold, and with rules that hold or have expired."""
    sides = listing_of(image_of(), cloud="a"), listing_of(image_of(name="new"), cloud="b")
    for fail_on in FAIL_ON:
        for expires in ("never", "2020-01-01"):
            rule = {"path": "images[*].name", "reason": "x", "expires": expires}
            rules = rules_of(rule, today=date(2026, 1, 1))
            yield compare(*sides, fail_on=fail_on, rules=rules)
        yield compare(*sides, fail_on=fail_on)
        yield compare(sides[0], listing_of(cloud="b"), fail_on=fail_on)


def test_the_verdict_is_in_the_document():
    """A suite has a failure or an error only if it is not compatible; else a case passes."""
    results = [rich(), nasty(), *comparisons(), *matrices()]
    suites = parsed(results).findall("testsuite")
    verdicts = set()
    for result, suite in zip(results, suites, strict=True):
        failures, errors = int(suite.get("failures")), int(suite.get("errors"))
        assert result.compatible == (failures + errors == 0), repr(result)
        found = properties(suite)
        assert found["compatible"] == str(result.compatible).lower()
        assert found["threshold"] == result.fail_on
        assert found["exit_code"] == ("2" if errors else "1" if failures else "0")
        assert found["differences_breaking"] == str(len(result.breaking))
        verdicts.add(found["exit_code"])
    assert verdicts == {"0", "1", "2"}


def test_what_could_not_be_compared_is_an_error():
    (suite,) = parsed([], [FAILURE])
    (error,) = suite.iter("error")
    assert (suite.get("name"), error.get("message")) == ("one -> two", "lost")
    assert error.text == "\n  where: x\n  next:  y\n"
    found = properties(suite)
    assert found == {"verdict": "FAIL: 1 error", "compatible": "false", "exit_code": "2"}
