"""docs/batteries.md has every battery, and today's results of pytest-imagedetail are true."""

import re

from batteries.table import MEANINGS, TABLE, cell_of, meanings, part, rows
from batteries.tools import OURS, TOOLS
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "batteries.md").read_text(encoding="utf-8")
HEADINGS, _, *LINES = (
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in part(PAGE, TABLE)[1].splitlines()
)
QUICK = {"d3", "e2", "h1", "i3", "j1", "m1"}  # `nox -s batteries` runs all


def test_the_table():
    """Rows in order with their meanings, and versions; ours has no fault, and most rows have."""
    assert [tuple(line[:2]) for line in LINES] == [
        (row.id, row.name.replace("|", "\\|")) for row in rows()
    ]
    assert [heading.split()[0] for heading in HEADINGS[2:]] == [tool.name for tool in TOOLS]
    assert all(re.search(r" \d+\.\d+", heading) for heading in HEADINGS[2:])
    assert part(PAGE, MEANINGS)[1] == meanings()
    ours = 2 + [tool.name for tool in TOOLS].index(OURS.name)
    for line in LINES:
        assert re.fullmatch(r"ok|n/a: .+", line[ours]), line
        for cell in line[2:]:
            assert re.match(r"ok( \(with .+\))?$|FAULT: .|n/a: .", cell), line
    harmless = [line[0] for line in LINES if not any("FAULT" in cell for cell in line)]
    assert len(harmless) <= len(LINES) // 5, harmless


def test_some_batteries():
    cells = {row.id: cell_of(row, OURS) for row in rows() if row.id in QUICK}
    assert {name: (cell.text, cell.detail) for name, cell in cells.items()} == dict.fromkeys(
        QUICK, ("ok", "")
    )
