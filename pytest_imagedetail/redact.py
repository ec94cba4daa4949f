"""Removes what must not be written: an allow-list for headers, placeholders for everything else.

Placeholders keep identity: the same value always gets the same one, different values different
ones, so that a mix-up of ids or hosts in an answer is still visible after redaction. They are
numbered in the order in which a recording shows the values, so that recording the same answer
twice gives the same bytes.

The gate (`pytest_imagedetail.leaks`) looks for the secrets again, without trusting this module.
"""

import base64
import ipaddress
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import SplitResult, quote, quote_plus, unquote, unquote_plus, urlsplit

from pytest_imagedetail import jsontext, packing, xmltext
from pytest_imagedetail.errors import BodyError
from pytest_imagedetail.model import Headers, Interaction, Query
from pytest_imagedetail.placeholder import CALLER, ID_DIGITS, is_id
from pytest_imagedetail.readings import FOLDED, decoded, readings
from pytest_imagedetail.shapes import (
    is_distinct,
    is_harmless,
    looks_like_id,
    names_secret,
    names_signature,
    replace_named,
    replace_shapes,
)

REQUEST_HEADERS: Final = frozenset(
    {"accept", "content-type", "openstack-api-version", "x-openstack-nova-api-version"}
)
RESPONSE_HEADERS: Final = frozenset(
    {
        "allow",
        "content-type",
        "link",
        "location",
        "openstack-api-version",
        "retry-after",
        "vary",
        "www-authenticate",
        "x-openstack-nova-api-version",
    }
)

