"""`check --report` in each format."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

from pytest_imagedetail.check import report
from pytest_imagedetail.check.checks import CHECKS
from pytest_imagedetail.check.verdicts import Cause, Verdict
from pytest_imagedetail.model import ImageRef

NASTY = "<script>alert(1)</script>\x1b[31m"


def test_each_format(imagedetail, tmp_path):
    """JSON is what --json prints. The others begin with the verdict or count the failures."""
    options = [f"--report=out/r{suffix}" for suffix in (".html", ".json", ".md", ".xml")]
    result = imagedetail("check", "nova-2019.1", "nova-2026.2", "--json", *options)
    assert result.returncode == 1
    page, data, table, cases = (
        (tmp_path / f"out/r{suffix}").read_text() for suffix in (".html", ".json", ".md", ".xml")
    )
    document = json.loads(data)
    assert document == json.loads(result.stdout)
    read = [each.to_dict() for each in report.read(document, tmp_path).verdicts]
    assert json.loads(json.dumps(read)) == document["checks"]
    head = "FAIL: 2 of 60 checks of 2 clouds fail; "
    assert table.startswith(f"# {head}")
    assert f"<title>{head}" in page
    assert "openstack image unset --property &#39;größe&#39;" in page
    suites = ET.fromstring(cases)
    assert [each.get("name") for each in suites] == ["nova-2019.1", "nova-2026.2"]
    assert (suites.get("tests"), suites.get("failures")) == ("60", "2")
    assert len(suites.findall(".//failure")) == 2
    assert len(suites.findall(".//skipped")) == int(suites.get("skipped"))


def test_text_from_a_cloud_is_escaped(tmp_path):
    """Markup and control characters in a reason or in the name of an image have no effect."""
    image = ImageRef(id="1", name=NASTY)
    verdict = Verdict(check=CHECKS[0], cloud="a", verdict="fail", reason=NASTY, image=image)
    for suffix in (".html", ".md", ".xml"):
        report.write(report.CheckReport(verdicts=[verdict]), tmp_path / f"r{suffix}")
        text = (tmp_path / f"r{suffix}").read_text()
        assert "\x1b" not in text
        assert suffix == ".md" or "<script>alert" not in text


def test_a_cloud_that_could_not_be_checked_is_inconclusive(imagedetail, tmp_path):
    """A report without it would look as if all were well."""
    (tmp_path / "imagedetail.yaml").write_text("clouds: {nova-2026.2: {release: '2019.1'}}")
    options = ["--only=M2", *(f"--report=r{each}" for each in (".json", ".html", ".md", ".xml"))]
    result = imagedetail("check", "nova-2025.2", "nova-2026.2", *options)
    assert result.returncode == 2
    document = json.loads((tmp_path / "r.json").read_text())
    assert [each["verdict"] for each in document["checks"]] == ["pass", "inconclusive"]
    assert (document["verdict"]["passed"], document["verdict"]["exit_code"]) == (None, 2)
    assert "<title>INCONCLUSIVE: " in (tmp_path / "r.html").read_text()
    assert all("exit code 2" in (tmp_path / f"r{each}").read_text() for each in (".html", ".md"))
    suites = ET.parse(tmp_path / "r.xml").getroot()
    assert [suites.get(each) for each in ("tests", "errors", "skipped")] == ["2", "1", None]
    assert suites.find(".//property[@name='exit_code']").get("value") == "2"
    merged = imagedetail("report", "r.json", "-o=again.json")
    assert (merged.returncode, json.loads((tmp_path / "again.json").read_text())) == (2, document)


def verdict_of(check, cloud, verdict, **facts):
    return Verdict(check=check, cloud=cloud, verdict=verdict, **facts)


def test_each_verdict_is_in_the_column_of_its_cloud(tmp_path):
    """Merged results of a cloud are one suite, even if not every check was run for every cloud."""
    one, other = CHECKS[:2]
    verdicts = [
        verdict_of(one, "a", "pass"),
        verdict_of(one, "b", "fail"),
        verdict_of(other, "b", "pass"),
        verdict_of(CHECKS[2], "a", "pass"),
    ]
    for suffix in (".html", ".xml"):
        report.write(report.CheckReport(verdicts=verdicts), tmp_path / f"r{suffix}")
    page = (tmp_path / "r.html").read_text()
    rows = [part.partition("</tr>")[0] for part in page.split('<th scope="row">')[1:]]
    cells = [re.findall(r"<td[^>]*>. (?:<a [^>]*>)?([a-z ]+)<", row) for row in rows]
    assert cells == [["pass", "fail"], ["not asked", "pass"], ["pass", "not asked"]]
    suites = ET.parse(tmp_path / "r.xml").getroot()
    assert [(each.get("name"), each.get("tests")) for each in suites] == [("a", "2"), ("b", "2")]


def test_clouds_with_the_same_finding_are_grouped(tmp_path):
    """The same reason with another image is another finding."""
    verdicts = [
        verdict_of(CHECKS[0], cloud, "fail", reason="no", image=ImageRef(id=id_))
        for cloud, id_ in (("a", "1st"), ("b", "2nd"), ("c", "1st"))
    ]
    for suffix, start in ((".md", "## "), (".html", '<p class="soft">')):
        report.write(report.CheckReport(verdicts=verdicts), tmp_path / f"r{suffix}")
        text = (tmp_path / f"r{suffix}").read_text()
        assert re.findall(f"{start}([abc, ]+)", text) == ["a, c", "b"]
        assert [re.findall("1st|2nd", part) for part in text.split(start)[1:]] == [["1st"], ["2nd"]]


def test_a_change_names_its_clouds(tmp_path):
    """What was accepted on one of them is another line."""
    cause = Cause(id="M1-0123456789ab", what="differs", reason="differs: 1, not 2")
    failed = [
        verdict_of(CHECKS[0], cloud, "fail", causes=(replace(cause, accepted=accepted),))
        for cloud, accepted in (("a", ""), ("b", "a proxy"), ("c", ""))
    ]
    passed = [verdict_of(CHECKS[0], each, "pass") for each in "abc"]
    unknown = [verdict_of(CHECKS[0], each, "inconclusive") for each in "abc"]
    for one, other, status in (
        (passed, failed, "new"),
        (failed, passed, "gone"),
        (failed, unknown, "not compared"),
        (unknown, failed, "not judged before"),
        ([], failed, "not judged before"),
    ):
        assert [each.line for each in report.since(tmp_path, one, other).changes] == [
            f"{status}: fail M1 differs, a, c; id M1-0123456789ab",
            f"{status}: known-deviation M1 differs, b; id M1-0123456789ab",
        ]
