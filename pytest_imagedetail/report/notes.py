"""Write the notes below a result: its sides, how they were compared, and what was not."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.contract import release_index
from pytest_imagedetail.model import Query, RuleRef, Side
from pytest_imagedetail.normalize import RULES
from pytest_imagedetail.report import grid
from pytest_imagedetail.report.findings import Result, places_of
from pytest_imagedetail.settings import DEFAULT_LEVEL
from pytest_imagedetail.text import count, plain

_MOST_PATHS: Final = 3


def facts_of(side: Side) -> tuple[str, ...]:
    """Return one side's cloud, number of images or status, query, release and date."""
    return (
        side.name,
        count(side.images, "image") if side.error is None else f"answered {side.error}",
        f"query {side.query}",
        f"release {side.release or 'not declared'}",
        f"recorded {side.recorded_at}" if side.recorded_at else "imported",
    )


def count_of(result: Result) -> str:
    """Return how much was compared: "9 clouds, 43 queries, 387 answers"."""
    if isinstance(result, Matrix):
        clouds, answers = count(len(result.clouds), "cloud"), count(len(result.cells), "answer")
        number = len(result.queries)
        queries = f"query {result.queries[0]}" if number == 1 else count(number, "query")
        line = f"{clouds}, {queries}, {answers}"
        return f"{line}; {len(result.missing)} not recorded" if result.missing else line
    images = " and ".join(facts_of(side)[1] for side in (result.baseline, result.candidate))
    return f"{images}, query {result.query}"


def name_of(result: Result) -> str:
    """Return the clouds of a result: "nova-2019.1 → 7 clouds → nova-2026.2"."""
    first, *between, last = result.clouds
    between = [count(len(between), "cloud")] if between else []
    return " → ".join([first, *between, last])


