"""Finds in traffic itself what must not be written: its tokens, passwords and ids.

A recording of a test's own client has no session that could say what is secret; the requests and
Keystone's answers say it. What is found here goes to redaction, which replaces it wherever it
stands, and to the gate, which looks for it again.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pytest_imagedetail.model import Headers, Interaction
from pytest_imagedetail.redact import REQUEST_HEADERS, Secrets, owners_in, project_in_path
from pytest_imagedetail.shapes import (
    basic_credentials,
    is_distinct,
    is_harmless,
    is_owner_id,
    names_owner,
    names_secret,
    names_signature,
    value_beside_name,
)

_SHORTEST: Final = 4  # characters; as in redaction and the gate
_DEEPEST: Final = 16  # layers of JSON in JSON

_SECRET_HEADERS: Final = frozenset({"openstack-auth-receipt", "x-auth-key", "x-api-key"})
_KEY_HEADER: Final = re.compile(r"(?:^|-)key$")
_USUAL_HEADER: Final = re.compile(  # its value may stand elsewhere by right: a checksum, an id
    r"(?:accept|access-control|baggage|cache|connection|content|date|expect|forwarded|host|if|origin"
    r"|prefer|priority|range|referer|sec|te|traceparent|tracestate|transfer|upgrade|user|via"
    r"|openstack|x-openstack|x-amz-content|x-b3|x-forwarded|x-image|x-object)(?:-|$)"
    r"|.*-(?:agent|checksum|date|digest|etag|id|md5|name|sha\d*|time|timestamp|type|version)$"
)
_RANDOM: Final = re.compile(r"(?=.*\d)(?=.*[A-Za-z])(?!\w+/\d)[\w+/=.~-]{16,}")
_AUTHORIZATION: Final = frozenset({"authorization", "proxy-authorization"})
_COOKIES: Final = frozenset({"cookie", "set-cookie"})
_TELLING_COOKIE: Final = re.compile(r"sess|auth|token|csrf|sid$|secret", re.IGNORECASE)
_TELLING_PARAMETER: Final = re.compile(
    r"(?:AWSAccessKeyId|X-Amz-Credential|code|code_verifier|assertion|SAMLResponse|key|auth"
    r"|session(?:_?id)?|sid|jsessionid)",
    re.IGNORECASE,
)
_OF_AWS: Final = re.compile(r"(?:Credential|Signature)=([^,\s]+)")
_PARAMETER: Final = re.compile(r'(?<!\w)(\w++)=(?:"([^"]*)"|([^\s,]+))')
_TELLING_OF_SCHEME: Final = frozenset({"response", "nonce", "cnonce", "opaque", "token", "key"})

_FORM: Final = re.compile(rb"[\w.%+*\[\]~-]+=[^&\s]*(?:&[\w.%+*\[\]~-]+=[^&\s]*)*\s*")
_PART: Final = re.compile(rb'name="([^"]+)"[^\r\n]*(?:\r?\n[^\r\n]+){0,16}\r?\n\r?\n([^\r\n]*)')
_XML: Final = re.compile(r"""<\s*+(?:\w++:)?(\w++)([^<>]*+)>([^<>]*+)""")
_ATTRIBUTE: Final = re.compile(r"""(?<![\w:-])([\w:-]++)\s*+=\s*+(?:"([^"]*)"|'([^']*)')""")

_OWNERS: Final = frozenset({"user", "project", "tenant", "trustor_user", "trustee_user"})
_OWNER_KEYS: Final = frozenset(
    {"user_id", "userid", "project_id", "tenant_id", "tenantid", "trust_id", "owner", "owner_id"}
)
_ID_IN_PATH: Final = re.compile(
    r"/v\d+(?:\.\d+)?/(?:AUTH_|KEY_)?([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"(?=/|$)"
    r"|/(?:projects|users|tenants|trusts|application_credentials)/([^/]+)"
)

_KEYSTONE_PATH: Final = re.compile(  # others have a /v3/users, too, below a prefix of theirs
    r"/v3/(?:auth/(?:tokens|catalog|projects|domains|system|receipt|OS-FEDERATION)|ec2tokens"
    r"|s3tokens|OS-[A-Z0-9]+)(?:/|$)"
    r"|^(?:/identity)?/v3/(?:users|projects|domains|groups|roles|role_assignments|role_inferences"
    r"|services|endpoints|regions|credentials|policies|limits|registered_limits)(?:/|$)"
    r"|/v2\.0/(?:tokens|OS-KSADM|OS-KSEC2|ec2tokens)(?:/|$)"
    r"|^(?:/identity)?/v2\.0/(?:tenants|users)(?:/|$)"
    r"|/identity(?:/v\d[\d.]*)?/?$"
    r"|^/auth/v1(?:\.0)?/?$"  # Swift's own
)
_IDENTITY_DOCUMENT: Final = b"application/vnd.openstack.identity"
_AUTH_REQUEST: Final = frozenset(
    {
        "identity",
        "passwordCredentials",
        "token",
        "tenantName",
        "tenantId",
        "apiAccessKeyCredentials",
    }
)


