"""Accept differences by rules: where, why, and until when.

A rule accepts only what it names. An expired rule accepts nothing and fails the comparison that it
matches. A rule that matches nothing is reported.
"""

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pytest_imagedetail import contract
from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.errors import SettingsError, did_you_mean
from pytest_imagedetail.model import KINDS, Difference, ImageRef, Query, RuleRef, path_of

_NEVER: Final = "never"

_TARGETS: Final = ("path", "kind", "id")
_REQUIRED: Final = ("reason", "expires")
_KEYS: Final = (*_TARGETS, "query", "between", "clouds", "reason", "reference", "expires")
_REMEDY: Final = (
    "a rule needs reason, expires, and one of path, kind and id; it may have query, between or "
    "clouds, and reference: see docs/rules.md"
)
_FILES: Final = yamltext.Files(SettingsError, _REMEDY)
_ID: Final = re.compile("([MS][0-9]+-)?[0-9a-f]{12}")
_PARAMETERS: Final = ("all", *contract.FILTERS)  # `all` stands for a query without parameters

_TYPO_SIMILARITY: Final = 0.75  # `nmae` and `name`, but not `staging-next` and `staging`

_SEGMENT: Final = re.compile(
    r"""(?P<dot>\.)?(?P<key>[^.\[\]'"`\s]+)"""
    r"""|\[(?:(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<place>[^\[\]'"`\s]+))\]"""
)


