"""Render reports for a terminal or a failing test: the verdict first, then the worst."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Final

from pytest_imagedetail.compare.comparison import Comparison, accepted, summary_of
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import OF_QUERY, Query, RuleRef
from pytest_imagedetail.report import grid, text
from pytest_imagedetail.report.evidence import accept_command, facts
from pytest_imagedetail.report.findings import Finding, Place, Result, findings_of, found_in
from pytest_imagedetail.report.verdict import Report, notes_of, report_of
from pytest_imagedetail.settings import DEFAULT_LEVEL, DEFAULT_PROFILE

_COLORS: Final = {
    "breaking": "31;1",
    "fail": "31;1",
    "compatible": "33",
    "known-deviation": "33",
    "data": "36",
    "same": "32",
    "pass": "32",
    "dim": "2",
    "-": "31",
    "+": "32",
}
_OF_LABEL: Final = {
    "ambiguous": "data",
    "paired": "data",
    "projects": "data",
    "redacted": "data",
    "volatile": "compatible",
    "expired": "breaking",
    "unused": "compatible",
    "missing": "breaking",
}
_LABEL: Final = 10  # characters of a severity or of a note's label
_NAME: Final = 9  # of what a line below it is about
_KIND: Final = 14  # of most kinds
_VALUE: Final = 100  # characters of a value, unless the terminal is narrower
_LEAST: Final = 20
_MOST_CAUSES: Final = 50
_CHANGES: Final = 5  # with notes and command; head and hint come on top
_BRIEF: Final = 90  # characters of a line of a failing assertion
_BRIEF_QUERY: Final = 30
_BRIEF_CLOUD: Final = 10  # at least
_COMMAND: Final = 2  # lines that a command may take
_COMMANDS: Final = frozenset({"accept", "again", "heal"})  # a terminal breaks them, to be copied
_BY_DEFAULT: Final = {"level": DEFAULT_LEVEL, "profile": DEFAULT_PROFILE, "expect": None}


def render(
    report: Report,
    *,
    color: bool = False,
    width: int | None = None,
    typed: str | None = None,
    every_query: bool = False,
) -> str:
    """Return the whole report.

    Args:
        report: What to show.
        color: Whether to use ANSI colors.
        width: Of the terminal, in characters; None for lines of any length.
        typed: The sides and options as typed, to explain each severity with sources and show the
            command that accepts the difference; None explains nothing.
        every_query: Whether to show also the queries that all clouds of a matrix answered alike.
    """
    verdict, single = report.verdict, report.single
    shade = "same" if verdict.passed else "breaking"
    shown = [*verdict.facts, *(verdict.compared if single is None else ())]  # its sides stand below
    lines = [*_paragraph("", verdict.line, shade, color=color, width=width)]
    lines += _paragraph("", ", ".join(shown), "dim", color=color, width=width)
    for each in report.results:
        if isinstance(each, Matrix):
            lines += grid.table(each, every_query=every_query)
    lines += _sides(single, width) if single is not None else ()
    lines += _findings(report, color=color, width=width, typed=typed)
    end = [*_end(report, color=color, width=width)]
    return "\n".join([*lines, *[""] * bool(end), *end])


def details(comparison: Comparison) -> str:
    """Return what differs, without a verdict, for the text of an error."""
    report = report_of([comparison])
    lines = [*_findings(report, color=False, width=None, typed=None), ""]
    return "\n".join([*lines, *_end(report, color=False, width=None)]).removeprefix("\n")


def entry(
    label: str,
    title: str,
    lines: Iterable[tuple[str, str]],
    *,
    indent: int = _LABEL,
    color: bool = False,
    width: int | None = None,
) -> Iterator[str]:
    """Yield one entry of a report: its label and title, and what belongs to it below.

    Args:
        label: A severity or a verdict.
        title: What it is about.
        lines: Pairs of a name and a text. A value, after "-" or "+", is cut, a command is left
            alone, and other text is wrapped.
        indent: The width of the column of labels.
        color: Whether to use ANSI colors.
        width: Of the terminal, in characters; None for lines of any length.
    """
    start, *rest = _wrapped(title, width and width - indent - 2)
    yield f"{paint(f'{label:<{indent}}', label, color=color)}  {start}"
    yield from (f"{'':<{indent}}  {each}" for each in rest)
    for name, line in lines:
        room = width and width - indent - 2 - _NAME if name not in _COMMANDS else None
        many = [_cut(line, room)] if name in {"-", "+"} else _wrapped(line, room)
        for head, each in zip([name, *[""] * (len(many) - 1)], many, strict=True):
            shade = name if name in {"-", "+"} else "dim"
            yield f"{'':<{indent}}  {paint(f'{head:<{_NAME}}{each}', shade, color=color)}".rstrip()


def brief(result: Result) -> str:
    """Return the counts and the worst differences for a failing assertion.

    pytest truncates an explanation of more than seven lines.
    """
    query: Query | None
    if isinstance(result, Matrix):
        verb, clouds, head = "matrix", result.clouds, grid.title(result)
        query = result.queries[0] if len(result.queries) == 1 else None
        chosen: dict[str, object] = {"profile": result.profile, "expect": result.expect}
    else:
        sides = (result.baseline, result.candidate)
        verb, clouds, query = "diff", tuple(each.cloud for each in sides), result.query
        head = f"{result.baseline.name} -> {result.candidate.name}"
        chosen = {"level": result.level, "profile": result.profile, "expect": result.expect}
    why = [f"{'expired':<10} the rule for {_rule(each)}" for each in result.expired_rules[:1]]
    for label, line in notes_of(result):
        if label in {"paired", "missing"}:
            why += _labeled(label, line)
    changes = [
        _brief_line(each, between=verb == "matrix", one_query=query is not None)
        for each in findings_of([result])
    ]
    again = _command(verb, clouds, chosen, query)
    most = _CHANGES - len(why) - len(again)
    dropped = len(changes) - most
    rest = text.count(dropped, "more line") if dropped > 0 else "values and reasons"
    lines = [f"{head}: {result.summary}", *changes[:most], *why, f"{rest}: pytest -vv", *again]
    return "\n".join(text.cut(text.plain(line), _BRIEF) for line in lines)


def digest(report: Report, most: int) -> Iterator[str]:
    """Yield the verdict and the causes that fail, each on one line, for the end of a run.

    Args:
        report: What to show.
        most: How many causes to show.
    """
    yield report.verdict.line
    shown = report.failing[:most]
    yield from (text.cut(_brief_line(each, between=True), _BRIEF) for each in shown)
    if (more := len(report.findings) - len(shown)) and not report.verdict.passed:
        yield f"and {text.count(more, 'other cause' if shown else 'cause')}"


def paint(line: str, name: str, *, color: bool) -> str:
    """Return a line in the color of a severity or a verdict, of "same", "dim" or a sign."""
    return f"\x1b[{_COLORS[name]}m{line}\x1b[0m" if color and name in _COLORS else line


def _sides(comparison: Comparison, width: int | None) -> Iterator[str]:
    """Yield what was compared."""
    heads = [*map(text.side, (comparison.baseline, comparison.candidate))]
    widths = [max(map(len, column)) for column in zip(*heads, strict=True)]
    yield ""
    for name, head in zip(("baseline", "candidate"), heads, strict=True):
        cells = "  ".join(cell.ljust(size) for cell, size in zip(head, widths, strict=True))
        fits = width is None or len(cells) <= width - _LABEL - 2
        line = cells.rstrip() if fits else ", ".join(head)
        yield from _paragraph(name, line, "", color=False, width=None if fits else width)
    for label, line in (("profile", text.normalization(comparison)), *text.choices(comparison)):
        yield from _paragraph(label, line, "", color=False, width=width)


def _findings(
    report: Report, *, color: bool, width: int | None, typed: str | None
) -> Iterator[str]:
    single = report.single
    for each in report.findings[:_MOST_CAUSES]:
        group = each.places[0].group
        one_place = len(each.places) == 1 and each.kind not in OF_QUERY
        subject = group.path if single is not None or one_place else each.subject
        whom = f"  {group.whom}" if single is not None and group.whom else ""
        title = f"{each.kind:<{_KIND}}  {subject}{whom}"
        lines = _lines(each, report, typed)
        yield ""
        yield from entry(each.severity, title, lines, color=color, width=width)
    if (more := len(report.findings) - _MOST_CAUSES) > 0:
        yield ""
        yield f"and {text.count(more, 'other cause')}: see a report, --report FILE"


def _lines(finding: Finding, report: Report, typed: str | None) -> Iterator[tuple[str, str]]:
    place, *others = finding.places
    if report.single is None:
        whom = f": {place.group.whom}" if place.group.whom else ""
        yield "in", f"{place.pair}, query {grid.asked(place.queries)}{whom}"
    yield from text.values(place.group.first, _VALUE)
    if text.shows_values(place.group.first) and len(place.group.differences) > 1:
        yield "", f"and {text.count(len(place.group.differences) - 1, 'other value')}"
    if others:
        yield "also in", "; ".join(_chains(others))
    yield "why", finding.reason
    if typed is not None:
        yield from facts(finding.first, place.sides)
        yield "accept", text.plain(accept_command(typed, place.group.path, finding.kind))
    words = [finding.id]
    if report.since is not None:
        new = "; ".join(_chains(finding.new))
        words += [f"new in {new}"] * (0 < len(finding.new) < len(finding.places))
        words += ["new"] * (len(finding.new) == len(finding.places))
        words += [finding.history] * bool(finding.history)
    yield "id", text.plain(", ".join(words))


def _chains(places: Iterable[Place]) -> Iterator[str]:
    """Yield pairs of clouds, those that follow each other as one: "a -> b -> c"."""
    chain: list[str] = []
    for place in places:
        if chain[-1:] == [place.baseline]:
            chain.append(place.candidate)
            continue
        if chain:
            yield text.plain(" -> ".join(chain))
        chain = [place.baseline, place.candidate]
    if chain:
        yield text.plain(" -> ".join(chain))


def _end(report: Report, *, color: bool, width: int | None) -> Iterator[str]:
    """Yield what was not compared, what the rules did, what changed since, and the counts."""
    for label, line in report.notes:
        yield from _paragraph(label, line, _OF_LABEL.get(label, "dim"), color=color, width=width)
    if report.since is not None:
        for number, line in enumerate(report.since.lines):
            label = "" if number else "since"
            yield from _paragraph(label or " ", line, "dim", color=color, width=width)
    if report.findings or any(each.expected for each in report.results):
        most = report.findings[0].severity if report.findings else "same"
        yield paint(_counts(report), most, color=color)


def _counts(report: Report) -> str:
    """Return the last line: "4 causes, 12 differences: 1 breaking, 11 compatible, 0 data"."""
    severities = [one for each in report.results for one in each.severities]
    causes = len(report.findings)
    start = f"{text.count(causes, 'cause')}, " if 0 < causes < len(severities) else ""
    if len(report.results) == 1:
        return start + report.results[0].summary
    expected = (one for each in report.results for one in found_in(each, accepted=True))
    by_rules = accepted([found[0].severity for *_, found in expected], more=bool(severities))
    return start + summary_of(severities) + by_rules


def _paragraph(
    label: str, line: str, shade: str, *, color: bool, width: int | None
) -> Iterator[str]:
    """Yield a labeled text, wrapped."""
    indent = _LABEL + 2 if label else 0
    for number, each in enumerate(_wrapped(line, width and width - indent)):
        head = f"{'' if number else label:<{indent}}"
        yield paint(f"{head}{each}", shade, color=color)


def _wrapped(line: str, width: int | None) -> list[str]:
    """Return a text in lines; what has no spaces stays whole, so that it can be copied."""
    if width is None:
        return [line]
    room = max(width, _LEAST)
    return textwrap.wrap(line, room, break_on_hyphens=False, break_long_words=False) or [""]


def _cut(line: str, width: int | None) -> str:
    return line if width is None else text.cut(line, max(width, _LEAST))


def _labeled(label: str, line: str) -> list[str]:
    """Return a labeled note on one or two lines."""
    room = _BRIEF - _LABEL - 1
    lines = textwrap.wrap(text.plain(line), room, break_on_hyphens=False, max_lines=2)
    return [f"{'' if number else label:<{_LABEL}} {each}" for number, each in enumerate(lines)]


def _rule(rule: RuleRef) -> str:
    return f"{rule.about}, {PurePath(rule.where).name}"


def _brief_line(finding: Finding, *, between: bool, one_query: bool = False) -> str:
    """Return a cause on one line; clouds are shortened before its field is.

    Args:
        finding: The cause.
        between: Whether to name the clouds.
        one_query: Whether the reader knows the query.
    """
    place, kind = finding.places[0], f"{finding.kind} "
    if not between:
        head = f"{finding.severity:<{_LABEL}} {kind}"
        return head + text.about(place.group, _BRIEF - len(head))
    whole = finding.kind in OF_QUERY
    where = text.cut(finding.subject, _BRIEF_QUERY) if whole else text.short_path(place.group)
    room = _BRIEF - len(f"{finding.severity:<{_LABEL}} : {kind}{where}")
    pair = place.pair
    if len(pair) > room:
        each = max(room - len(" -> "), 2 * _BRIEF_CLOUD) // 2
        names = (text.plain(place.baseline), text.plain(place.candidate))
        pair = " -> ".join(text.cut(name, each) for name in names)
    head = f"{finding.severity:<{_LABEL}} {pair}: {kind}"
    line = head + text.about(place.group, _BRIEF - len(head), where=where)
    if whole or one_query:
        return line
    counted = text.count(len(place.queries), "query")
    variants = (f" ({grid.asked(place.queries)})", f" ({counted})")
    return line + next((each for each in variants if len(line + each) <= _BRIEF), "")


def _command(
    verb: str, clouds: Sequence[str], chosen: Mapping[str, object], query: Query | None
) -> list[str]:
    """Return the command that repeats a comparison, without rules, on one or two lines.

    If the names of all clouds do not fit, their number replaces them.
    """
    names = [*map(text.plain, clouds)]
    options = [f"--{name} {each}" for name, each in chosen.items() if each != _BY_DEFAULT[name]]
    options += map(text.plain, () if query is None else query.options)
    counted = f"CLOUD... (these {len(clouds)})"
    found = (_in_lines(["imagedetail", verb, *named, *options]) for named in (names, [counted]))
    return next((lines for lines in found if len(lines) <= _COMMAND), [f"or: imagedetail {verb}"])


def _in_lines(words: Sequence[str]) -> list[str]:
    lines = ["or:"]
    for word in words:
        if len(f"{lines[-1]} {word} \\") > _BRIEF and lines[-1].strip():
            lines[-1] += " \\"
            lines.append(" ")
        lines[-1] += f" {word}"
    return lines
