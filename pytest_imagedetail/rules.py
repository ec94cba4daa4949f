"""Accept differences by rules: where they may be, why, and until when.

A rule accepts no more than it names. An expired rule accepts nothing and fails the comparison that
it would have let pass. A rule that matches nothing is reported.
"""

import ast
import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pytest_imagedetail import contract
from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.errors import SettingsError
from pytest_imagedetail.model import KINDS, Difference, ImageRef, Query, RuleRef, path_of

NEVER: Final = "never"

_WHAT: Final = ("path", "kind", "id")
_REQUIRED: Final = ("reason", "expires")
_KEYS: Final = (*_WHAT, "query", "between", "clouds", "reason", "reference", "expires")
_REMEDY: Final = (
    "each rule has path, kind or id, and reason and expires; it may have query, between or clouds, "
    "and reference; see docs/rules.md"
)
_ID: Final = re.compile("[0-9a-f]{12}")

_SEGMENT: Final = re.compile(
    r"""(?P<dot>\.)?(?P<key>[^.\[\]'"`\s]+)"""
    r"""|\[(?:(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<place>[^\[\]'"`\s]+))\]"""
)


class _Segment(NamedTuple):
    """One part of a path. `[0]` is a place in a list; `.0` and `['0']` are keys."""

    text: str
    quoted: bool = False
    what: Literal["key", "place", "image"] = "key"

    def matches(self, part: "_Segment") -> bool:
        """Tell whether this segment of a pattern matches a segment of a path."""
        if self.quoted or "*" not in self.text:
            same = (self.text, self.what) == (part.text, part.what)
            return same and (part.quoted or "*" not in part.text)
        # fnmatch has more wildcards than the star; brackets cannot stand here, but a ? can.
        return fnmatchcase(part.text, self.text.replace("?", "[?]"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPattern:
    """A pattern over the paths of reports: `images[*].metadata.hw_*`, `images[*].server.**`.

    Outside of quotes `*` stands for any part of one key or place, and `**` at the end for the path
    so far and everything below it.

    Attributes:
        text: The pattern as written.
        segments: Its keys and places.
        below: Whether it ends with `**`.
    """

    text: str
    segments: tuple[_Segment, ...]
    below: bool

    @property
    def names_image(self) -> bool:
        """Whether it selects images by their ids."""
        any_image = _Segment("*", what="image")
        return self.segments[0].text == "images" and self.segments[1:2] not in ((), (any_image,))

    def matches(self, path: str) -> bool:
        """Tell whether the pattern matches a path of a report."""
        parts = _segments(path)
        if len(parts) < len(self.segments) or (len(parts) > len(self.segments) and not self.below):
            return False
        return all(map(_Segment.matches, self.segments, parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One accepted difference.

    Attributes:
        path: Where it may be; None for anywhere.
        kinds: The accepted kinds; empty for any.
        id: The accepted cause, as reports show it; None for any.
        queries: Globs for the query, as reports show it; empty for any.
        between: Globs for the names of baseline and candidate; None for any.
        clouds: Globs of which one must match either side; empty for any.
        reason: Why it is accepted.
        reference: Where that was decided, for example a change request.
        expires: The last day on which the rule holds; None for no end.
        where: File and line.
    """

    path: PathPattern | None
    kinds: tuple[str, ...]
    id: str | None
    queries: tuple[str, ...]
    between: tuple[str, str] | None
    clouds: tuple[str, ...]
    reason: str
    reference: str | None
    expires: date | None
    where: str

    def concerns(self, baseline: str, candidate: str, query: str) -> bool:
        """Tell whether the rule is about this query of these two clouds."""
        if self.queries and not any(fnmatchcase(query, glob) for glob in self.queries):
            return False
        if self.between is not None:
            return all(map(fnmatchcase, (baseline, candidate), self.between))
        return not self.clouds or any(
            fnmatchcase(cloud, glob) for cloud in (baseline, candidate) for glob in self.clouds
        )

    def accepts(self, kind: str, path: str, id_: str | None = None) -> bool:
        """Tell whether the rule accepts a difference, whether it has expired or not."""
        if self.id not in {None, id_} or (self.kinds and kind not in self.kinds):
            return False
        return self.path is None or self.path.matches(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of one comparison or of a whole file, in their order.

    Attributes:
        rules: The first one that accepts a difference counts.
        today: The day by which expiry is judged.
    """

    rules: tuple[Rule, ...]
    today: date

    def between(self, baseline: str, candidate: str, query: Query) -> "Rules":
        """Return the rules about a query of two clouds."""
        asked = str(query)
        concerned = tuple(rule for rule in self.rules if rule.concerns(baseline, candidate, asked))
        return Rules(rules=concerned, today=self.today)

    def by_rule(
        self,
        kind: str,
        path: tuple[str | int, ...],
        places: Sequence[int],
        named: Callable[[int], ImageRef],
    ) -> dict[RuleRef | None, list[int]]:
        """Split the images that share a difference by the rules that name images by their ids.

        Args:
            kind: The kind of the difference.
            path: Its path below an image.
            places: The places of the images.
            named: Returns the reference of the image at a place.
        """
        if not any(rule.path is not None and rule.path.names_image for rule in self.rules):
            return {None: list(places)}
        parts: dict[RuleRef | None, list[int]] = {}
        for place in places:
            rule = self.accepting(kind, path_of(("images", *path), named(place)))
            parts.setdefault(None if rule is None else self.reference(rule), []).append(place)
        return parts

    def accepting(self, kind: str, path: str, id_: str | None = None) -> Rule | None:
        """Return the rule that accepts a difference; a valid one before an expired one."""
        found = [rule for rule in self.rules if rule.accepts(kind, path, id_)]
        return next((rule for rule in found if not self.expired(rule)), next(iter(found), None))

    def expired(self, rule: Rule) -> bool:
        """Tell whether a rule has expired."""
        return rule.expires is not None and rule.expires < self.today

    def reference(self, rule: Rule) -> RuleRef:
        """Return the rule as reports name it."""
        return RuleRef(
            path=None if rule.path is None else rule.path.text,
            kinds=rule.kinds,
            id=rule.id,
            reason=rule.reason,
            reference=rule.reference,
            expires=rule.expires,
            expired=self.expired(rule),
            where=rule.where,
        )


NO_RULES: Final = Rules(rules=(), today=date.min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Differences after the rules were applied.

    Attributes:
        differences: Those that no rule accepts, in their order.
        expected: Those that a rule accepts.
        expired: Rules that match a difference and have expired.
        unused: Rules that match none.
    """

    differences: tuple[Difference, ...]
    expected: tuple[Difference, ...]
    expired: tuple[RuleRef, ...]
    unused: tuple[RuleRef, ...]


def apply(rules: Rules, differences: Iterable[Difference], query: Query) -> Applied:
    """Separate the accepted differences from the others.

    Args:
        rules: The rules about the two clouds.
        differences: A valid rule that a difference already has is kept; see `Rules.by_rule`.
        query: What was asked.
    """
    judged = [_with_rule(each, rules, query) for each in differences]
    matched = dict.fromkeys(each.rule for each in judged if each.rule is not None)
    return Applied(
        differences=tuple(each for each in judged if each.rule is None or each.rule.expired),
        expected=tuple(each for each in judged if each.rule is not None and not each.rule.expired),
        expired=tuple(each for each in matched if each.expired),
        unused=tuple(each for each in map(rules.reference, rules.rules) if each not in matched),
    )


def _with_rule(difference: Difference, rules: Rules, query: Query) -> Difference:
    known = difference.rule
    if not rules.rules or (known is not None and not known.expired):
        return difference
    rule = rules.accepting(difference.kind, difference.path, difference.id(query))
    if rule is None or (known is not None and rules.expired(rule)):
        return difference
    return replace(difference, rule=rules.reference(rule))


def read(path: Path, *, today: date) -> Rules:
    """Read a rules file, a YAML list of rules; see docs/rules.md.

    Raises:
        SettingsError: It is not a list of rules, or a rule is invalid; with file and line.
    """
    document = yamltext.read(path, error=SettingsError, remedy=_REMEDY)
    if document is None:  # comments alone
        return Rules(rules=(), today=today)
    if not isinstance(document, list):
        raise SettingsError("not a list of rules", where=str(path), remedy=_REMEDY)
    text = path.read_text(encoding="utf-8")
    lines = (yamltext.line_of(text, number) for number in range(len(document)))
    found = (
        parse(each, where=f"{path}, line {line}")
        for each, line in zip(document, lines, strict=True)
    )
    return Rules(rules=tuple(found), today=today)


def rules_of(*sources: Path | Mapping[str, Any], today: date) -> Rules:
    """Return the rules of files and of mappings, in their order.

    Raises:
        SettingsError: A file or a rule is invalid; with its place.
    """
    found: list[Rule] = []
    for number, source in enumerate(sources, start=1):
        if isinstance(source, Path):
            found += read(source, today=today).rules
        else:
            found.append(parse(source, where=f"rules=, number {number}"))
    return Rules(rules=tuple(found), today=today)


def add(path: Path, entry: Mapping[str, Any], *, today: date) -> Rule:
    """Append a rule to a rules file, which is created if it does not exist; return the rule.

    Raises:
        SettingsError: The rule is invalid, or the file is or cannot be written; it is unchanged.
    """
    expires = parse(entry).expires or NEVER
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    rules_of(*[path] * bool(old), today=today)
    text = (old if not old or old.endswith("\n") else f"{old}\n") + yamltext.dump(
        [{**entry, "expires": expires}]
    )
    try:
        with yamltext.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
            added = read(temporary, today=today).rules[-1]
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
    return replace(added, where=added.where.replace(str(temporary), str(path)))


class _InvalidError(ValueError):
    """A rule is invalid; `parse` adds its place."""

    def __init__(self, problem: str, remedy: str = _REMEDY) -> None:
        super().__init__(problem)
        self.remedy = remedy


def parse(entry: Any, *, where: str = "") -> Rule:
    """Return the rule that a mapping describes.

    Args:
        entry: Its keys and values, as in a rules file.
        where: Where it stands.

    Raises:
        SettingsError: The rule is invalid.
    """
    try:
        _check_keys(entry)
        return Rule(
            path=_pattern(_text(entry, "path")) if "path" in entry else None,
            kinds=_kinds(entry.get("kind")),
            id=_id(entry["id"]) if "id" in entry else None,
            queries=_names(entry.get("query"), "query"),
            between=_between(entry.get("between")),
            clouds=_names(entry.get("clouds"), "clouds"),
            reason=_text(entry, "reason"),
            reference=_text(entry, "reference") if "reference" in entry else None,
            expires=_day(entry["expires"]),
            where=where or "the rule",
        )
    except _InvalidError as fault:
        raise SettingsError(str(fault), where=where, remedy=fault.remedy) from None


def _check_keys(rule: Any) -> None:
    if not isinstance(rule, Mapping):
        raise _InvalidError("a rule is a mapping")
    for key in rule:
        if key not in _KEYS:
            raise _InvalidError(f"unknown key {key!r}", _known(str(key), _KEYS))
    missing = [key for key in _REQUIRED if rule.get(key) is None]
    if all(rule.get(key) is None for key in _WHAT):
        missing.insert(0, "path")
    if missing:
        raise _InvalidError(f"the rule has no {' and no '.join(missing)}")
    if "id" in rule and ("path" in rule or "kind" in rule):
        raise _InvalidError("the rule has an id, which says path and kind", "give the id alone")
    if "between" in rule and "clouds" in rule:
        raise _InvalidError(
            "the rule has both between and clouds",
            "between names baseline and candidate, clouds either of them; keep one",
        )


def _known(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names)
    return (f"did you mean {near[0]}? " if near else "") + f"known: {', '.join(names)}"


def _text(rule: Mapping[str, Any], key: str) -> str:
    value = rule[key]
    if not isinstance(value, str) or not value.strip():
        raise _InvalidError(f"{key} must be a text, not {value!r}", "write it in quotes")
    return value


def _pattern(text: str) -> PathPattern:
    try:
        pattern = _compiled(text)
    except ValueError as fault:
        raise _InvalidError(
            f"path {text!r} is invalid: {fault}",
            "copy it from a report, for example images[*].metadata.hw_rng_model; * stands for any "
            "part of a key,\n.** at the end for everything below",
        ) from None
    first = pattern.segments[0].text
    if first in contract.FIELDS:
        raise _InvalidError(
            f"path {text!r} begins with a field of an image",
            f"a path into every image begins with images[*]: images[*].{text}",
        )
    return pattern


def _compiled(text: str) -> PathPattern:
    """Read a pattern; raise ValueError if it is invalid."""
    segments = _segments(text)
    below = segments[-1].text == "**" and not segments[-1].quoted
    segments = segments[: len(segments) - below]
    if not segments:
        raise ValueError("it would accept every difference")
    if any("**" in each.text and not each.quoted for each in segments):
        raise ValueError("`**` stands at the end, after a dot")
    return PathPattern(text=text, segments=segments, below=below)


def _segments(path: str) -> tuple[_Segment, ...]:
    """Split a path into keys and places; raise ValueError if it is not one."""
    found: list[_Segment] = []
    at = 0
    while at < len(path):
        match = _SEGMENT.match(path, at)
        if match is None or (match["key"] is not None and bool(match["dot"]) != bool(found)):
            raise ValueError(f"no key or place can be read at {path[at : at + 20]!r}")
        quoted = match["quoted"] is not None
        text = _unquoted(match["quoted"]) if quoted else match["key"] or match["place"]
        what: Literal["key", "place", "image"] = "key" if match["place"] is None else "place"
        if [each.text for each in found] == ["images"]:
            what = "image"
        found.append(_Segment(text, quoted, what))
        at = match.end()
    if not found:
        raise ValueError("it is empty")
    return tuple(found)


def _unquoted(literal: str) -> str:
    try:
        return str(ast.literal_eval(literal))
    except SyntaxError:
        raise ValueError(f"{literal} is not a quoted key") from None


def _kinds(value: Any) -> tuple[str, ...]:
    kinds = _names(value, "kind")
    for kind in kinds:
        if kind not in KINDS:
            raise _InvalidError(f"unknown kind {kind!r}", _known(kind, [*KINDS]))
    return kinds


def _id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise _InvalidError(
            f"id must be 12 hexadecimal digits in quotes, not {value!r}",
            "copy it from a report; the names of `imagedetail rules` are kinds: kind: field_added",
        )
    return value


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
    if (
        not isinstance(names, list)
        or not names
        or not all(isinstance(each, str) and each for each in names)
    ):
        raise _InvalidError(f"{key} must be a name or a list of names, not {value!r}")
    return tuple(names)


def _day(value: Any) -> date | None:
    if value == NEVER:
        return None
    if type(value) is date:  # not a datetime, which is a date as well
        return value
    try:
        if isinstance(value, str):
            return date.fromisoformat(value)
    except ValueError:
        pass
    shown = value.isoformat() if isinstance(value, datetime) else repr(value)
    raise _InvalidError(
        f"expires must be a day, not {shown}",
        "write the last day on which the rule holds, for example 2027-02-01, or never",
    )