def secrets_in(interactions: Iterable[Interaction]) -> Secrets:
    """What traffic shows and nobody may read in a recording of it.

    Args:
        interactions: As sent and received; Keystone's among them, though they are not written.
    """
    seen = tuple(interactions)
    projects = (project_in_path(_path(each.url)) for each in seen if not is_keystone(each))
    found = [pair for each in seen for pair in _exposed(each)]
    return Secrets(
        project_id=next((project for project in projects if project), None),
        values=frozenset(
            value
            for kind, value in found
            if kind == "secret" and len(value) >= _SHORTEST and not is_harmless(value)
        ),
        ids=frozenset(value for kind, value in found if kind == "id"),
    )


def is_keystone(interaction: Interaction) -> bool:
    """Whether this is authentication, which never enters a cassette.

    Tokens, Keystone's other resources and its version documents; Swift's and Rackspace's own ways
    to a token, too.
    """
    if "X-Subject-Token" in interaction.response.headers:
        return True
    if "X-Auth-Key" in interaction.request_headers:
        return True
    if _KEYSTONE_PATH.search(_path(interaction.url)):
        return True
    if _IDENTITY_DOCUMENT in interaction.response.body:
        return True
    return _asks_for_token(_json(interaction.request_body))


def _asks_for_token(document: Any) -> bool:
    auth = document.get("auth") if isinstance(document, dict) else None
    return isinstance(auth, dict) and not _AUTH_REQUEST.isdisjoint(auth)


def _exposed(interaction: Interaction) -> Iterator[tuple[str, str]]:
    """Pairs of "secret" or "id" and the value."""
    keystone = is_keystone(interaction)
    yield from _in_url(interaction.url)
    yield from _in_headers(interaction.request_headers)
    yield from _in_sent_headers(interaction.request_headers)
    yield from _in_headers(interaction.response.headers)
    yield from _in_body(interaction.request_body, sent=True)
    yield from _in_body(interaction.response.body, sent=keystone)


def _in_url(url: str) -> Iterator[tuple[str, str]]:
    parts = _split(url)
    for value in (parts.password, parts.username):
        if value and (value == parts.password or is_distinct(value)):
            yield "secret", value
            yield "secret", unquote(value)
    for match in _ID_IN_PATH.finditer(parts.path):
        yield "id", match.group(1) or match.group(2)
    yield from (("id", each) for each in owners_in(parts))
    for text in (parts.query, parts.fragment):
        yield from _in_pairs(text)


def _in_pairs(text: str) -> Iterator[tuple[str, str]]:
    """In the pairs of a query or a form."""
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        if names_secret(name) or names_signature(name):
            yield "secret", value
        elif _TELLING_PARAMETER.fullmatch(name) and is_distinct(value):
            yield "secret", value.partition("/")[0] if "credential" in name.lower() else value
        elif name.lower() in _OWNER_KEYS or (names_owner(name) and is_owner_id(value)):
            yield "id", value
        else:
            yield from _in_text(value, depth=0, sent=True)


def _in_headers(headers: Headers) -> Iterator[tuple[str, str]]:
    for name, value in headers.fields:
        lower = name.lower()
        if lower in _AUTHORIZATION:
            yield from _in_authorization(value)
        elif lower in _COOKIES:
            yield from _in_cookies(value, of_request=lower == "cookie")
        elif lower in _SECRET_HEADERS or names_secret(lower.replace("-", "_")):
            yield "secret", value
        elif lower in {"x-project-id", "x-tenant-id", "x-user-id"}:
            yield "id", value
        elif lower == "location":
            yield from _in_url(value)


def _in_sent_headers(headers: Headers) -> Iterator[tuple[str, str]]:
    """Keys and whatever is random in headers that no recording keeps: gateways have their own."""
    for name, value in headers.fields:
        lower = name.lower()
        if lower in REQUEST_HEADERS | _AUTHORIZATION | _COOKIES or _USUAL_HEADER.match(lower):
            continue
        if _KEY_HEADER.search(lower) or _RANDOM.fullmatch(value):
            yield "secret", value


def _in_authorization(value: str) -> Iterator[tuple[str, str]]:
    scheme, _, rest = value.strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "basic":
        _, password = basic_credentials(rest) or ("", "")
        yield "secret", rest
        yield "secret", password
    elif found := _OF_AWS.findall(rest):
        yield from (("secret", each.partition("/")[0]) for each in found)
    elif scheme.lower() == "aws":
        yield from (("secret", each) for each in rest.split(":"))
    elif "=" in rest.rstrip("="):
        for name, quoted, plain in _PARAMETER.findall(rest):
            if names_secret(name) or names_signature(name) or name in _TELLING_OF_SCHEME:
                yield "secret", quoted or plain
    else:
        yield "secret", rest or scheme


