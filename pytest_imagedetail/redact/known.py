"""The values that a session knows and must not write, and a search for them."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.redact import names, placeholders

_SHORTEST: Final = 8
_SHORTEST_WORD: Final = 16
_MANY: Final = 32  # below that, looking for each by itself is faster
_ID_DIGITS: Final = 32
_NUMBER: Final = re.compile(r"[\d.,:/ TZ+-]+")  # a date, too
_HEX_RUN: Final = re.compile(r"[0-9a-fA-F](?:-?[0-9a-fA-F]){31,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What must not be written.

    Attributes:
        project: The session's own project, as it stands in request URLs.
        secrets: Tokens, passwords and keys.
        owners: Ids of projects, users, domains and trusts.
        origins: The cloud's own origins, `https://nova.example:8774`, and the service of each:
            "compute", "image".
    """

    project: str | None = field(default=None, repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    owners: frozenset[str] = field(default=frozenset(), repr=False)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __or__(self, other: "Known") -> "Known":
        """Return what both know; this one's project and services come first."""
        return Known(
            project=self.project or other.project,
            secrets=self.secrets | other.secrets,
            owners=self.owners | other.owners,
            origins={**other.origins, **self.origins},
        )

    @property
    def weak(self) -> frozenset[str]:
        """Secrets that are replaced under a secret's name only: they could be ordinary words."""
        return frozenset(each for each in self.secrets if not is_searchable(each))


def is_searchable(value: str) -> bool:
    """Return whether a value can be searched for without hitting ordinary text."""
    if len(value) < _SHORTEST or _NUMBER.fullmatch(value) or names.is_harmless(value):
        return False
    is_word = value.isascii() and value.isalpha() and value.islower()
    return not (is_word and len(value) < _SHORTEST_WORD)


def origin(url: str) -> str:
    """Return scheme, host and port of a URL, without the scheme's own port; "" if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if not parts.hostname:
        return ""
    scheme = parts.scheme.lower()
    shown = "" if port in {None, {"http": 80, "https": 443}.get(scheme)} else f":{port}"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{scheme}://{host}{shown}"


def _placeholder(_: str, new: str) -> str:
    return new


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Finds and replaces known values in text, in time linear in the text.

    Attributes:
        project: The session's own project.
        words: Values that are searched for as they are, and what replaces each.
        starts: The same values by their first characters, so that a text is read once.
        ids: Owners' ids by their number of digits, longest first; found in any spelling.
        hosts: The cloud's own hosts, with and without port, and what replaces each in a text.
        host: Finds one of them.
        origins: The cloud's own origins, and the host that replaces each.
        services: The cloud's own host names, and the host that replaces each.
    """

    project: str | None
    words: Mapping[str, str]
    starts: Mapping[str, Sequence[str]]
    ids: Mapping[int, frozenset[str]]
    hosts: Mapping[str, str]
    host: re.Pattern[str]
    origins: Mapping[str, str]
    services: Mapping[str, str]

    def narrowed(self, texts: Iterable[str]) -> "Search":
        """Return a search for the words that are in these texts; the rest is searched as before."""
        words = {each: self.words[each] for each in self._present("\n".join(texts))}
        return replace(self, words=words, starts=_by_start(words))

    def replace(self, text: str, noted: Callable[[str, str], str] = _placeholder) -> str:
        """Replace every known value of a text.

        Args:
            text: As written, not encoded.
            noted: Called with the kind of each value and its placeholder, which it returns.
        """
        for each in sorted(self._present(text), key=len, reverse=True):
            new = self.words[each]
            if new == placeholders.SECRET:
                for _ in range(text.count(each)):
                    noted("secrets", new)
                text = text.replace(each, new)
            else:  # an owner's name is a word by itself
                whole = rf"(?<![^\W_]){re.escape(each)}(?![^\W_])"
                text = re.sub(whole, lambda match: noted("ids", self.words[match[0]]), text)
        if self.ids:
            text = _HEX_RUN.sub(lambda match: self._without_ids(match[0], noted), text)
        if self.hosts:
            text = self.host.sub(lambda match: noted("hosts", self.hosts[match[0].lower()]), text)
        return text

    def _present(self, text: str) -> Sequence[str]:
        """Return the values that are in a text; each has `_SHORTEST` characters at least."""
        if len(self.words) < _MANY:
            return [each for each in self.words if each in text]
        here = {text[place : place + _SHORTEST] for place in range(len(text) - _SHORTEST + 1)}
        starts = here & self.starts.keys()
        return [each for start in starts for each in self.starts[start] if each in text]

    def owner(self, value: str) -> str:
        """Return the placeholder of an owner's id."""
        own = self.project
        if own and placeholders.compact(own) == placeholders.compact(value):
            return placeholders.own_project(value)
        return placeholders.owner(value)

    def _without_ids(self, run: str, noted: Callable[[str, str], str]) -> str:
        """Replace each known id in a run of hexadecimal digits and dashes."""
        digits = placeholders.compact(run)
        places: list[int] = []
        pieces, done, start = [], 0, 0
        while start + _ID_DIGITS <= len(digits):
            sizes = (size for size, ids in self.ids.items() if digits[start : start + size] in ids)
            size = next(sizes, 0)
            if size:
                places = places or [place for place, each in enumerate(run) if each != "-"]
                first, end = places[start], places[start + size - 1] + 1
                pieces += [run[done:first], noted("ids", self.owner(run[first:end]))]
                done = end
            start += size or 1
        return "".join([*pieces, run[done:]])


def search_for(known: Known, *, cloud: str) -> Search:
    """Return a search for known values.

    Args:
        known: Values that are too weak to search for are left out.
        cloud: The name that stands in the placeholders of hosts.
    """
    given = {*known.owners, *([known.project] if known.project else [])}
    everyone = {each for each in given if not placeholders.is_owner_placeholder(each)}
    words = {
        each: placeholders.OWN_PROJECT if each == known.project else placeholders.OWNER
        for each in everyone
        if not placeholders.is_id(each)
    } | dict.fromkeys(known.secrets, placeholders.SECRET)
    words = {each: new for each, new in words.items() if is_searchable(each)}
    ids: dict[int, set[str]] = {}
    for each in map(placeholders.compact, filter(placeholders.is_id, everyone)):
        ids.setdefault(len(each), set()).add(each)
    origins = {
        url: placeholders.host(role, cloud)
        for url, role in sorted(known.origins.items(), key=lambda each: each[1] != "compute")
        if not url.endswith(".invalid")
    }
    hosts: dict[str, str] = {}
    services: dict[str, str] = {}
    for url, new in origins.items():
        parts = urlsplit(url)
        services.setdefault(parts.hostname or "", new)
        for each in (parts.netloc, parts.hostname or ""):
            if len(each) >= _SHORTEST and not each.isalpha() and not _is_loopback(each):
                hosts.setdefault(each.lower(), new)
    either = "|".join(map(re.escape, sorted(hosts, key=len, reverse=True)))
    return Search(
        project=known.project if known.project in everyone else None,
        words=words,
        starts=_by_start(words),
        ids={size: frozenset(ids[size]) for size in sorted(ids, reverse=True)},
        hosts=hosts,
        host=re.compile(rf"(?<![\w.-])(?:{either})(?![\w-]|\.\w)", re.IGNORECASE),
        origins=origins,
        services=services,
    )


def _by_start(words: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in words:
        found.setdefault(each[:_SHORTEST], []).append(each)
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
