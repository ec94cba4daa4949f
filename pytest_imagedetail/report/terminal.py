"""Render a comparison for a terminal or a failing test, worst difference first."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Final

from pytest_imagedetail.compare.comparison import Comparison, evidence
from pytest_imagedetail.model import Query, RuleRef
from pytest_imagedetail.report import text
from pytest_imagedetail.settings import DEFAULT_LEVEL, DEFAULT_PROFILE

_COLORS: Final = {
    "breaking": "31;1",
    "compatible": "33",
    "data": "36",
    "same": "32",
    "dim": "2",
    "-": "31",
    "+": "32",
}
OF_LABEL: Final = {
    "judged": "dim",
    "not judged": "dim",
    "ambiguous": "data",
    "paired": "data",
    "projects": "data",
    "redacted": "data",
    "volatile": "compatible",
    "expected": "dim",
    "expired": "breaking",
    "unused": "compatible",
    "missing": "breaking",
}
_KIND: Final = 13  # characters of most kinds
_MARGIN: Final = " " * 12
_CHANGES: Final = 5  # with notes and command; head and hint come on top
BRIEF_WIDTH: Final = 90
_COMMAND: Final = 2  # lines that a command may take
_BY_DEFAULT: Final = {
    "level": DEFAULT_LEVEL,
    "profile": DEFAULT_PROFILE,
    "expect": None,
}


def render(comparison: Comparison, *, color: bool = False, typed: str | None = None) -> str:
    """Return the whole report.

    Args:
        comparison: What to show.
        color: Whether to use ANSI colors.
        typed: The sides and options as typed, to explain each severity with sources and show the
            command that accepts the difference; None explains nothing.
    """
    return "\n".join(_lines(comparison, color=color, typed=typed))


def brief(comparison: Comparison) -> str:
    """Return the counts and the worst differences for a failing assertion.

    pytest truncates an explanation of more than seven lines.
    """
    baseline, candidate = comparison.baseline, comparison.candidate
    found = text.groups(comparison.differences)
    why = [expired_line(rule) for rule in comparison.expired_rules[:1]]
    if text.nothing_in_common(comparison):
        why += _wrapped("paired", text.nothing_in_common(comparison))
    chosen = {
        "level": comparison.level,
        "profile": comparison.profile,
        "expect": comparison.expect,
    }
    again = command("diff", (baseline.cloud, candidate.cloud), chosen, baseline.query)
    head = f"{baseline.cloud} -> {candidate.cloud}: {comparison.summary}"
    return within_limit(head, [_brief_line(group) for group in found], why, again)


def within_limit(
    head: str, changes: Sequence[str], notes: Sequence[str], again: Sequence[str]
) -> str:
    """Join the lines of a brief report; drop the last changes if they are too many."""
    most = _CHANGES - len(notes) - len(again)
    dropped = len(changes) - most
    rest = text.count(dropped, "more line") if dropped > 0 else "values and reasons"
    lines = [head, *changes[:most], *notes, f"{rest}: pytest -vv", *again]
    return "\n".join(text.cut(text.plain(line), BRIEF_WIDTH) for line in lines)


def command(
    verb: str, clouds: Sequence[str], chosen: Mapping[str, object], query: Query | None
) -> list[str]:
    """Return the command that repeats a comparison, without rules, on one or two lines.

    If the names of all clouds do not fit, their number replaces them.

    Args:
        verb: "diff" or "matrix".
        clouds: The names of the clouds.
        chosen: Values by the names of options; defaults are left out.
        query: The query, if there is only one.
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
        if len(f"{lines[-1]} {word} \\") > BRIEF_WIDTH and lines[-1].strip():
            lines[-1] += " \\"
            lines.append(" ")
        lines[-1] += f" {word}"
    return lines


def _wrapped(label: str, line: str) -> list[str]:
    """Return a labeled note on one or two lines."""
    head = f"{label:<10} "
    room = BRIEF_WIDTH - len(head)
    lines = textwrap.wrap(text.plain(line), room, break_on_hyphens=False, max_lines=2)
    return [f"{head if place == 0 else ' ' * len(head)}{each}" for place, each in enumerate(lines)]


def expired_line(rule: RuleRef) -> str:
    """Return the line about an expired rule for a failing assertion."""
    return f"{'expired':<10} the rule for {rule.path}, {PurePath(rule.where).name}"


def _brief_line(group: text.Group) -> str:
    head = f"{group.first.severity:<10} {group.first.kind} "
    return head + text.about(group, BRIEF_WIDTH - len(head))


def _lines(comparison: Comparison, *, color: bool, typed: str | None) -> Iterator[str]:
    sides = (comparison.baseline, comparison.candidate)
    heads = [*map(text.side, sides)]
    widths = [max(map(len, column)) for column in zip(*heads, strict=True)]
    for name, head in zip(("baseline", "candidate"), heads, strict=True):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(head, widths, strict=True))
        yield f"{name:<10}  {cells}".rstrip()
    yield paint(f"{'profile':<10}  {text.normalization(comparison)}", "dim", color=color)
    for label, line in text.choices(comparison):
        yield f"{label:<10}  {line}"
    groups = text.groups(comparison.differences)
    width = max([_KIND, *(len(group.first.kind) for group in groups)])
    for group in groups:
        yield from _group(group, width, color=color)
        if typed is not None:
            for line in evidence(group.first, sides, path=group.path, typed=typed):
                yield paint(f"{_MARGIN}{text.plain(line)}", "dim", color=color)
    for label, line in text.notes(comparison):
        yield paint(f"{label:<10}  {line}", OF_LABEL[label], color=color)
    worst = comparison.differences[0].severity if comparison.differences else "same"
    yield paint(comparison.summary, worst, color=color)


def _group(group: text.Group, width: int, *, color: bool) -> Iterator[str]:
    first = group.first
    label = paint(f"{first.severity:<10}", first.severity, color=color)
    yield f"{label}  {first.kind:<{width}}  {group.path}  {group.whom}".rstrip()
    for sign, value in text.values(first):
        yield paint(f"{_MARGIN}{sign} {value}", sign, color=color)
    if text.shows_values(first) and len(group.differences) > 1:
        yield f"{_MARGIN}and {text.count(len(group.differences) - 1, 'other value')}"
    yield paint(f"{_MARGIN}{text.plain(first.reason)}", "dim", color=color)


def paint(line: str, name: str, *, color: bool) -> str:
    """Return a line in the color of a severity, of "same", "dim" or a sign."""
    return f"\x1b[{_COLORS[name]}m{line}\x1b[0m" if color else line
