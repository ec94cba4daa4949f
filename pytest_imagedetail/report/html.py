"""Render results as one self-contained HTML page. Only this module uses Jinja2."""

import base64
import hashlib
from typing import Final

from pytest_imagedetail import __version__, text
from pytest_imagedetail.report import evidence, grid, notes, questions
from pytest_imagedetail.report.verdict import Report

_MOST_FINDINGS: Final = 400  # per page; the JSON report has all


def render(report: Report) -> str:
    """Return the whole page; everything from a cloud is escaped."""
    findings = report.findings
    shown = findings[:_MOST_FINDINGS]
    return page(
        "page.html.j2",
        title=report.verdict.line,
        report=report,
        findings=shown,
        hidden=len(findings) - len(shown),
        clouds=sorted({cloud for finding in findings for cloud in finding.clouds}),
        queries=sorted({query for finding in findings for query in finding.queries}),
        fields=sorted({finding.field for finding in findings}),
        matrices=[(matrix, questions.rows_of(matrix, shown)) for matrix in report.matrices],
        answers=[*evidence.sent_answers(shown)],
        differences=sum(finding.count for finding in findings),
        evidence=evidence,
        notes=notes,
    )


def page(template: str, *, title: str, **values: object) -> str:
    """Render a template of this folder with the style and script that all pages share."""
    # Slow to import, and most runs do not write a page.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("pytest_imagedetail.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (environment.get_template(name).render() for name in ("page.css", "page.js"))
    return environment.get_template(template).render(
        title=title,
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}",
        grid=grid,
        text=text,
        version=__version__,
        **values,
    )


def _plain(value: object) -> object:
    """Escape unprintable characters in a template's texts, except line ends."""
    return "\n".join(map(text.plain, value.split("\n"))) if type(value) is str else value


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
