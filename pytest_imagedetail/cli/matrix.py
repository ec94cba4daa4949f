"""Compare each cloud with the next one: `matrix`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import text
from pytest_imagedetail.cli import output, sides
from pytest_imagedetail.cli.arguments import COMPARED, JUDGED, Options, add_verb, flag, value
from pytest_imagedetail.compare.comparison import SCHEMA
from pytest_imagedetail.compare.matrix import (
    Answers,
    Matrix,
    by_release,
    compare_neighbors,
    has_listing,
    refuse_repeated,
    release_of,
)
from pytest_imagedetail.errors import CassetteNotFoundError
from pytest_imagedetail.model import Query
from pytest_imagedetail.report.findings import Place
from pytest_imagedetail.settings import CLOUDS_FILE
from pytest_imagedetail.workspace import read_rules

_PAIR: Final = 2


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    summary = "show what changed from one cloud to the next, over every recorded query"
    parser = add_verb(verbs, "matrix", _matrix, summary, *COMPARED, *JUDGED)
    about = (
        "clouds in this order; globs stand for clouds in the order of their releases "
        "(default: every recorded cloud that declares a release, or else the reference library)"
    )
    value(parser, "names", "NAME", about, nargs="*")
    flag(parser, "--all", "show also the queries that all clouds answered alike")


def _matrix(options: Options) -> int:
    store = options.store
    with output.reporting_errors(options, "matrix", ", ".join(options.names) or "all clouds"):
        matrices = _matrices(options)

    def path_of(place: Place) -> Path:
        cloud, query = place.step.candidate, place.queries[0]
        return store.find(cloud, query) or store.path(cloud, query)  # a lost recording has no file

    report = output.make_report(options, matrices, path_of=path_of)
    if options.json:
        document = {"schema": SCHEMA, "matrices": [matrix.to_dict() for matrix in report.matrices]}
        output.print_json(report.head() | document)
    else:
        output.print_report(report, every_query=options.all)
    return report.verdict.exit_code


def _matrices(options: Options) -> list[Matrix]:
    store, rows = options.store, _rows(options)
    own_queries: dict[str, list[Query]] = {}
    for row in rows:
        for cloud, answers in row.items():
            queries = [query for query in answers if store.path(cloud, query).exists()]
            own_queries[cloud] = queries
            if 0 < len(queries) < len(answers):
                share = f"{len(queries)} of {len(answers)} answers from {store.directory}"
                output.say(f"{cloud}: {share}, the others from the library")
    rules = read_rules(options.settings)
    with output.waiting(f"comparing {text.count(sum(map(len, rows)), 'cloud')}"):
        return [
            compare_neighbors(
                row,
                profile=options.settings.profile,
                fail_on=options.settings.fail_on,
                expect=options.expect,
                rules=rules,
                own=own_queries,
            )
            for row in rows
        ]


def _rows(options: Options) -> list[dict[str, Answers]]:
    """Load the named clouds in their order, or else all clouds, family by family."""
    refuse_repeated(options.names)
    store, declared = options.store, options.settings.declared.values()
    own = tuple(dict.fromkeys([*store.clouds(), *(c.name for c in declared if c.release)]))
    clouds = own if len(own) >= _PAIR else (*own, *store.library_clouds())
    groups = [sides.select([name], options) for name in options.names] or [clouds]
    row: dict[str, Answers] = {}
    for group in groups:
        new = (cloud for cloud in group if cloud not in row)
        added = {cloud: {e.query: e for e in sides.listings(cloud, options)} for cloud in new}
        row |= by_release(added)
    query, answering = options.parsed_query, sum(map(bool, row.values()))
    # A cloud with only the traffic of tests is left out below, unless it was named.
    optional = () if options.names else store.traffic_clouds()
    if options.selects_query:
        optional = tuple(row) if answering >= _PAIR else ()
    for cloud, answers in row.items():
        if not answers and cloud not in optional:
            store.load(cloud, query)  # raises with the command to record it
    return [row] if options.names else _families(row)


def _families(answers_by_cloud: Mapping[str, Answers]) -> list[dict[str, Answers]]:
    families: dict[str, dict[str, Answers]] = {}
    left_out: dict[str, list[str]] = {}
    for cloud, answers in answers_by_cloud.items():
        release = release_of(answers)
        if release is None:
            reason = "no release" if answers else "no such recording"
            left_out.setdefault(reason, []).append(cloud)
        elif not has_listing(answers):
            left_out.setdefault("nothing but errors", []).append(cloud)
        else:
            family = cloud.replace(release, "*") if release in cloud else "other names"
            families.setdefault(family, {})[cloud] = answers
    rows = [row for row in families.values() if len(row) >= _PAIR]
    if alone := [cloud for row in families.values() if len(row) < _PAIR for cloud in row]:
        left_out["no other release under such a name"] = alone
    if left_out:
        reasons = "; ".join(f"{', '.join(names)} ({why})" for why, names in left_out.items())
        output.say(f"left out: {reasons}; name clouds to compare them")
    if not rows:
        raise CassetteNotFoundError(
            "there are no two recorded clouds that declare a release to put them in order",
            remedy="name the clouds, oldest first: imagedetail matrix OLD NEW\n"
            f"or declare the release of each in {CLOUDS_FILE}: NAME: {{release: '2026.2'}}",
        )
    return rows
