"""Write verdicts to a file as HTML, Markdown, JSON or JUnit XML."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.check.checks import ALL
from pytest_imagedetail.check.text import alike, detail, headline, table
from pytest_imagedetail.check.verdicts import VERDICTS, Cause, Verdict, exit_code
from pytest_imagedetail.report import html, junit, markdown, write_text
from pytest_imagedetail.report.junit import Case, Suite
from pytest_imagedetail.report.loading import built, load, malformed, unreadable
from pytest_imagedetail.report.questions import Row, RowCell
from pytest_imagedetail.report.since import Change, Since
from pytest_imagedetail.text import plain

_SEVERITY: Final = {"fail": "breaking", "known-deviation": "compatible"}
_JUDGED: Final = ("fail", "known-deviation", "pass")
_SHOWN: Final = ("fail", "inconclusive", "known-deviation")  # with a card, worst first


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One verdict on a check, with each reason as the command prints it and the reason's clouds."""

    id: str  # "fail-M9", for links on the page
    verdict: Verdict
    severity: str  # the CSS class of the card
    title: str
    clouds: tuple[str, ...]
    reasons: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


def write(verdicts: Sequence[Verdict], path: Path, since: Since | None = None) -> None:
    """Write a report whose format follows from the suffix: .html, .json, .md or .xml."""
    write_text(path, _FORMS[path.suffix](verdicts, since))


def since(path: Path, verdicts: Sequence[Verdict]) -> Since:
    """Compare verdicts with those of an earlier report, or of `check --json`."""
    before, now = _found(verdicts_of(load(path), path)), _found(verdicts)
    judged = {(each.check.id, each.cloud) for each in verdicts if each.verdict in _JUDGED}
    new = now.keys() - before.keys()
    changes = [_change(*now[key], "new") for key in new]
    for key, (verdict, cause) in before.items():
        if key not in now:
            is_judged = (verdict.check.id, verdict.cloud) in judged
            changes.append(_change(verdict, cause, "gone" if is_judged else "not compared"))
        elif now[key][1].accepted and not cause.accepted:
            changes.append(_change(verdict, cause, "accepted by a rule"))
    ids = {id_ for id_, _ in new}
    return Since(
        file=str(path),
        new=len(ids),
        known=len({id_ for id_, _ in now} - ids),
        changes=tuple(sorted(changes, key=lambda each: (each.status, each.title))),
    )


def _found(verdicts: Sequence[Verdict]) -> dict[tuple[str, str], tuple[Verdict, Cause]]:
    return {(one.id, each.cloud): (each, one) for each in verdicts for one in each.causes}


def _change(verdict: Verdict, cause: Cause, status: str) -> Change:
    return Change(
        id=cause.id,
        severity="known-deviation" if cause.accepted else "fail",
        title=f"{verdict.check.id} {cause.what}, {verdict.cloud}",
        status=status,
    )


def verdicts_of(document: Mapping[str, Any], path: Path) -> list[Verdict]:
    """Read the verdicts from the output of `check --json` or from a JSON report."""
    if "checks" not in document:
        raise unreadable(path, "it is not a result of `check`, unlike the other file")
    with malformed(path):
        found = [_verdict(each) for each in document["checks"]]
        if to_dict(found)["verdict"] != document["verdict"]:
            raise ValueError("its verdict does not follow from its checks")
    return found


def _verdict(facts: Mapping[str, Any]) -> Verdict:
    check, evidence = {each.id: each for each in ALL}[facts["id"]], facts["evidence"]
    if facts["verdict"] not in VERDICTS:
        raise KeyError(facts["verdict"])
    return built(Verdict, {**facts, **evidence}, check=check)


def to_dict(verdicts: Sequence[Verdict], since: Since | None = None) -> dict[str, object]:
    """Return the JSON form."""
    changed = {} if since is None else {"since": asdict(since)}
    checks = [each.to_dict() for each in verdicts]
    word, _, sentence = headline(verdicts).partition(": ")
    passed = {"PASS": True, "FAIL": False}.get(word)
    verdict = {"passed": passed, "exit_code": exit_code(verdicts), "sentence": sentence}
    return {"verdict": verdict, **changed, "schema": 1, "checks": checks}


def _json(verdicts: Sequence[Verdict], since: Since | None) -> str:
    return json.dumps(to_dict(verdicts, since), indent=2) + "\n"


def _markdown(verdicts: Sequence[Verdict], since: Since | None) -> str:
    lines = [f"# {headline(verdicts)}", "", f"exit code {exit_code(verdicts)}", ""]
    lines += markdown.since(since) if since is not None else ()
    lines += ["```", *table(verdicts), "```", ""]
    for each in _cards(verdicts):
        for clouds, shown in each.reasons if each.severity == "breaking" else ():
            lines += [f"## {', '.join(clouds)}", "", "```", *shown, "```", ""]
    return markdown.fit(lines)


def _junit(verdicts: Sequence[Verdict], _: Since | None) -> str:
    suites: dict[str, list[Case]] = {}
    for each in verdicts:
        suites.setdefault(each.cloud, []).append(_case(each))
    counted = {**junit.COUNTED, "skipped": "skipped"}
    facts = {"exit_code": exit_code(verdicts)}
    found = [Suite(name=cloud, properties=facts, cases=cases) for cloud, cases in suites.items()]
    return junit.document(headline(verdicts), found, counted=counted)


def _case(verdict: Verdict) -> Case:
    tag = {"pass": "", "fail": "failure"}.get(verdict.verdict, "skipped")
    tag = "error" if verdict.unasked else tag
    message = f"{verdict.verdict}: {verdict.reason}"
    return Case(tag=tag, name=verdict.check.id, message=message, lines=[*detail(verdict)])


def _page(verdicts: Sequence[Verdict], since: Since | None) -> str:
    cards, clouds = [*_cards(verdicts)], [*dict.fromkeys(each.cloud for each in verdicts)]
    title = headline(verdicts)
    word, _, sentence = title.partition(": ")
    return html.page(
        "check.html.j2",
        title=title,
        word=word,
        sentence=sentence,
        exit_code=exit_code(verdicts),
        cards=cards,
        since=since,
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


_FORMS: Final[dict[str, Callable[[Sequence[Verdict], Since | None], str]]] = {
    ".html": _page,
    ".json": _json,
    ".md": _markdown,
    ".xml": _junit,
}
