"""`imagedetail accept`: write a rule for a difference, with a reason and an expiry."""

import argparse
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

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
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.model import Difference, RuleRef
from pytest_imagedetail.report import text
from pytest_imagedetail.rules import Rule, Rules
from pytest_imagedetail.settings import DEFAULT_LEVEL, LEVELS, PROFILES, RULES_FILE

_PATHS: Final = 5  # in a message


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
    chosen, today = settings(options), datetime.now(UTC).date()
    both = sides.both(options.baseline, options.candidate, query(options), chosen)
    entry = _entry(options, [each.cloud for each in both])
    rule = rules.parse(entry)
    known = rules.rules_of(*chosen.rules, today=today)
    # Before the others and without kinds, so that all that is at the path meets it.
    probe = Rules(rules=(replace(rule, kinds=()), *known.rules), today=today)
    if probe.expired(rule):
        raise _over(rule, today)
    comparison = compare(
        *both, level=options.level, profile=chosen.profile, expect=options.expect, rules=probe
    )
    found = _Found.of(rule, comparison, known)
    if not found.accepted:
        raise found.nothing()
    path = Path(options.rules or RULES_FILE)
    rule = rules.add(path, entry, today=today)
    print(f"{rule.where}: accepts {text.count(len(found.accepted), 'difference')}")
    for group in text.groups(found.accepted):
        line = f"  {group.first.severity:<10}  {group.first.kind:<13}  {group.path}  {group.whom}"
        print(line.rstrip())
    return SAME


def _entry(options: argparse.Namespace, clouds: list[str]) -> dict[str, Any]:
    """The rule as it is written; about these two clouds alone."""
    kinds = options.kind or []
    entry: dict[str, Any] = {"path": options.path}
    if kinds:
        entry["kind"] = kinds[0] if len(kinds) == 1 else kinds
    entry["between"] = clouds
    entry["reason"] = options.reason
    if options.reference:
        entry["reference"] = options.reference
    entry["expires"] = options.expires
    return entry


def _over(rule: Rule, today: date) -> UsageError:
    return UsageError(
        f"the rule would have expired on {rule.expires}, so it would accept nothing; "
        "none was written",
        remedy=f"give the last day on which it is to hold, {today} or later, or never",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What stands at the path of a rule to be.

    Attributes:
        rule: To be written.
        comparison: Made with it.
        accepted: What it would accept, and no other rule does.
        already: What another one accepts, with that rule.
        kinds: Those that it does not name, of differences at its path.
    """

    rule: Rule
    comparison: Comparison
    accepted: tuple[Difference, ...]
    already: tuple[RuleRef, ...]
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, rule: Rule, comparison: Comparison, known: Rules) -> "_Found":
        """Sort what met the rule."""
        others = known.between(comparison.baseline.cloud, comparison.candidate.cloud)
        met = [each for each in comparison.expected if each.rule and each.rule.where == rule.where]
        meant = [each for each in met if rule.accepts(each.kind, each.path)]
        accepted, already = [], []
        for each in meant:
            holder = others.accepting(each.kind, each.path)
            if holder is None or others.expired(holder):
                accepted.append(each)
            else:
                already.append(others.reference(holder))
        return cls(
            rule=rule,
            comparison=comparison,
            accepted=tuple(accepted),
            already=tuple(dict.fromkeys(already)),
            kinds=tuple(
                dict.fromkeys(each.kind for each in met if not rule.accepts(each.kind, each.path))
            ),
        )

    def nothing(self) -> UsageError:
        """Why the rule would accept nothing."""
        clouds = f"{self.comparison.baseline.cloud} and {self.comparison.candidate.cloud}"
        path = self.rule.path.text
        if self.already:
            return UsageError(
                f"what differs at {path!r} between {clouds} is accepted by a rule already; "
                "none was written",
                where="; ".join(each.where for each in self.already),
                remedy="\n".join(
                    f"the rule for {each.path} says: {text.why(each)}; change it in its file"
                    for each in self.already
                ),
            )
        if self.kinds:
            return UsageError(
                f"between {clouds} {path!r} is {' and '.join(self.kinds)}, not "
                f"{' or '.join(self.rule.kinds)}, so the rule would accept nothing; "
                "none was written",
                remedy=f"give {' '.join(f'--kind {each}' for each in self.kinds)}, "
                "or no --kind at all, which means any",
            )
        return UsageError(
            f"no difference between {clouds} is at {path!r}, so the rule would accept nothing; "
            "none was written",
            remedy=self._where_else(),
        )

    def _where_else(self) -> str:
        groups = text.groups(self.comparison.differences)
        paths = [*dict.fromkeys(group.path for group in groups)]
        if not paths:
            return "there is no difference to accept" + " any more" * bool(self.comparison.expected)
        more = ", ..." if len(paths) > _PATHS else ""
        return f"differences are at: {', '.join(paths[:_PATHS])}{more}"
