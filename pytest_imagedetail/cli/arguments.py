"""Parse the arguments that verbs share: options, queries and settings."""

import argparse
import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Never

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.cli.output import USAGE
from pytest_imagedetail.errors import UsageError, did_you_mean
from pytest_imagedetail.model import FAIL_ON, Query
from pytest_imagedetail.settings import (
    DEFAULT_LEVEL,
    LEVELS,
    PROFILES,
    RULES_FILE,
    Choices,
    Settings,
    find_root,
    resolve,
)
from pytest_imagedetail.workspace import store_of

_ERRORS: Final = range(300, 600)


def _error_code(text: str) -> int:
    if text.isdecimal() and int(text) in _ERRORS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not the status of an error, such as 400")


_SEVERAL: Final = {"action": "append", "default": []}
_SHARED: Final[Mapping[str, Mapping[str, Any]]] = {
    "--query": {
        "metavar": "K=V",
        "help": "a filter in its wire name, as status=ACTIVE, or a query as `ls` and reports show "
        "it; repeatable",
        **_SEVERAL,
    },
    "--microversion": {
        "metavar": "V",
        "help": 'as "2.35" or "latest" (default: none is asked for)',
    },
    "--expect": {
        "metavar": "CODE",
        "type": _error_code,
        "help": "every answer must be this error, which is recorded or compared",
    },
    "--level": {
        "choices": LEVELS,
        "default": DEFAULT_LEVEL,
        "help": "shape: for clouds with different images",
    },
    "--profile": {"choices": PROFILES, "help": "default: cross-version"},
    "--rules": {
        "metavar": "FILE",
        "help": f"accepted differences (default: {RULES_FILE}, if present)",
    },
    "--fail-on": {"choices": FAIL_ON, "help": "default: breaking"},
    "--report": {
        "metavar": "FILE",
        "help": ".html, .json, .md, or .xml for JUnit; repeatable",
        **_SEVERAL,
    },
    "--since": {
        "metavar": "FILE",
        "help": "an earlier .json report or --json output: say what is new and what is gone",
    },
    "--github": {
        "action": "store_true",
        "help": "also print what fails as annotations of GitHub, to stderr",
    },
    "--json": {"action": "store_true", "help": "print one JSON document"},
    "--cassette-dir": {"metavar": "DIR", "help": "folder of cassettes (default: cassettes)"},
}
"""Options of several verbs, with their arguments for argparse."""

_FOLDER_MAY_BE_NEW: Final = frozenset({"demo", "doctor", "import", "record", "scrub"})
"""The verbs that write cassettes, and `doctor`."""

QUERY: Final = ("--query", "--microversion")
COMPARED: Final = (*QUERY, "--expect", "--profile", "--rules")
JUDGED: Final = ("--fail-on", "--since", "--report", "--json", "--github")


class Options(argparse.Namespace):
    """The parsed arguments, and the settings, cassettes and query derived from them."""

    expect: int | None = None  # this and the next ones: for verbs without the option
    fail_on: str | None = None
    github: bool = False
    max_age: str | None = None
    profile: str | None = None
    record: bool = False
    report: Sequence[str] = ()
    rules: str | None = None

    @cached_property
    def settings(self) -> Settings:
        """The settings of the project that contains the current folder."""
        root = Path(os.path.relpath(find_root(Path.cwd())))
        choices: Choices = {
            "cassette_dir": _below(root, self.cassette_dir),
            "fail_on": self.fail_on,
            "max_age": self.max_age,
            "profile": self.profile,
            "reports": tuple(_below(root, report) for report in self.report),
            "rules": (_below(root, self.rules),) if self.rules else None,
        }
        return resolve(choices, root=root)

    @cached_property
    def store(self) -> Store:
        """The cassettes of the project and the library."""
        return store_of(self.settings)

    @cached_property
    def known_clouds(self) -> tuple[str, ...]:
        """The recorded and shipped clouds; cached, because it scans folders."""
        return self.store.all_clouds()

    @cached_property
    def parsed_query(self) -> Query:
        """The query from --query and --microversion."""
        queries = [*map(Query.from_text, self.query), Query(microversion=self.microversion)]
        versions = {each.microversion for each in queries if each.microversion is not None}
        if len(versions) > 1:
            raise UsageError(
                f"a query has one microversion, and these are {' and '.join(sorted(versions))}",
                remedy="leave out --microversion, or the part of --query after the space",
            )
        params = tuple(pair for each in queries for pair in each.params)
        return Query(params, next(iter(versions), None))

    @property
    def selects_query(self) -> bool:
        """Whether one query is named, be it `all`."""
        return bool(self.query) or self.microversion is not None


class Parser(argparse.ArgumentParser):
    """Parse arguments with this command's exit code for usage errors."""

    def error(self, message: str, hint: str = "") -> Never:
        """Print the error, the nearest valid choice and where to find help."""
        _, wrong, chosen = message.partition("invalid choice: ")
        if wrong:  # "'difff' (choose from 'diff', 'matrix')"
            typed, _, _, *choices = re.findall(r"[\w.-]+", chosen)
            hint = did_you_mean(typed, choices)
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n  next:  {hint}{self.prog} --help\n")

    def refuse(self, unknown: Sequence[str]) -> Never:
        """Print the unknown arguments and the option nearest to the first one."""
        options = re.findall(r"--[a-z-]+", self.format_usage())
        hint = did_you_mean(unknown[0].partition("=")[0], options)
        self.error(f"unrecognized arguments: {' '.join(unknown)}", hint)


def add_verb(
    verbs: Any, name: str, run: Callable[[Options], int], summary: str, *shared: str
) -> argparse.ArgumentParser:
    """Add a verb with some options of `_SHARED`; `--cassette-dir` is always added."""
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=summary)
    parser.set_defaults(verb=run, parser=parser, reads=name not in _FOLDER_MAY_BE_NEW)
    for option in (*shared, "--cassette-dir"):
        parser.add_argument(option, **_SHARED[option])
    return parser


def flag(parser: Any, name: str, about: str) -> None:
    """Add an option without a value."""
    parser.add_argument(name, action="store_true", help=about)


def value(parser: Any, name: str, metavar: str, about: str, **options: Any) -> None:
    """Add an argument with a value."""
    parser.add_argument(name, metavar=metavar, help=about, **options)


def as_typed(options: Options) -> str:
    """Return the arguments of a comparison in a form that other verbs accept."""
    words = [options.baseline, options.candidate]
    if options.level != DEFAULT_LEVEL:
        words += ["--level", options.level]
    for name in ("profile", "expect", "rules", "cassette_dir"):
        given = getattr(options, name)
        if given is not None:
            words += [f"--{name.replace('_', '-')}", str(given)]
    return " ".join([shlex.join(words), *options.parsed_query.options])


def check_folder(options: Options) -> None:
    """Raise UsageError if the verb only reads and the cassette folder does not exist."""
    may_be_new = not options.reads or options.record  # `serve --record` writes
    if not options.cassette_dir or may_be_new or Path(options.cassette_dir).is_dir():
        return
    folder = Path(options.cassette_dir)
    siblings = [sibling.name for sibling in folder.parent.glob("*") if sibling.is_dir()]
    raise UsageError(
        "there is no such folder",
        where=options.cassette_dir,
        remedy=f"{did_you_mean(folder.name, siblings)}name another with --cassette-dir, or record "
        "into it",
    )


def _below(root: Path, path: str | None) -> str | None:
    """Make a path relative to the root instead of the current folder."""
    return path if not path or Path(path).is_absolute() else os.path.relpath(path, root)
