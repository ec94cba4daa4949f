"""Comparisons as Markdown, for a pull request or a job summary."""

from collections.abc import Iterator, Sequence

from pytest_imagedetail.comparison import Comparison
from pytest_imagedetail.report import text


def render(comparisons: Sequence[Comparison]) -> str:
    """All comparisons, one section each."""
    if not comparisons:
        return "# Image details\n\nNothing was compared.\n"
    lines = ["# Image details", ""]
    for comparison in comparisons:
        lines += _section(comparison)
    return "\n".join(lines)


def _section(comparison: Comparison) -> Iterator[str]:
    yield f"## {comparison.baseline.cloud} → {comparison.candidate.cloud}: {comparison.summary}"
    yield ""
    for name, side in (("baseline", comparison.baseline), ("candidate", comparison.candidate)):
        yield f"- {name}: {', '.join(text.side(side))}"
    yield f"- profile: {text.normalization(comparison)}"
    yield ""
    if comparison.same:
        return
    yield "| severity | kind | path | images | baseline | candidate |"
    yield "|---|---|---|---|---|---|"
    for group in text.groups(comparison.differences):
        first = group.first
        values = [text.value(first.baseline, 60), text.value(first.candidate, 60)]
        cells = [first.severity, first.kind, f"`{group.path}`", group.whom]
        cells += [f"`{value}`" for value in values] if text.shows_values(first) else ["", ""]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""
