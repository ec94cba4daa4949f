"""Render reports for a terminal or a failing test: the verdict first, then the worst."""

import textwrap
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import PurePath
from typing import Final

from pytest_imagedetail import text
from pytest_imagedetail.compare.comparison import Comparison, summary_of
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import OF_QUERY
from pytest_imagedetail.report import evidence, grid, notes
from pytest_imagedetail.report.findings import Finding, Place, Result, findings_of
from pytest_imagedetail.report.verdict import Report, report_of, summary
from pytest_imagedetail.settings import DEFAULT_LEVEL, DEFAULT_PROFILE

_RED, _GREEN, _YELLOW, _CYAN, _DIM = "31", "32", "33", "36", "2"
_BOLD_RED: Final = "31;1"
_COLORS: Final = {
    **dict.fromkeys(("breaking", "fail", "expired", "missing"), _BOLD_RED),
    **dict.fromkeys(("compatible", "known-deviation", "order", "releases"), _YELLOW),
    **dict.fromkeys(("unused", "volatile"), _YELLOW),
    **dict.fromkeys(("data", "ambiguous", "paired", "projects", "redacted"), _CYAN),
    **dict.fromkeys(("same", "pass", "+"), _GREEN),
    "-": _RED,
    "dim": _DIM,
}
"""Colors by severity, verdict, label of a note, or sign of a value."""

_LABEL: Final = 10  # characters of a severity or of a note's label
_NAME: Final = 9  # characters of the name of a line below
_KIND: Final = 14  # characters of most kinds
_VALUE: Final = 100  # characters of a value, unless the terminal is narrower
_LEAST: Final = 12
_MOST_CAUSES: Final = 50
_CHANGES: Final = 4  # with notes; head, hint and command are added
_NOTES: Final = 3
_REASONS: Final = frozenset({"missing", "order", "paired"})  # notes in a failing assertion
_BRIEF: Final = 90  # characters of a line of a failing assertion
_BRIEF_NAME: Final = 24  # characters of a cloud or an image in such a line
_BRIEF_VALUES: Final = range(24, 15, -1)  # widths to try
_COMMANDS: Final = frozenset({"accept", "again", "fix"})  # not wrapped, so that they can be copied
_BY_DEFAULT: Final = {"level": DEFAULT_LEVEL, "profile": DEFAULT_PROFILE, "expect": None}


def render(
    report: Report,
    *,
    color: bool = False,
    width: int | None = None,
    explain: bool = False,
    every_query: bool = False,
) -> str:
    """Return the whole report with lines of at most `width` characters; None sets no limit.

    `explain` adds the grounds for a severity and how to accept it, `every_query` the queries that
    all clouds of a matrix answered alike.
    """
    verdict, single = report.verdict, report.single
    shade = "same" if verdict.passed else "breaking"
    facts = [*verdict.facts, *(verdict.compared if single is None else ())]  # the sides follow
    head = [_paint(line, shade, color=color) for line in wrap(verdict.line, width)]
    head += [_paint(line, "dim", color=color) for line in wrap(", ".join(facts), width)]
    parts = [head, *(grid.table(e, every_query=every_query, width=width) for e in report.matrices)]
    if single is not None:
        parts.append(_sides(single, width))
    return _join([*parts, *_parts(report, color=color, width=width, explain=explain)])


def details(comparison: Comparison) -> str:
    """Return the differences without a verdict, for the text of an error."""
    return _join(_parts(report_of([comparison]), color=False, width=None, explain=False))


def entry(
    label: str,
    title: str,
    lines: Iterable[tuple[str, str]] = (),
    *,
    indent: int = _LABEL,
    color: bool = False,
    width: int | None = None,
) -> Iterator[str]:
    """Yield one entry of a report: its label and title, then its named lines.

    Values, named "-" or "+", are cut; commands are left alone; other text is wrapped.
    """
    start, *rest = wrap(title, width and width - indent - 2)
    yield f"{_paint(f'{label:<{indent}}', label, color=color)}  {start}"
    yield from (f"{'':<{indent}}  {line}" for line in rest)
    for name, line in lines:
        room = width and width - indent - 2 - _NAME if name not in _COMMANDS else None
        if name in {"-", "+"} and room:
            parts = [text.cut(line, max(room, _LEAST))]
        else:
            parts = wrap(line, room)
        for head, part in zip([name, *[""] * (len(parts) - 1)], parts, strict=True):
            shade = name if name in {"-", "+"} else "dim"
            yield f"{'':<{indent}}  {_paint(f'{head:<{_NAME}}{part}', shade, color=color)}".rstrip()


