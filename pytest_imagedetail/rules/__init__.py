"""The rules file: differences that a person accepted, why, and until when.

A rule accepts no more than it names. One that has expired accepts nothing and fails the comparison
that it would have let pass; one that matches nothing is reported, for it hides a typo or the past.
"""

import difflib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.errors import SettingsError
from pytest_imagedetail.model import KINDS, Difference, ImageRef, RuleRef, path_of
from pytest_imagedetail.rules import path_pattern as pathpattern
from pytest_imagedetail.rules.path_pattern import PathPattern

NEVER: Final = "never"

_REQUIRED: Final = ("path", "reason", "expires")
_KEYS: Final = ("path", "kind", "between", "clouds", "reason", "reference", "expires")
_FIRST: Final = ("images", "images_links", "status_code", "headers")  # what many paths begin with
_NEARLY: Final = (
    0.8  # of difflib; "images_links" is not as near to "images", "image" and "imgaes" are
)
_REMEDY: Final = (
    "each rule has path, reason and expires, and may have kind, between or clouds, and reference; "
    "see docs/rules.md"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One accepted difference.

    Attributes:
        path: Where it may be.
        kinds: What it may be; empty means anything.
        between: Globs for the names of baseline and candidate; None means any two.
        clouds: Globs of which one must name either side; empty means any.
        reason: Why it is accepted.
        reference: Where that was decided, a change request say.
        expires: The last day on which it holds; None means that it always does.
        where: File and line.
    """

    path: PathPattern
    kinds: tuple[str, ...] = ()
    between: tuple[str, str] | None = None
    clouds: tuple[str, ...] = ()
    reason: str
    reference: str | None = None
    expires: date | None
    where: str

    def concerns(self, baseline: str, candidate: str) -> bool:
        """Whether it is about these two clouds."""
        if self.between is not None:
            return all(map(fnmatchcase, (baseline, candidate), self.between))
        return not self.clouds or any(
            fnmatchcase(cloud, glob) for cloud in (baseline, candidate) for glob in self.clouds
        )

    def accepts(self, kind: str, path: str) -> bool:
        """Whether it is about a difference, whatever the day."""
        return (not self.kinds or kind in self.kinds) and self.path.matches(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of one comparison or of a whole file, in its order.

    Attributes:
        rules: The first one that accepts a difference counts.
        today: By which expiry is judged.
    """

    rules: tuple[Rule, ...]
    today: date

    def between(self, baseline: str, candidate: str) -> "Rules":
        """Those that are about two clouds."""
        concerned = tuple(rule for rule in self.rules if rule.concerns(baseline, candidate))
        return Rules(rules=concerned, today=self.today)

    def by_rule(
        self,
        kind: str,
        path: tuple[str | int, ...],
        places: Sequence[int],
        named: Callable[[int], ImageRef],
    ) -> dict[RuleRef | None, list[int]]:
        """The images that share a difference, parted by the rules that name images by their ids.

        Args:
            kind: Of the difference.
            path: Below an image.
            places: Of those that share it.
            named: The image at a place.
        """
        if not any(rule.path.names_image for rule in self.rules):
            return {None: list(places)}
        parts: dict[RuleRef | None, list[int]] = {}
        for place in places:
            rule = self.accepting(kind, path_of(("images", *path), named(place)))
            parts.setdefault(None if rule is None else self.reference(rule), []).append(place)
        return parts

    def accepting(self, kind: str, path: str) -> Rule | None:
        """The rule that accepts a difference; one that holds before one that has expired."""
        found = [rule for rule in self.rules if rule.accepts(kind, path)]
        return next((rule for rule in found if not self.expired(rule)), next(iter(found), None))

    def expired(self, rule: Rule) -> bool:
        """Whether its last day is over."""
        return rule.expires is not None and rule.expires < self.today

    def reference(self, rule: Rule) -> RuleRef:
        """The rule as reports name it."""
        return RuleRef(
            path=rule.path.text,
            kinds=rule.kinds,
            reason=rule.reason,
            reference=rule.reference,
            expires=rule.expires,
            expired=self.expired(rule),
            where=rule.where,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Differences after the rules.

    Attributes:
        differences: Those that no rule accepts, in their order.
        expected: Those that one does.
        expired: Rules that would accept a difference and have expired.
        unused: Rules that accept none.
    """

    differences: tuple[Difference, ...]
    expected: tuple[Difference, ...]
    expired: tuple[RuleRef, ...]
    unused: tuple[RuleRef, ...]


def apply(rules: Rules, differences: Iterable[Difference]) -> Applied:
    """Part the accepted differences from the others.

    Args:
        rules: Those that are about the two clouds.
        differences: A rule that one already has stays; see `Rules.by_rule`.
    """
    judged = [_with_rule(each, rules) for each in differences]
    met = dict.fromkeys(each.rule for each in judged if each.rule is not None)
    return Applied(
        differences=tuple(each for each in judged if each.rule is None or each.rule.expired),
        expected=tuple(each for each in judged if each.rule is not None and not each.rule.expired),
        expired=tuple(each for each in met if each.expired),
        unused=tuple(each for each in map(rules.reference, rules.rules) if each not in met),
    )


def _with_rule(difference: Difference, rules: Rules) -> Difference:
    if difference.rule is not None:
        return difference
    rule = rules.accepting(difference.kind, difference.path)
    return difference if rule is None else replace(difference, rule=rules.reference(rule))


NO_RULES: Final = Rules(rules=(), today=date.min)


def read(path: Path, *, today: date) -> Rules:
    """Read a rules file.

    Args:
        path: A YAML list of rules; see docs/rules.md.
        today: By which expiry is judged.

    Raises:
        SettingsError: It is no list of rules, or a rule cannot be right; with file and line.
    """
    document = yamltext.read(path, error=SettingsError, remedy=_REMEDY)
    if document is None:  # comments alone
        return Rules(rules=(), today=today)
    if not isinstance(document, list):
        raise SettingsError("not a list of rules", where=str(path), remedy=_REMEDY)
    text = path.read_text(encoding="utf-8")
    found = []
    for number, each in enumerate(document):
        where = f"{path}, line {yamltext.line_of(text, number)}"
        try:
            found.append(_rule(each, where))
        except _InvalidError as fault:
            raise SettingsError(str(fault), where=where, remedy=fault.remedy) from None
    return Rules(rules=tuple(found), today=today)


def rules_of(*sources: Path | Mapping[str, Any], today: date) -> Rules:
    """The rules of files, and those that are given by their keys and values, in their order.

    Raises:
        SettingsError: A file or a rule that cannot be right, with its place.
    """
    found: list[Rule] = []
    for number, source in enumerate(sources, start=1):
        if isinstance(source, Path):
            found += read(source, today=today).rules
        else:
            found.append(parse(source, where=f"rules=, number {number}"))
    return Rules(rules=tuple(found), today=today)


def add(path: Path, entry: Mapping[str, Any], *, today: date) -> Rule:
    """Write one more rule at the end of a rules file; what stands in it stays as it is.

    Args:
        path: The file; it is made if there is none.
        entry: The rule's keys and values, as they are to be written.
        today: As for `read`.

    Returns:
        The rule.

    Raises:
        SettingsError: The rule cannot be right, or the file cannot be written, or nothing can be
            added at its end; then it is as it was.
    """
    expires = parse(entry).expires or NEVER
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    rules_of(*[path] * bool(old), today=today)
    text = (old if not old or old.endswith("\n") else f"{old}\n") + yamltext.dump(
        [{**entry, "expires": expires}]
    )
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, encoding="utf-8")
        added = read(beside, today=today).rules[-1]
        beside.replace(path)
    except SettingsError:
        raise SettingsError(
            "nothing can be added at the end of this file",
            where=str(path),
            remedy="write its rules one below the other, each after a dash; nothing was changed",
        ) from None
    except OSError as error:
        raise SettingsError(
            f"the rules file cannot be written: {error.strerror}",
            where=str(path),
            remedy="give another one with --rules",
        ) from error
    finally:
        beside.unlink(missing_ok=True)
    return replace(added, where=added.where.replace(str(beside), str(path)))


def parse(entry: Mapping[str, Any], *, where: str = "") -> Rule:
    """One rule by its keys and values.

    Args:
        entry: They, as a file has them.
        where: Where they stand, if anywhere.

    Raises:
        SettingsError: It cannot be right.
    """
    try:
        return _rule(dict(entry), where or "the rule")
    except _InvalidError as fault:
        raise SettingsError(str(fault), where=where, remedy=fault.remedy) from None


class _InvalidError(ValueError):
    """What is wrong with a rule, before anyone says where it stands."""

    def __init__(self, problem: str, remedy: str = _REMEDY) -> None:
        super().__init__(problem)
        self.remedy = remedy


def _rule(value: Any, where: str) -> Rule:
    if not isinstance(value, dict):
        raise _InvalidError("a rule is a mapping")
    _check_keys(value)
    return Rule(
        path=_pattern(_text(value, "path")),
        kinds=_kinds(value.get("kind")),
        between=_between(value.get("between")),
        clouds=_names(value.get("clouds"), "clouds"),
        reason=_text(value, "reason"),
        reference=_text(value, "reference") if "reference" in value else None,
        expires=_day(value["expires"]),
        where=where,
    )


def _check_keys(rule: Mapping[Any, Any]) -> None:
    for key in rule:
        if key not in _KEYS:
            near = difflib.get_close_matches(str(key), _KEYS, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise _InvalidError(f"unknown key {key!r}", f"{meant}known: {', '.join(_KEYS)}")
    missing = [key for key in _REQUIRED if rule.get(key) is None]
    if missing:
        raise _InvalidError(f"the rule has no {' and no '.join(missing)}")
    if "between" in rule and "clouds" in rule:
        raise _InvalidError(
            "the rule has both between and clouds",
            "between names baseline and candidate, clouds either of them; keep one",
        )


def _text(rule: Mapping[str, Any], key: str) -> str:
    value = rule[key]
    if not isinstance(value, str) or not value.strip():
        raise _InvalidError(f"{key} must be a text, not {value!r}", "write it in quotes")
    return value


def _pattern(text: str) -> PathPattern:
    try:
        pattern = pathpattern.compiled(text)
    except ValueError as fault:
        raise _InvalidError(
            f"path {text!r} is none: {fault}",
            "copy it from a report, images[*].metadata.hw_rng_model say; * stands for any part of "
            "a key,\n.** at the end for everything below",
        ) from None
    first = pattern.segments[0].text
    if first in contract.FIELDS:
        raise _InvalidError(
            f"path {text!r} begins with a field of an image",
            f"a path into every image begins with images[*]: images[*].{text}",
        )
    _check_printable(pattern)
    return pattern


def _check_printable(pattern: PathPattern) -> None:
    """Refuse what no report can print, as far as that is known: an answer may have any key."""
    first = pattern.segments[0]
    known = first.quoted or "*" in first.text or first.text in _FIRST
    if not known and difflib.get_close_matches(first.text, ("images",), cutoff=_NEARLY):
        raise _InvalidError(
            f"path {pattern.text!r} begins with {first.text!r}, and no report prints that",
            f"did you mean images{pattern.text.removeprefix(first.text)}? "
            f"a key of that name in an answer is quoted: ['{first.text}']",
        )
    for each in pattern.segments:
        if each.what == "place" and not each.quoted and not _is_place(each.text):
            raise _InvalidError(
                f"path {pattern.text!r} has {each.text!r} in brackets, which is no place of a list",
                f"a key is quoted: ['{each.text}']; an image's id stands after images alone",
            )


def _is_place(text: str) -> bool:
    return "*" in text or (text.isascii() and text.isdigit())


def _kinds(value: Any) -> tuple[str, ...]:
    kinds = _names(value, "kind")
    for kind in kinds:
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise _InvalidError(f"unknown kind {kind!r}", f"{meant}known: {', '.join(KINDS)}")
    return kinds


def _between(value: Any) -> tuple[str, str] | None:
    if value is None:
        return None
    names = _names(value, "between")
    if len(names) != 2:  # noqa: PLR2004  baseline and candidate
        raise _InvalidError(f"between names baseline and candidate, not {value!r}")
    return names[0], names[1]


def _names(value: Any, key: str) -> tuple[str, ...]:
    if value is None:
        return ()
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(map(_is_name, names)):
        raise _InvalidError(f"{key} must be a name or a list of names, not {value!r}")
    return tuple(names)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _day(value: Any) -> date | None:
    if value == NEVER:
        return None
    if type(value) is date:  # a datetime is one, too, and says more than a day
        return value
    try:
        if isinstance(value, str):
            return date.fromisoformat(value)
    except ValueError:
        pass
    shown = value.isoformat() if isinstance(value, datetime) else repr(value)
    raise _InvalidError(
        f"expires must be a day, not {shown}",
        "write the last day on which the rule holds, 2027-02-01 say, or never",
    )
