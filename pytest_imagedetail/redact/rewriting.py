"""Replace secrets, owners' ids and hosts in interactions; keep everything else as sent."""

import html
import ipaddress
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from itertools import filterfalse
from typing import Any, Final
from urllib.parse import quote, unquote, unquote_plus

from pytest_imagedetail.body import compression
from pytest_imagedetail.body import json as jsontext
from pytest_imagedetail.body import xml as xmltext
from pytest_imagedetail.model import Headers, Interaction, Path
from pytest_imagedetail.redact import names, placeholders
from pytest_imagedetail.redact.decodings import decoded
from pytest_imagedetail.redact.final_check import found_in
from pytest_imagedetail.redact.known import Learned, Search, origin

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
_SCHEME: Final = r"[a-zA-Z][a-zA-Z0-9+.-]*+://"
_URL: Final = re.compile(  # ends where another URL begins, except in a query
    r"(?P<namespace>\b(?:xmlns(?::[\w.-]+)?|schemaLocation)=[\"'][^\"'<>@]*)"
    rf"|(?<![a-zA-Z0-9+.-]){_SCHEME}(?:(?!(?a:[^\w=?#&:@%.~+-]){_SCHEME})[^\s\"'<>\\])++"
)
_NETLOC: Final = re.compile(  # a password may contain characters that end a host
    r"[^/?#:@\[]*:(?!\d*(?:[/?#,]|\Z))[^@\s]*@[^/?#]*|[^/?#]*"
)
_NO_HOST: Final = re.compile(r"[(){}$]|\A\[(?!.*\]\Z)")  # `{host}`, `$HOST`
_PORT: Final = re.compile(r":[^:\]]*\Z")
_HEADER: Final = re.compile(  # its value may have several words
    r"(?i)(?a:(?<![\w-]))((?:proxy-)?authorization|(?:set-)?cookie2?|openstack-auth-receipt"
    r"|x-[\w-]+-(?:token|key))[ \t]*:[ \t]*"
)
_HEADER_VALUE: Final = re.compile(  # up to a quoted assignment: `OAuth oauth_token="..."`
    r"(?:(?!(?<![\w.-])[A-Za-z][\w.-]{1,63}+[ \t]*+[:=][ \t]*+\\*[\"'])[^\r\n\"'<>\\])+"
)
_TRAILING: Final = (")", ".", ",", ";")  # may follow a URL in text
_OPTION: Final = re.compile(r"(--[\w-]{2,64})(?:=|[ \t]+)(?!-)")
_OPTION_VALUE: Final = re.compile(r"\"([^\"]++)(?=\")|'([^']++)(?=')|[^\s\"'<>]+")
_ASSIGNED: Final = re.compile(
    r"(?a:(?<![\w.-]))([A-Za-z][\w.-]{1,63}+)"
    r"\\*[\"']?[ \t]*+(?::?=(?!=)>?|:(?=[ \t]|\\*[\"']))[ \t]*+(?:[\[(][ \t]*+)?"
)
_VALUE: Final = re.compile(
    r"[bBuU]?(?P<quote>\\*[\"'])((?:(?!(?P=quote))(?:\\.|[^\r\n]))+)"
    rf"|(?P<bare>(?!{placeholders.SECRET_IN_URL}[/?#]|\{{(?:[{{%]?(?:\s|\Z)|[\w\"']+:))"
    rf"(?:(?i:basic|bearer)[ \t]+)?"
    rf"(?:[^\s\"'<>&;\\,]|,(?!\s|$|[\w.-]+=|{_SCHEME})|&(?!\s|$|[\w.%+-]+[=;]))+)"
)
_OWNED: Final = re.compile(r"(?:\\*[\"'])?([0-9a-fA-F-]{32,}+)(?![^\s\"'<>&;\\,])")
_FORM: Final = re.compile(r"[\w.%+*\[\]~-]+=[^&\s]*(?:&[\w.%+*\[\]~-]+=[^&\s]*)*\s*")
_TAG: Final = re.compile(r"<[a-zA-Z](?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+>")
_ATTRIBUTE: Final = re.compile(
    r"(?<![\w:.-])(?P<name>[\w:.-]++)\s*+=\s*+(?P<mark>[\"']?)"
    r"(?P<value>(?:(?<=\")[^\"]+|(?<=')[^']+|[^\s\"'<>=]+))(?P=mark)"
)
_ELEMENT: Final = re.compile(  # up to the next tag, or the end of truncated text
    r"(?P<tag><(?:[\w.-]{1,64}:)?(?P<name>[\w.-]{1,64})"
    r"(?:\s+key=[\"'](?P<key>[^\"'<>]*+)[^<>]*|\s[^<>]*)?>)(?P<value>[^<>]+)"
)
_PART: Final = re.compile(r"(\r?\n\r?\n)")
_PART_NAME: Final = re.compile(r"(?<![\w*])name=(?:\"([^\"\r\n]+)\"|([^\s;\"]+))")
_STORED_SECRET: Final = re.compile(r"/v1/secrets(/[^/]+(/payload)?)?$")
_WORDS: Final = re.compile(r"([\s\"'<>(),;]+)")
_WIDE: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}  # the byte order mark stays