def brief(result: Result) -> str:
    """Return the counts and the worst differences for a failing assertion.

    pytest truncates an explanation of more than seven lines.
    """
    is_matrix = isinstance(result, Matrix)
    head = notes.name_of(result) if is_matrix else " -> ".join(result.clouds)
    reasons = [
        ("expired", f"the rule for {rule.about}, {PurePath(rule.where).name}")
        for rule in result.expired_rules[:1]
    ]
    reasons += [note for note in notes.notes_of(result) if note[0] in _REASONS]
    why = [line for note in reasons for line in entry(*note, indent=_LABEL - 1, width=_BRIEF)]
    why = why[:_NOTES]
    changes = [_brief_line(finding, between=is_matrix) for finding in findings_of([result])]
    most = _CHANGES - len(why)
    dropped = len(changes) - most
    rest = text.count(dropped, "more line") if dropped > 0 else "values and reasons"
    more = [f"{rest}: pytest -vv", _command(result)]
    lines = [f"{head}: {summary(result)}", *changes[:most], *why, *more]
    return "\n".join(text.cut(text.plain(line), _BRIEF) for line in lines)


def digest(report: Report, most: int) -> Iterator[str]:
    """Yield the verdict, the first errors and failing causes, one per line, for a run's end."""
    yield report.verdict.line
    for failure in report.failures[:most]:
        yield text.plain(f"{'error':<{_LABEL}} {failure.problem.splitlines()[0]}")
    shown = report.failing[:most]
    yield from (_brief_line(finding, between=True) for finding in shown)
    if (more := len(report.findings) - len(shown)) and not report.verdict.passed:
        yield f"and {text.count(more, 'other cause' if shown else 'cause')}"


def _paint(line: str, name: str, *, color: bool) -> str:
    """Return a line in the color of a name, if it has one."""
    return f"\x1b[{_COLORS[name]}m{line}\x1b[0m" if color and name in _COLORS else line


def _join(parts: Iterable[Iterable[str]]) -> str:
    return "\n\n".join(filter(None, map("\n".join, parts)))


def _sides(comparison: Comparison, width: int | None) -> Iterator[str]:
    both = (comparison.baseline, comparison.candidate)
    heads = zip(("baseline", "candidate"), text.aligned([*map(notes.facts_of, both)]), strict=True)
    for label, line in (*heads, *notes.method(comparison)):
        yield from entry(label, line, width=width)


def _parts(
    report: Report, *, color: bool, width: int | None, explain: bool
) -> Iterator[Iterable[str]]:
    styled = partial(entry, color=color, width=width)
    for finding in report.findings[:_MOST_CAUSES]:
        lines = _lines(finding, report, explain=explain)
        yield styled(finding.severity, _title(finding, report), lines)
    if (more := len(report.findings) - _MOST_CAUSES) > 0:
        yield [f"and {text.count(more, 'other cause')}: see a report, --report FILE"]
    end_notes = [*report.notes]
    if report.since is not None:
        first, *others = report.since.lines
        end_notes += [("since", first), *(("", line) for line in others)]
    end = [line for note in end_notes for line in styled(*note)]
    if report.findings or any(result.expected for result in report.results):
        most = report.findings[0].severity if report.findings else "same"
        end += (_paint(line, most, color=color) for line in wrap(_counts(report), width))
    yield end


def _title(finding: Finding, report: Report) -> str:
    place = finding.places[0]
    one_place = len(finding.places) == 1 and finding.kind not in OF_QUERY
    subject = place.path if report.single is not None or one_place else finding.subject
    images = f"  {place.image_list}" if report.single is not None and place.image_list else ""
    return f"{finding.kind:<{_KIND}}  {subject}{images}"


