"""Write verdicts to a file as HTML, Markdown, JSON or JUnit XML."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.check.checks import ALL
from pytest_imagedetail.check.text import detail, group_verdicts, headline, table
from pytest_imagedetail.check.verdicts import CONCLUSIVE, VERDICTS, Cause, Verdict, exit_code
from pytest_imagedetail.compare.comparison import to_json
from pytest_imagedetail.model import RuleRef
from pytest_imagedetail.report import html, junit, markdown, notes, write_text
from pytest_imagedetail.report.junit import Case, Suite
from pytest_imagedetail.report.loading import Document, build, malformed, unreadable
from pytest_imagedetail.report.questions import Row, RowCell
from pytest_imagedetail.report.since import Change, Since
from pytest_imagedetail.text import plain

_SEVERITY: Final = {"fail": "breaking", "known-deviation": "compatible"}
_SHOWN: Final = ("fail", "inconclusive", "known-deviation")  # with a card, worst first


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One verdict on a check, with each reason as the command prints it and the reason's clouds."""

    id: str  # "fail-M9", for links on the page
    verdict: Verdict
    severity: str  # the CSS class of the card
    title: str
    clouds: tuple[str, ...]
    reasons: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


def write(report: CheckReport, path: Path) -> None:
    """Write a report whose format follows from the suffix: .html, .json, .md or .xml."""
    write_text(path, _FORMS[path.suffix](report))


def since(path: Path, earlier: Sequence[Verdict], verdicts: Sequence[Verdict]) -> Since:
    """Compare verdicts with those that `read` found in a file."""
    before, now = _causes(earlier), _causes(verdicts)
    was_judged, is_judged = _conclusive(earlier), _conclusive(verdicts)
    clouds: dict[tuple[str, str, str, str], list[str]] = {}
    for cause_id, cloud in before | now:
        old, new = before.get((cause_id, cloud)), now.get((cause_id, cloud))
        judged = _check_of(cause_id), cloud
        if old is None:
            status = "new" if judged in was_judged else "not judged before"
        elif new is None:
            status = "gone" if judged in is_judged else "not compared"
        else:
            status = "accepted by a rule" if new.accepted and not old.accepted else ""
        cause: Any = old or new
        severity = "known-deviation" if cause.accepted else "fail"
        clouds.setdefault((status, cause.what, severity, cause_id), []).append(cloud)
    changes = tuple(
        Change(
            id=cause_id,
            severity=severity,
            title=f"{_check_of(cause_id)} {what}, {', '.join(where)}",
            status=status,
        )
        for (status, what, severity, cause_id), where in sorted(clouds.items())
        if status
    )
    ids = {change.id for change in changes if change.status == "new"}
    known = len({cause_id for cause_id, _ in before.keys() & now.keys()} - ids)
    return Since(file=str(path), new=len(ids), known=known, changes=changes)


def _conclusive(verdicts: Sequence[Verdict]) -> set[tuple[str, str]]:
    return {(each.check.id, each.cloud) for each in verdicts if each.verdict in CONCLUSIVE}


def _causes(verdicts: Sequence[Verdict]) -> dict[tuple[str, str], Cause]:
    return {(cause.id, verdict.cloud): cause for verdict in verdicts for cause in verdict.causes}


def _check_of(cause_id: str) -> str:
    return cause_id.partition("-")[0]


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
    for card in _cards(report.verdicts):
        for clouds, reason in card.reasons if card.severity == "breaking" else ():
            lines += [f"## {', '.join(clouds)}", "", "```", *reason, "```", ""]
    return markdown.fit(lines)


def _junit(report: CheckReport) -> str:
    suites: dict[str, list[Case]] = {}
    for verdict in report.verdicts:
        suites.setdefault(verdict.cloud, []).append(_case(verdict))
    tags = {**junit.TAGS, "skipped": "skipped"}
    facts = {"exit_code": exit_code(report.verdicts)}
    elements = [Suite(name=cloud, properties=facts, cases=cases) for cloud, cases in suites.items()]
    return junit.document(report.lines[0], elements, tags=tags)


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
        checks=[*dict.fromkeys(card.verdict.check.id for card in cards)],
        verdicts=_SHOWN,
        rows=[*_rows(verdicts, clouds)],
    )


def _cards(verdicts: Sequence[Verdict]) -> Iterator[Card]:
    groups: dict[str, list[Verdict]] = {}
    for verdict in (each for name in _SHOWN for each in verdicts if each.verdict == name):
        groups.setdefault(f"{verdict.verdict}-{verdict.check.id}", []).append(verdict)
    for card_id, group in groups.items():
        first = group[0]
        yield Card(
            id=card_id,
            verdict=first,
            severity=_SEVERITY.get(first.verdict, "data"),
            title=f"{first.check.id} {first.check.title}",
            clouds=tuple(verdict.cloud for verdict in group),
            reasons=tuple(
                (tuple(member.cloud for member in members), tuple(map(plain, detail(members[0]))))
                for members in group_verdicts(group)
            ),
        )


def _rows(verdicts: Sequence[Verdict], clouds: Sequence[str]) -> Iterator[Row]:
    by_check = {(verdict.check.id, verdict.cloud): verdict.verdict for verdict in verdicts}
    for check in {verdict.check.id: verdict.check for verdict in verdicts}.values():
        # Shards run other checks.
        states = [by_check.get((check.id, cloud), "not asked") for cloud in clouds]
        cards = [f"{state}-{check.id}" if state in _SHOWN else "" for state in states]
        answers = [
            RowCell(state=state, words=state, finding=card)
            for state, card in zip(states, cards, strict=True)
        ]
        group = "Forecast" if check.is_forecast else "Relations"
        title = f"{check.id} {check.title}"
        yield Row(group=group, title=title, note=check.relation, answers=answers)


_FORMS: Final[dict[str, Callable[[CheckReport], str]]] = {
    ".html": _page,
    ".json": _json,
    ".md": _markdown,
    ".xml": _junit,
}
