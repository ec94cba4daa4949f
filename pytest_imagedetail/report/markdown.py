"""Comparisons as Markdown, for a pull request or a job summary."""

import re
from collections.abc import Iterator, Sequence

from pytest_imagedetail.comparison import Comparison
from pytest_imagedetail.model import Failure
from pytest_imagedetail.report import text


def render(comparisons: Sequence[Comparison], failures: Sequence[Failure] = ()) -> str:
    """All comparisons and what could not be compared, one section each."""
    if not comparisons and not failures:
        return "# Image details\n\nNothing was compared.\n"
    lines = ["# Image details", ""]
    for comparison in comparisons:
        lines += _section(comparison)
    for failure in failures:
        clouds = _text(text.plain(f"{failure.baseline} → {failure.candidate}"))
        problem = [f"    {text.plain(line)}" for line in failure.problem.splitlines()]
        lines += [f"## {clouds}: could not be compared", "", *problem, ""]
    return "\n".join(lines)


def _section(comparison: Comparison) -> Iterator[str]:
    clouds = f"{comparison.baseline.cloud} → {comparison.candidate.cloud}"
    yield f"## {_text(text.plain(clouds))}: {comparison.summary}"
    yield ""
    for name, side in (("baseline", comparison.baseline), ("candidate", comparison.candidate)):
        yield f"- {name}: {_text(', '.join(text.side(side)))}"
    yield f"- profile: {text.normalization(comparison)}"
    for label, line in text.choices(comparison):
        yield f"- {label}: {_text(line)}"
    yield ""
    for label, line in text.notes(comparison):
        yield f"- {label}: {_text(line)}"
    if text.notes(comparison):
        yield ""
    if not comparison.differences:
        return
    yield "| severity | kind | path | images | baseline | candidate |"
    yield "|---|---|---|---|---|---|"
    for group in text.groups(comparison.differences):
        first = group.first
        values = [text.value(first.baseline, 60), text.value(first.candidate, 60)]
        cells = [first.severity, first.kind, _code(group.path), _text(group.whom)]
        cells += map(_code, values) if text.shows_values(first) else ["", ""]
        if text.shows_values(first) and len(group.differences) > 1:
            others = text.count(len(group.differences) - 1, "other value")
            cells[-1] += f" and {others}"
        yield "| " + " | ".join(cells) + " |"
    yield ""


def _text(text: str) -> str:
    """Text that is no markup, and no end of a table's cell."""
    return re.sub(r"[\\`*_\[\]<>&|~]", r"\\\g<0>", text)


def _code(text: str) -> str:
    """A code span, fenced with more backticks than it holds; a table ends a cell even in one."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return fence + space + text.replace("|", "\\|") + space + fence
