"""A handful of batteries, run: what the page says of ours must be so today, not once."""

import pytest

from batteries.table import cell_of, rows
from batteries.tools import OURS

QUICK = ("d3", "e2", "h1", "i3", "j1", "m1")
"""One of each family that takes a few seconds; `nox -s batteries` runs them all."""


@pytest.mark.parametrize("row", [row for row in rows() if row.id in QUICK], ids=lambda row: row.id)
def test_ours_holds_now(row):
    """Recorded and replayed by real runs of pytest, against a server of its own."""
    cell = cell_of(row, OURS)
    assert (cell.text, cell.detail) == ("ok", "")
