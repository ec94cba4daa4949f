"""Run the batteries: `python -m batteries`, or some: `--only damage --tool vcrpy`.

A full run writes the table into docs/batteries.md; otherwise it is only printed. The exit code is 1
if pytest-imagedetail has a fault, and 2 if a fault could not be provoked.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from batteries.table import (
    FAMILIES,
    MEANINGS,
    TABLE,
    cell_of,
    complain,
    markdown,
    meanings,
    rows,
    written,
)
from batteries.tools import OURS, TOOLS

PAGE = Path(__file__).parents[1] / "docs" / "batteries.md"


def main() -> int:
    """Run the chosen batteries and print the table; write it after a full run."""
    parser = argparse.ArgumentParser(prog="python -m batteries", description=__doc__)
    parser.add_argument("--only", action="append", choices=FAMILIES, help="a family of rows")
    parser.add_argument("--row", action="append", help="one row, by its letter and number")
    parser.add_argument("--tool", action="append", choices=[tool.name for tool in TOOLS])
    parser.add_argument("--jobs", type=int, default=3, help="batteries at the same time (3)")
    options = parser.parse_args()
    shown = [
        row
        for row in rows(options.only or FAMILIES)
        if options.row is None or row.id in options.row
    ]
    tools = [tool for tool in TOOLS if options.tool is None or tool.name in options.tool]
    work = [(row, tool) for row in shown for tool in tools]
    with ThreadPoolExecutor(options.jobs) as threads:
        found = list(threads.map(lambda pair: cell_of(*pair), work))
    cells = {(row.id, tool.name): cell for (row, tool), cell in zip(work, found, strict=True)}
    table = markdown(cells, shown)
    print(table)
    complain(cells)
    if not (options.only or options.row or options.tool):
        page = written(PAGE.read_text(encoding="utf-8"), TABLE, table)
        PAGE.write_text(written(page, MEANINGS, meanings()), encoding="utf-8")
    if any(cell.unknown for cell in cells.values()):
        return 2
    ours = (cell for (_, name), cell in cells.items() if name == OURS.name)
    return int(any(cell.text.startswith("FAULT") for cell in ours))


if __name__ == "__main__":
    sys.exit(main())
