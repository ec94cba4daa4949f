"""Decide whether a request is the recorded one; the verdict is the list of differences.

Compared are method, path, query, effective microversion and body; not the host. A recording holds
placeholders, and a test may ask by its own real names: what stands where a placeholder was recorded
is taken for it, and from then on only for it.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pytest_imagedetail.model import Headers, Interaction
from pytest_imagedetail.redact import urls
from pytest_imagedetail.redact.placeholder import ID, KINDS, SECRET, finder, is_id

_OLDEST: Final = ("compute", "2.1")  # what Nova takes a request without a microversion for
_HOST: Final = r"[\w-]+\.[\w.-]+?\.invalid(?![\w.-])"  # also one that was written by hand
_PLACEHOLDER: Final = finder(
    ID,
    also={
        "origin": rf"https?://{_HOST}",
        "host": rf"(?<![\w.-]){_HOST}",
        "secret": rf"<{SECRET.pattern}>",  # with what stands around it: a secret may be anything
    },
)
_NUMBERED: Final = finder(*KINDS)
_REAL: Final = {  # what may stand for a placeholder of each kind
    "origin": r"[a-zA-Z][\w+.-]*://[^/?#\s\"'<>\\]+",
    "host": r"[^/?#\s\"'<>\\]+",
    "id": r"[\w-]+",
    "secret": r".+?",
}
_LONGEST: Final = 120  # characters of a value that a message shows

Key = tuple[str, str, tuple[tuple[str, str], ...], bytes]
"""What makes two redacted requests the same: method, URL, headers and body."""


@dataclass(slots=True)
class Names:
    """Which real name stands for which placeholder; each for one, and never for two.

    Attributes:
        closed: Whether a name that is not known yet stands for itself alone.
    """

    closed: bool = False
    _placeholders: dict[str, str] = field(default_factory=dict)
    _reals: dict[str, str] = field(default_factory=dict)

    def takes(self, real: str, placeholder: str) -> bool:
        """Whether a name may stand for a placeholder, by what is known so far."""
        if real == placeholder:
            return True
        if is_id(real) or (self.closed and real not in self._placeholders):
            return False  # an answer of the recording told it, and it stands for itself
        known = self._placeholders.get(real, placeholder), self._reals.get(placeholder, real)
        return known == (placeholder, real)

    def learn(self, real: str, placeholder: str) -> None:
        """Take a name for a placeholder from now on."""
        if real != placeholder:
            self._placeholders[real] = placeholder
            self._reals[placeholder] = real

    def copy(self) -> "Names":
        """The same knowledge, to try what would follow."""
        return Names(self.closed, dict(self._placeholders), dict(self._reals))

    def reals(self) -> Iterator[tuple[str, str]]:
        """Every name that stands for a placeholder, and which; longer ones first."""
        yield from sorted(self._placeholders.items(), key=lambda pair: -len(pair[0]))

    def placeholder(self, real: str) -> str | None:
        """The placeholder that a name stands for, if that is known."""
        return self._placeholders.get(real)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One part in which a request departs from a recorded one.

    Attributes:
        part: "method", "path", "query limit", "microversion", "body".
        asked: What was asked; None if this part was not.
        recorded: What was recorded; None if this part was not.
    """

    part: str
    asked: str | None
    recorded: str | None

    def __str__(self) -> str:
        if self.recorded is None:
            return f"{self.part}: asked {_shown(self.asked)}, recorded without"
        if self.asked is None:
            return f"{self.part}: asked without, recorded {_shown(self.recorded)}"
        return f"{self.part}: asked {_shown(self.asked)}, recorded {_shown(self.recorded)}"


def differences(asked: Interaction, recorded: Interaction, names: Names) -> tuple[Difference, ...]:
    """In what a request departs from a recorded one; nothing means that it is the one.

    Args:
        asked: By real names, or by placeholders.
        recorded: By placeholders.
        names: What is known; what this pair teaches is added to it.
    """
    return tuple(_differences(asked, recorded, names))


