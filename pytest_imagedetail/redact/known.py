"""Values that must not be written, known from the session or its traffic, and a search for them."""

import base64
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pytest_imagedetail.redact import names, placeholders, table
from pytest_imagedetail.redact.urls import origin

_SHORTEST: Final = 8
_SHORTEST_WORD: Final = 16
_LONG_PARAMETER: Final = 16  # a signature, a digest or a token
_NUMBER: Final = re.compile(r"[\d.,:/ TZ+-]+")  # or a date
_LOOPBACK: Final = re.compile(r"127(?:\.\d+){3}")
_ROLES: Final = {"self": "compute-links", "bookmark": "compute-links", "alternate": "image"}
"""The roles of hosts that are not in the catalog, by the relation of the links to them."""
_PARAMETER: Final = re.compile(r'(?<!\w)(\w++)=(?:"([^"]*)"|([^\s,]+))')


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What must not be written; `repr` does not show it."""

    project: str | None = field(default=None, repr=False)  # as in request URLs
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    owners: frozenset[str] = field(default=frozenset(), repr=False)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)  # with their services
    link_hosts: Mapping[str, str] = field(default_factory=dict, repr=False)  # with their roles

    def __or__(self, other: "Known") -> "Known":
        """Merge both; this one's project and services take precedence."""
        return Known(
            project=self.project or other.project,
            secrets=self.secrets | other.secrets,
            owners=self.owners | other.owners,
            origins={**other.origins, **self.origins},
            link_hosts={**other.link_hosts, **self.link_hosts},
        )

    @property
    def weak(self) -> frozenset[str]:
        """Secrets that could be ordinary words; they are replaced only under a secret's name."""
        return frozenset(secret for secret in self.secrets if not is_searchable(secret))


def is_searchable(value: str) -> bool:
    """Return whether a value can be searched for without hitting ordinary text."""
    if len(value) < _SHORTEST or _NUMBER.fullmatch(value) or names.is_harmless(value):
        return False
    is_word = value.isascii() and value.isalpha() and value.islower()
    return not (is_word and len(value) < _SHORTEST_WORD)


@dataclass(slots=True, kw_only=True)
class Learner:
    """Collect values with the name of a secret or an owner, and the hosts that links lead to."""

    secrets: set[str] = field(default_factory=set)
    owners: set[str] = field(default_factory=set)
    links: Counter[tuple[str, str]] = field(default_factory=Counter)  # hosts and roles

    def add_secret(self, value: str) -> None:
        """Learn a secret, unless it is blank or holds a placeholder."""
        if value.strip() and not placeholders.holds(value):
            self.secrets.add(value.strip())

    def add_link(self, fields: Mapping[str, Any]) -> None:
        """Learn which service a link leads to: an image's alternate leads to Glance."""
        href, role = fields.get("href"), _ROLES.get(str(fields.get("rel")))
        if isinstance(href, str) and "://" in href and role is not None:
            url = origin("/".join(href.split("/")[:3]))
            self.links[urlsplit(url).hostname or "", role] += 1

    def add_header(self, name: str, value: str) -> None:
        """Learn from a header that is dropped; `name` is in lower case."""
        if name in {"authorization", "proxy-authorization"}:
            self._add_authorization(value)
        elif name in {"cookie", "set-cookie"}:
            pairs = value.split(";") if name == "cookie" else value.split(";")[:1]
            for pair in pairs:
                self.add_secret(unquote(pair.partition("=")[2].strip(' "')))
        elif names.names_secret(name) or name.endswith("-key"):
            self.add_secret(value)
        elif names.names_owner(name) and value:
            self.owners.add(value)

    def _add_authorization(self, value: str) -> None:
        scheme, _, rest = value.strip().partition(" ")
        self.add_secret(rest or scheme)
        for name, *quoted_or_not in _PARAMETER.findall(rest):
            value = "".join(quoted_or_not)
            is_public = names.is_in(name, table.PUBLIC) or names.names_owner(name)
            may_be_secret = len(value) >= _LONG_PARAMETER and not is_public
            if may_be_secret or names.holds_secret_in_query(name, value):
                self.add_secret(value)
        try:
            text = base64.b64decode(rest, validate=True).decode("utf-8")
        except ValueError:  # not base64, or not text
            return
        self.add_secret(text.partition(":")[2])

    def merge_into(self, known: Known) -> Known:
        """Return `known` with what was learned; a link to a second Compute host is a wrong one."""
        hosts = {"", *(urlsplit(url).hostname for url in known.origins)}
        link_hosts = dict(known.link_hosts)
        for (host, role), _ in self.links.most_common():
            is_second = role == "compute-links" and role in link_hosts.values()
            if host not in hosts and host not in link_hosts and not is_second:
                link_hosts[host] = role
        owners = frozenset(self.owners) - {known.project}
        return known | Known(secrets=frozenset(self.secrets), owners=owners, link_hosts=link_hosts)


