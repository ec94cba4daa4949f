"""Write the verdicts on clouds to a file: as a page, Markdown, JSON or JUnit XML."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.check.forecast import Consequence, Finding
from pytest_imagedetail.check.forecast import Image as FoundImage
from pytest_imagedetail.check.schema_checks import ALL
from pytest_imagedetail.check.text import detail, headline, table
from pytest_imagedetail.check.verdicts import VERDICTS, Verdict
from pytest_imagedetail.model import ImageRef, fingerprint
from pytest_imagedetail.report import html, junit, markdown, write_text
from pytest_imagedetail.report.findings import Gone, Since
from pytest_imagedetail.report.loading import load, unreadable
from pytest_imagedetail.report.questions import Answer, Row, Table, runs_of
from pytest_imagedetail.report.text import plain

_SEVERITY: Final = {"fail": "breaking", "known-deviation": "compatible"}
_SHOWN: Final = ("fail", "known-deviation", "inconclusive")  # with a card of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Verdicts on several clouds that say the same.

    Attributes:
        id: Twelve hex digits, equal in a later report.
        severity: The class of its color.
        clouds: The clouds.
        lines: What the command prints of the first of them.
        verdict: The first of them.
    """

    id: str
    severity: str
    clouds: tuple[str, ...]
    lines: tuple[str, ...]
    verdict: Verdict


def write(verdicts: Sequence[Verdict], path: Path, since: Since | None = None) -> None:
    """Write a report whose format follows from the suffix: .html, .json, .md or .xml.

    Args:
        verdicts: What to show.
        path: The file; an older one is replaced.
        since: What changed since an earlier report, if one is given.

    Raises:
        ReportError: The file cannot be written.
    """
    write_text(path, _FORMS[path.suffix](verdicts, since))


def since(path: Path, verdicts: Sequence[Verdict]) -> Since:
    """Compare verdicts with those of an earlier report, or of `check --json`.

    Raises:
        ReportError: It cannot be read, or holds something else.
    """
    before = {each.id: each for each in _cards(verdicts_of(load(path), path))}
    now = {each.id: each for each in _cards(verdicts)}
    asked = {(each.check.id, each.cloud) for each in verdicts}
    gone = []
    for id_, card in before.items():
        check = card.verdict.check
        title = f"{check.id} {check.title}"
        known = any((check.id, cloud) in asked for cloud in card.clouds)
        if id_ not in now:
            why = "gone" if known else "not compared"
            gone.append(Gone(id=id_, severity=card.verdict.verdict, title=title, why=why))
    new = len(now.keys() - before.keys())
    return Since(where=str(path), new=new, known=len(now) - new, gone=tuple(gone))


def verdicts_of(document: Mapping[str, Any], path: Path) -> list[Verdict]:
    """Return the verdicts of `check --json`, or of a report that ends in .json.

    Raises:
        ReportError: It holds something else.
    """
    try:
        return [_verdict(each) for each in document["checks"]]
    except (AttributeError, KeyError, TypeError) as error:
        raise unreadable(path, f"{type(error).__name__}: {error}") from error


def _verdict(facts: Mapping[str, Any]) -> Verdict:
    check, evidence = {each.id: each for each in ALL}[facts["id"]], facts["evidence"]
    if facts["verdict"] not in VERDICTS:
        raise KeyError(facts["verdict"])
    seen = {each["what"] for each in evidence.get("known_deviations", ())}
    image = evidence.get("image")
    return Verdict(
        check=check,
        cloud=facts["cloud"],
        verdict=facts["verdict"],
        reason=evidence.get("reason", ""),
        counted=evidence.get("counted", ""),
        requests=tuple(evidence.get("requests", ())),
        deviations=tuple(each for each in check.deviations if each.what in seen),
        image=ImageRef(**image) if image else None,
        curl=evidence.get("curl", ""),
        findings=tuple(map(_finding, evidence.get("findings", ()))),
    )


def _finding(facts: Mapping[str, Any]) -> Finding:
    image = facts["image"] and FoundImage(**facts["image"])
    consequence = Consequence(**facts["consequence"])
    return Finding(
        **{**facts, "image": image, "keys": tuple(facts["keys"]), "consequence": consequence}
    )