def _differences(asked: Interaction, recorded: Interaction, names: Names) -> Iterator[Difference]:
    if asked.method != recorded.method:
        yield Difference(part="method", asked=asked.method, recorded=recorded.method)
    ours, theirs = urlsplit(asked.url), urlsplit(recorded.url)
    if not _same_path(ours.path, theirs.path, names):
        yield Difference(part="path", asked=ours.path or "/", recorded=theirs.path or "/")
    yield from _in_pairs("query", ours.query, theirs.query, names)
    versions = _microversion(asked.request_headers), _microversion(recorded.request_headers)
    if versions[0] != versions[1]:
        yield Difference(part="microversion", asked=versions[0], recorded=versions[1])
    yield from _in_bodies(asked.request_body, recorded.request_body, names)


def origin(url: SplitResult) -> str:
    """Scheme, host and port, as far as they are said and are not the scheme's own."""
    return "://".join(urls.origin(url))


def is_placeholder(name: str) -> bool:
    """Whether an origin is one that redaction has put in the place of a real one."""
    return name.endswith(".invalid")


def _microversion(headers: Headers) -> str | None:
    """Return the microversions that a request asks for, by service; None for Nova's 2.1."""
    stated = ",".join(headers.all("OpenStack-API-Version")).split(",")
    versions = dict(_stated(each) for each in stated if each.strip())
    if (
        nova := headers.get("X-OpenStack-Nova-API-Version", "").strip()
    ) and "compute" not in versions:
        versions["compute"] = nova
    asked = sorted(each for each in versions.items() if each != _OLDEST)
    return ", ".join(map(" ".join, asked)) or None


def _stated(text: str) -> tuple[str, str]:
    service, _, version = text.strip().partition(" ")
    return service.lower(), version.strip()


def _same_path(asked: str, recorded: str, names: Names) -> bool:
    ours, theirs = _segments(asked), _segments(recorded)
    # What both have in common teaches names even where one is longer: a message shows them.
    in_common = all(_same_text(one, other, names) for one, other in zip(ours, theirs, strict=False))
    return in_common and len(ours) == len(theirs)


def _segments(path: str) -> list[str]:
    return [unquote(each, errors="surrogateescape") for each in (path or "/").split("/")]


def _in_pairs(part: str, asked: str, recorded: str, names: Names) -> Iterator[Difference]:
    """Blank values count, repeated names keep their order, and names come in any order."""
    ours, theirs = _values(asked), _values(recorded)
    for name in dict.fromkeys([*theirs, *ours]):
        one, other = ours.get(name), theirs.get(name)
        same = (
            one is not None
            and other is not None
            and len(one) == len(other)
            and all(_same_text(a, b, names) for a, b in zip(one, other, strict=True))
        )
        if not same:
            yield Difference(part=f"{part} {name}", asked=_joined(one), recorded=_joined(other))


