"""Render comparisons and matrices for the terminal and as HTML, JSON, Markdown or JUnit XML."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.compare.comparison import SCHEMA, Comparison
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.errors import ReportError
from pytest_imagedetail.model import Failure
from pytest_imagedetail.report import html, junit, markdown, text
from pytest_imagedetail.report.findings import verdict_of

__all__ = ["schema", "write", "write_text"]


def write(
    results: Sequence[Comparison | Matrix], path: Path, *, failures: Sequence[Failure] = ()
) -> None:
    """Write a report whose format follows from the suffix: .html, .json, .md or .xml.

    Args:
        results: Comparisons and matrices, in their order.
        path: The file; an older one is replaced.
        failures: Comparisons that could not be made.

    Raises:
        ReportError: The file cannot be written.
    """
    write_text(path, _FORMS[path.suffix](results, failures))


def write_text(path: Path, content: str) -> None:
    """Write a report and the folders above it; replace an older one.

    Raises:
        ReportError: The file cannot be written.
    """
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


def _json(results: Sequence[Comparison | Matrix], failures: Sequence[Failure]) -> str:
    document = {
        "schema": SCHEMA,
        "verdict": verdict_of(results, failures).to_dict(),
        "comparisons": [each.to_dict() for each in results if isinstance(each, Comparison)],
        "matrices": [each.to_dict() for each in results if isinstance(each, Matrix)],
        "failures": [asdict(each) for each in failures],
    }
    lines = json.dumps(document, indent=2, ensure_ascii=False).split("\n")
    return "\n".join(map(text.plain, lines)) + "\n"


_FORMS: Final[dict[str, Callable[[Sequence[Comparison | Matrix], Sequence[Failure]], str]]] = {
    ".html": html.render,
    ".json": _json,
    ".md": markdown.render,
    ".xml": junit.render,
}
