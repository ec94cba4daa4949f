"""What verbs have in common on the command line: their parser, their shared options."""

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Never

from pytest_imagedetail.cli.output import USAGE
from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.model import Query
from pytest_imagedetail.settings import DEFAULT_LEVEL, RULES_FILE, Choices, Settings, resolve


class Parser(argparse.ArgumentParser):
    """Argparse, with this command's exit code for usage errors."""

    def error(self, message: str) -> Never:
        """Say what is wrong and where help is."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n  next:  {self.prog} --help\n")


def add_verb(
    verbs: Any, name: str, run: Callable[[argparse.Namespace], int], summary: str
) -> argparse.ArgumentParser:
    """Add a verb with the options that every verb has.

    Args:
        verbs: The command's subparsers.
        name: What is typed.
        run: Takes the options and returns an exit code.
        summary: One line for the help.
    """
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=summary)
    parser.set_defaults(verb=run)
    parser.add_argument(
        "--cassette-dir", metavar="DIR", help="folder of cassettes (default: cassettes)"
    )
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json` to a verb that reads."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def add_query(parser: argparse.ArgumentParser) -> None:
    """Add `--query` to a verb that asks for one listing."""
    parser.add_argument(
        "--query",
        action="append",
        default=[],
        metavar="K=V",
        help="a filter in its wire name, as status=ACTIVE or changes-since=...; repeatable",
    )
    parser.add_argument(
        "--microversion", metavar="V", help='as "2.35" or "latest" (default: none is asked for)'
    )


def add_expect(parser: argparse.ArgumentParser) -> None:
    """Add `--expect` to a verb that compares."""
    parser.add_argument(
        "--expect",
        type=int,
        metavar="CODE",
        help="compare what errors of this status say (default: errors have nothing to compare)",
    )


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Add `--rules` to a verb that judges differences."""
    parser.add_argument(
        "--rules", metavar="FILE", help=f"accepted differences (default: {RULES_FILE}, if present)"
    )


def add_max_age(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add `--max-age`, and what it does to recordings that are older."""
    parser.add_argument("--max-age", metavar="DAYS", help=meaning)


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add `--report` to a verb that compares."""
    parser.add_argument(
        "--report", action="append", default=[], metavar="FILE", help=".html, .json or .md"
    )


def query(options: argparse.Namespace) -> Query:
    """The query that was typed.

    Raises:
        UsageError: Not NAME=VALUE.
    """
    pairs = []
    for pair in options.query:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            raise UsageError(
                f"a query is NAME=VALUE, not {pair!r}", remedy="for example --query status=ACTIVE"
            )
        pairs.append((name, value))
    return Query(tuple(pairs), options.microversion)


def as_typed(options: argparse.Namespace) -> str:
    """The two sides and the options by which they are compared, for the same in another verb."""
    words = [options.baseline, options.candidate]
    if options.level != DEFAULT_LEVEL:
        words += ["--level", options.level]
    for name in ("profile", "expect", "rules", "cassette_dir"):
        value = getattr(options, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return " ".join([shlex.join(words), *query(options).options])


def settings(options: argparse.Namespace) -> Settings:
    """The choices that were typed, with the clouds file of the current folder."""
    choices = Choices(
        cassette_dir=options.cassette_dir,
        profile=getattr(options, "profile", None),
        fail_on=getattr(options, "fail_on", None),
        reports=tuple(getattr(options, "report", ())),
        max_age=getattr(options, "max_age", None),
        rules=tuple(filter(None, [getattr(options, "rules", None)])),
    )
    return resolve(choices, root=Path())
