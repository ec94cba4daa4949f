"""The consistent mapping of one recording: one value, one placeholder."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, quote, unquote, unquote_plus

from pytest_imagedetail.body import json as jsontext
from pytest_imagedetail.model import Interaction
from pytest_imagedetail.redact.addresses import Addresses
from pytest_imagedetail.redact.disguise import replace_disguised
from pytest_imagedetail.redact.documents import beside_names, is_json, links, parsed, strings
from pytest_imagedetail.redact.hosts import Hosts
from pytest_imagedetail.redact.ids import Ids
from pytest_imagedetail.redact.known import Numbering, Secrets
from pytest_imagedetail.redact.placeholder import is_secret
from pytest_imagedetail.redact.shapes import (
    HOLDERS,
    is_harmless,
    is_owner_id,
    looks_like_id,
    names_owner,
    names_secret,
    names_signature,
    replace_named,
    replace_shapes,
)
from pytest_imagedetail.redact.tokens import Tokens
from pytest_imagedetail.redact.urls import origin, owners_in, project_in_path, split

# A placeholder in a URL does not end it: what follows may be a host or a signature.
# What may stand in a scheme is taken in one piece, so that no long word is begun at every letter.
_URL: Final = re.compile(
    r"(?<![a-zA-Z0-9+.-])([0-9+.-]*+)([a-zA-Z][a-zA-Z0-9+.-]*+://(?:<redacted-\d+>|[^\s\"'<>\\])++)"
)
_OWNER_KEY: Final = re.compile(r"^(owner|owner_id|project_id|tenant_id|user_id)$", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[\w-]+|(?=[^a-zA-Z]*[a-zA-Z])[\w.-]+")  # no address of any kind
_WITHOUT_VALUE: Final = "redacted"
_ROLES: Final = ("compute", "image")


class Placeholders:
    """Learns in document order what must not be written, then replaces it."""

    def __init__(self, known: Numbering, *, cloud: str, secrets: Secrets) -> None:
        self.counts: Counter[str] = Counter()
        self._ids = Ids(known, secrets=secrets, counts=self.counts)
        self._hosts = Hosts(known, cloud=cloud, counts=self.counts)
        self._addresses = Addresses(known, counts=self.counts)
        self._tokens = Tokens(known, secrets=secrets, counts=self.counts)
        self._token = self._tokens.placeholder
        self._beside: set[str] = set()

    def learn(self, page: Interaction) -> None:
        """Give placeholders to the hosts, projects and owners of a page, in its order."""
        self.learn_request(page.url)
        self._learn_owners(parsed(page.request_body))
        document = parsed(page.response.body)
        found = [(link, split(str(link.get("href", "")))) for link in links(document)]
        roles = Counter((origin(url), _role(link)) for link, url in found if url is not None)
        for _, url in found:
            if url is None:
                continue
            # One link that leads to the other service does not make that host its own.
            self._hosts.learn(url, max(_ROLES, key=lambda role: roles[origin(url), role]))
            project = project_in_path(url.path)
            if project is not None:
                self._ids.learn(project)
            self._learn_owners_in(url)
        self._learn_owners(document)
        for told in (parsed(page.request_body), document):
            self._beside.update(beside_names(told))

    def learn_request(self, url: str) -> None:
        """Give the first placeholders to the endpoint and the project of the session."""
        if (parts := split(url)) is not None:
            self._hosts.learn(parts, "compute")
        self._ids.learn_caller()
        if parts is not None:
            self._learn_owners_in(parts)

    def _learn_owners(self, document: Any) -> None:
        """Under the five names that OpenStack gives to owners, an id may have any form.

        One that could be a word is replaced there, and left where it may mean something else.
        """
        for key, value in strings(document):
            loose = _OWNER_KEY.match(key) and _PLAIN.fullmatch(value) and not is_harmless(value)
            if (names_owner(key) and is_owner_id(value)) or (loose and looks_like_id(value)):
                self._ids.learn(value)
            elif loose:
                self._ids.learn_word(value)

    def _learn_owners_in(self, url: SplitResult) -> None:
        for found in owners_in(url):
            self._ids.learn(found)

    def replaced(self) -> frozenset[str]:
        """Every value that must not be found in the bytes to be written."""
        found = self._hosts.replaced() | self._ids.replaced()
        found |= self._addresses.replaced() | self._tokens.replaced()
        return frozenset(found - self._ids.placeholders() - {""})

    def json_string(self, value: str, key: str | None) -> str:
        """Replace in one string of a JSON body."""
        if is_secret(value):
            return value
        if value[:1] in {"{", "["} and is_json(value):
            self._beside.update(beside_names(parsed(value.encode("utf-8", "surrogatepass"))))
            return jsontext.replace_strings(value, self.json_string)
        if key is not None and value and names_secret(key) and not is_harmless(value):
            return self._token(value)
        if key is not None and key.lower() in HOLDERS and value in self._beside:
            return self._token(value)
        if key is not None and _OWNER_KEY.match(key) and (owner := self._ids.of(value)) is not None:
            return owner
        return self.text(value)

    def text(self, text: str) -> str:
        """Replace in free text: known secrets, secret shapes, URLs, ids, hosts and addresses."""
        text = self._tokens.replace(text)
        text = replace_shapes(text, self._token)
        if "://" in text:
            text = _URL.sub(lambda match: match[1] + self.url(match[2]), text)
        text = replace_named(text, self._token)
        text = self._addresses.replace_people(text)
        text = self._ids.replace(text)
        text = self._hosts.replace(text)
        text = self._addresses.replace(text)
        return replace_disguised(text, self._token)

    def url(self, url: str) -> str:
        """Replace origin, project and anything secret in a URL, and keep the rest as sent."""
        whole, url = url, url.rstrip(").,;")
        tail = whole[len(url) :]
        parts = split(url)
        if parts is None:
            return self._token(url) + tail
        if not parts.netloc:
            return url + tail
        user = self._user(parts)
        if parts.netloc.endswith(".invalid"):  # a placeholder already: redacting twice is once
            return self._placeholder_url(url, parts, user) + tail
        front = self._hosts.learn(parts)
        self._learn_owners_in(parts)
        path = self._ids.replace(self._ids.replace_in_path(parts.path))
        query, fragment = parts.query, parts.fragment
        if self._hosts.is_foreign(parts):  # it may carry a signature, so no value stays
            query = "&".join(_without_value(pair) for pair in query.split("&")) if query else ""
            fragment = "redacted" if fragment else ""
        else:
            query = self.pairs(query)
        rest = path + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")
        self.counts["hosts"] += 1
        return f"{front.replace('://', f'://{user}', 1)}{rest}{tail}"

    def _user(self, parts: SplitResult) -> str:
        """The user and the password of a URL, each by its placeholder; empty if it has none."""
        told, at, _ = parts.netloc.rpartition("@")
        return ":".join(each and self._token(unquote(each)) for each in told.split(":", 1)) + at

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
        if names_owner(name) and is_owner_id(value):
            self._ids.learn(value)
        return self.json_string(value, None)

    def _query_pair(self, pair: str) -> str:
        """The same in a pair as it stands in a URL; one that nothing is replaced in stays so."""
        name, _, value = pair.partition("=")
        decoded = unquote_plus(value, errors="surrogateescape")
        new = self.query_value(unquote_plus(name), decoded)
        if new == decoded and "<" not in pair:
            return pair
        return f"{name}={quote(new, safe='', errors='surrogateescape')}"

    def _placeholder_url(self, url: str, parts: SplitResult, user: str) -> str:
        """A URL that leads to a placeholder may still have a user or a token put in."""
        netloc = user + parts.netloc.rpartition("@")[2]
        query = self.pairs(parts.query)
        if (netloc, query) == (parts.netloc, parts.query):
            return url
        return parts._replace(netloc=netloc, query=query).geturl()


def _role(link: Mapping[str, Any]) -> str:
    """The service that a link's relation leads to."""
    return "image" if link.get("rel") == "alternate" else "compute"


def _without_value(pair: str) -> str:
    name, is_pair, _ = pair.partition("=")
    return f"{name}={_WITHOUT_VALUE}" if is_pair else _WITHOUT_VALUE
