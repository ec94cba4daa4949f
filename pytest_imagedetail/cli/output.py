"""How verbs speak: exit codes, tables, JSON, colors, complaints."""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from pytest_imagedetail.errors import ImageDetailError

SAME: Final = 0
DIFFERENT: Final = 1
IMPOSSIBLE: Final = 2
USAGE: Final = 4
STOPPED: Final = 130  # what a shell expects after Ctrl-C
CUT_OFF: Final = 141  # and after a broken pipe: the verdict was not read to its end


def complain(error: ImageDetailError, code: int) -> int:
    """Print an error to stderr and return its exit code."""
    print(f"imagedetail: {error}", file=sys.stderr)
    return code


def print_json(document: Any) -> int:
    """Print one JSON document to stdout."""
    # Escapes throughout: valid on a terminal of any encoding, lone surrogates included.
    print(json.dumps(document, indent=2))
    return SAME


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def cell(value: Any) -> str:
    """A value for a table: nothing in it moves the cursor."""
    if value is None:
        return "-"
    return "".join(each if each.isprintable() else "?" for each in str(value))


def wants_color() -> bool:
    """Whether stdout is a terminal whose user has not refused colors (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
