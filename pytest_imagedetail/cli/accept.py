"""`imagedetail accept`: write a rule for a difference, with a reason and an expiry."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_imagedetail import rules
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import (
    add_expect,
    add_query,
    add_rules,
    add_verb,
    query,
    settings,
)
from pytest_imagedetail.cli.output import SAME
from pytest_imagedetail.compare import compare
from pytest_imagedetail.comparison import Comparison
from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.report import text
from pytest_imagedetail.settings import DEFAULT_LEVEL, LEVELS, PROFILES, RULES_FILE


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(verbs, "accept", _accept, "write a rule that accepts a difference")
    for name in ("baseline", "candidate"):
        parser.add_argument(name, metavar=name.upper(), help="as for diff, which shows the paths")
    parser.add_argument(
        "--path",
        required=True,
        help="images[*].metadata.hw_rng_model say; * within a key, ** below",
    )
    parser.add_argument(
        "--kind", action="append", help="field_added say; repeatable (default: any)"
    )
    parser.add_argument("--reason", required=True, help="why it is accepted")
    parser.add_argument(
        "--expires", required=True, metavar="DAY", help="the last day, 2027-02-01 say, or never"
    )
    parser.add_argument("--reference", help="where that was decided, CHG-4711 say")
    add_query(parser)
    add_expect(parser)
    parser.add_argument(
        "--level", choices=LEVELS, default=DEFAULT_LEVEL, help="shape: for clouds with other images"
    )
    parser.add_argument("--profile", choices=PROFILES, help="default: cross-version")
    add_rules(parser)


def _accept(options: argparse.Namespace) -> int:
    chosen = settings(options)
    comparison = compare(
        sides.listing(options.baseline, query(options), chosen),
        sides.listing(options.candidate, query(options), chosen),
        level=options.level,
        profile=chosen.profile,
        expect=options.expect,
        rules=rules.rules_of(chosen.rules, today=datetime.now(UTC).date()),
    )
    entry = _entry(options, comparison)
    rule = rules.parse(entry)
    accepted = [each for each in comparison.differences if rule.accepts(each.kind, each.path)]
    if not accepted:
        raise _nothing(comparison, options.path)
    path = chosen.rules or Path(RULES_FILE)
    rule = rules.add(path, entry, today=datetime.now(UTC).date())
    print(f"{rule.where}: accepts {text.count(len(accepted), 'difference')}")
    for group in text.groups(accepted):
        line = f"  {group.first.severity:<10}  {group.first.kind:<13}  {group.path}  {group.whom}"
        print(line.rstrip())
    return SAME


def _entry(options: argparse.Namespace, comparison: Comparison) -> dict[str, Any]:
    """The rule as it is written; about these two clouds alone."""
    kinds = options.kind or []
    entry: dict[str, Any] = {"path": options.path}
    if kinds:
        entry["kind"] = kinds[0] if len(kinds) == 1 else kinds
    entry["between"] = [comparison.baseline.cloud, comparison.candidate.cloud]
    entry["reason"] = options.reason
    if options.reference:
        entry["reference"] = options.reference
    entry["expires"] = options.expires
    return entry


def _nothing(comparison: Comparison, path: str) -> UsageError:
    paths = dict.fromkeys(group.path for group in text.groups(comparison.differences))
    known = ", ".join([*paths][:5]) + (", ..." if len(paths) > 5 else "")  # noqa: PLR2004
    return UsageError(
        f"no difference between {comparison.baseline.cloud} and {comparison.candidate.cloud} is at "
        f"{path!r}, so the rule would accept nothing; none was written",
        remedy=f"differences are at: {known}" if paths else "there is no difference to accept",
    )