def _placeholder(_: str, new: str) -> str:
    return new


class Search:
    """Find and replace known values in text, except weak ones, in linear time."""

    def __init__(self, known: Known, *, cloud: str = "") -> None:
        all_owners = filter(None, (*known.owners, known.project))
        owners = {owner for owner in all_owners if not placeholders.holds(owner)}
        ids = set(filter(placeholders.is_id, owners))
        self.project: Final = known.project
        self._ids: Final = set(map(placeholders.compact, ids))
        self._lengths: Final = sorted({*map(len, self._ids)}, reverse=True)
        words = {
            name: placeholders.OWN_PROJECT if name == known.project else placeholders.OWNER
            for name in owners - ids
        }
        words |= dict.fromkeys(known.secrets, placeholders.SECRET)
        self._words: Final = {word: new for word, new in words.items() if is_searchable(word)}
        self.origins: Final = {
            url: placeholders.host(role, cloud)
            for url, role in sorted(known.origins.items(), key=lambda pair: pair[1] != "compute")
            if not placeholders.is_placeholder_host(urlsplit(url).hostname or "")
        }
        self.link_hosts: Final = {
            name: placeholders.host(role, cloud)
            for name, role in known.link_hosts.items()
            if not placeholders.is_placeholder_host(name)
        }
        self.services: Final[dict[str, str]] = {}  # by host name
        self._hosts: Final[dict[str, str]] = {}  # by host, with and without port
        for url, new in self.origins.items():
            parts = urlsplit(url)
            self.services.setdefault(parts.hostname or "", new)
            for host in (parts.netloc, parts.hostname or ""):
                if len(host) >= _SHORTEST and not host.isalpha() and not _LOOPBACK.fullmatch(host):
                    self._hosts.setdefault(host.lower(), new)
        hosts = "|".join(map(re.escape, sorted(self._hosts, key=len, reverse=True)))
        self._host: Final = re.compile(rf"(?ia)(?<![\w.-])(?:{hosts})(?![\w-]|\.\w)")

    def replace(self, text: str, note: Callable[[str, str], str] = _placeholder) -> str:
        """Replace every known value; call `note` with the kind and the placeholder of each."""
        present = filter(text.__contains__, self._words)
        for word in sorted(present, key=len, reverse=True):
            new = self._words[word]
            if new == placeholders.SECRET:
                for _ in range(text.count(word)):
                    note("secrets", new)
                text = text.replace(word, new)
            else:  # an owner's name must be a whole word
                pattern = rf"(?a:(?<![^\W_]){re.escape(word)}(?![^\W_]))"
                text = re.sub(pattern, lambda match: note("ids", self._words[match[0]]), text)
        if self._ids:
            text = placeholders.HEX_RUN.sub(partial(self._replace_ids, note), text)
        if self._hosts:
            text = self._host.sub(lambda match: note("hosts", self._hosts[match[0].lower()]), text)
        return text

    def _replace_ids(self, note: Callable[[str, str], str], match: re.Match[str]) -> str:
        run = match[0]
        digits = placeholders.compact(run)
        new, done, start = "", 0, 0
        while start + self._lengths[-1] <= len(digits):
            for length in self._lengths:
                end = min(start + length, len(digits))
                if digits[start:end] in self._ids:
                    positions = [index for index, char in enumerate(run) if char != "-"]
                    first, last = positions[start], positions[end - 1] + 1
                    new += run[done:first] + note("ids", self.owner(run[first:last]))
                    start, done = end, last
                    break
            else:
                start += 1
        return new + run[done:]

    def owner(self, value: str) -> str:
        """Return the placeholder of an owner's id."""
        project = self.project
        if project and placeholders.compact(project) == placeholders.compact(value):
            return placeholders.own_project(value)
        return placeholders.owner(value)
