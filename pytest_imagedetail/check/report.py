"""Write verdicts to a file as HTML, Markdown, JSON or JUnit XML."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.check.checks import ALL
from pytest_imagedetail.check.text import detail, group_verdicts, headline, table
from pytest_imagedetail.check.verdicts import CONCLUSIVE, VERDICTS, Verdict, exit_code
from pytest_imagedetail.compare.comparison import to_json
from pytest_imagedetail.model import RuleRef
from pytest_imagedetail.report import html, junit, markdown, notes, write_text
from pytest_imagedetail.report.junit import Case, Suite
from pytest_imagedetail.report.loading import Document, build, malformed, unreadable
from pytest_imagedetail.report.questions import Row, RowCell
from pytest_imagedetail.report.since import Change, Since

_SEVERITY: Final = {"fail": "breaking", "known-deviation": "compatible"}
_SHOWN: Final = VERDICTS[:3]  # with a card


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The contents of a report in any format."""

    verdicts: Sequence[Verdict]
    since: Since | None = None
    unused_rules: tuple[RuleRef, ...] = ()

    @property
    def lines(self) -> list[str]:
        """The verdict on all, what changed, and which rules accept nothing."""
        changed = [] if self.since is None else [*self.since.lines]
        counts = [f"since {line}" for line in changed[:1]]
        unused = [f"unused rule: {notes.unused(rule)}" for rule in self.unused_rules]
        return [headline(self.verdicts), *counts, *changed[1:], *unused]


def write(report: CheckReport, path: Path) -> None:
    """Write a report whose format follows from the suffix: .html, .json, .md or .xml."""
    write_text(path, _FORMS[path.suffix](report))


def since(path: Path, earlier: Sequence[Verdict], verdicts: Sequence[Verdict]) -> Since:
    """Compare verdicts with those that `read` found in a file."""
    sides = earlier, verdicts
    before, now = (
        {(each.check.id, each.cloud, cause.id): cause for each in side for cause in each.causes}
        for side in sides
    )
    was_judged, is_judged = (
        {(each.check.id, each.cloud) for each in side if each.verdict in CONCLUSIVE}
        for side in sides
    )
    clouds: dict[tuple[str, ...], list[str]] = {}
    for check, cloud, cause_id in before | now:
        old, new = (side.get((check, cloud, cause_id)) for side in (before, now))
        if old is None:
            status = "new" if (check, cloud) in was_judged else "not judged before"
        elif new is None:
            status = "gone" if (check, cloud) in is_judged else "not compared"
        else:
            status = "accepted by a rule" if new.accepted and not old.accepted else ""
        cause: Any = old or new
        severity = "known-deviation" if cause.accepted else "fail"
        key = (status, f"{check} {cause.what}", severity, cause_id)
        clouds.setdefault(key, []).append(cloud)
    changes = tuple(
        Change(id=cause_id, severity=severity, title=f"{what}, {', '.join(where)}", status=status)
        for (status, what, severity, cause_id), where in sorted(clouds.items())
        if status
    )
    ids = {change.id for change in changes if change.status == "new"}
    known = {cause_id for *_, cause_id in before.keys() & now.keys()} - ids
    return Since(file=str(path), new=len(ids), known=len(known), changes=changes)


def read(document: Document, path: Path) -> CheckReport:
    """Read the output of `check --json` or a JSON report, without what changed before it."""
    if "checks" not in document:
        raise unreadable(path, "it is not a result of `check`, unlike the other file")
    with malformed(path):
        verdicts = [_verdict(facts) for facts in document["checks"]]
        report = build(CheckReport, document, verdicts=verdicts, since=None)
        if to_dict(report)["verdict"] != document["verdict"]:
            raise ValueError("its verdict does not follow from its checks")
    return report


def _verdict(facts: Mapping[str, Any]) -> Verdict:
    check, evidence = {check.id: check for check in ALL}[facts["id"]], facts["evidence"]
    if facts["verdict"] not in VERDICTS:
        raise KeyError(facts["verdict"])
    verdict = build(Verdict, {**facts, **evidence}, check=check)
    if verdict.verdict in _SEVERITY and not verdict.causes:
        raise ValueError(f"{check.id} on {verdict.cloud} has no causes")
    return verdict


