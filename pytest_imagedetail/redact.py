"""Removes what must not be written: an allow-list for headers, placeholders for everything else.

Placeholders keep identity: the same value always gets the same one, different values different
ones, so that a mix-up of ids or hosts in an answer is still visible after redaction. They are
numbered in the order in which a recording shows the values, so that recording the same answer
twice gives the same bytes.

The gate (`pytest_imagedetail.leaks`) looks for the secrets again, without trusting this module.
"""

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import SplitResult, quote, unquote_plus, urlsplit

from pytest_imagedetail import jsontext
from pytest_imagedetail.model import Headers, Interaction, Query

_REQUEST_HEADERS: Final = frozenset(
    {"accept", "openstack-api-version", "x-openstack-nova-api-version"}
)
_RESPONSE_HEADERS: Final = frozenset(
    {
        "allow",
        "content-type",
        "location",
        "openstack-api-version",
        "retry-after",
        "vary",
        "www-authenticate",
        "x-openstack-nova-api-version",
    }
)

# A placeholder in a URL does not end it: what follows may be a host or a signature.
_URL: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://(?:<redacted-\d+>|[^\s\"'<>\\])+")
_IPV4: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)")
_IPV6: Final = re.compile(
    r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}"
    r"(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]{0,4})(?![\w:])"
)
_SECRET_KEY: Final = re.compile(
    r"passw(or)?d|passphrase|(?<![a-z])u?pass(?![a-z])|(?<![a-z])pwd?(?![a-z])|secret|token"
    r"|private_?key|credential|api_?key|access_?key|auth_key",
    re.IGNORECASE,
)
_OWNER_KEY: Final = re.compile(r"^(owner|owner_id|project_id|tenant_id|user_id)$", re.IGNORECASE)
_RESOURCE: Final = r"/(?:images|servers|flavors)(?:/|$)"
_VERSIONED: Final = re.compile(rf"/v\d+(?:\.\d+)?/([^/]+){_RESOURCE}")
_BEFORE_RESOURCE: Final = re.compile(rf"/([^/]+)(?={_RESOURCE})")
_PLAIN: Final = re.compile(r"[\w-]+")  # neither an address nor anything that is replaced in text
_ID_PLACEHOLDER: Final = re.compile(r"^0{24}[0-9a-f]{8}$")
_TOKEN_PLACEHOLDER: Final = re.compile(r"^<redacted-\d+>$")
_SIGNATURE: Final = re.compile(r"(?!property-).*sig(nature)?$", re.IGNORECASE)
_IPV6_VERSION: Final = 6
_SHORTEST_ID: Final = 8  # characters; below that a word could be hit
_SHORTEST_SECRET: Final = 4  # the same for what the session knows; the gate draws the same line
_DOCUMENTATION: Final = tuple(  # RFC 5737 and RFC 3849: addresses that are nobody's
    map(
        ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    )
)

SECRET_SHAPES: Final = re.compile(
    r"gAAAAA[\w-]{20,}={0,2}"  # Fernet, Keystone's tokens
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?"  # JWT, Keystone's other tokens
    r"|\b(?:Basic|Bearer)\s+[A-Za-z0-9+/=._~-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS access keys
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-)[\w-]{16,}",  # forges and chats
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


def redact(interactions: Iterable[Interaction], *, cloud: str, secrets: Secrets) -> Redacted:
    """Replace everything that could tell who asked whom.

    Args:
        interactions: As sent and received, all pages of one recording.
        cloud: The name that stands in the placeholders of hosts.
        secrets: What the session knows to be secret.
    """
    pages = tuple(interactions)
    placeholders = _Placeholders(cloud=cloud, secrets=secrets)
    for page in pages:
        placeholders.learn(page)
    for page in pages:  # hosts and tokens in free text are learnt by replacing them
        _redact_interaction(page, placeholders)
    placeholders.counts.clear()
    redacted = tuple(_redact_interaction(page, placeholders) for page in pages)
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
    headers = Headers(
        [
            (name, placeholders.text(value))
            for name, value in response.headers.fields
            if name.lower() in _RESPONSE_HEADERS
        ]
    )
    placeholders.counts["headers"] += len(response.headers.fields) - len(headers.fields)
    request_headers = [
        (name, placeholders.text(value))
        for name, value in page.request_headers.fields
        if name.lower() in _REQUEST_HEADERS
    ]
    return replace(
        page,
        url=placeholders.text(page.url),
        request_headers=Headers(request_headers),
        response=replace(response, headers=headers, body=body),
    )


