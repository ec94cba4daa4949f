"""Comparisons rendered for people and machines: terminal, HTML, JSON, Markdown."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from pytest_imagedetail.comparison import SCHEMA, Comparison
from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.report import html, markdown, text

__all__ = ["write"]


def write(comparisons: Sequence[Comparison], path: Path) -> None:
    """Write a report; the suffix (.html, .json or .md) chooses its form.

    Raises:
        RecordingError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_FORMS[path.suffix](comparisons), encoding="utf-8")
    except OSError as error:
        raise RecordingError(
            f"the report cannot be written: {error.strerror}",
            where=str(path),
            remedy="check the path, its permissions and the space left",
        ) from error


def _json(comparisons: Sequence[Comparison]) -> str:
    document = {"schema": SCHEMA, "comparisons": [each.to_dict() for each in comparisons]}
    lines = json.dumps(document, indent=2, ensure_ascii=False).split("\n")
    return "\n".join(map(text.plain, lines)) + "\n"


_FORMS: Final[dict[str, Callable[[Sequence[Comparison]], str]]] = {
    ".html": html.render,
    ".json": _json,
    ".md": markdown.render,
}
