"""Compare two recordings: `diff` and `accept`; gather results: `report`."""

import argparse
import glob
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import rules, text
from pytest_imagedetail.cli import output, sides
from pytest_imagedetail.cli.arguments import (
    COMPARED,
    JUDGED,
    Options,
    add_verb,
    as_typed,
    flag,
    value,
)
from pytest_imagedetail.cli.check import report_checks
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.errors import ImageDetailError, UsageError
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.model import OF_QUERY, Failure, Query
from pytest_imagedetail.report import loading, report_of, terminal
from pytest_imagedetail.report.evidence import accept_command, facts
from pytest_imagedetail.report.findings import places_of
from pytest_imagedetail.report.notes import notes_of
from pytest_imagedetail.rules import Rule, Rules
from pytest_imagedetail.settings import RULES_FILE
from pytest_imagedetail.workspace import read_rules, today

_PAIR: Final = 2
_MERGED: Final = 7  # arguments of git's external diff, unless the file is unmerged
_MOST_PATHS: Final = 5  # in a message


def add_verbs(verbs: Any) -> None:
    """Add the three verbs."""
    summary = "show what separates a candidate from a baseline"
    parser = add_verb(verbs, "diff", _diff, summary, *COMPARED, "--level", *JUDGED)
    side = "a cloud, or a path, or git's REVISION:PATH, of a cassette or of a JSON or XML body"
    for name in ("baseline", "candidate"):
        value(parser, name, name.upper(), side)
    flag(parser, "--explain", "say what each severity rests on, with sources")
    parser.add_argument(
        "--git-driver",
        action=_GitDriver,
        nargs=argparse.REMAINDER,
        help="serve as git's external diff: git config diff.imagedetail.command "
        "'imagedetail diff --git-driver'",
    )

    summary = "write a rule that accepts a difference"
    parser = add_verb(verbs, "accept", _accept, summary, *COMPARED, "--level")
    for name in ("baseline", "candidate"):
        value(parser, name, name.upper(), "as for diff, which shows the paths")
    target = parser.add_mutually_exclusive_group(required=True)
    about = "for example images[*].metadata.hw_rng_model; * within a key, ** below"
    value(target, "--path", "PATH", about)
    value(target, "--id", "ID", "of a cause, as reports show it; in place of path and kind")
    about = "for example field_added; repeatable (default: any)"
    value(parser, "--kind", "KIND", about, action="append")
    value(parser, "--reason", "REASON", "why it is accepted", required=True)
    about = "the last day, for example 2027-02-01, or never"
    value(parser, "--expires", "DAY", about, required=True)
    about = "where that was decided, for example CHG-4711"
    value(parser, "--reference", "REFERENCE", about)

    summary = "make one report of the JSON results of several commands or pytest runs"
    parser = add_verb(verbs, "report", _report, summary, "--since")
    value(parser, "files", "FILE", "of --json, or a .json report", nargs="+")
    about = "what to write: .html, .json, .md or .xml; repeatable"
    value(parser, "-o", "FILE", about, required=True, dest="report", action="append")