class _Segment(NamedTuple):
    """One part of a path. `[0]` is a list position; `.0` and `['0']` are keys."""

    text: str
    quoted: bool = False
    what: Literal["key", "place", "image"] = "key"

    def matches(self, part: "_Segment") -> bool:
        if self.quoted or "*" not in self.text:
            same = (self.text, self.what) == (part.text, part.what)
            return same and (part.quoted or "*" not in part.text)
        # fnmatch also knows ? and brackets; segments cannot contain brackets.
        return fnmatchcase(part.text, self.text.replace("?", "[?]"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPattern:
    """A pattern for paths in reports: `images[*].metadata.hw_*`, `images[*].server.**`.

    Outside quotes, `*` matches any part of one key or position, and `**` at the end (`below`)
    matches the path so far and everything below it.
    """

    segments: tuple[_Segment, ...]
    below: bool

    @property
    def names_image(self) -> bool:
        """Whether it selects images by their ids."""
        any_image = _Segment("*", what="image")
        return self.segments[0].text == "images" and self.segments[1:2] not in ((), (any_image,))

    def matches(self, path: str) -> bool:
        """Return whether the pattern matches a path of a report."""
        parts = _segments(path)
        if len(parts) < len(self.segments) or (len(parts) > len(self.segments) and not self.below):
            return False
        return all(map(_Segment.matches, self.segments, parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One accepted difference; empty and None restrict nothing.

    Attributes:
        ref: What it accepts, why and until when, as shown in reports.
        pattern: Its path.
        queries: Globs for the query.
        between: Globs for the names of baseline and candidate.
        clouds: Globs, one of which must match either side.
    """

    ref: RuleRef
    pattern: PathPattern | None
    queries: tuple[str, ...]
    between: tuple[str, str] | None
    clouds: tuple[str, ...]

    @property
    def check(self) -> str:
        """The check of whose causes it accepts one: "M24"; "" for a rule about differences."""
        return self.ref.id.rpartition("-")[0] if self.ref.id else ""

    def concerns(self, baseline: str, candidate: str, query: str) -> bool:
        """Return whether the rule applies to this query and these two clouds."""
        if self.queries and not any(fnmatchcase(query, glob) for glob in self.queries):
            return False
        sides = baseline, candidate
        if self.between is not None and not all(map(fnmatchcase, sides, self.between)):
            return False
        return self.names(*sides)

    def names(self, *clouds: str) -> bool:
        """Return whether the rule is for one of these clouds, or for any."""
        globs = self.clouds or ("*",)
        return any(fnmatchcase(cloud, glob) for cloud in clouds for glob in globs)

    def accepts(self, kind: str, path: str, cause: str | None) -> bool:
        """Return whether the rule matches a difference with this id, expired or not."""
        if self.ref.id not in {None, cause} or (self.ref.kinds and kind not in self.ref.kinds):
            return False
        return self.pattern is None or self.pattern.matches(path)


Rules = tuple[Rule, ...]
"""The rules of one comparison or a whole file; the first that accepts a difference counts."""


def between(rules: Rules, baseline: str, candidate: str, query: Query) -> Rules:
    """Return the rules that apply to differences of two clouds in a query."""
    sides = baseline, candidate, str(query)
    return tuple(rule for rule in rules if not rule.check and rule.concerns(*sides))


def rules_for_check(rules: Rules, check: str, cloud: str) -> Rules:
    """Return the rules that apply to causes of a check of a cloud."""
    return tuple(rule for rule in rules if rule.check == check and rule.names(cloud))


def split_by_rule(
    rules: Rules, kind: str, path: tuple[str | int, ...], images: Sequence[ImageRef]
) -> dict[RuleRef | None, list[ImageRef]]:
    """Split images that share a difference by the rules that name images by id."""
    if not any(rule.pattern is not None and rule.pattern.names_image for rule in rules):
        return {None: list(images)}
    parts: dict[RuleRef | None, list[ImageRef]] = {}
    for image in images:
        rule = matching_rule(rules, kind, path_of(("images", *path), image))
        parts.setdefault(rule, []).append(image)
    return parts


def matching_rule(rules: Rules, kind: str, path: str, cause: str | None = None) -> RuleRef | None:
    """Return the rule that matches a difference, preferring a valid one to an expired one."""
    matching = [rule.ref for rule in rules if rule.accepts(kind, path, cause)]
    return min(matching, key=lambda rule: rule.expired, default=None)


def with_rule(difference: Difference, rules: Rules, query: Query) -> Difference:
    """Add the rule that matches a difference, unless `split_by_rule` found a valid one."""
    if not rules or is_accepted(difference):
        return difference
    rule = matching_rule(rules, difference.kind, difference.path, difference.id(query))
    if rule is None or (rule.expired and difference.rule is not None):
        return difference
    return replace(difference, rule=rule)


def unused(
    rules: Rules, concerned: Collection[Rule], matched: Collection[RuleRef | None]
) -> tuple[RuleRef, ...]:
    """Return the rules that match nothing, of those that apply and those with a typo."""
    expected = (rule.ref for rule in rules if rule.ref.typo or rule in concerned)
    return tuple(ref for ref in expected if ref not in matched)


def is_accepted(difference: Difference) -> bool:
    """Return whether a rule that has not expired accepts a difference."""
    return difference.rule is not None and not difference.rule.expired


def _parse_file(text: str, path: Path, today: date) -> Iterator[Rule]:
    document = _FILES.parse(text, where=str(path))
    if document is None:  # only comments
        return
    if not isinstance(document, list):
        raise SettingsError("not a list of rules", where=str(path), remedy=_REMEDY)
    for line, entry in zip(yamltext.lines_of(text), document, strict=True):
        yield parse(entry, today=today, where=f"{path}, line {line}")


def rules_of(
    *sources: Path | Mapping[str, Any], today: date, clouds: Collection[str] = ()
) -> Rules:
    """Read the rules in files and mappings, in order; `today` decides which have expired.

    A rule has a typo if a cloud or parameter that it names is unknown and resembles a known one.
    Raise SettingsError if a file is not a YAML list of rules, or a rule is not valid.
    """
    rules: list[Rule] = []
    for number, source in enumerate(sources, start=1):
        if isinstance(source, Path):
            rules += _parse_file(_FILES.text(source), source, today)
        else:
            rules.append(parse(source, today=today, where=f"rules=, number {number}"))
    return tuple(_with_typo(rule, clouds) for rule in rules)


def _with_typo(rule: Rule, clouds: Collection[str]) -> Rule:
    clouds_named = (*(rule.between or ()), *rule.clouds) if clouds else ()
    for what, globs, known in (
        ("cloud", clouds_named, clouds),
        ("parameter", [name for glob in rule.queries for name in _parameters(glob)], _PARAMETERS),
    ):
        for glob in globs:
            # Other names may be of saved files, of the next release, or not recorded yet.
            candidates = [name for name in known if _letters(name) != _letters(glob)]
            suggestion = did_you_mean(glob, candidates, least=_TYPO_SIMILARITY).rstrip()
            if suggestion and not any(fnmatchcase(name, glob) for name in known):
                typo = f"no {what} {glob!r} is known ({suggestion})"
                return replace(rule, ref=replace(rule.ref, typo=typo))
    return rule


def _letters(name: str) -> str:
    return "".join(letter for letter in name if not letter.isdigit())


def _parameters(glob: str) -> Iterator[str]:
    """Yield the names of parameters, which may be globs, in a glob for queries."""
    for part in glob.partition(" @")[0].split("&"):
        name = part.partition("=")[0]
        if not name.startswith("property-"):
            yield name


def add(path: Path, entry: Mapping[str, Any], *, today: date) -> Rule:
    """Append a rule to a rules file, creating it if needed; return the rule."""
    expires = parse(entry, today=today).ref.expires or _NEVER
    existing = _FILES.text(path) if path.exists() else ""
    if existing and not existing.endswith("\n"):
        existing += "\n"
    text = existing + yamltext.dump([{**entry, "expires": expires}])
    try:
        *_, added = _parse_file(text, path, today)
        with yamltext.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
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
    return added


def parse(entry: Any, *, today: date, where: str = "") -> Rule:
    """Return the rule described by a mapping; raise `SettingsError` if it is invalid."""
    try:
        _check_keys(entry)
        expires = _day(entry["expires"])
        ref = RuleRef(
            path=_text(entry, "path"),
            kinds=_kinds(entry),
            id=_id(entry["id"]) if "id" in entry else None,
            reason=_text(entry, "reason") or "",
            reference=_text(entry, "reference"),
            expires=expires,
            expired=expires is not None and expires < today,
            where=where or "the rule",
        )
        return Rule(
            ref=ref,
            pattern=None if ref.path is None else _pattern(ref.path),
            queries=_names(entry, "query"),
            between=_between(entry),
            clouds=_clouds(entry, "clouds"),
        )
    except SettingsError as error:
        error.where = where
        raise


def _invalid(problem: str, remedy: str = _REMEDY) -> SettingsError:
    return SettingsError(problem, remedy=remedy)


def _check_keys(rule: Any) -> None:
    if not isinstance(rule, Mapping):
        raise _invalid("a rule is a mapping")
    for key in rule:
        if key not in _KEYS:
            raise _invalid(f"unknown key {key!r}", _known(str(key), _KEYS))
    missing = [key for key in _REQUIRED if rule.get(key) is None]
    if all(rule.get(key) is None for key in _TARGETS):
        missing.insert(0, "path")
    if missing:
        raise _invalid(f"the rule has no {' and no '.join(missing)}")
    if "id" in rule and ("path" in rule or "kind" in rule):
        raise _invalid("the rule has an id, which says path and kind", "give the id alone")
    if "-" in str(rule.get("id")) and ("query" in rule or "between" in rule):
        raise _invalid(
            "the rule is for a check of one cloud, and has query or between",
            "write id, reason and expires into the rules file; it may also have clouds",
        )


def _known(name: str, names: Sequence[str]) -> str:
    return f"{did_you_mean(name, names)}known: {', '.join(names)}"


def _text(rule: Mapping[str, Any], key: str) -> str | None:
    value = rule.get(key)
    if key in rule and (not isinstance(value, str) or not value.strip()):
        raise _invalid(f"{key} must be a text, not {value!r}", "write it in quotes")
    return value


def _pattern(text: str) -> PathPattern:
    segments = _segments(text)
    below = segments[-1].text == "**" and not segments[-1].quoted
    segments = segments[: len(segments) - below]
    if not segments:
        raise _invalid_path(text, "it would accept every difference")
    if any("**" in segment.text and not segment.quoted for segment in segments):
        raise _invalid_path(text, "`**` stands at the end, after a dot")
    if segments[0].text in contract.FIELDS:
        raise _invalid(
            f"path {text!r} begins with a field of an image",
            f"a path into every image begins with images[*]: images[*].{text}",
        )
    return PathPattern(segments=segments, below=below)


def _invalid_path(path: str, reason: str) -> SettingsError:
    return _invalid(
        f"path {path!r} is invalid: {reason}",
        "copy it from a report, for example images[*].metadata.hw_rng_model; * stands for any "
        "part of a key,\n.** at the end for everything below",
    )


def _segments(path: str) -> tuple[_Segment, ...]:
    segments: list[_Segment] = []
    position = 0
    while position < len(path):
        match = _SEGMENT.match(path, position)
        if match is None or (match["key"] is not None and bool(match["dot"]) != bool(segments)):
            rest = path[position : position + 20]
            raise _invalid_path(path, f"no key or place can be read at {rest!r}")
        quoted = match["quoted"] is not None
        try:
            text = ast.literal_eval(match["quoted"]) if quoted else match["key"] or match["place"]
        except SyntaxError:
            raise _invalid_path(path, f"{match['quoted']} is not a quoted key") from None
        what: Literal["key", "place", "image"] = "key" if match["place"] is None else "place"
        if [segment.text for segment in segments] == ["images"]:
            what = "image"
        segments.append(_Segment(text, quoted, what))
        position = match.end()
    return tuple(segments)


def _kinds(rule: Mapping[str, Any]) -> tuple[str, ...]:
    kinds = _names(rule, "kind")
    for kind in kinds:
        if kind not in KINDS:
            raise _invalid(f"unknown kind {kind!r}", _known(kind, [*KINDS]))
    return kinds


def _id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise _invalid(
            f"id must be 12 hexadecimal digits in quotes, for a check after M24-, not {value!r}",
            "copy it from a report; a name of `imagedetail rules` is a kind: kind: field_added",
        )
    return value


def _between(rule: Mapping[str, Any]) -> tuple[str, str] | None:
    match _clouds(rule, "between"):
        case ():
            return None
        case baseline, candidate:
            return baseline, candidate
        case others:
            raise _invalid(f"between names baseline and candidate, not {', '.join(others)}")


def _clouds(rule: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return names of clouds, without the versions that reports add: "staging (now)"."""
    return tuple(name.partition(" (")[0] for name in _names(rule, key))


def _names(rule: Mapping[str, Any], key: str) -> tuple[str, ...]:
    if key not in rule:
        return ()
    value = rule[key]
    names = [value] if isinstance(value, str) else value
    is_list = isinstance(names, list | tuple) and names
    if not is_list or not all(isinstance(name, str) and name for name in names):
        raise _invalid(f"{key} must be a name or a list of names, not {value!r}")
    return tuple(names)


def _day(value: Any) -> date | None:
    if value == _NEVER:
        return None
    if type(value) is date:  # not a datetime, which is a subclass
        return value
    try:
        if isinstance(value, str):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise _invalid(
        f"expires must be a day, not {value}",
        "write the last day on which the rule holds, for example 2027-02-01, or never",
    )