def method(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield how two sides were compared, as pairs of a label and a line."""
    changes = applied_rules(comparison.normalization) or "nothing changed"
    yield "profile", f"{comparison.profile} ({changes})"
    if comparison.level == "shape":
        yield "level", "shape: what the images look like; they were not compared one by one"


def applied_rules(counts: Mapping[str, int]) -> str:
    """Return the normalization rules that applied, and how often: "R2 link host 54"."""
    names = (f"{rule.id} {rule.name} {counts[rule.id]}" for rule in RULES if counts.get(rule.id))
    return ", ".join(names)


def in_full(result: Result) -> Iterator[tuple[str, str]]:
    """Yield the sides of a comparison and how they were compared, then the notes."""
    if isinstance(result, Comparison):
        yield "baseline", ", ".join(facts_of(result.baseline))
        yield "candidate", ", ".join(facts_of(result.candidate))
        yield from method(result)
    yield from notes_of(result)


def notes_of(result: Result) -> Iterator[tuple[str, str]]:
    """Yield what was not compared and what the rules did, as pairs of a label and a line."""
    yield from _of_matrix(result) if isinstance(result, Matrix) else _of_comparison(result)


def _of_matrix(matrix: Matrix) -> Iterator[tuple[str, str]]:
    releases, microversions = matrix.releases, matrix.microversions
    clouds = [(name, releases.get(name), microversions.get(name)) for name in matrix.clouds]
    changed = {(step.baseline, step.candidate) for step in (*matrix.steps, *matrix.expected)}
    yield from _releases(clouds, {(old, new) for old, new, _ in matrix.compared} - changed)
    if len(matrix.queries) > 1 and Query() not in matrix.queries:
        yield (
            "queries",
            "the list of all images (query all) is not recorded, so it was not compared",
        )
    for (baseline, candidate), queries in _by_pair(matrix.lost).items():
        number = count(len(queries), "recording")
        line = f"{candidate} lacks {number} that {baseline} has: {grid.first_queries(queries)}"
        remedy = f"or imagedetail record {candidate} --like {baseline}"
        yield "missing", f"{line}; restore from version control, {remedy}"
    for (baseline, candidate), queries in _by_pair(matrix.nothing_in_common).items():
        names = f"{baseline} and {candidate} have no image in common"
        yield "paired", f"{names}, query {grid.first_queries(queries)}, so none was compared there"
    yield from _not_compared(matrix.not_compared)
    yield from _rules(matrix)


def _by_pair(triples: Iterable[tuple[str, str, Query]]) -> dict[tuple[str, str], list[Query]]:
    pairs: dict[tuple[str, str], list[Query]] = {}
    for baseline, candidate, query in triples:
        pairs.setdefault((baseline, candidate), []).append(query)
    return pairs


def _releases(
    clouds: Iterable[tuple[str, str | None, str | None]], unchanged: Container[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield a note for neighbors in the wrong order, and for those that may be one cloud.

    A cloud is its name, its release and its newest microversion.
    """
    for (name, release, microversion), (later, next_release, newest) in pairwise(clouds):
        old, new = map(release_index, (release, next_release))
        if old is None or new is None:
            continue
        if old > new:
            yield "order", f"{name} is a newer release than {later}; the older one comes first"
        elif old < new and microversion == newest and (name, later) in unchanged:
            line = f"{name} and {later} are declared as releases {release} and {next_release}"
            line += ", but neither their answers nor their newest microversions "
            line += f"({newest or 'unknown'}) differ: make sure that they are two clouds"
            yield "releases", line


def _of_comparison(comparison: Comparison) -> Iterator[tuple[str, str]]:
    sides = comparison.baseline, comparison.candidate
    is_unchanged = comparison.same and comparison.level == DEFAULT_LEVEL
    clouds = [(side.name, side.release, side.max_microversion) for side in sides]
    yield from _releases(clouds, {(clouds[0][0], clouds[1][0])} if is_unchanged else ())
    if comparison.unseen:
        paths = ", ".join(comparison.unseen)
        yield "not judged", f"{paths}: no image of one side can show it"
    if comparison.unpaired.ambiguous:
        number = len(comparison.unpaired.ambiguous)
        yield "ambiguous", f"{number} images share a name with others and were not paired"
    if comparison.nothing_in_common:
        yield "paired", _nothing_in_common(comparison)
    yield from redaction(comparison)
    differing = {difference.any_image for difference in comparison.differences}
    for side in sides:
        for path in side.volatile:
            if path in differing:
                reason = f"two identical requests to {side.cloud} differed in it"
                yield "volatile", f"{path}: {reason}; to accept it, add a rule"
    yield from _rules(comparison)


def _nothing_in_common(comparison: Comparison) -> str:
    for side in (comparison.baseline, comparison.candidate):
        if not side.images:
            return (
                f"{side.cloud} has no image, so no image was compared; "
                "is that the right project, and does its Glance answer?"
            )
    hint = "--level shape compares what images look like"
    if comparison.profile != "cross-cloud":
        hint = f"--profile cross-cloud also pairs by name, {hint}"
    return f"the two sides have no image in common, so none was compared; {hint}"


def redaction(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield notes about what redaction hides from the comparison."""
    if comparison.of_two_projects:
        yield "projects", "the recordings are of two projects"
    yield from _not_compared(comparison.not_compared)


def _not_compared(paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield how many values were redacted, and the paths of the first three."""
    if not paths:
        return
    named = ", ".join(map(plain, paths[:_MOST_PATHS]))
    more = f" and {len(paths) - _MOST_PATHS} more" if len(paths) > _MOST_PATHS else ""
    were = "value was" if len(paths) == 1 else "values were"
    yield "redacted", f"{len(paths)} {were} redacted and not compared: {named}{more}"


def _rules(result: Result) -> Iterator[tuple[str, str]]:
    """Yield notes about differences accepted by rules, expired rules and unused ones."""
    used = dict.fromkeys(step.difference.rule for step in result.accepted)
    for rule in filter(None, used):
        for place in places_of(step for step in result.accepted if step.difference.rule == rule):
            line = f"{place.first.kind} {place.path} {place.image_list}".rstrip()
            yield "expected", f"{line}: {why(rule)}"
    for rule in result.expired_rules:
        yield "expired", expired(rule)
    for rule in result.unused_rules:
        yield "unused", unused(rule)


def expired(rule: RuleRef) -> str:
    """Return the note on a rule that would accept something if it had not expired."""
    line = f"{rule.where}: the rule for {rule.about} expired on {rule.expires}"
    return f"{line}; fix the cause, or renew or delete the rule"


def unused(rule: RuleRef) -> str:
    """Return the note on a rule that accepts nothing."""
    line = f"{rule.where}: the rule for {rule.about} accepts nothing here"
    if rule.typo:
        return f"{line}, and {rule.typo}; correct it"
    return f"{line}; correct or delete it, unless another query or cloud needs it"


def why(rule: RuleRef) -> str:
    """Return reason and expiry of a rule: `new default (CHG-1, until 2027-02-01)`."""
    facts = [plain(rule.reference)] if rule.reference else []
    facts.append(f"until {rule.expires}" if rule.expires else "for good")
    return f"{plain(rule.reason)} ({', '.join(facts)})"
