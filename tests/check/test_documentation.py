"""docs/check.md has what was measured of real clouds, and the faults that each check finds."""

import json
from pathlib import Path

from pytest_imagedetail.check import text
from pytest_imagedetail.check.checks import CHECKS
from pytest_imagedetail.check.verdicts import Verdict
from tests.check.faulty import FAULTS
from tests.docs.pages import assert_shows

PAGE = Path(__file__).parents[2] / "docs" / "check.md"
LIVE = Path(__file__).with_name("live.json")


def test_verdicts_of_live_releases():
    """As tests/realcloud/test_checks.py measures them."""
    live = json.loads(LIVE.read_text(encoding="utf-8"))
    verdicts = [
        Verdict(check=check, cloud=cloud, verdict=live[cloud][check.id])
        for cloud in sorted(live)
        for check in CHECKS
    ]
    assert len(live) == 9
    printed = "\n".join([text.headline(verdicts), "", *text.table(verdicts)]) + "\n"
    shown = PAGE.read_text(encoding="utf-8").partition("## Nine live releases\n")[2]
    assert_shows(PAGE, shown.split("```\n")[1], printed)


def test_every_fault_has_its_row():
    page = PAGE.read_text(encoding="utf-8")
    for check in {id_ for id_, _ in FAULTS}:
        names = "; ".join(name for id_, name in FAULTS if id_ == check)
        assert f"| {check} | {names} |" in page
