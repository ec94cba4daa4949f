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
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

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

_URL: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s\"'<>\\]+")
_IPV4: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)")
_IPV6: Final = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])")
_SECRET_KEY: Final = re.compile(
    r"passw(or)?d|passphrase|admin_pass|secret|token|private_?key|credential|api_?key|auth_key",
    re.IGNORECASE,
)
_OWNER_KEY: Final = re.compile(r"^(owner|owner_id|project_id|tenant_id|user_id)$", re.IGNORECASE)
_VERSIONED: Final = re.compile(r"/v\d+(?:\.\d+)?/([^/]+)/images(?:/|$)")
_BEFORE_IMAGES: Final = re.compile(r"/([^/]+)(?=/images(?:/|$))")
_ID_PLACEHOLDER: Final = re.compile(r"^0{24}[0-9a-f]{8}$")
_IPV6_VERSION: Final = 6
_SHORTEST_ID: Final = 8  # characters; below that a word could be hit
_DOCUMENTATION: Final = tuple(  # RFC 5737 and RFC 3849: addresses that are nobody's
    map(
        ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    )
)

SECRET_SHAPES: Final = re.compile(
    r"gAAAAA[\w-]{20,}={0,2}"  # Fernet, Keystone's tokens
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?"  # JWT, Keystone's other tokens
    r"|\b(?:Basic|Bearer)\s+[A-Za-z0-9+/=._~-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----",
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
    return Query(tuple((name, placeholders.text(value)) for name, value in query.params))


def project_in_path(path: str) -> str | None:
    """The project of a versioned compute path: `/v2/PROJECT/images/...`, with or without a prefix.

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
        url=placeholders.url(page.url),
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
        json.loads(text)
    except ValueError:
        return placeholders.text(text).encode("utf-8")
    text = jsontext.replace_strings(text, placeholders.json_string)
    return text.encode("utf-8")


class _Placeholders:
    """The consistent mapping of one recording; learns in document order, then replaces."""

    def __init__(self, *, cloud: str, secrets: Secrets) -> None:
        self._cloud = cloud
        self._secrets = secrets
        self._origins: dict[tuple[str, str], str] = {}
        self._ids: dict[str, str] = {}  # project and user ids
        self._addresses: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self._roles: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    def learn(self, page: Interaction) -> None:
        """Give placeholders to the hosts, projects and owners of a page, in its order."""
        self.learn_request(page.url)
        try:
            document = json.loads(page.response.body)
        except ValueError:
            return
        for link in _links(document):
            url = urlsplit(str(link.get("href", "")))
            self._learn_origin(url, "image" if link.get("rel") == "alternate" else "compute")
            project = project_in_path(url.path)
            if project is not None:
                self._id(project)
        for key, value in _strings(document):
            if _OWNER_KEY.match(key) and _looks_like_id(value):
                self._id(value)

    def learn_request(self, url: str) -> None:
        """Give the first placeholders to the endpoint and the project of the session."""
        self._learn_origin(urlsplit(url), "compute")
        if self._secrets.project_id is not None:
            self._id(self._secrets.project_id)

    def replaced(self) -> frozenset[str]:
        """Every value that must not be found in the bytes to be written."""
        hosts = {netloc.rpartition("@")[2] for _, netloc in self._origins}
        names = {host.rpartition(":")[0] or host for host in hosts}
        found = hosts | {name for name in names if "." in name or ":" in name}
        found |= {
            value for value, new in self._ids.items() if _looks_like_id(value) and value != new
        }
        found |= {value for value in self._secrets.ids if _looks_like_id(value)}
        found |= self._secrets.values | set(self._addresses) | set(self._tokens)
        return frozenset(found - set(self._ids.values()) - {""})

    def json_string(self, value: str, key: str | None) -> str:
        """Replace in one string of a JSON body."""
        if key is not None and value and _SECRET_KEY.search(key) and not _is_harmless(value):
            return self._token(value)
        if key is not None and _OWNER_KEY.match(key) and value in self._ids:
            self.counts["ids"] += 1
            return self._ids[value]
        return self.text(value)

    def text(self, text: str) -> str:
        """Replace in free text: known secrets, secret shapes, URLs, ids, hosts and addresses."""
        for secret in sorted(self._secrets.values, key=len, reverse=True):
            if secret and secret in text:
                text = text.replace(secret, self._token(secret))
        text = SECRET_SHAPES.sub(lambda match: self._token(match.group()), text)
        if "://" in text:
            text = _URL.sub(lambda match: self.url(match.group()), text)
        text = self._replace_ids(text)
        text = self._replace_hosts(text)
        if "." in text:
            text = _IPV4.sub(self._address, text)
        if "::" in text or text.count(":") > 1:
            text = _IPV6.sub(self._address, text)
        return text

    def url(self, url: str) -> str:
        """Replace origin, project and anything secret in a URL, and keep the rest as sent."""
        trailing = re.search(r"[).,;]*$", url)
        tail = trailing.group() if trailing else ""
        url = url[: len(url) - len(tail)]
        parts = urlsplit(url)
        if not parts.netloc:
            return url + tail
        if parts.netloc.endswith(".invalid"):  # a placeholder already: redacting twice is once
            return url + tail
        if parts.password:
            self._token(parts.password)
        known = _origin(parts) in self._origins
        origin = self._learn_origin(parts, "host")
        path = self._replace_ids(self._replace_project(parts.path))
        query = parts.query if known else _without_values(parts.query)
        rest = path + (f"?{self._replace_ids(query)}" if query else "")
        self.counts["hosts"] += 1
        return f"{origin}{rest}{'#' + parts.fragment if parts.fragment else ''}{tail}"

    def _learn_origin(self, url: SplitResult, role: str) -> str:
        if not url.netloc or url.netloc.endswith(".invalid"):
            return f"{url.scheme}://{url.netloc}"
        origin = _origin(url)
        if origin not in self._origins:
            self._roles[role] += 1
            number = f"-{self._roles[role]}" if self._roles[role] > 1 else ""
            self._origins[origin] = f"https://{role}{number}.{self._cloud}.invalid"
        return self._origins[origin]

    def _id(self, value: str) -> str:
        if value not in self._ids:
            taken = set(self._ids.values())
            number = 0
            while f"{number:032x}" in taken:
                number += 1
            # A placeholder stays what it is: redacting twice is redacting once.
            self._ids[value] = value if _ID_PLACEHOLDER.match(value) else f"{number:032x}"
        return self._ids[value]

    def _replace_project(self, path: str) -> str:
        match = _BEFORE_IMAGES.search(path)
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
                text, count = re.subn(rf"(?<!\w){re.escape(value)}(?!\w)", placeholder, text)
                self.counts["ids"] += count
        return text

    def _replace_hosts(self, text: str) -> str:
        for (_, netloc), placeholder in self._origins.items():
            for name in (netloc, netloc.rpartition(":")[0]):
                if ("." in name or ":" in name) and name in text:
                    host = placeholder.removeprefix("https://")
                    text, count = re.subn(rf"(?<![\w.]){re.escape(name)}(?![\w.]*\w)", host, text)
                    self.counts["hosts"] += count
        return text

    def _address(self, match: re.Match[str]) -> str:
        text = match.group()
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return text
        if any(address in network for network in _DOCUMENTATION):
            return text
        if text not in self._addresses:
            self._addresses[text] = _documentation_address(address.version, len(self._addresses))
        self.counts["addresses"] += 1
        return self._addresses[text]

    def _token(self, value: str) -> str:
        if value not in self._tokens:
            self._tokens[value] = f"<redacted-{len(self._tokens) + 1}>"
        self.counts["secrets"] += 1
        return self._tokens[value]


def _origin(url: SplitResult) -> tuple[str, str]:
    return url.scheme.lower(), url.netloc.lower()


def _documentation_address(version: int, number: int) -> str:
    """The `number`th address that is nobody's; the 762 of IPv4 are reused after that."""
    if version == _IPV6_VERSION:
        return str(ipaddress.IPv6Address("2001:db8::1") + number)
    block, host = divmod(number % (3 * 254), 254)
    return str(_DOCUMENTATION[block][host + 1])


def _without_values(query: str) -> str:
    """A query of a URL that is not the cloud's own: it may carry a signature, so no value stays."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, "redacted") for name, _ in pairs]) if pairs else ""


def _looks_like_id(value: str) -> bool:
    """Whether a value is so much an id that replacing it anywhere cannot hit a word."""
    return (
        len(value) >= _SHORTEST_ID and any(each.isdigit() for each in value) and not value.isspace()
    )


def _is_harmless(value: str) -> bool:
    return value.lower() in {"true", "false", "none", "null", "yes", "no", "0", "1"}


def _links(document: Any) -> Iterator[Mapping[str, Any]]:
    """Every `{"rel", "href"}` object of a document, in its order."""
    if isinstance(document, dict):
        if isinstance(document.get("href"), str):
            yield document
        for value in document.values():
            yield from _links(value)
    elif isinstance(document, list):
        for value in document:
            yield from _links(value)


def _strings(document: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(document, dict):
        for name, value in document.items():
            yield from _strings(value, name)
    elif isinstance(document, list):
        for value in document:
            yield from _strings(value, key)
    elif isinstance(document, str):
        yield key, document
