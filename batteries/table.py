"""The rows, the results of running them, and the table in docs/batteries.md."""

import sys
import tempfile
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from batteries import (
    ages,
    atomicity,
    clients,
    damage,
    keeping,
    messages,
    names,
    network,
    queries,
    secrets,
    workers,
)
from batteries.bench import Bench, Row
from batteries.server import Server
from batteries.tools import TOOLS, Tool
from batteries.verdicts import Fault, NotApplicable, NotProvoked

FAMILIES: Mapping[str, Sequence[Row]] = {
    "damage": damage.ROWS,
    "atomicity": atomicity.ROWS,
    "workers": workers.ROWS,
    "secrets": secrets.ROWS,
    "messages": messages.ROWS,
    "keeping": keeping.ROWS,
    "clients": clients.ROWS,
    "queries": queries.ROWS,
    "network": network.ROWS,
    "names": names.ROWS,
    "ages": ages.ROWS,
}
TABLE = "batteries"
MEANINGS = "meanings"
"""The generated parts of the page, each between markers of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The result of one battery with one tool.

    Attributes:
        text: The cell in the table.
        detail: Output for debugging, if the fault was not provoked.
    """

    text: str
    detail: str = ""

    @property
    def unknown(self) -> bool:
        """Whether the fault was not provoked."""
        return self.text.startswith("not provoked")


def rows(families: Iterable[str] = FAMILIES) -> list[Row]:
    """Return the rows of some families, in the order of the table."""
    wanted = set(families)
    found = [row for family, them in FAMILIES.items() if family in wanted for row in them]
    return sorted(found, key=lambda row: (row.id[0], int(row.id[1:] or 0)))


def cell_of(row: Row, tool: Tool) -> Cell:
    """Run one battery with one tool, in its own folder and with its own server."""
    if tool.version is None:
        return Cell(text="n/a: not installed")
    with tempfile.TemporaryDirectory(prefix="battery-") as folder, Server() as server:
        try:
            note = row.battery(Bench(tool, server, Path(folder)))
        except Fault as fault:
            return Cell(text=f"FAULT: {fault}")
        except NotApplicable as reason:
            return Cell(text=f"n/a: {reason}")
        except NotProvoked as reason:
            first = str(reason).partition("\n")[0]
            return Cell(text=f"not provoked: {first}", detail=str(reason))
        except Exception as error:  # noqa: BLE001  a broken battery shows nothing
            return Cell(text=f"not provoked: {type(error).__name__}", detail=traceback.format_exc())
    return Cell(text=f"ok (with {note})" if note else "ok")


def markdown(cells: Mapping[tuple[str, str], Cell], shown: Sequence[Row]) -> str:
    """Return the table of these rows, with a column for every tool that has cells."""
    tools = [tool for tool in TOOLS if any(name == tool.name for _, name in cells)]
    headings = " | ".join(f"{tool.name} {tool.version or '(not installed)'}" for tool in tools)
    lines = [f"| | fault | {headings} |", "|---" * (len(tools) + 2) + "|"]
    for row in shown:
        texts = (cells[row.id, tool.name].text.replace("|", "\\|") for tool in tools)
        lines.append(f"| {row.id} | {row.name} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def meanings() -> str:
    """Return what must hold in each row, as a list."""
    return "\n".join(f"- **{row.id}** {row.name}: {row.holds}" for row in rows())


def part(page: str, name: str) -> tuple[str, str, str]:
    """Split the page into the text before, between and after the markers of a part."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = page.partition(begin)
    inside, found_too, after = rest.partition(end)
    if not found or not found_too:
        raise ValueError(f"the page has no markers {begin} and {end}")
    return before + begin, inside.strip(), end + after


def written(page: str, name: str, text: str) -> str:
    """Return the page with a new text between the markers of a part."""
    before, _, after = part(page, name)
    return f"{before}\n\n{text}\n\n{after}"


def complain(cells: Mapping[tuple[str, str], Cell]) -> None:
    """Print what was not provoked, and why, to standard error."""
    for (row, tool), cell in cells.items():
        if cell.unknown:
            print(f"{row}, {tool}: {cell.text}\n{cell.detail}\n", file=sys.stderr)
