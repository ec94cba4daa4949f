"""Replace secrets, owners' ids and hosts in interactions; keep everything else as sent."""

import ipaddress
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, unquote, unquote_plus

from pytest_imagedetail.body import compression
from pytest_imagedetail.body import json as jsontext
from pytest_imagedetail.body import xml as xmltext
from pytest_imagedetail.model import Headers, Interaction, Path
from pytest_imagedetail.redact import names, placeholders, table, urls
from pytest_imagedetail.redact.assignments import replace_assigned
from pytest_imagedetail.redact.decodings import decodings_of
from pytest_imagedetail.redact.final_check import leaks_in
from pytest_imagedetail.redact.known import Learner, Search
from pytest_imagedetail.redact.names import Scope

REQUEST_HEADERS: Final = frozenset(
    {"accept", "content-type", "openstack-api-version", "x-openstack-nova-api-version"}
)
"""The request headers that a recording keeps."""

RESPONSE_HEADERS: Final = frozenset(
    {
        *("allow", "content-type", "link", "location", "openstack-api-version", "retry-after"),
        *("vary", "www-authenticate", "x-openstack-nova-api-version"),
    }
)
"""The response headers that a recording keeps, with `content-length` where there is no body."""

_MAC: Final = re.compile(r"(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}")
_HIDDEN_USER: Final = f"//{placeholders.SECRET_IN_URL}@"
_FORM: Final = re.compile(r"[\w.%+*\[\]~-]+=[^&\s]*(?:&[\w.%+*\[\]~-]+=[^&\s]*)*\s*")
_BOUNDARY: Final = re.compile(r"^--\S+", re.MULTILINE)
_PART: Final = re.compile(r"(\r?\n\r?\n)")
_PART_NAME: Final = re.compile(
    r"(?<![\w*])name(?:=|\*=[\w-]+'[\w-]*')(?:\"([^\"\r\n]+)\"|([^\s;\"]+))"
)
_STORED_SECRET: Final = re.compile(r"/v1/secrets(/[^/]+(/payload)?)?$")
_WORDS: Final = re.compile(r"([\s\"'<>(),;]+)")
_UTF_16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}  # the byte order mark stays
_MAX_DEPTH: Final = 8  # URLs in queries of URLs, or markup in markup


