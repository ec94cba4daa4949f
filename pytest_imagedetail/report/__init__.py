"""Render comparisons and matrices for the terminal and as HTML, JSON, Markdown or JUnit XML."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import text
from pytest_imagedetail.errors import ReportError
from pytest_imagedetail.report import html, junit, markdown
from pytest_imagedetail.report.verdict import Report, report_of

__all__ = ["Report", "report_of", "schema", "write", "write_text"]


def write(report: Report, path: Path) -> None:
    """Write a report in the format of the suffix, .html, .json, .md or .xml; raise ReportError."""
    write_text(path, _FORMS[path.suffix](report))


def write_text(path: Path, content: str) -> None:
    """Write a report and the folders above it; replace an older one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ReportError(
            f"the report cannot be written: {error.strerror}",
            where=str(path),
            remedy="check the path, its permissions and the space left",
        ) from error


def schema() -> Any:
    """Return the JSON Schema of every JSON document that the command writes."""
    return json.loads(Path(__file__).with_name("schema.json").read_bytes())


def _json(report: Report) -> str:
    lines = json.dumps(report.to_dict(), indent=2, ensure_ascii=False).split("\n")
    return "\n".join(map(text.plain, lines)) + "\n"


_FORMS: Final[dict[str, Callable[[Report], str]]] = {
    ".html": html.render,
    ".json": _json,
    ".md": markdown.render,
    ".xml": junit.render,
}
