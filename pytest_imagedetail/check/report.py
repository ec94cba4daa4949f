"""Write verdicts to a file as HTML, Markdown, JSON or JUnit XML."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.check.checks import ALL
from pytest_imagedetail.check.text import alike, detail, headline, table
from pytest_imagedetail.check.verdicts import JUDGED, VERDICTS, Cause, Verdict, exit_code
from pytest_imagedetail.compare.comparison import to_json
from pytest_imagedetail.model import RuleRef
from pytest_imagedetail.report import html, junit, markdown, notes, write_text
from pytest_imagedetail.report.junit import Case, Suite
from pytest_imagedetail.report.loading import Document, built, malformed, unreadable
from pytest_imagedetail.report.questions import Row, RowCell
from pytest_imagedetail.report.since import Change, Since
from pytest_imagedetail.text import plain

_SEVERITY: Final = {"fail": "breaking", "known-deviation": "compatible"}
_SHOWN: Final = ("fail", "inconclusive", "known-deviation")  # with a card, worst first


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The contents of a report in any format."""

    verdicts: Sequence[Verdict]
    since: Since | None = None
    unused_rules: tuple[RuleRef, ...] = ()

    @property
    def lines(self) -> list[str]:
        """The verdict on all, what changed, and which rules accept nothing."""
        changed = [] if self.since is None else [*self.since.lines]
        since = [f"since {each}" for each in changed[:1]]
        unused = [f"unused rule: {notes.unused(each)}" for each in self.unused_rules]
        return [headline(self.verdicts), *since, *changed[1:], *unused]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One verdict on a check, with each reason as the command prints it and the reason's clouds."""

    id: str  # "fail-M9", for links on the page
    verdict: Verdict
    severity: str  # the CSS class of the card
    title: str
    clouds: tuple[str, ...]
    reasons: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


def write(checked: Checked, path: Path) -> None:
    """Write a report whose format follows from the suffix: .html, .json, .md or .xml."""
    write_text(path, _FORMS[path.suffix](checked))


def since(path: Path, earlier: Sequence[Verdict], verdicts: Sequence[Verdict]) -> Since:
    """Compare verdicts with those that `read` found in a file."""
    before, now = _found(earlier), _found(verdicts)
    judged = {(each.check.id, each.cloud) for each in verdicts if each.verdict in JUDGED}
    clouds: dict[tuple[str, str, str, str], list[str]] = {}
    for id_, cloud in before | now:
        old, new = before.get((id_, cloud)), now.get((id_, cloud))
        if old is None:
            status = "new"
        elif new is None:
            status = "gone" if (_check_of(id_), cloud) in judged else "not compared"
        else:
            status = "accepted by a rule" if new.accepted and not old.accepted else ""
        cause: Any = old or new
        severity = "known-deviation" if cause.accepted else "fail"
        clouds.setdefault((status, cause.what, severity, id_), []).append(cloud)
    changes = tuple(
        Change(
            id=id_,
            severity=severity,
            title=f"{_check_of(id_)} {what}, {', '.join(where)}",
            status=status,
        )
        for (status, what, severity, id_), where in sorted(clouds.items())
        if status
    )
    ids = {each.id for each in changes if each.status == "new"}
    known = len({id_ for id_, _ in now} - ids)
    return Since(file=str(path), new=len(ids), known=known, changes=changes)


def _found(verdicts: Sequence[Verdict]) -> dict[tuple[str, str], Cause]:
    return {(one.id, each.cloud): one for each in verdicts for one in each.causes}


def _check_of(id_: str) -> str:
    return id_.partition("-")[0]


def read(document: Document, path: Path) -> Checked:
    """Read the output of `check --json` or a JSON report, without what changed before it."""
    if "checks" not in document:
        raise unreadable(path, "it is not a result of `check`, unlike the other file")
    with malformed(path):
        verdicts = [_verdict(each) for each in document["checks"]]
        found = built(Checked, document, verdicts=verdicts, since=None)
        if to_dict(found)["verdict"] != document["verdict"]:
            raise ValueError("its verdict does not follow from its checks")
    return found


def _verdict(facts: Mapping[str, Any]) -> Verdict:
    check, evidence = {each.id: each for each in ALL}[facts["id"]], facts["evidence"]
    if facts["verdict"] not in VERDICTS:
        raise KeyError(facts["verdict"])
    found = built(Verdict, {**facts, **evidence}, check=check)
    if found.verdict in _SEVERITY and not found.causes:
        raise ValueError(f"{check.id} on {found.cloud} has no causes")
    return found


