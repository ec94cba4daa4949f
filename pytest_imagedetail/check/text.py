"""Render verdicts as text, worst first."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pytest_imagedetail.check.verdicts import VERDICTS, Verdict
from pytest_imagedetail.report.terminal import entry
from pytest_imagedetail.text import count, plain

_WIDTH: Final = max(map(len, VERDICTS))
_PLURALS: Final = {
    "fail": ("fails", "fail"),
    "known-deviation": ("known deviation", "known deviations"),
    "pass": ("passes", "pass"),
}


def headline(verdicts: Sequence[Verdict]) -> str:
    """Return the verdict on all: `FAIL: 1 of 27 checks fails; 18 pass, 3 known deviations`."""
    counts = {name: sum(verdict.verdict == name for verdict in verdicts) for name in VERDICTS}
    words = {name: _PLURALS.get(name, (name, name))[number != 1] for name, number in counts.items()}
    failed = counts.pop("fail")
    others = {name: number for name, number in reversed(counts.items()) if number}
    rest = ", ".join(f"{number} {words[name]}" for name, number in others.items())
    clouds = len({verdict.cloud for verdict in verdicts})
    among = count(len(verdicts), "check") + (f" of {clouds} clouds" if clouds > 1 else "")
    if failed:
        return f"FAIL: {failed} of {among} {words['fail']}{'; ' if rest else ''}{rest}"
    agrees = others.keys() & {"pass", "known-deviation"}
    word = "INCONCLUSIVE" if "inconclusive" in others else "PASS" if agrees else "VACUOUS"
    none = f"none of {among} fails" if len(verdicts) > 1 else "the check does not fail"
    return f"{word}: {none}; {rest}"


def details(
    verdicts: Sequence[Verdict], *, color: bool = False, width: int | None = None
) -> Iterator[str]:
    """Yield the verdicts on one cloud; checks that share a verdict and a reason are one entry."""
    for name in VERDICTS:
        group = [verdict for verdict in verdicts if verdict.verdict == name]
        if name in {"fail", "known-deviation"} or len(verdicts) == 1:
            for verdict in group:
                yield from detail(verdict, color=color, width=width)
            continue
        for reason in dict.fromkeys(verdict.reason for verdict in group):
            ids = " ".join(verdict.check.id for verdict in group if verdict.reason == reason)
            lines = [("found", reason)] if reason else []
            yield from entry(name, ids, lines, indent=_WIDTH, color=color, width=width)


def detail(verdict: Verdict, *, color: bool = False, width: int | None = None) -> Iterator[str]:
    """Yield one verdict with its evidence; see `terminal.entry`."""
    title = f"{verdict.check.id:<4} {verdict.check.title}"
    lines = ((name, plain(text)) for name, text in _evidence(verdict) if text)
    yield from entry(verdict.verdict, title, lines, indent=_WIDTH, color=color, width=width)


def _evidence(verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "relation", verdict.check.relation
    yield "found", verdict.reason
    if verdict.image and not verdict.findings:
        yield "image", str(verdict.image)
    for finding in verdict.findings:
        image = finding.image
        subject = f"{image['id']} ({image['name']})" if image else finding.where
        for key in ("owner", "visibility"):
            subject += f", {key} {image[key]}" if image and image[key] else ""
        yield "image", f"{subject}, {finding.place}"
        yield "fix", finding.command or finding.advice
    for finding in verdict.findings[:1]:
        yield "answer", finding.error
    for known in verdict.deviations:
        yield "known", f"{known.what} ({known.releases}; {known.source})"
    for cause in verdict.causes:
        if cause.accepted not in {"", cause.what}:
            yield "accepted", f"{cause.what}: {cause.accepted}"
    yield "counted", verdict.counted
    failing = verdict.failing
    for cause in failing:
        yield "id", cause.id if len(failing) == 1 else f"{cause.id}  {cause.what}"
        yield "expired", cause.expired
    yield "again", verdict.curl


def group_verdicts(verdicts: Iterable[Verdict]) -> list[list[Verdict]]:
    """Group the verdicts that differ only in their clouds."""
    groups: dict[str, list[Verdict]] = {}
    for each in verdicts:
        key = (each.verdict, each.check.id, each.reason, each.image, each.causes, each.findings)
        groups.setdefault(repr(key), []).append(each)
    return [*groups.values()]


def table(verdicts: Sequence[Verdict], *, width: int | None = None) -> Iterator[str]:
    """Yield the verdicts on several clouds, check by check."""
    clouds = {verdict.cloud for verdict in verdicts}
    for check in dict.fromkeys(verdict.check.id for verdict in verdicts):
        first = check
        for name in VERDICTS:
            names = [e.cloud for e in verdicts if (e.check.id, e.verdict) == (check, name)]
            if names:
                where = f"all {len(clouds)}" if len(names) == len(clouds) else ", ".join(names)
                yield from entry(f"{first:<5}{name}", where, indent=5 + _WIDTH, width=width)
                first = ""