_DEEPEST: Final = 8  # URLs in queries of URLs
_VERSION: Final = re.compile(r"v\d+(?:\.\d+)?")
_RESOURCE: Final = re.compile(  # a collection of Compute, never a project
    "images|servers|flavors|extensions|limits|volumes|schemas|os-.*"
)
_COLLECTIONS: Final = frozenset(
    {
        *("members", "quota-sets", "os-quota-sets", "quotas", "os-simple-tenant-usage"),
        *("projects", "users", "tenants", "trusts", "domains"),
    }
)


class Rewriter:
    """Replace known values, and values with the name of a secret or an owner."""

    def __init__(self, search: Search, *, shapes: Sequence[re.Pattern[str]]) -> None:
        self.notes: Final[list[tuple[str, int, str, Path]]] = []  # kind, number, part, path
        self.learned: Final = Learned()  # values with such names
        self._search: Final = search
        self._all_shapes: Final = shapes
        self._shapes = shapes  # those in the current part
        self._is_encoded = False  # whether the part holds an encoded known value
        self._part = 0, ""  # number of the interaction; for example "response.body"
        self._path: Path = ()
        self._unchanged: set[tuple[str, str, str]] = set()  # name ("/" in a path), value, `under`
        self._depth = 0

    def interaction(self, number: int, page: Interaction) -> Interaction:
        """Redact every part of an interaction; drop headers that are not listed."""
        self._part = number, ""
        response = page.response
        allowed = RESPONSE_HEADERS | ({"content-length"} if page.is_bodiless else set())
        self._begin("request.uri", page.url)
        url = self._url(page.url)
        self._begin("response.reason", response.reason)
        reason = self._text(response.reason)
        sent, received = _stored_secret(page)
        return replace(
            page,
            url=url.replace(_HIDDEN_USER, "//"),  # clients send user info in a header
            request_headers=self._headers("request", page.request_headers, REQUEST_HEADERS),
            request_body=self._body("request.body", page.request_body, sent),
            response=replace(
                response,
                reason=reason,
                headers=self._headers("response", response.headers, allowed),
                body=self._body("response.body", response.body, received),
            ),
        )

    def query_value(self, name: str, value: str) -> str:
        """Redact a decoded value of a request's query."""
        self._begin("request.uri", value)
        return self._query_value(name, value)

    # --- the parts of an interaction

    def _begin(self, part: str, text: str, *path: str) -> None:
        """Start a part: find its shapes, and whether it holds encoded known values."""
        rest = self._search.replace(text).encode("utf-8", "surrogateescape")
        _, *encoded = views = list(decoded(rest))
        texts = [view for _, view in views]
        self._shapes = [each for each in self._all_shapes if any(map(each.search, texts))]
        self._is_encoded = any(found_in(encoded, self._search))
        self._part, self._path = (self._part[0], part), path
        self._unchanged = set()

    def _headers(self, message: str, headers: Headers, allowed: Collection[str]) -> Headers:
        kept = []
        for name, value in headers.fields:
            lower = name.lower()
            if lower in allowed:
                self._begin(f"{message}.headers", value, name)
                new = self._text(value)
                kept.append((name, self._reference(new) if lower == "location" else new))
            else:
                self.learned.header(lower, value)
                self.notes.append(("headers", self._part[0], f"{message}.headers", (name,)))
        return Headers(kept)

    def _body(self, part: str, body: bytes, under: str) -> bytes:
        if not body:
            return body
        content = compression.unpacked(body)
        if content is not None:
            redacted = self._body(part, content, under)
            return body if redacted == content else compression.packed_like(body, redacted)
        for encoding in ("utf-8", _WIDE.get(body[:2], "latin-1"), "latin-1"):
            with suppress(UnicodeDecodeError):
                text = body.decode(encoding)
                break
        self._begin(part, text)
        return self._document(text, under).encode(encoding, "xmlcharrefreplace")

    # --- documents

    def _document(self, text: str, under: str = "") -> str:
        if under == "all":
            return self._value("", text, secret=True)
        begins = text.lstrip("\ufeff \t\r\n")[:1]
        if begins in {"{", "["} and (new := self._json(text, under)) is not None:
            return new
        if begins == "<":
            new = xmltext.replace_strings(text, self._named, self._beside)
            if new is not None:
                return new
            text = self._markup(text)
        elif "{" in text:
            text = "\n".join(map(self._line, text.split("\n")))
        if text.startswith("--") and _PART_NAME.search(text):
            boundary = text.partition("\n")[0].rstrip("\r")
            return boundary.join(map(self._form_part, text.split(boundary)))
        is_base64 = text.rstrip().endswith("=") and "&" not in text
        if _FORM.fullmatch(text) and not is_base64 and placeholders.SECRET not in text:
            return self._pairs(text.rstrip()) + text[len(text.rstrip()) :]
        return self._text(text)

    def _markup(self, text: str) -> str:
        return _ELEMENT.sub(self._element, _TAG.sub(self._tag, text))

    def _tag(self, tag: re.Match[str]) -> str:
        """Redact the attributes of a tag in a page that is not XML, as in a login form."""
        found = [(each, html.unescape(each["value"])) for each in _ATTRIBUTE.finditer(tag[0])]
        beside = self._beside([(each["name"].rpartition(":")[2], value) for each, value in found])
        new, end = "", 0
        for each, value in found:
            prefix, _, name = each["name"].rpartition(":")
            named = self._named(value, prefix if prefix == "xmlns" else beside.get(name, name))
            new += tag[0][end : each.start("value")]
            new += each["value"] if named == value else html.escape(named)
            end = each.end("value")
        return new + tag[0][end:]

    def _element(self, element: re.Match[str]) -> str:
        """Redact the text of an element, by its name or key, in markup that is not valid XML."""
        value = html.unescape(element["value"])
        new = self._named(value, element["key"] or element["name"])
        return element[0] if new == value else element["tag"] + html.escape(new)

    def _form_part(self, part: str) -> str:
        head, *rest = _PART.split(part, maxsplit=1)
        name = _PART_NAME.search(head)
        if not rest or name is None:
            return part
        content = rest[1].rstrip("\r\n")
        key = name[1] or name[2]
        self._path = (key,)
        new = self._value(key, content, secret=names.holds_secret_in_query(key, content))
        new = self._document(content) if new == content else new
        return head + rest[0] + new + rest[1][len(content) :]

    def _line(self, line: str) -> str:
        """Redact the JSON in a line, as in JSONP, events and JSON lines."""
        start, end = line.find("{"), line.rfind("}") + 1
        new = self._json(line[start:end]) if 0 <= start < end else None
        return line if new is None else line[:start] + new + line[end:]

    def _json(self, text: str, under: str = "") -> str | None:
        path = self._path
        return jsontext.replace_scalars(text, lambda found: self._scalars(found, "", under, path))

    def _scalars(self, value: Any, name: str, under: str, path: Path) -> list[str | None]:
        """Return the replacement for each key, string and number; for `under` see `secret_keys`."""
        if isinstance(value, str):
            return [self._scalar(name, value, path, under)]
        found: list[str | None] = []
        if isinstance(value, jsontext.Pairs):
            self.learned.link(dict(value))
            beside = names.names_beside(value)
            below = names.secret_keys(value, under, beside)
            for key, each in value:
                new = None if ("", key, "") in self._unchanged else self._scalar("", key, path, "")
                own = name if key == "id" and names.names_owner(name) else beside.get(key, key)
                here, its = (*path, key if new is None else new), below.get(key, "")
                found.append(new)
                if isinstance(each, str):
                    found.append(self._scalar(own, each, here, its))
                else:
                    found += self._scalars(each, own, its, here)
        elif isinstance(value, list):
            for place, each in enumerate(value):
                is_record = under in {"mapped", "own"} and isinstance(each, list) and len(each) > 1
                its = names.below(name, is_record=True) if is_record else under
                option = value[place - 1] if place and isinstance(each, str) else None
                if isinstance(option, str) and option[:2] == "--" and each[:1] != "-":
                    its = "held" if names.holds_secret(option, each) else its
                found += self._scalars(each, name, its, (*path, place))
        return found

    def _scalar(self, name: str, value: str, path: Path, under: str) -> str | None:
        if (name, value, under) in self._unchanged:
            return None
        is_named = under or names.is_in(name, names.ALWAYS_OWNERS)
        if isinstance(value, jsontext.Number) and not is_named:
            return None
        self._path = path
        new = self._value(name, value, secret=bool(under))
        if new != value:
            return new
        self._unchanged.add((name, value, under))
        return None

    def _beside(self, pairs: Sequence[tuple[str, str]], own: str = "") -> dict[str, str]:
        self.learned.link(dict(pairs))
        under = names.below(own) if names.names_secret(own) else ""
        others = [each for each in pairs if not under or each != ("key", own)]  # it names itself
        below = filterfalse(names.names_secret, names.secret_keys(others, under, {}))
        return dict.fromkeys(below, "secret") | names.names_beside(pairs)

    def _named(self, value: str, name: str) -> str:
        self._path = (name,) if name else ()
        return self._value(name, value, secret=names.holds_secret(name, value))

    def _value(self, name: str, value: str, *, secret: bool) -> str:
        is_owner = names.names_owner(name) and (
            placeholders.is_id(value) or names.is_in(name, names.ALWAYS_OWNERS)
        )
        new = self._replacement(value, owner=is_owner, secret=secret)
        if new is None and names.names_address(name) and (new := _address(value)) is not None:
            self._noted("addresses", new)
        if new is None and value[:1] in {"{", "["}:
            new = self._json(value)
        if new is None and names.is_in(name, names.IDENTIFIERS) and "@" not in value:
            return self._plain(value)
        if new is None and ("</" in value or "/>" in value):
            value = self._markup(value)
        return self._text(value) if new is None else new

    def _replacement(self, value: str, *, owner: bool, secret: bool) -> str | None:
        if not (owner or secret):
            return None
        bare = value.strip()
        if placeholders.is_fixed(bare) or placeholders.is_owner_placeholder(bare):
            return None
        if owner and bare.lower() not in {"", "none", "null"}:
            self.learned.owners.add(value)
            return self._noted("ids", self._search.owner(value))
        if secret and not names.is_harmless(bare):
            self.learned.secret(value)
            return self._noted("secrets", placeholders.SECRET)
        return None

    def _noted(self, kind: str, new: str, _: object = None) -> str:
        self.notes.append((kind, *self._part, self._path))
        return new

    # --- texts

    def _text(self, text: str) -> str:
        """Redact free text: URLs, values assigned to secrets' names, shapes, known values."""
        if "://" in text:
            if _URL.fullmatch(text):
                return self._url(text)
            text = _URL.sub(lambda match: match["namespace"] or self._url(match[0]), text)
        elif text[:2] == "/v" and _VERSION.fullmatch(text.split("/")[1]):
            return self._target(text)
        return self._plain(text)

    def _plain(self, text: str) -> str:
        if self._shapes:
            text = self._without_shapes(text)
        if "=" in text or ":" in text:
            text = self._assigned(text, _HEADER, _HEADER_VALUE)
            text = self._assigned(text, _ASSIGNED, _VALUE)
        if "--" in text:
            text = self._assigned(text, _OPTION, _OPTION_VALUE)
        return self._known(text)

    def _without_shapes(self, text: str) -> str:
        for shape in self._shapes:
            if shape is names.EMAIL:
                text = shape.sub(partial(self._noted, "people", placeholders.EMAIL), text)
            else:
                text = shape.sub(self._redacted_shape, text)
        return text

    def _redacted_shape(self, match: re.Match[str]) -> str:
        return self._replacement(match[0], owner=False, secret=True) or match[0]

    def _assigned(self, text: str, heads: re.Pattern[str], values: re.Pattern[str]) -> str:
        """Redact assigned values; an ordinary name's value may hold further assignments."""
        pieces, end = [], 0
        for head in heads.finditer(text):
            is_secret, is_owner = names.names_secret(head[1]), names.names_owner(head[1])
            if head.start() < end or not (is_secret or is_owner):
                continue
            if match := (values if is_secret else _OWNED).match(text, head.end()):
                value = match[match.lastindex or 0]
                is_secret = names.holds_secret(head[1], value) and not _is_prose(head, match)
                is_owner = is_owner and placeholders.is_id(value)
                new = self._replacement(value, owner=is_owner, secret=is_secret)
                pieces += [text[end : match.end() - len(value)], value if new is None else new]
                end = match.end()
        return "".join([*pieces, text[end:]])

    def _known(self, text: str) -> str:
        """Replace known values as written, or else each word that encodes one."""
        text = self._search.replace(text, self._noted)
        if self._is_encoded and self._holds(text):
            text = "".join(map(self._encoded, _WORDS.split(text)))
            text = self._encoded(text)
        return text

    def _encoded(self, text: str) -> str:
        return self._noted("secrets", placeholders.SECRET) if self._holds(text) else text

    def _holds(self, text: str) -> bool:
        """Return whether any decoding of a text holds a known value or a shape."""
        views = decoded(text.encode("utf-8", "surrogateescape"))
        return any(found_in(views, self._search))

    # --- URLs

    def _reference(self, value: str) -> str:
        """Redact a redirect's target, which may lack the scheme or be a path."""
        if value.startswith("//"):
            return self._url(f"http:{value}").partition(":")[2]
        return value if "://" in value else self._target(value)

    def _url(self, url: str) -> str:
        whole, url = url, url.rstrip("".join(_TRAILING))
        scheme, _, rest = url.partition("://")
        match = _NETLOC.match(rest)
        netloc = match[0] if match else ""
        target = rest[len(netloc) :]
        user, at, hosts = netloc.rpartition("@")
        own = self._search.origins.get(origin(url))
        host = _PORT.sub("", hosts).lower()  # the cloud's own on any port
        is_own = host.strip("[]") in self._search.services or placeholders.role_of(host) is not None
        if at:
            user = self._in_url(user, user.partition(":")[2])
        if own is not None:
            scheme, hosts = "https", self._noted("hosts", own)
        else:
            hosts = ",".join(map(self._host, hosts.split(",")))
        if names.WEBHOOK.match(url):
            target = "/" + self._in_url(target, target)
        else:
            target = self._target(target, own=is_own)
        new = f"{scheme}://{user}{at}{hosts}{target}{whole[len(url) :]}"
        return new if whole == url else self._known(new)  # a known value may end in punctuation

    def _host(self, place: str) -> str:
        host = _PORT.sub("", place)
        bare = host.strip("[]").lower()
        is_other = _NO_HOST.search(host) is not None and self._decoded(place) == place
        if not bare or is_other or placeholders.is_placeholder_host(bare):
            return place
        new = self._search.services.get(bare) or placeholders.foreign_host(bare)
        return self._noted("hosts", new) + self._known(place[len(host) :])

    def _in_url(self, text: str, secret: str) -> str:
        if text != placeholders.SECRET_IN_URL:
            self.learned.secret(unquote(secret))
            self._noted("secrets", placeholders.SECRET_IN_URL)
        return placeholders.SECRET_IN_URL

    def _target(self, target: str, *, own: bool = True) -> str:
        """Redact path, query and fragment; on `own` hosts, a name before `images` is a project."""
        target, has_fragment, fragment = target.partition("#")
        path, has_query, query = target.partition("?")
        segments = path.split("/")
        around = zip(["", *segments], segments, [*segments[1:], ""], strict=False)
        has_version = any(map(_VERSION.fullmatch, segments))
        path = "/".join([self._segment(*each, has_version=has_version, own=own) for each in around])
        return path + has_query + self._pairs(query) + has_fragment + self._pairs(fragment)

    def _segment(
        self, before: str, segment: str, after: str, *, has_version: bool, own: bool
    ) -> str:
        """Redact a segment: a project follows the version or, without one, precedes a resource."""
        is_versioned = _VERSION.fullmatch(before) is not None
        is_above = bool(_RESOURCE.fullmatch(after)) and not _RESOURCE.fullmatch(before)
        is_place = is_versioned or (is_above and not has_version)
        is_project = is_place and not _RESOURCE.fullmatch(segment)
        if is_project or before in _COLLECTIONS:
            bare = segment.removeprefix("AUTH_").removeprefix("KEY_")
            is_own = segment == self._search.project
            if placeholders.is_id(bare):  # on another host it may be a checksum
                is_owner = own or is_own or bare != segment or before in _COLLECTIONS
            else:
                bare = segment
                is_named = is_above and (is_versioned or segment.isdigit())
                is_owner = is_project and (is_own or (own and is_named))
            if is_owner:
                new = self._replacement(bare, owner=True, secret=False)
                return segment if new is None else segment.removesuffix(bare) + new
        name, sign, value = segment.partition("=")
        if value and ";" in name and names.holds_secret_in_query(name.rpartition(";")[2], value):
            return name + sign + self._in_url(value, value)
        if ("/", segment, "") in self._unchanged:
            return segment
        new = self._decoded(segment)
        if new == segment:
            self._unchanged.add(("/", segment, ""))
        return new

    def _pairs(self, text: str) -> str:
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
        is_owner = placeholders.is_id(value) and names.names_owner(name)
        secret = names.holds_secret_in_query(name, value)
        new = self._replacement(value, owner=is_owner, secret=secret)
        if new is not None:
            return new.replace(placeholders.SECRET, placeholders.SECRET_IN_URL)
        if value[:1] in {"{", "["} and (document := self._json(value)) is not None:
            return document
        new = self._nested(value)
        inner = unquote(new, errors="surrogateescape")
        if new != inner and (text := self._nested(inner)) != inner:
            return quote(text, safe="", errors="surrogateescape")
        return new

    def _nested(self, value: str) -> str:
        self._depth += 1
        new = self._text(value) if self._depth <= _DEEPEST else self._plain(value)
        self._depth -= 1
        return new.replace(placeholders.SECRET, placeholders.SECRET_IN_URL)

    def _decoded(self, text: str) -> str:
        plain = unquote(text, errors="surrogateescape")
        new = self._known(self._without_shapes(plain))
        if new == plain:
            return text
        new = new.replace(placeholders.SECRET, placeholders.SECRET_IN_URL)
        return quote(new, safe="@:+", errors="surrogateescape")


