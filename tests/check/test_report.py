"""`check --report`: the same verdicts in each form, and nothing of a cloud as markup."""

import json
from xml.etree import ElementTree as ET

from pytest_imagedetail.check import report
from pytest_imagedetail.check.checks import CHECKS
from pytest_imagedetail.check.verdicts import Verdict
from pytest_imagedetail.model import ImageRef

NASTY = "<script>alert(1)</script>\x1b[31m"


def test_each_form(imagedetail, tmp_path):
    """JSON is what --json prints; JUnit counts; the others begin with the verdict."""
    options = [f"--report=out/r{suffix}" for suffix in (".html", ".json", ".md", ".xml")]
    result = imagedetail("check", "nova-2019.1", "nova-2026.2", "--json", *options)
    assert result.returncode == 1
    page, data, table, cases = (
        (tmp_path / f"out/r{suffix}").read_text() for suffix in (".html", ".json", ".md", ".xml")
    )
    assert json.loads(data) == json.loads(result.stdout)
    head = "FAIL: 2 of 60 checks of 2 clouds fail; "
    assert table.startswith(f"# {head}")
    assert f"<title>{head}" in page
    assert "openstack image unset --property &#39;größe&#39;" in page
    suites = ET.fromstring(cases)
    assert [each.get("name") for each in suites] == ["nova-2019.1", "nova-2026.2"]
    assert (suites.get("tests"), suites.get("failures")) == ("60", "2")
    assert len(suites.findall(".//failure")) == 2
    assert len(suites.findall(".//skipped")) == int(suites.get("skipped"))


def test_nothing_of_a_cloud_is_markup(tmp_path):
    """In a reason, in the name of an image; and no control character."""
    image = ImageRef(id="1", name=NASTY)
    verdict = Verdict(check=CHECKS[0], cloud="a", verdict="fail", reason=NASTY, image=image)
    for suffix in (".html", ".md", ".xml"):
        report.write([verdict], tmp_path / f"r{suffix}")
        text = (tmp_path / f"r{suffix}").read_text()
        assert "\x1b" not in text
        assert suffix == ".md" or "<script>alert" not in text