class _GitDriver(argparse.Action):
    """Serve git's external diff and exit; git passes its own arguments."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if not values:
            parser.error(f"git gives the arguments of {option_string}: see docs/cassettes.md")
        _show_to_git(values, Options(**vars(namespace)))
        parser.exit()


def _show_to_git(arguments: Sequence[str], options: Options) -> None:
    """Print how a file changed; raise nothing, because git stops if its driver fails.

    The arguments are a path, then file, hash and mode of both sides; only the path for an unmerged
    file. For a renamed file, the new path and a text follow.
    """
    names = " -> ".join(map(text.plain, (arguments[0], *arguments[7:8])))
    try:
        description = "not merged"
        if len(arguments) >= _MERGED:
            description = _git_report(arguments[1], arguments[4], options)
    except Exception as error:  # noqa: BLE001
        problem = error.problem if isinstance(error, ImageDetailError) else repr(error)
        description = text.plain(f"not compared: {problem}; git diff --no-ext-diff shows the text")
    try:
        print(f"imagedetail diff {names}\n{description}\n", flush=True)
    except (OSError, UnicodeError):  # the pager was closed or cannot encode it; see `main`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _git_report(old: str, new: str, options: Options) -> str:
    """Report on two versions of a file; /dev/null stands for a missing one."""
    listings = [sides.load(name, options).listing for name in (old, new) if name != os.devnull]
    if len(listings) < _PAIR:
        (listing,) = listings
        contents = "an error" if listing.error else text.count(len(listing.images), "image")
        what = f"{listing.cloud}, query {listing.query}: {listing.status_code}, {contents}"
        return text.plain(f"{'added' if old == os.devnull else 'removed'}: {what}")
    expect = error_status(listings[0].recording)
    comparison = _compare(listings, options, read_rules(options.settings), expect)
    return terminal.render(report_of([comparison]), color=output.wants_color())


def _diff(options: Options) -> int:
    names = options.baseline, options.candidate
    with output.reporting_errors(options, *names):
        old, new = (sides.load(name, options) for name in names)
        if old.path == new.path:
            raise UsageError(
                "baseline and candidate are the same recording",
                where=names[0],
                remedy="name another candidate",
            )
        queries = old.listing.query, new.listing.query
        if queries[0] != queries[1]:
            output.say(f"warning: two queries are compared: {queries[0]} and {queries[1]}")
        listings = [old.listing, new.listing]
        compared = _compare(listings, options, read_rules(options.settings), options.expect)
    comparison, error = sides.label(compared, *names), old.error or new.error
    failures = [Failure(baseline=names[0], candidate=names[1], problem=str(error))] if error else []
    typed = as_typed(options)
    report = output.make_report(options, [comparison], failures, lambda _: new.path, typed)
    if options.json:
        document = report.head() | comparison.to_dict()
        if error is not None:
            document |= {"same": False, "compatible": False, "problem": str(error)}
        if options.explain:
            for entry, step in zip(document["differences"], comparison.steps, strict=True):
                accept = accept_command(typed, step.difference.path, step.difference.kind)
                lines = [f"{label}: {line}" for label, line in facts(step)]
                entry["evidence"] = [*lines, f"accept: {accept}"]
        output.print_json(document)
    else:
        output.print_report(report, explain=options.explain)
    if error is not None:
        return output.complain(error, options)
    return output.SAME if comparison.compatible else output.DIFFERENT


def _compare(
    listings: Sequence[Listing], options: Options, accepted_by: Rules, expect: int | None
) -> Comparison:
    with output.waiting("comparing"):
        return compare(
            *listings,
            level=options.level,
            profile=options.settings.profile,
            fail_on=options.settings.fail_on,
            expect=expect,
            rules=accepted_by,
        )


def _report(options: Options) -> int:
    documents = {path: loading.load(path) for path in map(Path, options.files)}
    are_checks = ["checks" in document for document in documents.values()]
    if any(are_checks) and not all(are_checks):
        raise UsageError(
            "results of `check` and comparisons cannot be in one report",
            remedy="make a report of each kind",
        )
    return (report_checks if all(are_checks) else _report_results)(documents, options)


def _report_results(documents: Mapping[Path, loading.Document], options: Options) -> int:
    results, failures = [], []
    for path, document in documents.items():
        new_results, new_failures = loading.results_of(document, path)
        results += [result for result in new_results if result not in results]
        failures += new_failures
    report = output.make_report(options, results, failures)
    print(report.verdict.line)
    for line in report.since.lines if report.since else ():
        print(line)
    return report.verdict.exit_code


def _accept(options: Options) -> int:
    listings = [sides.load_listing(name, options) for name in (options.baseline, options.candidate)]
    is_new = options.rules is not None and not Path(options.rules).exists()
    existing, kinds = read_rules(options.settings, () if is_new else None), options.kind or []
    query = glob.escape(str(listings[0].query))
    given = {
        "path": options.path,
        "id": options.id,
        "kind": kinds[0] if len(kinds) == 1 else kinds or None,
        "query": query if options.selects_query else None,
        "between": [listing.cloud for listing in listings],
        "reason": options.reason,
        "reference": options.reference,
        "expires": options.expires,
    }
    entry = {key: content for key, content in given.items() if content is not None}
    rule = rules.parse(entry, today=today())
    if rule.ref.expired:
        raise UsageError(
            f"the rule would have expired on {rule.ref.expires}, so it would accept nothing; "
            "none was written",
            remedy=f"give the last day on which it is to hold, {today()} or later, or never",
        )
    # Last, so that it accepts only what no other rule does.
    expect = error_status(listings[0].recording)
    comparison = _compare(listings, options, (*existing, rule), expect)
    accepted = [step for step in comparison.accepted if step.difference.rule == rule.ref]
    if not accepted:
        raise _accepts_nothing(rule, comparison)
    if any(step.difference.kind in OF_QUERY for step in accepted):
        entry["query"] = query  # or it would accept a changed status of any query
    of_root = options.settings.clouds_file.with_name(RULES_FILE)
    rule = rules.add(Path(options.rules or of_root), entry, today=today())
    for line in (line for label, line in notes_of(comparison) if label == "order"):
        output.say(f"warning: {line}")
    print(f"{rule.ref.where}: accepts {text.count(len(accepted), 'difference')}")
    for place in places_of(accepted):
        first = place.first
        line = f"  {first.severity:<10}  {first.kind:<13}  {place.path}  {place.image_list}"
        print(line.rstrip())
    return output.SAME


def _accepts_nothing(rule: Rule, comparison: Comparison) -> UsageError:
    query = comparison.query
    about = f"--id {rule.ref.id}" if rule.ref.id else f"--path {shlex.quote(rule.ref.path or '')}"
    clouds = f"{comparison.baseline.cloud} and {comparison.candidate.cloud}"
    already = {
        difference.rule.where: None
        for difference in comparison.expected
        if difference.rule and rule.accepts(difference.kind, difference.path, difference.id(query))
    }
    if already:
        return UsageError(
            f"a rule already accepts {about} between {clouds}; none was written",
            where="; ".join(already),
            remedy="change that rule in its file",
        )
    candidates = dict.fromkeys(
        f"{place.first.kind} {place.first.id(query) if rule.ref.id else place.path}"
        for place in places_of(comparison.steps)
    )
    steps = ["this query has no difference left that a rule could accept"]
    if candidates:
        more = ", ..." if len(candidates) > _MOST_PATHS else ""
        names = ", ".join([*candidates][:_MOST_PATHS]) + more
        steps = [f"give path and kind, or the id, as a report shows them: {names}"]
    if query == Query():
        steps.append("if the report shows it for another query, name that: --query, --microversion")
    return UsageError(
        f"the rule would accept nothing between {clouds}: {about} matches no such "
        "difference; none was written",
        where=f"query {query}",
        remedy="\n".join(steps),
    )
