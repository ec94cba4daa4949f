"""Finds in traffic itself what must not be written: its tokens, passwords and ids.

A recording of a test's own client has no session that could say what is secret; the requests and
Keystone's answers say it. What is found here goes to redaction, which replaces it wherever it
stands, and to the gate, which looks for it again.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pytest_imagedetail.model import Headers, Interaction
from pytest_imagedetail.redact import REQUEST_HEADERS, Secrets, owners_in, project_in_path
from pytest_imagedetail.redact.shapes import (
    basic_credentials,
    held_below_name,
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
_OF_SEGMENT: Final = re.compile(r";([^;/]+=[^;/]*)")
_OF_AWS: Final = re.compile(r"(?:Credential|Signature)=([^,\s]+)")
_PARAMETER: Final = re.compile(r'(?<!\w)(\w++)=(?:"([^"]*)"|([^\s,]+))')
_TELLING_OF_SCHEME: Final = frozenset({"response", "nonce", "cnonce", "opaque", "token", "key"})

_FORM: Final = re.compile(rb"[\w.%+*\[\]~-]+=[^&\s]*(?:&[\w.%+*\[\]~-]+=[^&\s]*)*\s*")
_PART: Final = re.compile(rb"\r?\n\r?\n")  # between the head of a part and what it holds
_PART_NAME: Final = re.compile(rb"(?<![\w*])name=(?:\"([^\"\r\n]+)\"|([^\s;\"]+))")
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

_LOGIN: Final = re.compile(r"^(.*)/(?:v3/auth/tokens|v2\.0/tokens)/?$")
_KEYSTONE_PATH: Final = re.compile(  # nobody else has these, whatever stands before them
    r"/v3/(?:auth/(?:tokens|catalog|projects|domains|system|receipt|OS-FEDERATION)|ec2tokens"
    r"|s3tokens|OS-(?:FEDERATION|TRUST|OAUTH[12]|EP-FILTER|ENDPOINT-POLICY|INHERIT|REVOKE"
    r"|SIMPLE-CERT|PKI))(?:/|$)"
    r"|/v2\.0/(?:tokens|OS-KSADM|OS-KSEC2|ec2tokens)(?:/|$)"
    r"|^/auth/v1(?:\.0)?/?$"  # Swift's own
)
_KEYSTONE_RESOURCE: Final = re.compile(  # Cinder and others have some of these, too
    r"^(?P<base>.*?)(?P<path>/v3/(?:users|projects|domains|groups|roles|role_assignments"
    r"|role_inferences|services|endpoints|regions|credentials|policies|limits|registered_limits)"
    r"(?:/.*)?|/v2\.0/(?:tenants|users)(?:/.*)?|/v3|/v2\.0|)$"
)
_USUAL_PORTS: Final = (":5000", ":35357")
_OF_IDENTITY: Final = "application/vnd.openstack.identity"
_XML_OF_VERSIONS: Final = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<(?:choices|versions?)\b")
_V1: Final = re.compile(r"^(?:/auth)?/v1(?:\.[01])?/?$")
_TOKEN_OF_V2: Final = frozenset({"passwordCredentials", "apiAccessKeyCredentials"})


def secrets_in(interactions: Iterable[Interaction]) -> Secrets:
    """What traffic shows and nobody may read in a recording of it.

    Args:
        interactions: As sent and received; Keystone's among them, though they are not written.
    """
    seen = tuple(interactions)
    is_keystone = keystone_among(seen)
    projects = (project_in_path(_path(each.url)) for each in seen if not is_keystone(each))
    found = [pair for each in seen for pair in _exposed(each, keystone=is_keystone(each))]
    return Secrets(
        project_id=next((project for project in projects if project), None),
        values=frozenset(
            value
            for kind, value in found
            if kind == "secret" and len(value) >= _SHORTEST and not is_harmless(value)
        ),
        ids=frozenset(value for kind, value in found if kind == "id"),
    )


def keystone_among(interactions: Iterable[Interaction]) -> Callable[[Interaction], bool]:
    """What tells which of them are authentication, which never enters a cassette.

    That is tokens, Keystone's other resources and its version documents, and Swift's and
    Rackspace's own ways to a token. Other services have some of Keystone's paths, too: such a
    request is Keystone's by its answer, or by a login that shows where Keystone is.
    """
    places = frozenset(
        _place(each.url) + match[1]
        for each in interactions
        if (match := _LOGIN.match(_path(each.url))) and _is_login(each)
    )

    def is_keystone(interaction: Interaction) -> bool:
        return _is_login(interaction) or _is_resource(interaction, places)

    return is_keystone


def _is_login(interaction: Interaction) -> bool:
    """Whether an interaction is authentication by itself."""
    path, sent = _path(interaction.url), interaction.request_headers
    if "X-Subject-Token" in interaction.response.headers or _KEYSTONE_PATH.search(path):
        return True
    if "X-Auth-Key" in sent and ("X-Auth-User" in sent or "X-Storage-User" in sent):
        return True
    if "X-Auth-Key" in sent and _V1.match(path):
        return True
    return _asks_for_token(_json(interaction.request_body))


def _asks_for_token(document: Any) -> bool:
    auth = document.get("auth") if isinstance(document, dict) else None
    if not isinstance(auth, dict):
        return False
    by_token, identity = auth.get("token"), auth.get("identity")
    return (
        not _TOKEN_OF_V2.isdisjoint(auth)
        or (isinstance(by_token, dict) and "id" in by_token)
        or (isinstance(identity, dict) and "methods" in identity)
    )


def _is_resource(interaction: Interaction, places: AbstractSet[str]) -> bool:
    """Whether something is Keystone's for what it answers or where it is."""
    body = interaction.response.body
    document = _json(body)
    if _is_of_versions(document):
        return True
    match = _KEYSTONE_RESOURCE.match(_path(interaction.url).rstrip("/"))
    if match is None or _XML_OF_VERSIONS.match(body):
        return match is not None and _OF_IDENTITY.encode() in body
    place, below = _place(interaction.url), match["path"]
    if below and _links_to(document, below):
        return True
    if below and place + match["base"] in places:  # where others may be, too
        return not isinstance(document, dict) or "error" in document
    if body:
        return False
    # Nothing is said, so it is where Keystone mostly is, or not Keystone's.
    return match["base"] == "/identity" or bool(below and place.endswith(_USUAL_PORTS))