def _lines(finding: Finding, report: Report, *, explain: bool) -> Iterator[tuple[str, str]]:
    place, *others = finding.places
    if report.single is None:
        images = f": {place.image_list}" if place.image_list else ""
        yield "in", f"{place.pair}, query {grid.first_queries(place.queries)}{images}"
    yield from text.values(place.first, _VALUE)
    if place.other_values:
        yield "", f"and {place.other_values}"
    if others:
        yield "also in", "; ".join(_chains(others))
    yield "why", finding.reason
    if explain:
        yield from evidence.explain(finding, report.arguments)
    words = [finding.id]
    if report.since is not None:
        if len(finding.new) == len(finding.places):
            words.append("new")
        elif finding.new:
            words.append(f"new in {'; '.join(_chains(finding.new))}")
        if finding.history:
            words.append(finding.history)
    yield "id", ", ".join(words)


def _chains(places: Iterable[Place]) -> list[str]:
    """Join pairs of clouds that follow each other: "a -> b -> c"."""
    chains: list[list[str]] = []
    for place in places:
        if not chains or chains[-1][-1] != place.step.baseline:
            chains.append([place.step.baseline])
        chains[-1].append(place.step.candidate)
    return [" -> ".join(chain) for chain in chains]


def _counts(report: Report) -> str:
    """Return the last line: "4 causes, 12 differences: 1 breaking, 11 compatible, 0 data"."""
    steps = [step for result in report.results for step in result.steps]
    accepted = [step for result in report.results for step in result.accepted]
    causes = len(report.findings)
    start = f"{text.count(causes, 'cause')}, " if 0 < causes < len(steps) else ""
    if len(report.results) == 1:
        return start + report.results[0].summary
    return start + summary_of(steps, accepted)


def wrap(line: str, width: int | None) -> list[str]:
    """Wrap a text at spaces only, so that words can be copied."""
    if width is None:
        return [text.plain(line)]
    room = max(width, _LEAST)
    lines = textwrap.wrap(text.plain(line), room, break_on_hyphens=False, break_long_words=False)
    return lines or [""]


def _brief_line(finding: Finding, *, between: bool) -> str:
    """Return a cause on one line: its clouds, if `between`, and what else fits."""
    place, first = finding.places[0], finding.first
    line = f"{finding.severity:<{_LABEL}} "
    if between:
        names = (place.step.baseline, place.step.candidate)
        line += " -> ".join(text.cut(name, _BRIEF_NAME) for name in names) + ": "
    line += f"{finding.kind} {finding.subject}"
    if place.image_count > 1:
        line += f" ({place.image_count} images)"
    elif place.image_count:
        line += f" {text.cut(place.image_list, _BRIEF_NAME)}"
    if place.image_count <= 1 and text.shows_values(first):
        pairs = (text.contrast(first.baseline, first.candidate, size) for size in _BRIEF_VALUES)
        lines = [f"{line}: {' -> '.join(pair)}" for pair in pairs]
        line = next((each for each in lines if len(each) <= _BRIEF), lines[-1])
    if between and finding.kind not in OF_QUERY:
        several = len(place.queries) > 1
        query = text.count(len(place.queries), "query") if several else str(place.queries[0])
        line += f" ({query})" if len(f"{line} ({query})") <= _BRIEF else ""
    return text.cut(text.plain(line), _BRIEF)


def _command(result: Result) -> str:
    """Return the command that repeats a comparison, without rules."""
    if isinstance(result, Matrix):
        verb, clouds = "matrix", result.clouds
    else:
        verb, clouds = "diff", (result.baseline.cloud, result.candidate.cloud)
    chosen = {name: getattr(result, name, default) for name, default in _BY_DEFAULT.items()}
    options = [f"--{name} {value}" for name, value in chosen.items() if value != _BY_DEFAULT[name]]
    if len(result.queries) == 1:
        options += result.queries[0].options
    for names in (clouds, [f"CLOUD... (these {len(clouds)})"]):
        line = " ".join(["or: imagedetail", verb, *names, *options])
        if len(line) <= _BRIEF:
            return line
    return f"or: imagedetail {verb}"
