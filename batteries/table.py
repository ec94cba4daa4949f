"""The table: which rows there are, how a cell comes about, and where it stands in the page."""

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
"""The two parts of the page that are written; each stands between markers of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one battery said of one tool.

    Attributes:
        text: As it stands in the table.
        detail: What it was based on, for standard error; empty unless something went wrong.
    """

    text: str
    detail: str = ""

    @property
    def unknown(self) -> bool:
        """Whether nothing is known, because the fault was not provoked."""
        return self.text.startswith("not provoked")


def rows(families: Iterable[str] = FAMILIES) -> list[Row]:
    """The rows of some families, in the order of the table."""
    wanted = set(families)
    found = [row for family, them in FAMILIES.items() if family in wanted for row in them]
    return sorted(found, key=lambda row: (row.id[0], int(row.id[1:] or 0)))


def cell_of(row: Row, tool: Tool) -> Cell:
    """Run one battery against one tool, in a folder and with a server of its own."""
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
        except Exception as error:  # noqa: BLE001  a battery that breaks has shown nothing
            return Cell(text=f"not provoked: {type(error).__name__}", detail=traceback.format_exc())
    return Cell(text=f"ok (with {note})" if note else "ok")


def heading(tool: Tool) -> str:
    """A tool and its version, or why it has none."""
    return f"{tool.name} {tool.version or '(not installed: not in this environment)'}"


def markdown(cells: Mapping[tuple[str, str], Cell], shown: Sequence[Row]) -> str:
    """The table for these rows and every tool that has cells."""
    tools = [tool for tool in TOOLS if any(name == tool.name for _, name in cells)]
    lines = [
        " | ".join(["| |", *(heading(tool) for tool in tools)]) + " |",
        "|---" * (len(tools) + 2) + "|",
    ]
    lines[0] = "| | what is provoked | " + " | ".join(heading(tool) for tool in tools) + " |"
    for row in shown:
        texts = (cells[row.id, tool.name].text.replace("|", "\\|") for tool in tools)
        lines.append(f"| {row.id} | {row.name} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def meanings() -> str:
    """What must hold in each row, one line each."""
    return "\n".join(f"- **{row.id}** {row.name}: {row.holds}" for row in rows())


def part(page: str, name: str) -> tuple[str, str, str]:
    """What stands before, between and after two markers of the page.

    Raises:
        ValueError: One of them is lost.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = page.partition(begin)
    inside, found_too, after = rest.partition(end)
    if not found or not found_too:
        raise ValueError(f"the page has lost its markers {begin} and {end}")
    return before + begin, inside.strip(), end + after


def written(page: str, name: str, text: str) -> str:
    """The page with another text between two markers."""
    before, _, after = part(page, name)
    return f"{before}\n\n{text}\n\n{after}"


def complain(cells: Mapping[tuple[str, str], Cell]) -> None:
    """Say on standard error what was not provoked, and on what ground."""
    for (row, tool), cell in cells.items():
        if cell.unknown:
            print(f"{row}, {tool}: {cell.text}\n{cell.detail}\n", file=sys.stderr)
