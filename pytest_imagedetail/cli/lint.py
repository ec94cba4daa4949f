"""`imagedetail lint`: looks through cassettes before they are committed."""

import argparse
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.cli.arguments import add_json, add_max_age, add_verb, settings
from pytest_imagedetail.cli.output import DIFFERENT, IMPOSSIBLE, SAME, print_json
from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.lint import RULES, Finding, Linted, Linter, lint
from pytest_imagedetail.report import text

_SEVERITIES: Final = ("error", "warning", "note")


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    summary = "look through cassettes for secrets, damage and leftovers; asks no cloud"
    parser = add_verb(verbs, "lint", _run, summary)
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a cassette, or a folder with all that lies in it (default: the folder of cassettes)",
    )
    add_max_age(parser, "find recordings that are older (default: any age)")
    parser.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="RULE",
        help=f"pass over a rule; repeatable; known: {', '.join(RULES)}",
    )
    add_json(parser)


def _run(options: argparse.Namespace) -> int:
    chosen = settings(options)
    for rule in options.ignore:
        if rule not in RULES:
            raise UsageError(f"there is no rule {rule!r}", remedy=f"known: {', '.join(RULES)}")
    if not options.paths and not chosen.cassette_dir.is_dir():
        raise _nothing_to_check([chosen.cassette_dir])
    linter = Linter(
        releases={name: each.release for name, each in chosen.declared.items()},
        max_age=chosen.max_age,
        now=datetime.now(UTC),
    )
    paths = [*map(Path, options.paths)] or [chosen.cassette_dir]
    done = lint(paths, linter)
    if done.is_empty:
        raise _nothing_to_check(paths)
    found = [each for each in done.findings if each.rule not in options.ignore]
    if options.json:
        print_json(
            {"schema": 1, "files": done.files, "findings": [each.to_dict() for each in found]}
        )
    else:
        _print(done, found)
    if any(each.rule == "unreadable" for each in found):
        return IMPOSSIBLE
    return DIFFERENT if any(each.severity != "note" for each in found) else SAME


def _nothing_to_check(paths: list[Path]) -> UsageError:
    """Looking at nothing is not finding nothing."""
    return UsageError(
        "there is nothing to look through",
        where=", ".join(map(str, paths)),
        remedy="name files or a folder, or record first: imagedetail record --os-cloud NAME",
    )


def _print(done: Linted, found: list[Finding]) -> None:
    for each in found:
        print(each)
    rules = [rule for rule in RULES if any(each.rule == rule for each in found)]
    if rules:
        steps = (f"  {rule}: {RULES[rule].remedy}" for rule in rules)
        print("\nwhat to do next", *steps, "", sep="\n")
    counts = Counter(each.severity for each in found)
    parts = ", ".join(text.count(counts[kind], kind) for kind in _SEVERITIES if counts[kind])
    print(f"{text.count(done.files, 'file')}: {parts or 'nothing found'}")
