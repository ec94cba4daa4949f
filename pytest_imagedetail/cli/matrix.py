"""`imagedetail matrix`: what changed from one cloud to the next, over every recorded query."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from pytest_imagedetail import report
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import (
    add_expect,
    add_json,
    add_query,
    add_report,
    add_rules,
    add_verb,
    query,
    settings,
)
from pytest_imagedetail.cli.output import DIFFERENT, SAME, print_json, wants_color
from pytest_imagedetail.compare.matrix import (
    SCHEMA,
    Answers,
    Matrix,
    answers_with_images,
    by_release,
    compare_neighbors,
    release_of,
)
from pytest_imagedetail.errors import CassetteNotFoundError, ImageDetailError, UsageError
from pytest_imagedetail.harness import store_of, utc_now
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import FAIL_ON, Query
from pytest_imagedetail.report import grid, text
from pytest_imagedetail.rules import rules_of
from pytest_imagedetail.settings import PROFILES, Settings, unknown_cloud

_PAIR: Final = 2
_NAMES: Final = 6


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    summary = "say what changed from one cloud to the next, over every recorded query"
    parser = add_verb(verbs, "matrix", _matrix, summary)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="clouds in this order; globs stand for clouds in the order of their releases "
        "(default: every recorded cloud that declares a release, or else the reference library)",
    )
    add_query(parser)
    add_expect(parser)
    parser.add_argument("--profile", choices=PROFILES, help="default: cross-version")
    parser.add_argument("--fail-on", choices=FAIL_ON, help="default: breaking")
    parser.add_argument(
        "--all", action="store_true", help="show also the queries that all clouds answered alike"
    )
    add_rules(parser)
    add_report(parser)
    add_json(parser)


def _matrix(options: argparse.Namespace) -> int:
    chosen = settings(options)
    rows = _named(options, chosen) if options.names else _recorded(options, chosen)
    _say_where_from(rows, store_of(chosen))
    matrices = [
        compare_neighbors(
            row,
            profile=chosen.profile,
            fail_on=chosen.fail_on,
            expect=options.expect,
            rules=rules_of(*chosen.rules, today=utc_now().date()),
        )
        for row in rows
    ]
    for path in chosen.reports:
        report.write(matrices, path)
    if options.json:
        print_json({"schema": SCHEMA, "matrices": [each.to_dict() for each in matrices]})
    else:
        print("\n\n".join(_rendered(matrices, every_query=options.all)))
    return SAME if all(each.compatible for each in matrices) else DIFFERENT


def _rendered(matrices: Sequence[Matrix], *, every_query: bool) -> Iterator[str]:
    for each in matrices:
        yield grid.render(each, color=wants_color(), every_query=every_query)


def _named(options: argparse.Namespace, chosen: Settings) -> list[dict[str, Answers]]:
    """One row: the clouds that were typed, in their order."""
    store = store_of(chosen)
    known = tuple(dict.fromkeys([*store.clouds(), *store.library_clouds()]))
    row: dict[str, Answers] = {}
    for name in options.names:
        found = {cloud: _answers(cloud, options, chosen, store) for cloud in _matching(name, known)}
        row |= {each: answers for each, answers in by_release(found).items() if each not in row}
    if _asks(options) and len(row) >= _PAIR > sum(map(bool, row.values())):
        raise _not_recorded(options, row)
    return [row]


def _matching(name: str, known: Sequence[str]) -> Sequence[str]:
    if not set(name) & set("*?["):
        if name not in known:
            raise unknown_cloud(name, known)
        return (name,)
    found = [cloud for cloud in known if fnmatchcase(cloud, name)]
    if not found:
        raise UsageError(
            f"no recorded cloud matches {name!r}", remedy=f"recorded: {', '.join(known) or 'none'}"
        )
    return found


def _recorded(options: argparse.Namespace, chosen: Settings) -> list[dict[str, Answers]]:
    """One row for each family of clouds: those whose names differ in their release alone."""
    store = store_of(chosen)
    found = {
        cloud: _answers(cloud, options, chosen, store)
        for cloud in store.clouds() or store.library_clouds()
    }
    if _asks(options) and sum(map(bool, found.values())) < _PAIR:
        raise _not_recorded(options, found)
    families: dict[str, dict[str, Answers]] = {}
    for cloud, answers in by_release(found).items():
        release = release_of(answers)
        if release is not None and answers_with_images(answers):
            family = cloud.replace(release, "*") if release in cloud else "other names"
            families.setdefault(family, {})[cloud] = answers
    rows = [row for row in families.values() if len(row) >= _PAIR]
    _say_what_is_left_out(found, rows)
    if not rows:
        raise CassetteNotFoundError(
            "there are no two recorded clouds that declare a release to put them in order",
            where=str(store.directory),
            remedy="name the clouds, oldest first: imagedetail matrix OLD NEW\n"
            "or record with a release: imagedetail record --os-cloud NAME --release 2026.2",
        )
    return rows


def _say_what_is_left_out(
    found: Mapping[str, Answers], rows: Sequence[Mapping[str, Answers]]
) -> None:
    shown = {cloud for row in rows for cloud in row}
    left_out = [cloud for cloud in found if cloud not in shown]
    if left_out:
        names = ", ".join(left_out[:_NAMES])
        more = f" and {len(left_out) - _NAMES} more" if len(left_out) > _NAMES else ""
        print(
            f"left out: {names}{more} (no release, nothing but errors, or alone of their kind); "
            "name clouds to compare them",
            file=sys.stderr,
        )


def _say_where_from(rows: Sequence[Mapping[str, Answers]], store: Store) -> None:
    """Say which clouds are read partly from the project's cassettes and partly from the library."""
    for cloud, answers in (each for row in rows for each in row.items()):
        paths = [store.find(cloud, asked) for asked in answers]
        own = sum(path is not None and store.is_own(path) for path in paths)
        if 0 < own < len(paths):
            found = f"{own} of {len(paths)} answers from {store.directory}, the others from the"
            print(f"{cloud}: {found} library", file=sys.stderr)


def _answers(
    cloud: str, options: argparse.Namespace, chosen: Settings, store: Store
) -> dict[Query, Listing]:
    """Everything recorded of a cloud, or its answer to the one query that was typed."""
    if not _asks(options):
        return {each.query: each for each in sides.recorded(cloud, chosen, store)}
    path = store.find(cloud, query(options))
    if path is None:
        return {}
    listing = sides.own(path, chosen.declaration(cloud).release)
    return {listing.query: listing}


def _asks(options: argparse.Namespace) -> bool:
    """Whether one query was typed."""
    return bool(options.query or options.microversion)


def _not_recorded(options: argparse.Namespace, found: Mapping[str, Answers]) -> ImageDetailError:
    """The error of a query that fewer than two clouds were asked."""
    asked = query(options)
    having = [cloud for cloud, answers in found.items() if answers]
    who = f"only {having[0]} was" if having else f"none of {text.count(len(found), 'cloud')} was"
    command = " ".join(["imagedetail record --os-cloud NAME", *asked.options])
    return CassetteNotFoundError(
        f"there is nothing to compare: {who} asked query {str(asked)!r}",
        where=", ".join(found) if len(found) <= _NAMES else "",
        remedy=f"record it of each: {command}\nor ask for one that is recorded: imagedetail ls",
    )