def _values(text: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        values.setdefault(name, []).append(value)
    return values


def _joined(values: list[str] | None) -> str | None:
    return None if values is None else ", ".join(value or "(blank)" for value in values)


def _in_bodies(asked: bytes, recorded: bytes, names: Names) -> Iterator[Difference]:
    if asked == recorded:
        return
    ours, theirs = _document(asked), _document(recorded)
    if ours is not None and theirs is not None:
        if not _same_value(ours[0], theirs[0], names):
            yield _of_bodies(asked, recorded)
    elif _is_form(asked) and _is_form(recorded):
        yield from _in_pairs("form", asked.decode("ascii"), recorded.decode("ascii"), names)
    elif not _same_text(_plain(asked), _plain(recorded), names):
        yield _of_bodies(asked, recorded)


def _of_bodies(asked: bytes, recorded: bytes) -> Difference:
    return Difference(
        part="body",
        asked=_plain(asked) if asked else None,
        recorded=_plain(recorded) if recorded else None,
    )


def _document(body: bytes) -> tuple[Any] | None:
    try:
        return (json.loads(body),)
    except (ValueError, RecursionError):
        return None


def _is_form(body: bytes) -> bool:
    return re.fullmatch(rb"[\w.%+*\[\]~-]+=[^&\s]*(?:&[\w.%+*\[\]~-]+=[^&\s]*)*", body) is not None


def _plain(body: bytes) -> str:
    """A body as text; the boundary of a form of several parts is another each time."""
    text = body.decode("utf-8", errors="surrogateescape")
    if text.startswith("--"):
        boundary = text.split("\r\n", 1)[0]
        return text.replace(boundary, "--boundary")
    return text


def _same_value(asked: Any, recorded: Any, names: Names) -> bool:
    if isinstance(asked, str) and isinstance(recorded, str):
        return _same_text(asked, recorded, names)
    if type(asked) is not type(recorded):
        return False
    if isinstance(asked, dict):
        return asked.keys() == recorded.keys() and all(
            _same_value(asked[key], recorded[key], names) for key in recorded
        )
    if isinstance(asked, list):
        return len(asked) == len(recorded) and all(
            _same_value(one, other, names) for one, other in zip(asked, recorded, strict=True)
        )
    return bool(asked == recorded)


def _same_text(asked: str, recorded: str, names: Names) -> bool:
    """Whether a text is the recorded one, real names standing for its placeholders."""
    if asked == recorded:
        return True
    found = list(_PLACEHOLDER.finditer(recorded))
    if not found:
        return False
    match = re.fullmatch(_pattern(recorded, found), asked, re.DOTALL)
    if match is None:
        return False
    trial = names.copy()
    for real, placeholder in zip(match.groups(), found, strict=True):
        if placeholder.lastgroup == "secret":  # another token in each session
            continue
        if not trial.takes(real, placeholder.group()):
            return False
        trial.learn(real, placeholder.group())
    for real, placeholder in zip(match.groups(), found, strict=True):
        if placeholder.lastgroup != "secret":
            names.learn(real, placeholder.group())
    return True


def _pattern(recorded: str, found: list[re.Match[str]]) -> str:
    pattern, end = "", 0
    for each in found:
        pattern += re.escape(recorded[end : each.start()])
        pattern += f"({re.escape(each.group())}|{_REAL[each.lastgroup or '']})"
        end = each.end()
    return pattern + re.escape(recorded[end:])


def _shown(value: str | None) -> str:
    text = value or "(blank)"
    text = text if text.isprintable() else repr(text)[1:-1]
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def line(each: Interaction) -> str:
    """Return what was asked, in one line."""
    return f"{each.method} {each.url}"


def key_of(each: Interaction) -> Key:
    """Return what makes the request of an interaction the same as another's."""
    return each.method, each.url, _fields(each.request_headers), each.request_body


def answer_of(each: Interaction) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Return what makes two answers the same: status, headers and body."""
    return each.response.status_code, _fields(each.response.headers), each.response.body


def same_answers(one: Interaction, other: Interaction) -> bool:
    """Return whether the answers of two recordings are the same but for numbered placeholders."""
    return _skeleton(answer_of(one)) == _skeleton(answer_of(other))


def _skeleton(answer: tuple[int, tuple[tuple[str, str], ...], bytes]) -> str:
    status, fields, body = answer
    text = "\n".join((str(status), *map(": ".join, fields), body.decode("latin-1")))
    return _NUMBERED.sub(lambda match: f"\0{match.lastgroup}\0", text)


def by_request(interactions: Iterable[Interaction]) -> dict[Key, list[Interaction]]:
    """Group interactions by their requests, each group in its order."""
    found: dict[Key, list[Interaction]] = {}
    for each in interactions:
        found.setdefault(key_of(each), []).append(each)
    return found


def missing_from(there: Iterable[Interaction], sought: Iterable[Interaction]) -> int:
    """Count the interactions that are not there as often as they are sought."""
    left = Counter((key_of(each), answer_of(each)) for each in sought)
    left.subtract((key_of(each), answer_of(each)) for each in there)
    return (+left).total()


def _fields(headers: Headers) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name.lower(), value) for name, value in headers.fields))