def to_dict(verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Return the JSON form."""
    return {"schema": 1, "checks": [each.to_dict() for each in verdicts]}


def _json(verdicts: Sequence[Verdict], _: Since | None) -> str:
    return json.dumps(to_dict(verdicts), indent=2) + "\n"


def _markdown(verdicts: Sequence[Verdict], since: Since | None) -> str:
    lines = [f"# {headline(verdicts)}", ""]
    lines += markdown.since(since) if since is not None else ()
    lines += ["```", *table(verdicts), "```", ""]
    for each in _cards(verdicts):
        if each.severity == "breaking":
            lines += [f"## {', '.join(each.clouds)}", "", "```", *each.lines, "```", ""]
    return "\n".join(lines)


def _junit(verdicts: Sequence[Verdict], _: Since | None) -> str:
    suites = []
    for cloud in dict.fromkeys(each.cloud for each in verdicts):
        found = [each for each in verdicts if each.cloud == cloud]
        cases = [
            junit.element("testcase", _result(each), classname=cloud, name=each.check.id)
            for each in found
        ]
        suites.append(junit.element("testsuite", cases, name=cloud, **_counts(found)))
    return junit.document_of(suites, **_counts(verdicts))


def _result(verdict: Verdict) -> list[str]:
    lines = [escape(plain(each)) for each in detail(verdict)]
    if verdict.verdict == "pass":
        return []
    tag = "failure" if verdict.verdict == "fail" else "skipped"
    message = f"{verdict.verdict}: {verdict.reason}"
    return [junit.element(tag, lines, message=message)]


def _counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    found = [each.verdict for each in verdicts]
    failed = found.count("fail")
    return {
        "tests": len(found),
        "failures": failed,
        "errors": 0,
        "skipped": len(found) - failed - found.count("pass"),
    }


def _page(verdicts: Sequence[Verdict], since: Since | None) -> str:
    cards = [*_cards(verdicts)]
    title = headline(verdicts)
    return html.page(
        "check.html.j2",
        title=title,
        word=title.partition(":")[0],
        sentence=title.partition(": ")[2],
        cards=cards,
        since=since,
        clouds=sorted({each.cloud for each in verdicts}),
        checks=[*dict.fromkeys(each.verdict.check.id for each in cards)],
        verdicts=[each for each in VERDICTS if each in _SHOWN],
        table=_table(verdicts, cards),
    )


def _cards(verdicts: Sequence[Verdict]) -> Iterator[Card]:
    """Yield what is no pass, worst first; clouds with the same reason share a card."""
    found: dict[tuple[str, str, str], list[Verdict]] = {}
    for each in sorted(verdicts, key=lambda each: VERDICTS.index(each.verdict)):
        if each.verdict in _SHOWN:
            found.setdefault((each.verdict, each.check.id, each.reason), []).append(each)
    for cause, members in found.items():
        yield Card(
            id=fingerprint(*cause),
            severity=_SEVERITY.get(cause[0], "data"),
            clouds=tuple(each.cloud for each in members),
            lines=tuple(map(plain, detail(members[0]))),
            verdict=members[0],
        )


def _table(verdicts: Sequence[Verdict], cards: Sequence[Card]) -> Table:
    clouds = tuple(dict.fromkeys(each.cloud for each in verdicts))
    found = {(each.check.id, each.cloud): each.verdict for each in verdicts}
    links = {(each.verdict.check.id, cloud): each.id for each in cards for cloud in each.clouds}
    uneven: dict[str, list[Row]] = {}
    alike: dict[str, list[Row]] = {}
    for check in {each.check.id: each.check for each in verdicts}.values():
        # Shards of a fleet may have run other checks.
        answers = []
        for cloud in clouds:
            state = found.get((check.id, cloud), "not asked")
            link = links.get((check.id, cloud), "")
            answers.append(Answer(state=state, words=state, finding=link))
        row = Row(
            group="Relations" if check.judge is None else "Forecast",
            question=f"{check.id} {check.title}",
            asked=check.relation,
            runs=runs_of(clouds, answers),
        )
        (alike if row.unanimous else uneven).setdefault(row.group, []).append(row)
    return Table(name="", start="", clouds=clouds, uneven=uneven, alike=alike)


_FORMS: Final[dict[str, Callable[[Sequence[Verdict], Since | None], str]]] = {
    ".html": _page,
    ".json": _json,
    ".md": _markdown,
    ".xml": _junit,
}
