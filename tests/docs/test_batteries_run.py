"""Run some batteries: our results in docs/batteries.md must be true today."""

from batteries.table import cell_of, rows
from batteries.tools import OURS

QUICK = {"d3", "e2", "h1", "i3", "j1", "m1"}  # `nox -s batteries` runs all


def test_ours_is_ok():
    cells = {row.id: cell_of(row, OURS) for row in rows() if row.id in QUICK}
    assert set(cells) == QUICK
    for row, cell in cells.items():
        assert (cell.text, cell.detail) == ("ok", ""), row