def _in_cookies(value: str, *, of_request: bool) -> Iterator[tuple[str, str]]:
    pairs = value.split(";") if of_request else value.split(";")[:1]  # the others are attributes
    for pair in pairs:
        name, _, text = pair.strip().partition("=")
        text = text.strip('"')
        if _TELLING_COOKIE.search(name) or is_distinct(text):
            yield "secret", text
            yield "secret", unquote(text)


def _in_body(body: bytes, *, sent: bool) -> Iterator[tuple[str, str]]:
    """In a body; one that was sent, or that Keystone sent, gives its short secrets away, too."""
    if (document := _json(body)) is not None:
        yield from _in_document(document, depth=0, sent=sent)
        return
    if _FORM.fullmatch(body):
        yield from _in_pairs(body.decode("latin-1"))
        return
    if body.startswith(b"--"):
        for name, value in _PART.findall(body):
            yield from _under(_text(name), _text(value), sent=sent)
    text = _text(body)
    if text.lstrip().startswith("<"):
        yield from _in_xml(text, sent=sent)


def _in_document(document: Any, *, depth: int, sent: bool) -> Iterator[tuple[str, str]]:
    pending: list[tuple[str, Any]] = [("", document)]
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict):
            yield from _in_object(key, value, sent=sent)
            pending.extend((str(name), each) for name, each in value.items())
        elif isinstance(value, list):
            pending.extend((key, each) for each in value)
        elif isinstance(value, str):
            yield from _under(key, value, sent=sent)
            yield from _in_text(value, depth=depth, sent=sent)
        elif type(value) is int and "passw" in key.lower():
            yield "secret", str(value)


def _in_object(key: str, fields: dict[str, Any], *, sent: bool) -> Iterator[tuple[str, str]]:
    """What only its place tells: the id of a token, the access key of EC2 credentials."""
    own = fields.get("id")
    if isinstance(own, str):
        if key in _OWNERS:
            yield "id", own
        elif key in {"token", "application_credential"}:
            yield "secret", own
    if sent and ("signature" in fields or "secret" in fields or key == "credentials"):
        for name in ("access", "signature"):
            if isinstance(fields.get(name), str):
                yield "secret", fields[name]
    for value in value_beside_name(fields):
        if (sent or is_distinct(value)) and not _is_document(value):
            yield "secret", value
    if key == "token" and isinstance(fields.get("audit_ids"), list):
        yield from (("secret", each) for each in fields["audit_ids"] if isinstance(each, str))


def _under(key: str, value: str, *, sent: bool) -> Iterator[tuple[str, str]]:
    """What the name above a value tells."""
    if key.lower() in _OWNER_KEYS or (names_owner(key) and is_owner_id(value)):
        yield "id", value
    elif names_secret(key) and (sent or is_distinct(value)) and not _is_document(value):
        yield "secret", value


def _in_text(text: str, *, depth: int, sent: bool) -> Iterator[tuple[str, str]]:
    """In a text that holds a document or a URL."""
    if _is_document(text) and depth < _DEEPEST:
        document = _json(text.encode("utf-8", errors="surrogatepass"))
        yield from _in_document(document, depth=depth + 1, sent=sent)
    elif "://" in text:
        for word in text.split():
            yield from _in_url(word)


def _in_xml(text: str, *, sent: bool) -> Iterator[tuple[str, str]]:
    """In the elements and attributes of Keystone's and others' XML."""
    for element, attributes, content in _XML.findall(text):
        yield from _under(element, content.strip(), sent=sent)
        for name, double, single in _ATTRIBUTE.findall(attributes):
            value = double or single
            if name == "id" and element in _OWNERS:
                yield "id", value
            elif name == "id" and element == "token":
                yield "secret", value
            else:
                yield from _under(name, value, sent=sent)


def _is_document(text: str) -> bool:
    return text.lstrip()[:1] in {"{", "["} and _json(text.encode("utf-8", "replace")) is not None


def _json(body: bytes) -> Any:
    """The document of a body; None if it is none, or null."""
    if body.lstrip()[:1] not in {b"{", b"[", b'"'}:
        return None
    try:
        return json.loads(body, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | str:
    """Python limits integers, JSON does not."""
    return int(digits) if len(digits) < 1000 else digits  # noqa: PLR2004


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="surrogateescape")


def _path(url: str) -> str:
    return _split(url).path


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # a bracket that opens no address
        return urlsplit("")