def _stored_secret(page: Interaction) -> tuple[str, str]:
    """Return what is secret in a request and in its response: Barbican's payloads."""
    match = _STORED_SECRET.search(page.url.partition("?")[0].rstrip("/"))
    if match is None:
        return "", ""
    is_update = match[1] is not None and page.method == "PUT"
    is_answer = match[2] is not None and page.response.status_code == HTTPStatus.OK
    return "all" if is_update else "held", "all" if is_answer else ""


def project_in_path(path: str) -> str | None:
    """Return the project in a versioned Compute path, `/v2/PROJECT/images/...`, or None."""
    segments = path.split("/")
    for version, project, resource in zip(segments, segments[1:], segments[2:], strict=False):
        is_above = _RESOURCE.fullmatch(resource) and not _RESOURCE.fullmatch(project)
        if is_above and _VERSION.fullmatch(version):
            return project
    return None


def _is_prose(head: re.Match[str], match: re.Match[str]) -> bool:
    """Return whether what follows a name is a sentence: `cookie: see the docs`."""
    if head.re is _OPTION:
        return match[0] in names.PROSE and not head[0].endswith("=")
    if head.re is _HEADER:
        words = re.split(r"[\s.,:;)]+", match[0].rstrip(" .,:;)"))
        return all(each.isalpha() and (each.islower() or each.istitle()) for each in words)
    is_bare = match.lastgroup == "bare" and ":" in head[0]
    return is_bare and match[0].rstrip(".)").replace(" ", "").isalpha()


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
