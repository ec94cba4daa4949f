"""docs/check.md has what was measured of real clouds, and the faults that each check finds."""

import json
import os
from pathlib import Path

from pytest_imagedetail.check import text
from pytest_imagedetail.check.checks import CHECKS
from pytest_imagedetail.check.verdicts import Verdict
from tests.check.faulty import FAULTS

PAGE = Path(__file__).parents[2] / "docs" / "check.md"
LIVE = Path(__file__).with_name("live.json")


def section(title):
    return PAGE.read_text(encoding="utf-8").partition(f"## {title}\n")[2].split("```\n")[1]


def test_verdicts_of_live_releases():
    """As tests/realcloud/test_checks.py measures them; UPDATE_DOCS=1 writes them into the page."""
    live = json.loads(LIVE.read_text(encoding="utf-8"))
    verdicts = [
        Verdict(check=check, cloud=cloud, verdict=live[cloud][check.id])
        for cloud in sorted(live)
        for check in CHECKS
    ]
    assert len(live) == 9
    printed = "\n".join([text.headline(verdicts), "", *text.table(verdicts)]) + "\n"
    shown = section("Nine live releases")
    if "UPDATE_DOCS" in os.environ:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(page.replace(shown, printed), encoding="utf-8")
    else:
        assert shown == printed


def test_every_fault_has_its_row():
    rows: dict[str, list[str]] = {}
    for id_, name in FAULTS:
        rows.setdefault(id_, []).append(name)
    page = PAGE.read_text(encoding="utf-8")
    for id_, names in rows.items():
        assert f"| {id_} | {'; '.join(names)} |" in page
