"""docs/check.md shows the verdicts on real clouds, and the faults that each check finds."""

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
    """tests/realcloud/test_checks.py measures them."""
    live = json.loads(LIVE.read_text(encoding="utf-8"))
    verdicts = [
        Verdict(check=check, cloud=cloud, verdict="known-deviation" if known else "pass")
        for cloud, deviations in live.items()
        for check in CHECKS
        for known in [check.id in deviations.split()]
    ]
    assert len(live) == 9
    printed = "\n".join([text.headline(verdicts), "", *text.table(verdicts)]) + "\n"
    shown = PAGE.read_text(encoding="utf-8").partition("## Nine live releases\n")[2]
    assert_shows(PAGE, shown.split("```\n")[1], printed)


def test_every_fault_has_its_row():
    names = {}
    for check, name in FAULTS:
        names.setdefault(check, []).append(name)
    rows = "".join(f"| {check} | {'; '.join(each)} |\n" for check, each in names.items())
    shown = PAGE.read_text(encoding="utf-8").partition("| check | faults |\n|---|---|\n")[2]
    assert_shows(PAGE, shown.partition("\n\n")[0].rstrip("\n") + "\n", rows)
