"""Replaces secrets, owners' ids and hosts in interactions; everything else stays as it was sent."""

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from pytest_imagedetail.body import compression
from pytest_imagedetail.body import xml as xmltext
from pytest_imagedetail.model import Headers, Interaction, Path
from pytest_imagedetail.redact import names, placeholders
from pytest_imagedetail.redact.decodings import decoded
from pytest_imagedetail.redact.known import Search, origin
from pytest_imagedetail.redact.learning import Learned

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

Place = tuple[str, Path]
"""A part of an interaction, "response.body", and the way to a value in its document."""

_URL: Final = re.compile(r"(?<![a-zA-Z0-9+.-])[a-zA-Z][a-zA-Z0-9+.-]*+://[^\s\"'<>\\]++")
_OPTION: Final = re.compile(r"(--[\w-]{2,64})(=|[ \t]+)(?!-)(\"[^\"]+\"|'[^']+'|[^\s\"'<>]+)")
_ASSIGNED: Final = re.compile(
    r"(?<![\w.-])(?P<name>[A-Za-z][\w.-]{1,63}+)"
    r"(?P<sign>\\*[\"']?[ \t]*+(?::?=(?!=)>?|:(?=[ \t]|\\*[\"']))[ \t]*+)"
    r"(?:[bBuU]?(?P<quote>\\*[\"'])(?P<quoted>(?:(?!(?P=quote))(?:\\.|[^\r\n]))+)"
    r"|(?P<bare>(?:[^\s\"'<>&;\\,]|,(?!\s|$|[\w.-]+=))+))"
)
_HEADER: Final = re.compile(
    rf"(?im)(?<![\w-])((?:{'|'.join(sorted(names.SECRET_HEADERS))})[ \t]*:[ \t]*)"
    r"([^\r\n\"'<>\\]+)"
)
_FORM: Final = re.compile(r"[\w.%+*\[\]~-]+=[^&\s]*(?:&[\w.%+*\[\]~-]+=[^&\s]*)*\s*")
_PART: Final = re.compile(r"(\r?\n\r?\n)")
_PART_NAME: Final = re.compile(r"(?<![\w*])name=(?:\"([^\"\r\n]+)\"|([^\s;\"]+))")
_SCALAR: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*')
_WORDS: Final = re.compile(r"([\s\"'<>(),;]+)")
_WIDE: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}  # their mark stays

_VERSION: Final = re.compile(r"v\d+(?:\.\d+)?")
_RESOURCES: Final = frozenset({"images", "servers", "flavors", "extensions", "limits", "volumes"})
_COLLECTIONS: Final = frozenset(
    {
        *("members", "quota-sets", "os-quota-sets", "quotas", "os-simple-tenant-usage"),
        *("projects", "users", "tenants", "trusts", "domains"),
    }
)


class _Object(list[tuple[str, Any]]):
    """The pairs of a JSON object, repeated keys included."""


class _Number(str):
    """A number of JSON as it is written."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of an interaction, and what it holds.

    Attributes:
        name: For example "response.body".
        search: Finds the known values that are in it.
        shapes: The shapes of secrets that are in it.
        is_encoded: Whether it holds a known value in an encoding.
        unchanged: Names and values that were looked at and stay; listings repeat them.
    """

    name: str
    search: Search
    shapes: Sequence[re.Pattern[str]]
    is_encoded: bool = False
    unchanged: set[tuple[str, str, bool]] = field(default_factory=set)