def _is_of_versions(document: Any) -> bool:
    """Whether it is Keystone's version document, of one version or of all."""
    if not isinstance(document, dict):
        return False
    listed = document.get("versions")
    values = listed.get("values") if isinstance(listed, dict) else listed
    versions = [document.get("version"), *(values if isinstance(values, list) else ())]
    types = [each.get("media-types") for each in versions if isinstance(each, dict)]
    return any(
        isinstance(each, dict) and str(each.get("type")).startswith(_OF_IDENTITY)
        for listed in types
        if isinstance(listed, list)
        for each in listed
    )


def _links_to(document: Any, path: str) -> bool:
    """Whether an answer, or the one thing in it, says that it is what Keystone has at a path."""
    values = [document, *(document.values() if isinstance(document, dict) else ())]
    resource = "/".join(path.split("/")[:3])
    for each in values:
        links = each.get("links") if isinstance(each, dict) else None
        own = links.get("self") if isinstance(links, dict) else None
        if isinstance(own, str) and resource in own:
            return True
    return False


def _place(url: str) -> str:
    parts = _split(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def _exposed(interaction: Interaction, *, keystone: bool) -> Iterator[tuple[str, str]]:
    """Pairs of "secret" or "id" and the value."""
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
    for text in (parts.query, parts.fragment, *_OF_SEGMENT.findall(parts.path)):
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
        yield from _in_parts(body, sent=sent)
    text = _text(body)
    if text.lstrip().startswith("<"):
        yield from _in_xml(text, sent=sent)


def _in_parts(body: bytes, *, sent: bool) -> Iterator[tuple[str, str]]:
    """In the fields of a form that is sent in parts; of several lines, each by itself, too."""
    boundary = body.partition(b"\n")[0].rstrip(b"\r")
    for part in body.split(boundary):
        head, *held = _PART.split(part, maxsplit=1)
        name = _PART_NAME.search(head)
        if name is None or not held:
            continue
        value = _text(held[0].removesuffix(b"\n").removesuffix(b"\r"))
        lines = () if _is_document(value) else map(str.strip, value.splitlines())
        for each in dict.fromkeys([value, *filter(is_distinct, lines)]):
            yield from _under(_text(name[1] or name[2]), each, sent=sent)
        yield from _in_text(value, depth=0, sent=sent)


def _in_document(document: Any, *, depth: int, sent: bool) -> Iterator[tuple[str, str]]:
    pending: list[tuple[str, Any]] = [("", document)]
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict):
            yield from _in_object(key, value, sent=sent)
            told = (below for name, below in value.items() if names_secret(str(name)))
            for held in (each for below in told for each in held_below_name(below)):
                if sent or is_distinct(held):
                    yield "secret", held
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