def to_dict(report: CheckReport) -> dict[str, object]:
    """Return the JSON form."""
    changed = {} if report.since is None else {"since": asdict(report.since)}
    checks = [verdict.to_dict() for verdict in report.verdicts]
    word, _, sentence = report.lines[0].partition(": ")
    passed = {"PASS": True, "FAIL": False}.get(word)
    code = exit_code(report.verdicts)
    verdict = {"passed": passed, "exit_code": code, "sentence": sentence}
    unused = {"unused_rules": to_json(report.unused_rules)}
    return {"verdict": verdict, **changed, "schema": 1, "checks": checks, **unused}


def _json(report: CheckReport) -> str:
    return json.dumps(to_dict(report), indent=2) + "\n"


def _markdown(report: CheckReport) -> str:
    lines = [f"# {report.lines[0]}", "", f"exit code {exit_code(report.verdicts)}", ""]
    lines += markdown.bullets(report.lines[1:])
    lines += ["```", *table(report.verdicts), "```", ""]
    for group in group_verdicts(each for each in report.verdicts if each.verdict == "fail"):
        clouds = ", ".join(verdict.cloud for verdict in group)
        lines += [f"## {clouds}", "", "```", *detail(group[0]), "```", ""]
    return markdown.fit(lines)


def _junit(report: CheckReport) -> str:
    suites: dict[str, list[Case]] = {}
    for verdict in report.verdicts:
        suites.setdefault(verdict.cloud, []).append(_case(verdict))
    elements = [Suite(name=cloud, cases=cases) for cloud, cases in suites.items()]
    return junit.document(report.lines[0], elements, exit_code=exit_code(report.verdicts))


def _case(verdict: Verdict) -> Case:
    tag = {"pass": "", "fail": "failure"}.get(verdict.verdict, "skipped")
    tag = "error" if verdict.unasked else tag
    message = f"{verdict.verdict}: {verdict.reason}"
    return Case(tag=tag, name=verdict.check.id, message=message, lines=[*detail(verdict)])


def _page(report: CheckReport) -> str:
    verdicts = report.verdicts
    cards, clouds = [*_cards(verdicts)], [*dict.fromkeys(verdict.cloud for verdict in verdicts)]
    title, *lines = report.lines
    word, _, sentence = title.partition(": ")
    return html.page(
        "check.html.j2",
        title=title,
        word=word,
        sentence=sentence,
        exit_code=exit_code(verdicts),
        cards=cards,
        lines=lines,
        clouds=clouds,
        checks=[*dict.fromkeys(card["check"] for card in cards)],
        verdicts=_SHOWN,
        rows=[*_rows(verdicts, clouds)],
    )


def _cards(verdicts: Sequence[Verdict]) -> Iterator[dict[str, Any]]:
    """Yield one card for each verdict on each check, with the clouds of each reason."""
    shown = [each for name in _SHOWN for each in verdicts if each.verdict == name]
    for verdict, check in dict.fromkeys((each.verdict, each.check) for each in shown):
        group = [each for each in shown if (each.verdict, each.check) == (verdict, check)]
        yield {
            "id": f"{verdict}-{check.id}",  # for links on the page
            "verdict": verdict,
            "check": check.id,
            "severity": _SEVERITY.get(verdict, "data"),
            "title": f"{check.id} {check.title}",
            "clouds": [each.cloud for each in group],
            "reasons": [
                ([each.cloud for each in members], [*detail(members[0])])
                for members in group_verdicts(group)
            ],
        }


def _rows(verdicts: Sequence[Verdict], clouds: Sequence[str]) -> Iterator[Row]:
    by_check = {(verdict.check.id, verdict.cloud): verdict.verdict for verdict in verdicts}
    for check in dict.fromkeys(verdict.check for verdict in verdicts):
        answers = []
        for cloud in clouds:
            state = by_check.get((check.id, cloud), "not asked")  # shards run other checks
            card = f"{state}-{check.id}" if state in _SHOWN else ""
            answers.append(RowCell(state=state, words=state, finding=card))
        group = "Forecast" if check.is_forecast else "Relations"
        title = f"{check.id} {check.title}"
        yield Row(group=group, title=title, note=check.relation, answers=answers)


_FORMS: Final[dict[str, Callable[[CheckReport], str]]] = {
    ".html": _page,
    ".json": _json,
    ".md": _markdown,
    ".xml": _junit,
}
