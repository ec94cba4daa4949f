"""Check what clouds do to listings of images: `check`."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.check import asking, report, sources, text
from pytest_imagedetail.check.checks import ALL, CHECKS, FORECASTS
from pytest_imagedetail.check.verdicts import (
    Check,
    Verdict,
    apply_rules,
    exit_code,
    run,
    unused_rules,
)
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import Options, add_verb, flag, value
from pytest_imagedetail.cli.output import (
    SAME,
    complain,
    print_json,
    terminal_width,
    waiting,
    wants_color,
)
from pytest_imagedetail.errors import ImageDetailError, UsageError, did_you_mean
from pytest_imagedetail.model import RuleRef
from pytest_imagedetail.record import clouds
from pytest_imagedetail.report.loading import Document, load
from pytest_imagedetail.report.terminal import wrap
from pytest_imagedetail.workspace import open_live_cloud, read_rules

_LEAST: Final = 2  # requests for all images, before and after


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    summary = "check what a cloud does to listings of images, with no other cloud to compare"
    parser = add_verb(verbs, "check", _check, summary, "--rules", "--since", "--report", "--json")
    value(parser, "clouds", "NAME", "a cloud or a glob; a shipped one, too", nargs="*")
    flag(parser, "--list", "list the checks, and ask no cloud")
    source = parser.add_mutually_exclusive_group()
    flag(source, "--live", "ask the live cloud (default: its recordings)")
    about = "ask this cloud of clouds.yaml live; no name is needed"
    value(source, "--os-cloud", "NAME", about)
    about = f"make at most N requests to each cloud (default: {asking.BUDGET})"
    value(parser, "--budget", "N", about, type=_budget, default=asking.BUDGET)
    flag(parser, "--dry-run", "list the requests; only the listing of all images is asked for")
    selection = parser.add_mutually_exclusive_group()
    value(selection, "--only", "ID", "this check, M9; repeatable", action="append", default=[])
    about = "only S1 to S3: which images will make the listing fail, and how to fix them"
    flag(selection, "--forecast-only", about)
    flag(selection, "--no-forecast", "only M1 to M27")


def _budget(typed: str) -> int:
    if not typed.isdecimal() or int(typed) < _LEAST:
        raise argparse.ArgumentTypeError(f"{typed!r} is not a number of {_LEAST} or more")
    return int(typed)


def _check(options: Options) -> int:
    checks = _checks(options)
    if options.list:
        return _list(checks, as_json=options.json)
    verdicts: list[Verdict] = []
    rules, earlier = read_rules(options.settings), _earlier(options)
    for name in _names(options):
        try:
            with waiting(f"checking {name}"):
                cloud = _cloud(name, options)
                target = sources.dry_run(cloud) if options.dry_run else cloud
                verdicts += apply_rules(run(target, checks), rules)
        except ImageDetailError as error:
            complain(error, options)
            unasked = partial(Verdict, verdict="inconclusive", reason=error.problem, unasked=True)
            verdicts += (unasked(check=check, cloud=name) for check in checks)
    if options.dry_run:
        _print_requests(verdicts, as_json=options.json)
        return exit_code([verdict for verdict in verdicts if verdict.unasked])
    check_report = _make_report(options, earlier, verdicts, unused_rules(verdicts, rules, ALL))
    if options.json:
        print_json(report.to_dict(check_report))
    else:
        _print(check_report)
    return exit_code(verdicts)


def _earlier(options: Options) -> Sequence[Verdict]:
    path = options.since and Path(options.since)
    return report.read(load(path), path).verdicts if path else ()


def _make_report(
    options: Options,
    earlier: Sequence[Verdict],
    verdicts: Sequence[Verdict],
    unused: tuple[RuleRef, ...],
) -> report.CheckReport:
    since = report.since(Path(options.since), earlier, verdicts) if options.since else None
    check_report = report.CheckReport(verdicts=verdicts, since=since, unused_rules=unused)
    for path in options.settings.reports:
        report.write(check_report, path)
    return check_report


def report_checks(documents: Mapping[Path, Document], options: Options) -> int:
    """Make one report from the results of several commands; return the exit code."""
    verdicts: list[Verdict] = []
    unused: dict[RuleRef, None] = {}
    for path, document in documents.items():
        check_report = report.read(document, path)
        verdicts += [verdict for verdict in check_report.verdicts if verdict not in verdicts]
        unused |= dict.fromkeys(check_report.unused_rules)
    # A rule that one command did not use, another one may have.
    causes = (cause for verdict in verdicts for cause in verdict.causes)
    used = {cause.id for cause in causes if cause.accepted or cause.expired}
    still_unused = tuple(rule for rule in unused if rule.id not in used)
    _print_lines(_make_report(options, _earlier(options), verdicts, still_unused))
    return exit_code(verdicts)


def _print_requests(verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    requests = dict.fromkeys((each.cloud, url) for each in verdicts for url in each.requests)
    if as_json:
        rows = [{"cloud": cloud, "request": request} for cloud, request in requests]
        print_json({"schema": 1, "requests": rows})
        return
    for request in requests:
        print("  ".join(request))


def _checks(options: Options) -> tuple[Check, ...]:
    if options.forecast_only or options.no_forecast:
        return FORECASTS if options.forecast_only else CHECKS
    by_id = {check.id: check for check in ALL}
    ids = dict.fromkeys(map(str.upper, options.only))
    for unknown in ids.keys() - by_id.keys():
        remedy = f"{did_you_mean(unknown, tuple(by_id))}imagedetail check --list shows them"
        raise UsageError(f"there is no check {unknown!r}", remedy=remedy)
    return tuple(by_id[each] for each in ids) or ALL


def _list(checks: Sequence[Check], *, as_json: bool) -> int:
    if as_json:
        entries = [
            {
                "id": check.id,
                "title": check.title,
                "relation": check.relation,
                "known_deviations": [deviation.to_dict() for deviation in check.deviations],
            }
            for check in checks
        ]
        return print_json({"schema": 1, "checks": entries})
    for check in checks:
        print(f"{check.id:<5}{check.title}")
        print(f"     {check.relation}")
        for deviation in check.deviations:
            print(f"     known: {deviation.what} ({deviation.releases})")
    return SAME


def _names(options: Options) -> Sequence[str]:
    if not options.clouds and not options.os_cloud:
        remedy = "name a cloud: imagedetail check NAME; imagedetail clouds lists them"
        raise UsageError("no cloud is named", remedy=remedy)
    if options.os_cloud and len(options.clouds) > 1:
        raise UsageError("--os-cloud is for one cloud", remedy="name one, or leave it out")
    if options.os_cloud:
        return options.clouds or [options.os_cloud]
    if options.live:
        # A name that is neither recorded nor declared is one of clouds.yaml.
        recorded = (*options.store.clouds(), *options.store.traffic_clouds())
        selection = replace(options.settings, clouds=tuple(options.clouds), record_mode="once")
        return selection.select(recorded)
    return sides.select(options.clouds, options)


def _cloud(name: str, options: Options) -> asking.Cloud:
    settings, store = options.settings, options.store
    declaration = settings.declaration(name)
    if not (options.live or options.os_cloud):
        return sources.recorded(store, name, declared=declaration.release, budget=options.budget)
    target = replace(declaration, os_cloud=options.os_cloud or declaration.os_cloud)
    access = clouds.connect(target.os_cloud, declared=settings.declared)
    live_cloud = open_live_cloud(target, access, settings, store, adds=False)
    return sources.live(live_cloud, budget=options.budget)


def _print_lines(check_report: report.CheckReport) -> None:
    for line in check_report.lines:
        print(*wrap(line, terminal_width()), sep="\n")


def _print(check_report: report.CheckReport) -> None:
    verdicts, color, width = check_report.verdicts, wants_color(), terminal_width()
    _print_lines(check_report)
    print()
    if len({verdict.cloud for verdict in verdicts}) == 1:
        print(*text.details(verdicts, color=color, width=width), sep="\n")
        return
    print(*text.table(verdicts, width=width), sep="\n")
    for group in text.group_verdicts(verdict for verdict in verdicts if verdict.verdict == "fail"):
        names = wrap(", ".join(verdict.cloud for verdict in group), width)
        print("", *names, *text.detail(group[0], color=color, width=width), sep="\n")