def to_dict(checked: Checked) -> dict[str, object]:
    """Return the JSON form."""
    changed = {} if checked.since is None else {"since": asdict(checked.since)}
    checks = [each.to_dict() for each in checked.verdicts]
    word, _, sentence = checked.lines[0].partition(": ")
    passed = {"PASS": True, "FAIL": False}.get(word)
    code = exit_code(checked.verdicts)
    verdict = {"passed": passed, "exit_code": code, "sentence": sentence}
    unused = {"unused_rules": to_json(checked.unused_rules)}
    return {"verdict": verdict, **changed, "schema": 1, "checks": checks, **unused}


def _json(checked: Checked) -> str:
    return json.dumps(to_dict(checked), indent=2) + "\n"


def _markdown(checked: Checked) -> str:
    lines = [f"# {checked.lines[0]}", "", f"exit code {exit_code(checked.verdicts)}", ""]
    lines += markdown.listed(checked.lines[1:])
    lines += ["```", *table(checked.verdicts), "```", ""]
    for each in _cards(checked.verdicts):
        for clouds, shown in each.reasons if each.severity == "breaking" else ():
            lines += [f"## {', '.join(clouds)}", "", "```", *shown, "```", ""]
    return markdown.fit(lines)


def _junit(checked: Checked) -> str:
    suites: dict[str, list[Case]] = {}
    for each in checked.verdicts:
        suites.setdefault(each.cloud, []).append(_case(each))
    counted = {**junit.COUNTED, "skipped": "skipped"}
    facts = {"exit_code": exit_code(checked.verdicts)}
    found = [Suite(name=cloud, properties=facts, cases=cases) for cloud, cases in suites.items()]
    return junit.document(checked.lines[0], found, counted=counted)


def _case(verdict: Verdict) -> Case:
    tag = {"pass": "", "fail": "failure"}.get(verdict.verdict, "skipped")
    tag = "error" if verdict.unasked else tag
    message = f"{verdict.verdict}: {verdict.reason}"
    return Case(tag=tag, name=verdict.check.id, message=message, lines=[*detail(verdict)])


def _page(checked: Checked) -> str:
    verdicts = checked.verdicts
    cards, clouds = [*_cards(verdicts)], [*dict.fromkeys(each.cloud for each in verdicts)]
    title, *lines = checked.lines
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
        checks=[*dict.fromkeys(each.verdict.check.id for each in cards)],
        verdicts=_SHOWN,
        rows=[*_rows(verdicts, clouds)],
    )


def _cards(verdicts: Sequence[Verdict]) -> Iterator[Card]:
    found: dict[str, list[Verdict]] = {}
    for each in (each for name in _SHOWN for each in verdicts if each.verdict == name):
        found.setdefault(f"{each.verdict}-{each.check.id}", []).append(each)
    for id_, every in found.items():
        first = every[0]
        yield Card(
            id=id_,
            verdict=first,
            severity=_SEVERITY.get(first.verdict, "data"),
            title=f"{first.check.id} {first.check.title}",
            clouds=tuple(each.cloud for each in every),
            reasons=tuple(
                (tuple(each.cloud for each in members), tuple(map(plain, detail(members[0]))))
                for members in alike(every)
            ),
        )


def _rows(verdicts: Sequence[Verdict], clouds: Sequence[str]) -> Iterator[Row]:
    found = {(each.check.id, each.cloud): each.verdict for each in verdicts}
    for check in {each.check.id: each.check for each in verdicts}.values():
        # Shards run other checks.
        states = [found.get((check.id, cloud), "not asked") for cloud in clouds]
        cards = [f"{state}-{check.id}" if state in _SHOWN else "" for state in states]
        answers = [
            RowCell(state=state, words=state, finding=card)
            for state, card in zip(states, cards, strict=True)
        ]
        group = "Forecast" if check.is_forecast else "Relations"
        title = f"{check.id} {check.title}"
        yield Row(group=group, title=title, note=check.relation, answers=answers)


_FORMS: Final[dict[str, Callable[[Checked], str]]] = {
    ".html": _page,
    ".json": _json,
    ".md": _markdown,
    ".xml": _junit,
}