# A placeholder in a URL does not end it: what follows may be a host or a signature.
# What may stand in a scheme is taken in one piece, so that no long word is begun at every letter.
_URL: Final = re.compile(
    r"(?<![a-zA-Z0-9+.-])([0-9+.-]*+)([a-zA-Z][a-zA-Z0-9+.-]*+://(?:<redacted-\d+>|[^\s\"'<>\\])++)"
)
_IPV4: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\.*\w)")
_IPV6: Final = re.compile(
    r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}"
    r"(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]{0,4})(?![\w:])"
)
_MAC: Final = re.compile(
    r"(?<![\w:-])(?:(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}"
    r"|(?=[0-9-]*[a-fA-F])(?:[0-9a-fA-F]{2}-){5}[0-9a-fA-F]{2})(?![\w:-])"  # no date has letters
)
_NOBODYS_MAC: Final = re.compile(
    r"02[:-]00[:-]00[:-]|(?:00[:-]){5}00|(?:ff[:-]){5}ff", re.IGNORECASE
)
_EMAIL: Final = re.compile(
    r"(?<![\w.%+-])[\w.+-]+(@|%40)(?:[A-Za-z0-9-]+\.)+(?!invalid(?![\w-]))[A-Za-z]{2,}(?![\w-])"
)
_FORM: Final = re.compile(r"[\w.%+*\[\]~-]+=[^&\s]*(?:&[\w.%+*\[\]~-]+=[^&\s]*)*")
_REGISTRY: Final = re.compile(r"(?:ac|co|com|edu|go|gov|ne|net|or|org)\.[a-z]{2}")  # as co.uk
_NAME: Final = re.compile(r"(?=.*[a-z])[a-z0-9-]+(?:\.[a-z0-9-]+)+")  # of a host; no address
_OWNER_KEY: Final = re.compile(r"^(owner|owner_id|project_id|tenant_id|user_id)$", re.IGNORECASE)
_RESOURCE: Final = r"/(?:images|servers|flavors)(?:/|$)"
_VERSIONED: Final = re.compile(rf"/v\d+(?:\.\d+)?/([^/]+){_RESOURCE}")
_BEFORE_RESOURCE: Final = re.compile(rf"/([^/]+)(?={_RESOURCE})")
_PLAIN: Final = re.compile(r"[\w-]+")  # neither an address nor anything that is replaced in text
_ANY_PLACEHOLDER: Final = re.compile(rf"\b{ID_DIGITS}\b|<redacted-\d|-\d+@example\.invalid")
_WORDS: Final = re.compile(r"([\s\"'<>{}\[\](),]+)")  # what parts words is kept, too
_ENCODED: Final = re.compile(rb"%[0-9a-fA-F]{2}|\\|&#?\w+;|\0|\w\+")
_SIGN: Final = re.compile(rb"pass|secret|token|key|pwd|gAAAAA|eyJ|basic|bearer|://", re.IGNORECASE)
_SHORTEST_SHAPE: Final = 16  # characters
_TOKEN_PLACEHOLDER: Final = re.compile(r"^<redacted-\d+>$")
_IPV6_VERSION: Final = 6
_SHORTEST_SECRET: Final = 4  # the same for what the session knows; the gate draws the same line
_DOCUMENTATION: Final = tuple(  # RFC 5737 and RFC 3849: addresses that are nobody's
    map(
        ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a session knows and must not write.

    Attributes:
        project_id: As it stands in request URLs.
        values: Tokens, passwords and application credential secrets.
        ids: User and project ids.
    """

    project_id: str | None = None
    values: frozenset[str] = field(default=frozenset(), repr=False)
    ids: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(slots=True, kw_only=True)
class Numbering:
    """The placeholders given so far, by what they stand for.

    Two answers redacted with one numbering can be compared by their placeholders: equal ones stand
    for equal values. The project that asked is the exception; it is the first of each answer.
    Secret, and never written.
    """

    origins: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    foreign: set[tuple[str, str]] = field(default_factory=set, repr=False)
    ids: dict[str, str] = field(default_factory=dict, repr=False)
    addresses: dict[str, str] = field(default_factory=dict, repr=False)
    people: dict[str, str] = field(default_factory=dict, repr=False)
    interfaces: dict[str, str] = field(default_factory=dict, repr=False)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    roles: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """What redaction left, and what it did.

    Attributes:
        interactions: Safe to write, as far as this module can tell.
        counts: How many values of each kind were replaced.
        replaced: The values themselves, for the gate to look for. Never written, never printed.
    """

    interactions: tuple[Interaction, ...]
    counts: Mapping[str, int]
    replaced: frozenset[str] = field(repr=False)


def redact(
    interactions: Iterable[Interaction],
    *,
    cloud: str,
    secrets: Secrets,
    numbering: Numbering | None = None,
) -> Redacted:
    """Replace everything that could tell who asked whom.

    Args:
        interactions: As sent and received, all pages of one recording.
        cloud: The name that stands in the placeholders of hosts.
        secrets: What the session knows to be secret.
        numbering: To go on with; a recording that is kept begins with none.
    """
    pages = tuple(interactions)
    placeholders = _Placeholders(cloud=cloud, secrets=secrets, numbering=numbering)
    for page in pages:
        placeholders.learn(page)
    for page in pages:  # hosts and tokens in free text are learnt by replacing them
        _redact_interaction(page, placeholders)
    placeholders.counts.clear()
    redacted = tuple(_redact_interaction(page, placeholders) for page in pages)
    if numbering is not None:
        numbering.ids |= placeholders.numbered()
    return Redacted(
        interactions=redacted,
        counts={kind: n for kind, n in sorted(placeholders.counts.items()) if n},
        replaced=placeholders.replaced(),
    )


def redact_query(query: Query, *, endpoint: str, cloud: str, secrets: Secrets) -> Query:
    """The query as its cassette will name it: a `server` URL holds a host and a project.

    A query made from a replayed answer holds placeholders already and comes back as it is.
    """
    placeholders = _Placeholders(cloud=cloud, secrets=secrets)
    placeholders.learn_request(endpoint)
    return replace(
        query,
        params=tuple((name, placeholders.query_value(name, value)) for name, value in query.params),
    )


def holds_placeholders(body: bytes) -> bool:
    """Whether a body was redacted before, by whomever; its numbers are then its own."""
    return _ANY_PLACEHOLDER.search(body.decode("latin-1")) is not None


def is_placeholder_id(value: str) -> bool:
    """Whether redaction wrote this in the place of a project's or a user's id."""
    return is_id(value) is not None or _TOKEN_PLACEHOLDER.match(value) is not None


def project_in_path(path: str) -> str | None:
    """The project of a versioned compute path, `/v2/PROJECT/images/...`, with or without a prefix.

    None where there is none: `/v2.1/images/ID`. A path without a version (a bookmark or alternate
    link) cannot tell a project from a prefix by itself.
    """
    match = _VERSIONED.search(path)
    return match.group(1) if match else None


def _redact_interaction(page: Interaction, placeholders: "_Placeholders") -> Interaction:
    response = page.response
    body = _redact_body(response.body, placeholders)
    headers = _redact_headers(response.headers, RESPONSE_HEADERS, placeholders)
    placeholders.counts["headers"] += len(response.headers.fields) - len(headers.fields)
    return replace(
        page,
        url=placeholders.text(page.url),
        request_headers=_redact_headers(page.request_headers, REQUEST_HEADERS, placeholders),
        request_body=_redact_request_body(page.request_body, placeholders),
        response=replace(
            response, reason=placeholders.text(response.reason), headers=headers, body=body
        ),
    )


def _redact_headers(
    headers: Headers, allowed: frozenset[str], placeholders: "_Placeholders"
) -> Headers:
    return Headers(
        (name, placeholders.header(name.lower(), value))
        for name, value in headers.fields
        if name.lower() in allowed
    )


def _redact_request_body(body: bytes, placeholders: "_Placeholders") -> bytes:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return _redact_body(body, placeholders)
    if _FORM.fullmatch(text):
        return placeholders.pairs(text).encode("utf-8", errors="surrogateescape")
    return _redact_body(body, placeholders)


def _redact_body(body: bytes, placeholders: "_Placeholders") -> bytes:
    for encoding in ("utf-8", *_WIDE.get(body[:2], ())):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        return _redact_document(text, placeholders).encode(encoding)
    content = packing.unpacked(body)
    if content is not None:
        redacted = _redact_body(content, placeholders)
        unchanged = redacted == content
        return body if unchanged else packing.repacked(redacted, like=body) or redacted
    # Not text, so no placeholder can be put in; Latin-1 maps every byte to itself.
    return placeholders.text(body.decode("latin-1")).encode("latin-1")


_WIDE: Final = {b"\xff\xfe": ("utf-16-le",), b"\xfe\xff": ("utf-16-be",)}  # keep their mark


def _redact_document(text: str, placeholders: "_Placeholders") -> str:
    if not _is_json(text):
        if _read_xml(text.encode("utf-8", errors="replace")) is None:
            return placeholders.text(text)
        return xmltext.replace_strings(text, placeholders.json_string)
    return jsontext.replace_strings(text, placeholders.json_string)


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_int=str)  # Python limits integers, JSON does not
    except (ValueError, RecursionError):
        return False
    return True


def _read_xml(body: bytes) -> Mapping[str, Any] | None:
    """The document of a body in XML; None if it is none."""
    if not xmltext.is_xml(body):
        return None
    try:
        return xmltext.parse(body, where="")
    except BodyError:
        return None


class _Placeholders:
    """The consistent mapping of one recording; learns in document order, then replaces."""

    def __init__(self, *, cloud: str, secrets: Secrets, numbering: Numbering | None = None) -> None:
        known = numbering or Numbering()
        self._cloud = cloud
        self._secrets = secrets
        self._origins = known.origins
        self._foreign = known.foreign  # origins that are not of the cloud itself
        self._ids = dict(known.ids)  # of projects and users
        self._ids.pop(secrets.project_id or "", None)  # the first of each answer
        self._first = 0 if numbering is None else 1
        self._addresses = known.addresses
        self._people = known.people  # their e-mail addresses
        self._interfaces = known.interfaces  # MAC addresses
        self._tokens = known.tokens
        self._roles = known.roles
        self._spellings: dict[str, tuple[str, ...]] = {}
        self.counts: Counter[str] = Counter()

    def learn(self, page: Interaction) -> None:
        """Give placeholders to the hosts, projects and owners of a page, in its order."""
        self.learn_request(page.url)
        try:
            document = json.loads(page.response.body, parse_int=str)
        except (ValueError, RecursionError):
            document = _read_xml(page.response.body)
        links = [(link, _split(str(link.get("href", "")))) for link in _links(document)]
        roles = Counter((_origin(url), _role(link)) for link, url in links if url is not None)
        for _, url in links:
            if url is None:
                continue
            # One link that leads to the other service does not make that host its own.
            self._learn_origin(url, max(_ROLES, key=lambda role: roles[_origin(url), role]))
            project = project_in_path(url.path)
            if project is not None:
                self._id(project)
        for key, value in _strings(document):
            if _OWNER_KEY.match(key) and _PLAIN.fullmatch(value) and looks_like_id(value):
                self._id(value)

    def learn_request(self, url: str) -> None:
        """Give the first placeholders to the endpoint and the project of the session."""
        if (parts := _split(url)) is not None:
            self._learn_origin(parts, "compute")
        if self._secrets.project_id is not None:
            self._id(self._secrets.project_id)

    def replaced(self) -> frozenset[str]:
        """Every value that must not be found in the bytes to be written."""
        hosts = {netloc for _, netloc in self._origins}
        names = {_without_port(host) for host in hosts}
        found = {name for name in names if "." in name or ":" in name}
        found |= {
            value for value, new in self._ids.items() if looks_like_id(value) and value != new
        }
        found |= {value for value in self._secrets.ids if looks_like_id(value)}
        found |= hosts - names | self._secrets.values | set(self._addresses)
        found |= set(self._people) | set(self._interfaces)
        found |= {value for value in self._tokens if is_distinct(value)}
        return frozenset(found - set(self._ids.values()) - {""})

    def numbered(self) -> dict[str, str]:
        """The ids of projects and users, but that of the project that asked."""
        return {value: new for value, new in self._ids.items() if new != CALLER}

    def json_string(self, value: str, key: str | None) -> str:
        """Replace in one string of a JSON body."""
        if _TOKEN_PLACEHOLDER.match(value):
            return value
        if value[:1] in {"{", "["} and _is_json(value):
            return jsontext.replace_strings(value, self.json_string)
        if key is not None and value and names_secret(key) and not is_harmless(value):
            return self._token(value)
        if key is not None and _OWNER_KEY.match(key) and value in self._ids:
            self.counts["ids"] += 1
            return self._ids[value]
        return self.text(value)

    def text(self, text: str) -> str:
        """Replace in free text: known secrets, secret shapes, URLs, ids, hosts and addresses."""
        learnt = {value for value in self._tokens if is_distinct(value)}
        for secret in sorted(self._secrets.values | learnt, key=lambda each: (-len(each), each)):
            if len(secret) >= _SHORTEST_SECRET:
                for spelling in self._spelled(secret):
                    if spelling in text:
                        text = text.replace(spelling, self._token(secret))
        text = replace_shapes(text, self._token)
        if "://" in text:
            text = _URL.sub(lambda match: match[1] + self.url(match[2]), text)
        text = replace_named(text, self._token)
        if "@" in text or "%40" in text:
            text = _EMAIL.sub(self._person, text)
        text = self._replace_ids(text)
        text = self._replace_hosts(text)
        text = _MAC.sub(self._interface, text)
        if "::" in text or text.count(":") > 1:
            text = _IPV6.sub(self._address, text)
        if "." in text:
            text = _IPV4.sub(self._address, text)
        return _replace_disguised(text, self._token)

    def url(self, url: str) -> str:
        """Replace origin, project and anything secret in a URL, and keep the rest as sent."""
        whole, url = url, url.rstrip(").,;")
        tail = whole[len(url) :]
        parts = _split(url)
        if parts is None:
            return self._token(url) + tail
        if not parts.netloc:
            return url + tail
        for secret in (parts.password, parts.username):
            if secret and (secret == parts.password or is_distinct(secret)):
                self._token(unquote(secret))
                self._token(secret)
        if parts.netloc.endswith(".invalid"):  # a placeholder already: redacting twice is once
            return self._placeholder_url(url, parts) + tail
        origin = self._learn_origin(parts, "host")
        path = self._replace_ids(self._replace_project(parts.path))
        query, fragment = parts.query, parts.fragment
        if _origin(parts) in self._foreign:  # it may carry a signature, so no value stays
            query = "&".join(_without_value(pair) for pair in query.split("&")) if query else ""
            fragment = "redacted" if fragment else ""
        else:
            query = self.pairs(query)
        rest = path + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")
        self.counts["hosts"] += 1
        return f"{origin}{rest}{tail}"

    def header(self, name: str, value: str) -> str:
        """Replace in the value of a header; a redirect may be to a path."""
        if name != "location" or "://" in value:
            return self.text(value)
        path, mark, query = value.partition("?")
        return self.text(path) + mark + self.pairs(query)

    def pairs(self, text: str) -> str:
        """Replace in the pairs of a form or of a query of the cloud itself."""
        return "&".join(self._query_pair(pair) for pair in text.split("&"))

    def query_value(self, name: str, value: str) -> str:
        """Replace in one decoded value of a query that the cloud itself is asked."""
        told = names_secret(name) or names_signature(name)
        if told and value not in {"", _WITHOUT_VALUE}:
            return self._token(value)
        return self.json_string(value, None)

    def _query_pair(self, pair: str) -> str:
        """The same in a pair as it stands in a URL; one that nothing is replaced in stays so."""
        name, _, value = pair.partition("=")
        decoded = unquote_plus(value, errors="surrogateescape")
        new = self.query_value(unquote_plus(name), decoded)
        if new == decoded and "<" not in pair:
            return pair
        return f"{name}={quote(new, safe='', errors='surrogateescape')}"

    def _placeholder_url(self, url: str, parts: SplitResult) -> str:
        """A URL that leads to a placeholder may still have a user or a token put in."""
        netloc = parts.netloc.rpartition("@")[2]
        query = self.pairs(parts.query)
        if (netloc, query) == (parts.netloc, parts.query):
            return url
        return parts._replace(netloc=netloc, query=query).geturl()

    def _learn_origin(self, url: SplitResult, role: str) -> str:
        if not url.netloc or url.netloc.endswith(".invalid"):
            return f"{url.scheme}://{url.netloc}"
        origin = _origin(url)
        if role != "host" and origin in self._foreign:  # its own after all, as a link shows
            self._foreign.remove(origin)
            del self._origins[origin]
        if origin not in self._origins:
            self._roles[role] += 1
            number = f"-{self._roles[role]}" if self._roles[role] > 1 else ""
            if role == "host":
                self._foreign.add(origin)
            self._origins[origin] = f"https://{role}{number}.{self._cloud}.invalid"
        return self._origins[origin]

    def _id(self, value: str) -> str:
        if value not in self._ids:
            taken = set(self._ids.values())
            number = 0 if value == self._secrets.project_id else self._first
            while f"{number:032x}" in taken:
                number += 1
            # A placeholder stays what it is: redacting twice is redacting once.
            self._ids[value] = value if is_placeholder_id(value) else f"{number:032x}"
        return self._ids[value]

    def _replace_project(self, path: str) -> str:
        match = _BEFORE_RESOURCE.search(path)
        if match is None or match.group(1) not in self._ids:
            return path
        self.counts["ids"] += 1
        return path[: match.start(1)] + self._ids[match.group(1)] + path[match.end(1) :]

    def _replace_ids(self, text: str) -> str:
        for value in sorted(self._secrets.ids):
            if looks_like_id(value) and value in text:
                self._id(value)
        for value, placeholder in self._ids.items():
            if value != placeholder and value in text and looks_like_id(value):
                text, count = re.subn(
                    rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", placeholder, text
                )  # an underscore is no part of it: AUTH_<project>
                self.counts["ids"] += count
        return text

    def _replace_hosts(self, text: str) -> str:
        lower = text.lower()
        for (_, netloc), placeholder in self._origins.items():
            for name in (netloc, _without_port(netloc)):
                if ("." in name or ":" in name) and name in lower:
                    before = r"(?<![\w.])" if name[-1].isdigit() else r"(?<!\w)"  # not in 110.0.0.1
                    text, count = re.subn(
                        rf"{before}{re.escape(name)}(?!\.*\w)",
                        placeholder.removeprefix("https://"),
                        text,
                        flags=re.IGNORECASE,
                    )
                    self.counts["hosts"] += count
        for domain in self._domains():
            if domain in lower:
                pattern = rf"(?<![\w.-])(?:[\w-]+\.)*{re.escape(domain)}(?![\w-]|\.\w)"
                text = re.sub(pattern, self._neighbor, text, flags=re.IGNORECASE)
        return text

    def _domains(self) -> list[str]:
        """The domains of the cloud's own hosts: other names below them are its own, too."""
        own = (origin for origin in self._origins if origin not in self._foreign)
        found = (_domain(_without_port(netloc)) for _, netloc in own)
        return sorted({domain for domain in found if domain is not None})

    def _neighbor(self, match: re.Match[str]) -> str:
        """A host of the cloud's own domain that no link leads to."""
        self.counts["hosts"] += 1
        origin = SplitResult("name", match.group().lower(), "", "", "")
        return self._learn_origin(origin, "host").removeprefix("https://")

    def _person(self, match: re.Match[str]) -> str:
        text, at = match.group(), match.group(1)
        known = text.lower().replace("%40", "@")
        if text not in self._people:
            number = len(set(self._people.values())) + 1
            self._people[text] = self._people.setdefault(known, f"user-{number}@example.invalid")
        self.counts["people"] += 1
        return self._people[text].replace("@", at)

    def _interface(self, match: re.Match[str]) -> str:
        text = match.group()
        if _NOBODYS_MAC.match(text):
            return text
        if text not in self._interfaces:
            known = text.lower().replace("-", ":")
            digits = f"{len(set(self._interfaces.values())) + 1:06x}"
            new = f"02:00:00:{digits[:2]}:{digits[2:4]}:{digits[4:]}"
            self._interfaces[text] = self._interfaces.setdefault(known, new)
        self.counts["addresses"] += 1
        return self._interfaces[text]

    def _address(self, match: re.Match[str]) -> str:
        text = match.group()
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return text
        if address.is_unspecified or any(address in network for network in _DOCUMENTATION):
            return text
        if text not in self._addresses:
            number = len(set(self._addresses.values()))
            new = _documentation_address(address.version, number)
            self._addresses[text] = self._addresses.setdefault(str(address), new)
        self.counts["addresses"] += 1
        return self._addresses[text]

    def _spelled(self, secret: str) -> tuple[str, ...]:
        if secret not in self._spellings:
            self._spellings[secret] = _spellings(secret)
        return self._spellings[secret]

    def _token(self, value: str) -> str:
        if _TOKEN_PLACEHOLDER.match(value):
            return value
        if value not in self._tokens:
            self._tokens[value] = f"<redacted-{len(self._tokens) + 1}>"
        self.counts["secrets"] += 1
        return self._tokens[value]


def _replace_disguised(text: str, replace: Callable[[str], str]) -> str:
    """Pass words in which a secret's shape can be read through `replace`, or a text of such words.

    What is told from the shape alone could be written in base64, percent-encoded or in JSON; no
    placeholder can be put into that.
    """
    if not _is_disguise(text):
        return text
    words = [replace(word) if _is_disguise(word) else word for word in _WORDS.split(text)]
    shown = "".join(words)
    return replace(text) if _is_disguise(shown) else shown


def _is_disguise(text: str) -> bool:
    """Whether a secret's shape can be read in a text, but not where it stands as it is."""
    data = text.encode("utf-8", errors="surrogatepass")
    return _may_be_disguise(data) and any(
        _has_shape(read.decode("utf-8", errors="replace"), joined=form == FOLDED)
        for form, read in readings(data, shortest=_SHORTEST_SHAPE)
        if read != data
    )


def _may_be_disguise(data: bytes) -> bool:
    """Whether reading it is worth the time: most texts of a listing mean what they say."""
    if _ENCODED.search(data):
        return True
    if len(data) < _SHORTEST_SHAPE:
        return False
    runs = set(decoded(data, shortest=_SHORTEST_SHAPE))
    runs.update(decoded(b"".join(data.split()), shortest=_SHORTEST_SHAPE))
    return any(_SIGN.search(run) or run.isascii() or packing.unpacked(run) for run in runs)


def _has_shape(text: str, *, joined: bool) -> bool:
    found: list[str] = []

    def note(value: str) -> str:
        found.append(value)
        return "<redacted-1>"

    text = replace_shapes(text, note)
    if not joined:  # what stands after a name is not its value, then
        replace_named(text, note)
    return bool(found)


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None if it has brackets or characters that make it none."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


_ROLES: Final = ("compute", "image")


def _role(link: Mapping[str, Any]) -> str:
    """The service that a link's relation leads to."""
    return "image" if link.get("rel") == "alternate" else "compute"


def _origin(url: SplitResult) -> tuple[str, str]:
    return url.scheme.lower(), url.netloc.rpartition("@")[2].lower()


def _without_port(netloc: str) -> str:
    return re.sub(r":\d*$", "", netloc)


def _documentation_address(version: int, number: int) -> str:
    """The `number`th address that is nobody's; the 762 of IPv4 are reused after that."""
    if version == _IPV6_VERSION:
        return str(ipaddress.IPv6Address("2001:db8::1") + number)
    block, host = divmod(number % (3 * 254), 254)
    return str(_DOCUMENTATION[block][host + 1])


_WITHOUT_VALUE: Final = "redacted"


def _without_value(pair: str) -> str:
    name, is_pair, _ = pair.partition("=")
    return f"{name}={_WITHOUT_VALUE}" if is_pair else _WITHOUT_VALUE


def _spellings(secret: str) -> tuple[str, ...]:
    """How a text may spell a secret; longer forms first, for one may hold another."""
    raw = secret.encode("utf-8", errors="surrogatepass")
    in_base64 = base64.b64encode(raw).decode("ascii")
    found = {
        secret,
        quote(raw, safe=""),
        quote(raw),
        quote_plus(raw),
        quote(raw, safe="").lower(),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        in_base64,
        in_base64.rstrip("="),
        raw.hex(),
        raw.hex().upper(),
    }
    return tuple(sorted(found, key=lambda each: (-len(each), each)))


def _domain(host: str) -> str | None:
    """The domain that a host's organization has; None for an address or a name without one."""
    if _NAME.fullmatch(host) is None:
        return None
    labels = host.split(".")
    length = 3 if _REGISTRY.fullmatch(".".join(labels[-2:])) else 2
    return ".".join(labels[-length:])


def _links(document: Any) -> Iterator[Mapping[str, Any]]:
    """Every `{"rel", "href"}` object of a document, in its order."""
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if isinstance(value.get("href"), str):
                yield value
            pending.extend(reversed(value.values()))
        elif isinstance(value, list):
            pending.extend(reversed(value))


def _strings(document: Any) -> Iterator[tuple[str, str]]:
    """Every string value of a document with the key it stands under, in its order."""
    pending = [("", document)]
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict):
            pending.extend(reversed(value.items()))
        elif isinstance(value, list):
            pending.extend((key, each) for each in reversed(value))
        elif isinstance(value, str):
            yield key, value
