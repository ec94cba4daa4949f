"""The HTML report in Chromium: filters, no scripts, a small screen, and axe-core."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from unit import image_of, listing_of

from pytest_imagedetail import report
from pytest_imagedetail.cli import main
from pytest_imagedetail.compare import compare
from pytest_imagedetail.model import Failure

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FIRST_SCREEN = 900  # pixels
PHONE = 360
LARGEST = 300_000  # bytes of a page for nine clouds
NASTY = "<img src=x onerror=alert(1)>\"'</script><script>alert(1)</script>"


@pytest.fixture
def seen(tmp_path):
    """Write a report, open it in Chromium, and return what page.js found."""
    if CHROMIUM is None or not shutil.which("node"):
        pytest.skip("chromium and node are not installed")
    if not (HERE / "node_modules" / "playwright-core").is_dir():
        pytest.skip("playwright-core is missing: npm install --prefix tests/browser")

    def seen(*results, failures=(), fields=()):
        page = tmp_path / "report.html"
        if results:
            report.write(report.report_of(results, failures), page)
        command = ["node", str(HERE / "page.js"), CHROMIUM, str(page)]
        env = os.environ | {"FIELDS": ",".join(fields)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["problems"] == []
        assert [*found["violations"].values()] == [[]] * 4
        assert found["phone_width"] == PHONE
        return found

    return seen


def test_the_nine_releases(seen, tmp_path, monkeypatch):
    """The breaking change is on the first screen, and filters show and hide cards."""
    monkeypatch.chdir(tmp_path)
    assert main(["matrix", "nova-*", "--report=report.html"]) == 1
    found = seen(fields=("openstack-api", "no such field"))
    assert (tmp_path / "report.html").stat().st_size < LARGEST
    assert found["word"] == "✗ FAIL"
    assert found["title"].startswith("FAIL: 1 of 30 differences from nova-2019.1 to nova-2026.2")
    assert found["breaking_ends"] < FIRST_SCREEN
    assert found["target"].startswith("breaking limit=0 answers 400, not 200")
    assert (found["cards"], found["worst"]) == (7, 1)
    assert found["by_field"] == {"openstack-api": 1, "no such field": 0}
    rows = ["Filters", "Images named Z%FCrich?", "Paging", "Does limit=0 mean no limit?"]
    table = ["sticky", "sticky", *rows, "✗ breaks: refused with 400 2026-11-23"]
    assert found["table"] == [table]
    assert [found["chosen"][each] for each in ("nova-2019.2", "limit=0", "")] == [3, 1, 7]
    assert found["without_scripts"] == {"cards": 7, "filters": 0}
    assert {"badRequest", "status_code", "images_links"} <= {*found["fields"]}
    assert all(each.startswith((" (today)", " (1 day ago)", " (")) for each in found["ages"])


def test_hostile_names_and_failures(seen):
    """Markup from a cloud is shown as text, and a failure comes first."""
    old = listing_of(image_of(1, name=NASTY), cloud="old")
    new = listing_of(
        image_of(1, name="b", metadata={NASTY: NASTY}), cloud="new", query=f"name={NASTY}"
    )
    failure = Failure(baseline=NASTY, candidate="new", problem=f"{NASTY}\nno")
    found = seen(compare(old, new), failures=[failure])
    sentence = "3 differences from old to new, and none of them breaks a client"
    assert found["title"] == f"FAIL: 1 error; {sentence}"
    assert (found["word"], found["cards"]) == ("✗ FAIL", 3)
    found = seen(compare(old, old))
    assert (found["word"], found["cards"]) == ("✓ PASS", 0)


def test_checks(seen, tmp_path, monkeypatch):
    """The report of `check` begins with failures, and shows each cause once for all clouds."""
    monkeypatch.chdir(tmp_path)
    assert main(["check", "nova-*", "--report=report.html"]) == 1
    found = seen(fields=("größe",))
    assert found["title"].startswith("FAIL: 9 of 270 checks of 9 clouds fail; ")
    assert found["breaking_ends"] < FIRST_SCREEN
    assert (found["worst"], found["by_field"]) == (1, {"größe": 1})
