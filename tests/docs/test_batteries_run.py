"""A few of the batteries, run: docs/batteries.md must hold today."""

from batteries.table import cell_of, rows
from batteries.tools import OURS

QUICK = {"d3", "e2", "h1", "i3", "j1", "m1"}
"""One of each family that takes a few seconds; `nox -s batteries` runs all."""


def test_ours_holds_now():
    """Recorded and replayed by real runs of pytest, against a server of its own."""
    cells = {row.id: cell_of(row, OURS) for row in rows() if row.id in QUICK}
    assert set(cells) == QUICK
    for row, cell in cells.items():
        assert (cell.text, cell.detail) == ("ok", ""), row
