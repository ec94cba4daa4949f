"""Print results, errors and progress."""

import argparse
import json
import logging
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.errors import ImageDetailError, UsageError
from pytest_imagedetail.model import Failure
from pytest_imagedetail.report import Report, github, loading, report_of, terminal, write
from pytest_imagedetail.report.findings import Place, Result
from pytest_imagedetail.text import aligned, plain

SAME: Final = 0
DIFFERENT: Final = 1
IMPOSSIBLE: Final = 2
USAGE: Final = 4
STOPPED: Final = 130  # the shell's code for Ctrl-C
CUT_OFF: Final = 141  # the shell's code for a broken pipe: the verdict was not read to its end

_ERASE_LINE: Final = "\r\x1b[K"


def say(line: str) -> None:
    """Print one line to stderr, replacing the line of `waiting`."""
    erased = _ERASE_LINE if _can_erase() else ""
    print(f"{erased}imagedetail: {line}", file=sys.stderr)


def complain(error: ImageDetailError, options: argparse.Namespace) -> int:
    """Print an error to stderr, with commands that work as printed; return its exit code."""
    say(str(in_folder(error, options)))
    return _code_of(error)


def _code_of(error: ImageDetailError) -> int:
    return USAGE if isinstance(error, UsageError) else IMPOSSIBLE


def in_folder(error: ImageDetailError, options: argparse.Namespace) -> ImageDetailError:
    """Add the --cassette-dir in use to the commands of an error's remedy."""
    cassette_dir, remedy = options.cassette_dir, error.remedy
    if cassette_dir and "imagedetail " in remedy and "--cassette-dir" not in remedy:
        error.remedy += f"\nadd --cassette-dir={shlex.quote(cassette_dir)} to such a command"
    return error


def print_json(document: Any) -> int:
    """Print one JSON document to stdout."""
    # ASCII only: valid in any terminal encoding, and for lone surrogates.
    print(json.dumps(document, indent=2))
    return SAME


def make_report(
    options: argparse.Namespace,
    results: Sequence[Result],
    failures: Sequence[Failure] = (),
    path_of: Callable[[Place], Path] | None = None,
    arguments: str | None = None,
) -> Report:
    """Gather results, write the requested reports and print GitHub's annotations.

    `path_of` returns the cassette that an annotation is about; `arguments` is from `as_typed`.
    """
    earlier = loading.earlier(Path(options.since)) if options.since else None
    report = report_of(results, failures, earlier=earlier, arguments=arguments)
    for path in options.settings.reports:
        write(report, path)
    if path_of is not None and options.github:
        for line in github.annotations(report, path_of):
            print(line, file=sys.stderr)
    return report


@contextmanager
def reporting_errors(options: argparse.Namespace, baseline: str, candidate: str) -> Iterator[None]:
    """Write reports for an impossible comparison too, so that none from an earlier run remains."""
    try:
        yield
    except ImageDetailError as error:
        failure = Failure(baseline=baseline, candidate=candidate, problem=str(error))
        report = report_of([], [failure], exit_code=_code_of(error))
        for path in options.settings.reports:
            write(report, path)
        raise


def print_table(rows: Iterable[Sequence[Any]]) -> None:
    """Print rows in aligned columns."""
    for line in aligned([[*map(cell, row)] for row in rows]):
        print(line)


def cell(value: Any) -> str:
    """Return a table cell without characters that move the cursor."""
    return "-" if value is None else plain(str(value))


def print_report(report: Report, *, explain: bool = False, every_query: bool = False) -> None:
    """Print a report to stdout, as wide as the terminal; see `terminal.render`."""
    color, width = wants_color(), terminal_width()
    print(
        terminal.render(report, color=color, width=width, explain=explain, every_query=every_query)
    )


def terminal_width() -> int | None:
    """Return the terminal's width in characters; None if stdout is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def wants_color() -> bool:
    """Return whether stdout is a terminal that allows colors (https://no-color.org)."""
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not is_plain


class _LogHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


@contextmanager
def waiting(line: str) -> Iterator[None]:
    """While the block runs, show a line such as "asking staging (3 of 12)" on a terminal's stderr.

    Log messages of the block are printed in any case.
    """
    log, handler, erases = logging.getLogger("pytest_imagedetail"), _LogHandler(), _can_erase()
    log.addHandler(handler)
    if erases:
        print(f"\r{line}", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        log.removeHandler(handler)
        if erases:
            print(_ERASE_LINE, end="", file=sys.stderr, flush=True)


def _can_erase() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
