"""`imagedetail diff`: what separates a candidate from a baseline."""

import argparse
from datetime import UTC, datetime
from typing import Any

from pytest_imagedetail import report, rules
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import (
    add_expect,
    add_json,
    add_query,
    add_report,
    add_rules,
    add_verb,
    as_typed,
    query,
    settings,
)
from pytest_imagedetail.cli.output import DIFFERENT, SAME, print_json, wants_color
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison, evidence
from pytest_imagedetail.gc_paused import paused_gc
from pytest_imagedetail.model import FAIL_ON
from pytest_imagedetail.report import terminal
from pytest_imagedetail.settings import DEFAULT_LEVEL, LEVELS, PROFILES


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(verbs, "diff", _diff, "say what separates a candidate from a baseline")
    for name in ("baseline", "candidate"):
        parser.add_argument(
            name,
            metavar=name.upper(),
            help="a cloud, or the path of a cassette or of a JSON or XML body",
        )
    add_query(parser)
    add_expect(parser)
    parser.add_argument(
        "--level", choices=LEVELS, default=DEFAULT_LEVEL, help="shape: for clouds with other images"
    )
    parser.add_argument("--profile", choices=PROFILES, help="default: cross-version")
    parser.add_argument(
        "--explain", action="store_true", help="say what each severity rests on, with sources"
    )
    add_rules(parser)
    parser.add_argument("--fail-on", choices=FAIL_ON, help="default: breaking")
    add_report(parser)
    add_json(parser)


def _diff(options: argparse.Namespace) -> int:
    chosen = settings(options)
    both = sides.both(options.baseline, options.candidate, query(options), chosen)
    with paused_gc():
        comparison = compare(
            *both,
            level=options.level,
            profile=chosen.profile,
            fail_on=chosen.fail_on,
            expect=options.expect,
            rules=rules.rules_of(*chosen.rules, today=datetime.now(UTC).date()),
        )
    for path in chosen.reports:
        report.write([comparison], path)
    typed = as_typed(options) if options.explain else None
    if options.json:
        print_json(_document(comparison, typed))
    else:
        print(terminal.render(comparison, color=wants_color(), typed=typed))
    for side, name in zip(both, (options.baseline, options.candidate), strict=True):
        sides.refuse_mislabelled(side, name, chosen)
    return SAME if comparison.compatible else DIFFERENT


def _document(comparison: Comparison, typed: str | None) -> dict[str, Any]:
    document = comparison.to_dict()
    if typed is not None:
        for entry, each in zip(document["differences"], comparison.differences, strict=True):
            entry["evidence"] = list(evidence(each, comparison, path=each.path, typed=typed))
    return document