class Rewriter:
    """Replaces what is known, and what stands under a secret's or an owner's name.

    Attributes:
        counts: How many values of each kind were replaced.
        places: Kind and place of each value whose name or shape says that it must be replaced.
        learned: What stands under such names.
    """

    def __init__(self, search: Search, *, cloud: str, shapes: Sequence[re.Pattern[str]]) -> None:
        self.counts: Counter[str] = Counter()
        self.places: list[tuple[str, Place]] = []
        self.learned: Final = Learned()
        self._all: Final = search
        self._cloud: Final = cloud
        self._shapes: Final = shapes
        self._part = _Part(name="", search=search, shapes=shapes)

    def interaction(self, page: Interaction) -> Interaction:
        """Replace in every part of an interaction; headers that are not listed are dropped."""
        response = page.response
        allowed = RESPONSE_HEADERS | ({"content-length"} if page.is_bodiless else set())
        headers = self._headers("response.headers", response.headers, allowed)
        self.counts["headers"] += len(response.headers.fields) - len(headers.fields)
        return replace(
            page,
            url=self.request_url(page.url),
            request_headers=self._headers("request.headers", page.request_headers, REQUEST_HEADERS),
            request_body=self._body("request.body", page.request_body),
            response=replace(
                response,
                reason=self.text_of("response.reason", response.reason),
                headers=headers,
                body=self._body("response.body", response.body),
            ),
        )

    def request_url(self, url: str) -> str:
        """Replace in the URL of a request; clients send its user info in a header."""
        self._begin("request.uri", url)
        return self._url(url).replace(f"//{placeholders.SECRET_IN_URL}@", "//", 1)

    def query_value(self, name: str, value: str) -> str:
        """Replace in a decoded value of a request's query."""
        self._begin("request.uri", value)
        return self._query_value(name, value)

    def text_of(self, part: str, text: str) -> str:
        """Replace in a text that is a part of an interaction by itself."""
        self._begin(part, text)
        return self._text(text)

    def _begin(self, part: str, text: str) -> None:
        """Look what the next part holds: known values, those in an encoding, and shapes."""
        rest = self._all.replace(text, lambda _, new: new)
        data = rest.encode("utf-8", "surrogateescape")
        forms = [(form, view.decode("utf-8", "replace")) for form, view in decoded(data)]
        search = self._all.narrowed([text, *(view for _, view in forms)])
        views = {view for form, view in forms if "base64" not in form and "gzip" not in form}
        parsed = {"as written", "JSON-escaped"} if text[:1] in {"{", "["} else {"as written"}
        self._part = _Part(
            name=part,
            search=search,
            shapes=[each for each in self._shapes if any(each.search(view) for view in views)],
            is_encoded=any(_holds(view, search) for form, view in forms if form not in parsed),
        )

    def _headers(self, part: str, headers: Headers, allowed: frozenset[str] | set[str]) -> Headers:
        kept = []
        for name, value in headers.fields:
            lower = name.lower()
            if lower in allowed:
                new = self.text_of(part, value)
                kept.append((name, self._reference(new) if lower == "location" else new))
            else:
                self.learned.header(lower, value)
        return Headers(kept)

    def _reference(self, value: str) -> str:
        """Replace in a redirect, which may be a path."""
        if value.startswith("//"):
            return self._url(f"http:{value}").partition(":")[2]
        if "://" in value:
            return value
        path, mark, query = value.partition("?")
        return self._path(path) + mark + self._pairs(query)

    def _body(self, part: str, body: bytes) -> bytes:
        if not body:
            return body
        content = compression.unpacked(body)
        if content is not None:
            redacted = self._body(part, content)
            return body if redacted == content else compression.packed_like(body, redacted)
        for encoding in ("utf-8", _WIDE.get(body[:2], "latin-1"), "latin-1"):
            try:
                text = body.decode(encoding)
            except UnicodeDecodeError:
                continue
            self._begin(part, text)
            return self._document(text).encode(encoding, "xmlcharrefreplace")
        raise AssertionError  # Latin-1 has every byte

    def _document(self, text: str) -> str:
        """Replace in a document by the parser of its kind, or else in a text."""
        begins = text.lstrip("\ufeff \t\r\n")[:1]
        if begins in {"{", "["}:
            if (new := self._json(text)) is not None:
                return new
            self._part = replace(self._part, is_encoded=True)  # its escapes are not undone
        if begins == "<" and (elements := xmltext.attributes(text)) is not None:
            for each in elements:
                self.learned.link(each)
            return xmltext.replace_strings(text, lambda value, name: self._named(name or "", value))
        if text.startswith("--") and _PART_NAME.search(text):
            boundary = text.partition("\n")[0].rstrip("\r")
            return boundary.join(map(self._form_part, text.split(boundary)))
        is_base64 = text.rstrip().endswith("=") and "&" not in text
        if _FORM.fullmatch(text) and not is_base64:
            return self._pairs(text.rstrip()) + text[len(text.rstrip()) :]
        return self._text(text)

    def _form_part(self, part: str) -> str:
        head, *rest = _PART.split(part, maxsplit=1)
        name = _PART_NAME.search(head)
        if not rest or name is None:
            return part
        content = rest[1].rstrip("\r\n")
        new = self._named(name[1] or name[2], content)
        new = self._document(content) if new == content else new
        return head + rest[0] + new + rest[1][len(content) :]

    def _json(self, text: str, path: Path = ()) -> str | None:
        """Replace in a JSON document token by token; None if it is not one."""
        found: list[str | None] = []
        try:
            document = json.loads(
                text.removeprefix("\ufeff"),
                object_pairs_hook=_Object,
                parse_int=_Number,
                parse_float=_Number,
            )
            self._walk(document, "", "", path, found)
        except (ValueError, RecursionError):
            return None
        pieces, end = [], 0
        for match, new in zip(_SCALAR.finditer(text), found, strict=True):
            if new is not None:
                token = json.dumps(new, ensure_ascii="\\u" in match[0])
                pieces += [text[end : match.start()], token]
                end = match.end()
        return "".join([*pieces, text[end:]])

    def _walk(
        self, value: list[Any], name: str, under: str, path: Path, found: list[str | None]
    ) -> None:
        """Append the replacement of every string and number of a document, in its order.

        Args:
            value: An object or an array.
            name: The name it stands under.
            under: Which values in it are secret for that: "all", those that are "held" under a
                name that says nothing (`value`, `id`), or "" for none.
            path: The way to it.
            found: Where to append; None for a value that stays.
        """
        if not isinstance(value, _Object):
            for place, each in enumerate(value):
                if isinstance(each, list):
                    self._walk(each, name, under, (*path, place), found)
                elif isinstance(each, str):
                    found.append(self._replacement(name, each, (*path, place), secret=bool(under)))
            return
        beside = _names_a_secret(value)
        is_login = any(names.is_in(key, names.LOGINS) for key, _ in value)
        self.learned.link(dict(value))
        for key, each in value:
            found.append(self._replacement("", key, path, secret=False))
            secret = names.names_secret(key) or (
                (under == "all" and not names.is_in(key, names.ABOUT))
                or (under == "held" and names.is_in(key, names.HOLDING))
                or (beside and names.is_in(key, names.BESIDE))
                or (is_login and key == "key")
            )
            own = name if key == "id" and names.names_owner(name) else key
            if isinstance(each, list):
                everything = names.names_password(key) or under == "all"
                below = ("all" if everything else "held") if secret else ""
                self._walk(each, own, below, (*path, key), found)
            elif isinstance(each, str):
                found.append(self._replacement(own, each, (*path, key), secret=secret))

    def _replacement(self, name: str, value: str, path: Path, *, secret: bool) -> str | None:
        known = name, value, secret
        if known in self._part.unchanged:
            return None
        is_plain = isinstance(value, _Number) and not (secret or names.always_names_owner(name))
        new = value if is_plain else self._value(name, value, path, secret=secret)
        if new != value:
            return new
        self._part.unchanged.add(known)
        return None

    def _named(self, name: str, value: str) -> str:
        return self._value(name, value, (name,), secret=names.names_secret(name))

    def _value(self, name: str, value: str, path: Path, *, secret: bool) -> str:
        """Replace in one value by the name it stands under."""
        if names.names_owner(name) and self._is_owner(name, value):
            return self._owner(value)
        if secret and self._is_secret(value):
            return self._secret(value, path)
        if names.names_address(name) and (new := _address(value)) is not None:
            return self._noted("addresses", new, path)
        if value[:1] in {"{", "["} and (document := self._json(value, path)) is not None:
            return document
        return self._text(value, path)

    def _is_owner(self, name: str, value: str) -> bool:
        if placeholders.is_owner_placeholder(value) or value.lower() in {"", "none", "null"}:
            return False
        return placeholders.is_id(value) or names.always_names_owner(name)

    def _owner(self, value: str) -> str:
        self.learned.owners.add(value)
        self.counts["ids"] += 1
        return self._all.owner(value)

    def _is_secret(self, value: str) -> bool:
        bare = value.strip()
        replaced = placeholders.is_fixed(bare) or placeholders.is_owner_placeholder(bare)
        return not (replaced or names.is_harmless(bare))

    def _secret(self, value: str, path: Path = ()) -> str:
        self.learned.secret(value)
        return self._noted("secrets", placeholders.SECRET, path)

    def _noted(self, kind: str, new: str, path: Path = ()) -> str:
        self.places.append((kind, (self._part.name, path)))
        return self._count(kind, new)

    def _text(self, text: str, path: Path = ()) -> str:
        """Replace in free text: URLs, what is assigned to a secret's name, shapes, known values."""
        if "://" in text:
            if _URL.fullmatch(text):
                return self._url(text)
            text = _URL.sub(lambda match: self._url(match[0]), text)
        elif text[:2] == "/v" and _VERSION.fullmatch(text.split("/")[1]):
            return self._reference(text)
        return self._plain(text, path)

    def _plain(self, text: str, path: Path = ()) -> str:
        """Replace in a text that holds no URL."""
        if self._part.shapes:
            text = self._without_shapes(text, path)
        if "=" in text or ":" in text:
            text = _HEADER.sub(lambda match: self._field(match, path), text)
            text = _ASSIGNED.sub(lambda match: self._named_in_text(match, path), text)
        if "--" in text:
            text = _OPTION.sub(lambda match: self._option(match, path), text)
        return self._known(text)

    def _without_shapes(self, text: str, path: Path = ()) -> str:
        for shape in self._part.shapes:
            text = shape.sub(lambda match: self._shape(match[0], path), text)
        return text

    def _shape(self, found: str, path: Path) -> str:
        if "@" in found or "%40" in found:
            return self._noted("people", placeholders.EMAIL, path)
        return self._noted("secrets", placeholders.SECRET, path)

    def _named_in_text(self, match: re.Match[str], path: Path) -> str:
        name, value = match["name"], match["quoted"] or match["bare"]
        if names.names_owner(name) and placeholders.is_id(value) and self._is_owner(name, value):
            return match[0][: -len(value)] + self._owner(value)
        is_prose = ":" in match["sign"] and match["bare"] and value.isalpha()
        if is_prose or not names.names_secret(name):
            return match[0]
        return self._assigned(match, value, path)

    def _field(self, match: re.Match[str], path: Path) -> str:
        """Replace the value of a header line, unless it is prose: `cookie: see the docs`."""
        words = match[2].replace(",", " ").split()
        is_prose = all(each.isalpha() and (each.islower() or each.istitle()) for each in words)
        return match[0] if is_prose else self._assigned(match, match[2], path)

    def _option(self, match: re.Match[str], path: Path) -> str:
        option, sign, quoted = match.groups()
        value = quoted.strip("\"'")
        if not names.names_secret(option) or not self._is_secret(value):
            return match[0]
        return option + sign + quoted.replace(value, self._secret(value, path))

    def _assigned(self, match: re.Match[str], value: str, path: Path) -> str:
        if not self._is_secret(value):
            return match[0]
        return match[0][: -len(value)] + self._secret(value, path)

    def _known(self, text: str) -> str:
        """Replace known values: as they are written, or else each word that encodes one."""
        text = self._part.search.replace(text, self._count)
        if not self._part.is_encoded or not self._holds(text):
            return text
        words = [
            self._count("secrets", placeholders.SECRET) if self._holds(each) else each
            for each in _WORDS.split(text)
        ]
        text = "".join(words)
        return self._count("secrets", placeholders.SECRET) if self._holds(text) else text

    def _count(self, kind: str, new: str) -> str:
        self.counts[kind] += 1
        return new

    def _holds(self, text: str) -> bool:
        """Return whether a known value or the shape of a secret is in any decoding of a text."""
        views = decoded(text.encode("utf-8", "surrogateescape"))
        return any(_holds(view.decode("utf-8", "replace"), self._part.search) for _, view in views)

    def _url(self, url: str) -> str:
        """Replace user info, host, owners and secrets of a URL; the rest stays as it is."""
        whole, url = url, url.rstrip(").,;")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:  # not one host: a list of them, or a bracket that is not closed
            return self._plain(re.sub(r"//[^/@]*@", f"//{placeholders.SECRET_IN_URL}@", whole))
        user = ""
        if "@" in parts.netloc:
            user = f"{placeholders.SECRET_IN_URL}@"
            for each in parts.netloc.rpartition("@")[0].split(":", 1)[1:]:
                self._secret(unquote(each))
        own = origin(url) in self._all.origins or placeholders.is_placeholder_host(parts.netloc)
        rest, has_fragment, fragment = url.partition("//")[2][len(parts.netloc) :].partition("#")
        path, has_query, query = rest.partition("?")
        rest = self._path(path, own=own) + has_query + self._pairs(query)
        rest += has_fragment + self._pairs(fragment)
        if names.WEBHOOK.match(url):
            rest = "/" + self._in_url(parts.path)
        front = self._origin(url, parts.scheme, parts.hostname or "", port)
        return f"{front.replace('://', f'://{user}', 1)}{rest}{whole[len(url) :]}"

    def _origin(self, url: str, scheme: str, hostname: str, port: int | None) -> str:
        """Replace an origin of the cloud's own as a whole, and of any other its host."""
        if not hostname or placeholders.is_placeholder_host(hostname):
            return f"{scheme}://{urlsplit(url).netloc.rpartition('@')[2]}"  # in its own case
        role = self._all.origins.get(origin(url))
        if role is not None:
            return "https://" + self._count("hosts", placeholders.host(role, self._cloud))
        role = self._all.services.get(hostname)
        new = placeholders.host(role, self._cloud) if role else placeholders.foreign_host(hostname)
        return f"{scheme}://{self._count('hosts', new)}" + (f":{port}" if port is not None else "")

    def _path(self, path: str, *, own: bool = True) -> str:
        """Replace in a path; only on the cloud's own hosts is a name before `images` a project."""
        segments = path.split("/")
        around = zip(["", *segments], segments, [*segments[1:], ""], strict=False)
        return "/".join([self._segment(*each, own=own) for each in around])

    def _segment(self, before: str, segment: str, after: str, *, own: bool) -> str:
        """Replace one segment of a path, by those before and after it."""
        bare = segment.removeprefix("AUTH_").removeprefix("KEY_")
        is_versioned = _VERSION.fullmatch(before) is not None
        is_above = after in _RESOURCES or after.startswith("os-")
        is_project = segment not in _RESOURCES and (is_versioned or is_above)
        is_known = own or bare != segment  # AUTH_<project>: elsewhere it may be a checksum
        if placeholders.is_id(bare) and ((is_project and is_known) or before in _COLLECTIONS):
            owner = placeholders.is_owner_placeholder(bare)
            return segment if owner else segment[: -len(bare)] + self._owner(bare)
        if is_project and segment == self._all.project:
            return self._owner(segment)
        if own and is_versioned and is_above and is_project and segment != placeholders.OWNER:
            return self._owner(segment)
        name, sign, value = segment.partition("=")
        if sign and ";" in name and names.names_secret_in_query(name.rpartition(";")[2]):
            return name + sign + self._in_url(value)
        return self._decoded(segment)

    def _pairs(self, text: str) -> str:
        """Replace in the pairs of a query, of a fragment or of a form."""
        return "&".join(map(self._pair, text.split("&"))) if text else text

    def _pair(self, pair: str) -> str:
        name, sign, value = pair.partition("=")
        if not sign:
            return self._decoded(pair)
        text = unquote_plus(value, errors="surrogateescape")
        new = self._query_value(unquote_plus(name, errors="replace"), text)
        named = self._decoded(name)
        return f"{named}={value if new == text else quote(new, safe='', errors='surrogateescape')}"

    def _query_value(self, name: str, value: str) -> str:
        if names.names_owner(name) and placeholders.is_id(value) and self._is_owner(name, value):
            return self._owner(value)
        if names.names_secret_in_query(name) and self._is_secret(value):
            return self._in_url(value)
        if value[:1] in {"{", "["} and (document := self._json(value)) is not None:
            return document
        return self._text(value).replace(placeholders.SECRET, placeholders.SECRET_IN_URL)

    def _in_url(self, value: str) -> str:
        self._secret(unquote(value))
        return placeholders.SECRET_IN_URL

    def _decoded(self, text: str) -> str:
        """Replace known values and shapes in a part of a URL that may be percent-encoded."""
        plain = unquote(text, errors="surrogateescape")
        new = self._known(self._without_shapes(plain))
        if new == plain:
            return text
        new = new.replace(placeholders.SECRET, placeholders.SECRET_IN_URL)
        return quote(new, safe="@:+", errors="surrogateescape")


def _holds(text: str, search: Search) -> bool:
    if next(search.found(text), None) is not None:
        return True
    return any(shape.search(text) for shape in names.SHAPES.values())


def project_in_path(path: str) -> str | None:
    """Return the project of a versioned path of Compute, `/v2/PROJECT/images/...`; None without."""
    segments = path.split("/")
    for version, project, resource in zip(segments, segments[1:], segments[2:], strict=False):
        if _VERSION.fullmatch(version) and resource in _RESOURCES and project not in _RESOURCES:
            return project
    return None


def _names_a_secret(pairs: _Object) -> bool:
    """Return whether an object names a secret beside its value: `{"name": "password", ...}`."""
    for key, value in pairs:
        if names.is_in(key, names.NAMING) and isinstance(value, str) and names.names_secret(value):
            return True
    return False


def _address(value: str) -> str | None:
    """Return what replaces a network address; None if a value is not one, or replaced already."""
    if re.fullmatch(r"(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}", value):
        new = placeholders.MAC
    else:
        try:
            version = ipaddress.ip_address(value).version
        except ValueError:
            return None
        new = placeholders.IPV4 if version == 4 else placeholders.IPV6  # noqa: PLR2004
    return None if value == new else new
