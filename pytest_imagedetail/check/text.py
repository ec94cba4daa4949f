"""Verdicts as text: worst first, and what agrees in one line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pytest_imagedetail.check.verdicts import VERDICTS, Verdict

_WIDTH: Final = max(map(len, VERDICTS)) + 2
_PLURALS: Final = {
    "fail": ("fails", "fail"),
    "known-deviation": ("known deviation", "known deviations"),
    "pass": ("passes", "pass"),
}


def headline(verdicts: Sequence[Verdict]) -> str:
    """Return the verdict on all: `FAIL: 1 of 27 checks fails; 18 pass, 3 known deviations`."""
    counts = {name: sum(each.verdict == name for each in verdicts) for name in VERDICTS}
    rest = ", ".join(
        f"{number} {_counted(name, number)}"
        for name, number in reversed(counts.items())
        if number and name != "fail"
    )
    checks = f"{len(verdicts)} check{'' if len(verdicts) == 1 else 's'}"
    clouds = len({each.cloud for each in verdicts})
    among = checks if clouds == 1 else f"{checks} of {clouds} clouds"
    if counts["fail"]:
        found = f"{counts['fail']} of {among} {_counted('fail', counts['fail'])}"
        return f"FAIL: {found}; {rest}" if rest else f"FAIL: {found}"
    agree = counts["pass"] or counts["known-deviation"]
    word = "INCONCLUSIVE" if counts["inconclusive"] else "PASS" if agree else "VACUOUS"
    return f"{word}: none of {among} fails; {rest}"


def _counted(name: str, number: int) -> str:
    one, several = _PLURALS.get(name, (name, name))
    return one if number == 1 else several


def details(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the verdicts on one cloud; what does not say more than a reason shares a line."""
    alone = len(verdicts) == 1
    for name in VERDICTS:
        found = [each for each in verdicts if each.verdict == name]
        if name in {"fail", "known-deviation"} or alone:
            for each in found:
                yield from detail(each)
            continue
        reasons: dict[str, list[str]] = {}
        for each in found:
            reasons.setdefault(each.reason, []).append(each.check.id)
        for reason, ids in reasons.items():
            yield f"{name:<{_WIDTH}}{' '.join(ids)}"
            yield from [f"{'':<{_WIDTH}}{reason}"] if reason else []


def detail(verdict: Verdict) -> Iterator[str]:
    """Yield one verdict with its evidence."""
    yield f"{verdict.verdict:<{_WIDTH}}{verdict.check.id:<4} {verdict.check.title}"
    for name, text in _evidence(verdict):
        if text:
            yield f"{'':<{_WIDTH}}{name:<9}{_plain(text)}"


def _evidence(verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "relation", verdict.check.relation
    yield "found", verdict.reason
    if verdict.image and not verdict.findings:
        yield "image", str(verdict.image)
    for each in verdict.findings:
        of = f"{each.image.id} ({each.image.name})" if each.image else each.where
        yield "image", f"{of}, {each.path}{''.join(f' {key!r}' for key in each.keys)}"
        yield "heal", each.command or each.advice
    for error in dict.fromkeys(each.error for each in verdict.findings[:1]):
        yield "answer", error
    for known in verdict.deviations:
        yield "known", f"{known.what} ({known.releases}; {known.source})"
    yield "counted", verdict.counted
    yield "again", verdict.curl


def table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the verdicts on several clouds, check by check."""
    clouds = list(dict.fromkeys(each.cloud for each in verdicts))
    rows: Mapping[str, list[Verdict]] = {each.check.id: [] for each in verdicts}
    for each in verdicts:
        rows[each.check.id].append(each)
    for id_, row in rows.items():
        first = id_
        for name in VERDICTS:
            names = [each.cloud for each in row if each.verdict == name]
            if names:
                where = f"all {len(clouds)}" if len(names) == len(clouds) else ", ".join(names)
                yield f"{first:<5}{name:<{_WIDTH}}{where}"
                first = ""


def _plain(text: str) -> str:
    """Return a text without characters that move the cursor."""
    return "".join(each if each.isprintable() else "?" for each in text)