def _redact_body(body: bytes, placeholders: "_Placeholders") -> bytes:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        # Not text, so no placeholder can be put in; Latin-1 maps every byte to itself.
        return placeholders.text(body.decode("latin-1")).encode("latin-1")
    try:
        json.loads(text, parse_int=str)  # Python limits integers, JSON does not
    except (ValueError, RecursionError):
        return placeholders.text(text).encode("utf-8")
    text = jsontext.replace_strings(text, placeholders.json_string)
    return text.encode("utf-8")


class _Placeholders:
    """The consistent mapping of one recording; learns in document order, then replaces."""

    def __init__(self, *, cloud: str, secrets: Secrets) -> None:
        self._cloud = cloud
        self._secrets = secrets
        self._origins: dict[tuple[str, str], str] = {}
        self._foreign: set[tuple[str, str]] = set()  # those that are not of the cloud itself
        self._ids: dict[str, str] = {}  # project and user ids
        self._addresses: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self._roles: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    def learn(self, page: Interaction) -> None:
        """Give placeholders to the hosts, projects and owners of a page, in its order."""
        self.learn_request(page.url)
        try:
            document = json.loads(page.response.body, parse_int=str)
        except (ValueError, RecursionError):
            return
        for link in _links(document):
            url = _split(str(link.get("href", "")))
            if url is None:
                continue
            self._learn_origin(url, "image" if link.get("rel") == "alternate" else "compute")
            project = project_in_path(url.path)
            if project is not None:
                self._id(project)
        for key, value in _strings(document):
            if _OWNER_KEY.match(key) and _PLAIN.fullmatch(value) and _looks_like_id(value):
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
            value for value, new in self._ids.items() if _looks_like_id(value) and value != new
        }
        found |= {value for value in self._secrets.ids if _looks_like_id(value)}
        found |= hosts - names | self._secrets.values | set(self._addresses)
        found |= {value for value in self._tokens if _is_distinct(value)}
        return frozenset(found - set(self._ids.values()) - {""})

    def json_string(self, value: str, key: str | None) -> str:
        """Replace in one string of a JSON body."""
        if _TOKEN_PLACEHOLDER.match(value):
            return value
        if key is not None and value and _SECRET_KEY.search(key) and not _is_harmless(value):
            return self._token(value)
        if key is not None and _OWNER_KEY.match(key) and value in self._ids:
            self.counts["ids"] += 1
            return self._ids[value]
        return self.text(value)

    def text(self, text: str) -> str:
        """Replace in free text: known secrets, secret shapes, URLs, ids, hosts and addresses."""
        learnt = {value for value in self._tokens if _is_distinct(value)}
        for secret in sorted(self._secrets.values | learnt, key=lambda each: (-len(each), each)):
            if len(secret) >= _SHORTEST_SECRET and secret in text:
                text = text.replace(secret, self._token(secret))
        text = SECRET_SHAPES.sub(lambda match: self._token(match.group()), text)
        if "://" in text:
            text = _URL.sub(lambda match: self.url(match.group()), text)
        text = self._replace_ids(text)
        text = self._replace_hosts(text)
        if "::" in text or text.count(":") > 1:
            text = _IPV6.sub(self._address, text)
        if "." in text:
            text = _IPV4.sub(self._address, text)
        return text

    def url(self, url: str) -> str:
        """Replace origin, project and anything secret in a URL, and keep the rest as sent."""
        trailing = re.search(r"[).,;]*$", url)
        tail = trailing.group() if trailing else ""
        url = url[: len(url) - len(tail)]
        parts = _split(url)
        if parts is None:
            return self._token(url) + tail
        if not parts.netloc:
            return url + tail
        if parts.netloc.endswith(".invalid"):  # a placeholder already: redacting twice is once
            return url + tail
        if parts.password:
            self._token(parts.password)
        origin = self._learn_origin(parts, "host")
        path = self._replace_ids(self._replace_project(parts.path))
        query, fragment = parts.query, parts.fragment
        if _origin(parts) in self._foreign:  # it may carry a signature, so no value stays
            query = "&".join(_without_value(pair) for pair in query.split("&")) if query else ""
            fragment = "redacted" if fragment else ""
        else:
            query = "&".join(self._query_pair(pair) for pair in query.split("&"))
        rest = path + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")
        self.counts["hosts"] += 1
        return f"{origin}{rest}{tail}"

    def query_value(self, name: str, value: str) -> str:
        """Replace in one decoded value of a query that the cloud itself is asked."""
        if value and (_SECRET_KEY.search(name) or _SIGNATURE.match(name)):
            return self._token(value)
        return self.text(value)

    def _query_pair(self, pair: str) -> str:
        """The same in a pair as it stands in a URL; one that nothing is replaced in stays so."""
        name, _, value = pair.partition("=")
        decoded = unquote_plus(value, errors="surrogateescape")
        new = self.query_value(unquote_plus(name), decoded)
        if new == decoded and "<" not in pair:
            return pair
        return f"{name}={quote(new, safe='', errors='surrogateescape')}"

    def _learn_origin(self, url: SplitResult, role: str) -> str:
        if not url.netloc or url.netloc.endswith(".invalid"):
            return f"{url.scheme}://{url.netloc}"
        origin = _origin(url)
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
            number = 0
            while f"{number:032x}" in taken:
                number += 1
            # A placeholder stays what it is: redacting twice is redacting once.
            is_placeholder = _ID_PLACEHOLDER.match(value) or _TOKEN_PLACEHOLDER.match(value)
            self._ids[value] = value if is_placeholder else f"{number:032x}"
        return self._ids[value]

    def _replace_project(self, path: str) -> str:
        match = _BEFORE_RESOURCE.search(path)
        if match is None or match.group(1) not in self._ids:
            return path
        self.counts["ids"] += 1
        return path[: match.start(1)] + self._ids[match.group(1)] + path[match.end(1) :]

    def _replace_ids(self, text: str) -> str:
        for value in sorted(self._secrets.ids):
            if _looks_like_id(value) and value in text:
                self._id(value)
        for value, placeholder in self._ids.items():
            if value != placeholder and value in text and _looks_like_id(value):
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
                        rf"{before}{re.escape(name)}(?![\w.]*\w)",
                        placeholder.removeprefix("https://"),
                        text,
                        flags=re.IGNORECASE,
                    )
                    self.counts["hosts"] += count
        return text

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

    def _token(self, value: str) -> str:
        if _TOKEN_PLACEHOLDER.match(value):
            return value
        if value not in self._tokens:
            self._tokens[value] = f"<redacted-{len(self._tokens) + 1}>"
        self.counts["secrets"] += 1
        return self._tokens[value]


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None if it has brackets or characters that make it none."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


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


def _without_value(pair: str) -> str:
    name, is_pair, _ = pair.partition("=")
    return f"{name}=redacted" if is_pair else "redacted"


def _looks_like_id(value: str) -> bool:
    """Whether a value is so much an id that replacing it anywhere cannot hit a word."""
    return (
        len(value) >= _SHORTEST_ID and any(each.isdigit() for each in value) and not value.isspace()
    )


def _is_distinct(value: str) -> bool:
    """Whether a value found under a secret's key is no word that may stand elsewhere by right."""
    return len(value) >= _SHORTEST_ID and not value.isalpha()


def _is_harmless(value: str) -> bool:
    return value.lower() in {"true", "false", "none", "null", "yes", "no", "0", "1"}


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
