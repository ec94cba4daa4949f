"""The table of docs/batteries.md is what the batteries define, and ours holds in every row."""

import re
from pathlib import Path

import pytest

from batteries.table import MEANINGS, TABLE, meanings, part, rows
from batteries.tools import OURS, TOOLS

PAGE = (Path(__file__).parents[2] / "docs" / "batteries.md").read_text(encoding="utf-8")
LINES = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in part(PAGE, TABLE)[1].splitlines()
]
CELLS = {line[0]: line[2:] for line in LINES[2:]}


def test_every_row_is_there_in_order():
    """None is lost, none is left over, and none stands twice."""
    assert [(line[0], line[1]) for line in LINES[2:]] == [
        (row.id, row.name.replace("|", "\\|")) for row in rows()
    ]
    assert len(CELLS) == len(rows())


def test_every_recorder_has_a_column_with_its_version():
    """A column without one says that the tool was not there."""
    assert [heading.split()[0] for heading in LINES[0][2:]] == [tool.name for tool in TOOLS]
    assert all(re.search(r" \d+\.\d+", heading) for heading in LINES[0][2:])


@pytest.mark.parametrize("row", CELLS)
def test_ours_holds(row):
    """`ok`, or a reason why the row is about something else."""
    ours = CELLS[row][[tool.name for tool in TOOLS].index(OURS.name)]
    assert re.fullmatch(r"ok|n/a: .+", ours)


@pytest.mark.parametrize("row", CELLS)
def test_every_fault_was_really_provoked(row):
    """For a tool that is not known to fail, "ok" must mean that it was tried."""
    for cell in CELLS[row]:
        assert re.match(r"ok( \(with .+\))?$|FAULT: .|n/a: .", cell), cell


def test_some_recorder_fails_in_nearly_every_row():
    """A battery that no other tool fails would prove nothing of ours."""
    harmless = [row for row, cells in CELLS.items() if not any("FAULT" in each for each in cells)]
    assert len(harmless) <= len(CELLS) // 5, harmless


def test_every_row_says_what_must_hold():
    """One line each, as the code has it."""
    assert part(PAGE, MEANINGS)[1] == meanings()
