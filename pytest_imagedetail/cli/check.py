"""Check what clouds do to listings of images: `check`."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.check import asking, report, sources, text
from pytest_imagedetail.check.checks import ALL, CHECKS
from pytest_imagedetail.check.forecast import FORECASTS
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
from pytest_imagedetail.workspace import guarded, read_rules

_LEAST: Final = 2  # requests for all images, before and after


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    summary = "check what a cloud does to listings of images, with no other cloud to compare"
    parser = add_verb(verbs, "check", _check, summary, "--rules", "--since", "--report", "--json")
    value(parser, "clouds", "NAME", "a cloud or a glob; a shipped one, too", nargs="*")
    flag(parser, "--list", "list the checks, and ask no cloud")
    source = parser.add_mutually_exclusive_group()
    flag(source, "--live", "ask the live cloud (default: its recordings)")
    says = "ask this cloud of clouds.yaml live; no name is needed"
    value(source, "--os-cloud", "NAME", says)
    says = f"make at most N requests to each cloud (default: {asking.BUDGET})"
    value(parser, "--budget", "N", says, type=_budget, default=asking.BUDGET)
    flag(parser, "--dry-run", "list the requests; only the listing of all images is asked for")
    chosen = parser.add_mutually_exclusive_group()
    value(chosen, "--only", "ID", "this check, M9; repeatable", action="append", default=[])
    says = "only S1 to S3: which images will make the listing fail, and how to fix them"
    flag(chosen, "--forecast-only", says)
    flag(chosen, "--no-forecast", "only M1 to M27")


def _budget(text: str) -> int:
    if not text.isdecimal() or int(text) < _LEAST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of {_LEAST} or more")
    return int(text)


def _check(options: Options) -> int:
    checks = _chosen(options)
    if options.list:
        return _list(checks, as_json=options.json)
    verdicts: list[Verdict] = []
    rules, earlier = read_rules(options.chosen), _earlier(options)
    for name in _names(options):
        try:
            with waiting(f"checking {name}"):
                cloud = _cloud(name, options)
                asked = sources.dry_run(cloud) if options.dry_run else cloud
                verdicts += apply_rules(run(asked, checks), rules)
        except ImageDetailError as error:
            complain(error, options)
            unasked = partial(Verdict, verdict="inconclusive", reason=error.problem, unasked=True)
            verdicts += (unasked(check=each, cloud=name) for each in checks)
    if options.dry_run:
        _print_requests(verdicts, as_json=options.json)
        return exit_code([each for each in verdicts if each.unasked])
    checked = _reported(options, earlier, verdicts, unused_rules(verdicts, rules))
    if options.json:
        print_json(report.to_dict(checked))
    else:
        _print(checked)
    return exit_code(verdicts)


def _earlier(options: Options) -> Sequence[Verdict]:
    path = options.since and Path(options.since)
    return report.read(load(path), path).verdicts if path else ()


def _reported(
    options: Options,
    earlier: Sequence[Verdict],
    verdicts: Sequence[Verdict],
    unused: tuple[RuleRef, ...],
) -> report.CheckReport:
    since = report.since(Path(options.since), earlier, verdicts) if options.since else None
    checked = report.CheckReport(verdicts=verdicts, since=since, unused_rules=unused)
    for path in options.chosen.reports:
        report.write(checked, path)
    return checked


def report_checks(documents: Mapping[Path, Document], options: Options) -> int:
    """Make one report from the results of several commands; return the exit code."""
    verdicts: list[Verdict] = []
    unused: dict[RuleRef, None] = {}
    for path, document in documents.items():
        found = report.read(document, path)
        verdicts += [each for each in found.verdicts if each not in verdicts]
        unused |= dict.fromkeys(found.unused_rules)
    # What one command did not find, another one may have.
    causes = {one.id for each in verdicts for one in each.causes}
    left = tuple(each for each in unused if each.id not in causes)
    _print_head(_reported(options, _earlier(options), verdicts, left))
    return exit_code(verdicts)


def _print_requests(verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    asked = dict.fromkeys((each.cloud, one) for each in verdicts for one in each.requests)
    if as_json:
        rows = [{"cloud": cloud, "request": request} for cloud, request in asked]
        print_json({"schema": 1, "requests": rows})
        return
    for each in asked:
        print("  ".join(each))


def _chosen(options: Options) -> tuple[Check, ...]:
    if options.forecast_only or options.no_forecast:
        return FORECASTS if options.forecast_only else CHECKS
    known = {each.id: each for each in ALL}
    named = dict.fromkeys(map(str.upper, options.only))
    for each in named.keys() - known.keys():
        remedy = f"{did_you_mean(each, tuple(known))}imagedetail check --list shows them"
        raise UsageError(f"there is no check {each!r}", remedy=remedy)
    return tuple(known[each] for each in named) or ALL


def _list(checks: Sequence[Check], *, as_json: bool) -> int:
    if as_json:
        listed = [
            {
                "id": each.id,
                "title": each.title,
                "relation": each.relation,
                "known_deviations": [one.to_dict() for one in each.deviations],
            }
            for each in checks
        ]
        return print_json({"schema": 1, "checks": listed})
    for each in checks:
        print(f"{each.id:<5}{each.title}")
        print(f"     {each.relation}")
        for one in each.deviations:
            print(f"     known: {one.what} ({one.releases})")
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
        known = (*options.store.clouds(), *options.store.traffic_clouds())
        return replace(options.chosen, clouds=tuple(options.clouds), record_mode="once").select(
            known
        )
    return sides.names(options.clouds, options)


def _cloud(name: str, options: Options) -> asking.Cloud:
    chosen, store = options.chosen, options.store
    declared = chosen.declaration(name)
    if not (options.live or options.os_cloud):
        return sources.recorded(store, name, declared=declared.release, budget=options.budget)
    target = replace(declared, os_cloud=options.os_cloud or declared.os_cloud)
    access = clouds.connect(target.os_cloud, declared=chosen.declared)
    live = guarded(target, access, chosen, store, adds=False)
    return sources.live(live, budget=options.budget)


def _print_head(checked: report.CheckReport) -> None:
    for line in checked.lines:
        print(*wrap(line, terminal_width()), sep="\n")


def _print(checked: report.CheckReport) -> None:
    verdicts, color, width = checked.verdicts, wants_color(), terminal_width()
    _print_head(checked)
    print()
    if len({each.cloud for each in verdicts}) == 1:
        print(*text.details(verdicts, color=color, width=width), sep="\n")
        return
    print(*text.table(verdicts, width=width), sep="\n")
    for same in text.group_verdicts(each for each in verdicts if each.verdict == "fail"):
        names = wrap(", ".join(each.cloud for each in same), width)
        print("", *names, *text.detail(same[0], color=color, width=width), sep="\n")