class Rewriter:
    """Replace known values, and values with the name of a secret or an owner."""

    def __init__(self, search: Search, *, emails: bool) -> None:
        self.notes: Final[list[tuple[str, int, str, Path]]] = []  # kind, number, part, path
        self.learner: Final = Learner()  # values with such names
        self._search: Final = search
        self._all_shapes: Final = (*table.SHAPES.values(), *([table.EMAIL] if emails else []))
        self._shapes: Sequence[re.Pattern[str]] = ()  # those in the current part
        self._is_encoded = False  # whether the part holds an encoded known value
        self._part = 0, ""  # number of the interaction; for example "response.body"
        self._path: Path = ()
        self._unchanged: set[tuple[str, str, str]] = set()  # name ("/" in a path), value, scope
        self._depth = 0

    def rewrite(self, number: int, interaction: Interaction) -> Interaction:
        """Redact every part of an interaction; drop headers that are not listed."""
        self._part = number, ""
        response = interaction.response
        allowed = RESPONSE_HEADERS | ({"content-length"} if interaction.is_bodiless else set())
        self._begin("request.uri", interaction.url)
        url = self._url(interaction.url)
        self._begin("response.reason", response.reason)
        reason = self._text(response.reason)
        sent, received = _stored_secret(interaction)
        return replace(
            interaction,
            url=url.replace(_HIDDEN_USER, "//"),  # clients send user info in a header
            request_headers=self._headers("request", interaction.request_headers, REQUEST_HEADERS),
            request_body=self._body("request.body", interaction.request_body, sent),
            response=replace(
                response,
                reason=reason,
                headers=self._headers("response", response.headers, allowed),
                body=self._body("response.body", response.body, received),
            ),
        )

    # --- the parts of an interaction

    def _begin(self, part: str, text: str, *path: str) -> None:
        """Start a part: find its shapes, and whether it holds encoded known values."""
        data = self._search.replace(text).encode("utf-8", "surrogateescape")
        _, *encoded = decodings = list(decodings_of(data))
        texts = [decoding for _, decoding in decodings]
        self._shapes = [shape for shape in self._all_shapes if any(map(shape.search, texts))]
        self._is_encoded = any(leaks_in(encoded, self._search))
        self._part, self._path = (self._part[0], part), path
        self._unchanged, self._depth = set(), 0

    def _headers(self, message: str, headers: Headers, allowed: Collection[str]) -> Headers:
        fields = []
        for name, value in headers.fields:
            lower = name.lower()
            if lower in allowed:
                self._begin(f"{message}.headers", value, name)
                new = self._text(value)
                fields.append((name, self._reference(new) if lower == "location" else new))
            else:
                self.learner.add_header(lower, value)
                self.notes.append(("headers", self._part[0], f"{message}.headers", (name,)))
        return Headers(fields)

    def _body(self, part: str, body: bytes, scope: Scope) -> bytes:
        if not body:
            return body
        content = compression.decompress(body)
        if content is not None:
            redacted = self._body(part, content, scope)
            return body if redacted == content else compression.compress_like(body, redacted)
        for encoding in ("utf-8", _UTF_16.get(body[:2], "latin-1"), "latin-1"):
            with suppress(UnicodeDecodeError):
                text = body.decode(encoding)
                break
        self._begin(part, text)
        return self._document(text, scope).encode(encoding, "xmlcharrefreplace")

    # --- documents

    def _document(self, text: str, scope: Scope = "") -> str:
        if scope == "all":
            return self._value("", text, secret=True)
        start = text.lstrip("\ufeff \t\r\n")[:1]
        if start in {"{", "["} and (new := self._json(text, scope)) is not None:
            return new
        if start == "<":
            return self._markup(text)
        if "{" in text:
            text = "\n".join(map(self._line, text.split("\n")))
        if (boundary := _BOUNDARY.search(text)) and _PART_NAME.search(text):
            return boundary[0].join(map(self._form_part, text.split(boundary[0])))
        is_base64 = text.rstrip().endswith("=") and "&" not in text
        if _FORM.fullmatch(text) and not is_base64 and placeholders.SECRET not in text:
            return self._pairs(text.rstrip()) + text[len(text.rstrip()) :]
        return self._text(text)

    def _markup(self, text: str) -> str:
        path = self._path
        self._depth += 1
        new = xmltext.replace_strings(text, lambda document: self._scalars(document, "", "", path))
        self._depth -= 1
        return new

    def _form_part(self, part: str) -> str:
        head, *rest = _PART.split(part, maxsplit=1)
        head = self._text(head)
        if not rest:
            return head
        content, name = rest[1].rstrip("\r\n"), _PART_NAME.search(head)
        key = "".join(name.groups("")) if name else ""
        self._path = (key,) if key else ()
        new = self._value(key, content, secret=names.holds_secret_in_query(key, content))
        new = self._document(content) if new == content else new
        return head + rest[0] + new + rest[1][len(content) :]

    def _line(self, line: str) -> str:
        """Redact the JSON in a line, as in JSONP, events and JSON lines."""
        start, end = line.find("{"), line.rfind("}") + 1
        new = self._json(line[start:end]) if 0 <= start < end else None
        return line if new is None else line[:start] + new + line[end:]

    def _json(self, text: str, scope: Scope = "") -> str | None:
        path = self._path
        return jsontext.replace_scalars(
            text, lambda document: self._scalars(document, "", scope, path)
        )

    def _scalars(self, value: Any, name: str, scope: Scope, path: Path) -> list[str | None]:
        """Return the replacement for each key, string and number, in document order."""
        if isinstance(value, str):
            return [self._scalar(name, value, path, scope)]
        if isinstance(value, jsontext.Pairs):
            return self._of_object(value, name, scope, path)
        return self._of_list(value, name, scope, path) if isinstance(value, list) else []

    def _of_object(
        self, pairs: jsontext.Pairs, name: str, scope: Scope, path: Path
    ) -> list[str | None]:
        replacements: list[str | None] = []
        self.learner.add_link(dict(pairs))
        beside = names.names_beside(pairs)
        scopes = names.secret_keys(pairs, scope, beside)
        for key, item in pairs:
            new = None if ("", key, "") in self._unchanged else self._scalar("", key, path, "")
            replacements.append(new)
            item_name = beside.get(key, name if key.lower() in {"id", "uuid", "#text"} else key)
            item_path = (*path, key if new is None else new)
            item_scope = scopes.get(key, "")
            if isinstance(item, str):
                replacements.append(self._scalar(item_name, item, item_path, item_scope))
            else:
                replacements += self._scalars(item, item_name, item_scope, item_path)
        return replacements

    def _of_list(self, items: list[Any], name: str, scope: Scope, path: Path) -> list[str | None]:
        replacements: list[str | None] = []
        for index, item in enumerate(items):
            item_scope = scope
            if scope in {"texts", "own texts"} and isinstance(item, list) and len(item) > 1:
                item_scope = names.scope_of(name, is_record=True)
            option = items[index - 1] if index and isinstance(item, str) else None
            if isinstance(option, str) and option[:2] == "--" and item[:1] != "-":
                item_scope = "values" if names.holds_secret(option, item) else scope
            replacements += self._scalars(item, name, item_scope, (*path, index))
        return replacements

    def _scalar(self, name: str, value: str, path: Path, scope: Scope) -> str | None:
        if (name, value, scope) in self._unchanged:
            return None
        is_named = scope or names.is_in(name, table.ALWAYS_OWNERS)
        if isinstance(value, jsontext.Number) and not is_named:
            return None
        self._path = path
        new = self._value(name, value, secret=bool(scope))
        if new != value:
            return new
        self._unchanged.add((name, value, scope))
        return None

    def _value(self, name: str, value: str, *, secret: bool) -> str:
        is_owner = names.names_owner(name) and (
            placeholders.is_id(value) or names.is_in(name, table.ALWAYS_OWNERS)
        )
        new = self._replacement(value, owner=is_owner, secret=secret)
        if new is None and names.names_address(name) and (new := _address(value)) is not None:
            self._note("addresses", new)
        if new is None and value[:1] in {"{", "["}:
            new = self._json(value)
        if new is not None:
            return new
        if names.is_in(name, table.IDENTIFIERS) and "@" not in value:
            return self._plain(value)
        if "<" in value and self._depth < _MAX_DEPTH and xmltext.has_markup(value):
            return self._markup(value)
        return self._text(value)

    def _replacement(self, value: str, *, owner: bool, secret: bool) -> str | None:
        if not (owner or secret):
            return None
        bare = value.strip()
        if placeholders.is_placeholder(bare):
            return None
        if owner and bare.lower() not in {"", "none", "null"}:
            self.learner.owners.add(value)
            return self._note("ids", self._search.owner(value))
        if secret and not names.is_harmless(bare):
            self.learner.add_secret(value)
            return self._note("secrets", placeholders.SECRET)
        return None

    def _note(self, kind: str, new: str) -> str:
        self.notes.append((kind, *self._part, self._path))
        return new

    # --- texts

    def _text(self, text: str) -> str:
        """Redact free text: URLs, values assigned to secrets' names, shapes, known values."""
        if "://" in text:
            if urls.URL.fullmatch(text):
                return self._url(text)
            text = urls.URL.sub(lambda match: match["namespace"] or self._url(match[0]), text)
        elif urls.VERSIONED_PATH.match(text):
            return self._target(text)
        return self._plain(text)

    def _plain(self, text: str) -> str:
        text = replace_assigned(self._without_shapes(text), self._assigned)
        return self._known(text)

    def _assigned(self, name: str, value: str, may_be_secret: bool) -> str:  # noqa: FBT001
        is_secret = may_be_secret and names.holds_secret(name, value)
        new = self._replacement(value, owner=False, secret=is_secret)
        return self._owners(name, value) if new is None else new

    def _owners(self, name: str, value: str) -> str:
        """Replace the ids in a value if it has the name of an owner."""
        if not names.names_owner(name):
            return value
        return placeholders.IDS.sub(lambda found: self._owner(found[0]), value)

    def _owner(self, value: str) -> str:
        return self._replacement(value, owner=True, secret=False) or value

    def _without_shapes(self, text: str) -> str:
        for shape in self._shapes:
            if shape is table.EMAIL:
                text = shape.sub(lambda _: self._note("people", placeholders.EMAIL), text)
            else:
                text = shape.sub(self._shape, text)
        return text

    def _shape(self, match: re.Match[str]) -> str:
        return self._replacement(match[0], owner=False, secret=True) or match[0]

    def _known(self, text: str) -> str:
        """Replace known values as written, or else each word that encodes one."""
        text = self._search.replace(text, self._note)
        if self._is_encoded and self._holds_known(text):
            text = "".join(map(self._encoded_word, _WORDS.split(text)))
            text = self._encoded_word(text)
        return text

    def _encoded_word(self, text: str) -> str:
        return self._note("secrets", placeholders.SECRET) if self._holds_known(text) else text

    def _holds_known(self, text: str) -> bool:
        """Return whether any decoding of a text holds a known value or a shape."""
        decodings = decodings_of(text.encode("utf-8", "surrogateescape"))
        return any(leaks_in(decodings, self._search))

    # --- URLs

    def _reference(self, value: str) -> str:
        """Redact a redirect's target, which may lack the scheme or be a path."""
        if value.startswith("//"):
            return self._url(f"http:{value}").partition(":")[2]
        return value if "://" in value else self._target(value)

    def _url(self, url: str) -> str:
        bare = url.rstrip(urls.TRAILING)
        scheme, _, rest = bare.partition("://")
        netloc, target = urls.split_netloc(rest)
        user, at, hosts = netloc.rpartition("@")
        if at:
            user = self._secret_in_url(user, user.partition(":")[2])
        name = urls.split_port(hosts)[0].strip("[]").lower()  # the cloud's own on any port
        is_own = self._own_host(name) is not None or placeholders.role_of(name) is not None
        if placeholder := self._search.origins.get(urls.origin(f"{scheme}://{hosts}")):
            scheme, hosts = "https", self._note("hosts", placeholder)
        else:
            hosts = ",".join(map(self._host, hosts.split(",")))
        if table.WEBHOOK.match(url):
            target = "/" + self._secret_in_url(target, target)
        else:
            target = self._target(target, is_own=is_own)
        new = f"{scheme}://{user}{at}{hosts}{target}{url[len(bare) :]}"
        return new if bare == url else self._known(new)  # a known value may end in punctuation

    def _host(self, place: str) -> str:
        host, port = urls.split_port(place)
        bare = host.strip("[]").lower()
        is_template = urls.TEMPLATE.search(host) and self._percent_encoded(place) == place
        if not bare or is_template or placeholders.is_placeholder_host(bare):
            return place
        new = self._own_host(bare) or placeholders.foreign_host(bare)
        return self._note("hosts", new) + self._percent_encoded(port)

    def _own_host(self, name: str) -> str | None:
        """Return the placeholder of a host in the catalog or, in a link, that links lead to."""
        hosts = self._search.link_hosts if self._path[-1:] == ("href",) else {}
        return self._search.services.get(name) or hosts.get(name)

    def _secret_in_url(self, text: str, secret: str) -> str:
        if text != placeholders.SECRET_IN_URL:
            self.learner.add_secret(unquote(secret))
            self._note("secrets", placeholders.SECRET_IN_URL)
        return placeholders.SECRET_IN_URL

    def _target(self, target: str, *, is_own: bool = True) -> str:
        """Redact path, query and fragment, of the cloud's own host or another's."""
        target, has_fragment, fragment = target.partition("#")
        path, has_query, query = target.partition("?")
        segments = path.split("/")
        owners = urls.owners_in(segments, is_own=is_own, project=self._search.project)
        for index, segment in enumerate(segments):
            if index in owners:
                bare = owners[index]
                segments[index] = segment.removesuffix(bare) + self._owner(bare)
            elif ("/", segment, "") not in self._unchanged:
                segments[index] = self._segment(segment)
        query, fragment = query and self._pairs(query), fragment and self._pairs(fragment)
        return "/".join(segments) + has_query + query + has_fragment + fragment

    def _segment(self, segment: str) -> str:
        name, sign, value = segment.partition("=")  # a parameter, as in `;jsessionid=...`
        if value and ";" in name and names.holds_secret_in_query(name.rpartition(";")[2], value):
            return name + sign + self._secret_in_url(value, value)
        new = self._percent_encoded(segment)
        if new == segment:
            self._unchanged.add(("/", segment, ""))
        return new

    def _pairs(self, text: str) -> str:
        return "&".join(map(self._pair, text.split("&")))

    def _pair(self, pair: str) -> str:
        name, sign, value = pair.partition("=")
        if not sign:
            return self._percent_encoded(pair)
        text = unquote_plus(value, errors="surrogateescape")
        new = self._query_value(unquote_plus(name, errors="replace"), text)
        return f"{self._percent_encoded(name)}={value if new == text else _quote(new)}"

    def _query_value(self, name: str, value: str) -> str:
        value = self._owners(name, value)
        secret = names.holds_secret_in_query(name, value)
        new = self._replacement(value, owner=False, secret=secret)
        if new is not None:
            return new.replace(placeholders.SECRET, placeholders.SECRET_IN_URL)
        if value[:1] in {"{", "["} and (document := self._json(value)) is not None:
            return document
        new = self._nested(value)
        inner = unquote(new, errors="surrogateescape")
        if new != inner and (text := self._nested(inner)) != inner:
            return _quote(text)
        return new

    def _nested(self, value: str) -> str:
        self._depth += 1
        new = self._text(value) if self._depth <= _MAX_DEPTH else self._plain(value)
        self._depth -= 1
        return new.replace(placeholders.SECRET, placeholders.SECRET_IN_URL)

    def _percent_encoded(self, text: str) -> str:
        plain = unquote(text, errors="surrogateescape")
        new = self._known(self._without_shapes(plain))
        if new == plain:
            return text
        return _quote(new.replace(placeholders.SECRET, placeholders.SECRET_IN_URL), safe="@:+")


def _quote(text: str, *, safe: str = "") -> str:
    return quote(text, safe=safe, errors="surrogateescape")


def _stored_secret(interaction: Interaction) -> tuple[Scope, Scope]:
    """Return what is secret in a request and in its response: Barbican's payloads."""
    match = _STORED_SECRET.search(interaction.url.partition("?")[0].rstrip("/"))
    if match is None:
        return "", ""
    is_update = match[1] is not None and interaction.method == "PUT"
    is_answer = match[2] is not None and interaction.response.status_code == HTTPStatus.OK
    return "all" if is_update else "values", "all" if is_answer else ""


def _address(value: str) -> str | None:
    if _MAC.fullmatch(value):
        new = placeholders.MAC
    else:
        try:
            version = ipaddress.ip_address(value).version
        except ValueError:
            return None
        new = placeholders.IPV4 if version == 4 else placeholders.IPV6  # noqa: PLR2004
    return None if value == new else new
