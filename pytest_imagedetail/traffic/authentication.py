"""Tells authentication, which never enters a cassette, from other traffic."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail.model import Interaction
from pytest_imagedetail.redact import origin

_TOKEN_HEADERS: Final = ("X-Subject-Token", "X-Auth-Token", "X-Storage-Token")
_TOKEN_FIELDS: Final = frozenset({"id", "expires", "expires_at", "methods", "catalog"})
_LOGIN_FIELDS: Final = frozenset(
    {"passwordCredentials", "apiAccessKeyCredentials", "token", "identity"}
)
_XML_TOKEN: Final = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?<(?:\w+:)?(?:access|auth)\b[^>]*>\s*<(?:\w+:)?token\b[^>]*\bid="
)
_LOGIN_PATH: Final = re.compile(r"(.*?)/(?:v3/auth/tokens|v2\.0/tokens)/?$")
_PATH: Final = re.compile(  # only Keystone has these, whatever stands before them
    r"/v3/(?:auth/(?:tokens|catalog|projects|domains|system|receipt|OS-FEDERATION)|ec2tokens"
    r"|s3tokens|OS-(?:FEDERATION|TRUST|OAUTH[12]|EP-FILTER|ENDPOINT-POLICY|INHERIT|REVOKE"
    r"|SIMPLE-CERT|PKI))(?:/|$)"
    r"|/v2\.0/(?:tokens|OS-KSADM|OS-KSEC2|ec2tokens)(?:/|$)"
)
_RESOURCE: Final = re.compile(  # other services have some of these paths, too
    r"(?:/v3/(?:users|projects|domains|groups|roles|role_assignments|role_inferences"
    r"|services|endpoints|regions|credentials|policies|limits|registered_limits)(?:/.*)?"
    r"|/v2\.0/(?:tenants|users)(?:/.*)?|/v3|/v2\.0|)/?\Z"
)
_IDENTITY: Final = b"application/vnd.openstack.identity"
_PORTS: Final = (":5000", ":35357")


def without_keystone(
    interactions: Iterable[Interaction],
) -> tuple[list[Interaction], list[Interaction]]:
    """Return the interactions that are no authentication, and those that are.

    A request that asks for a token or is answered with one is a login. So is whatever has a path
    that only Keystone has, its version documents, and its other resources, at a URL where a login
    was seen or at Keystone's usual ports.
    """
    interactions = list(interactions)
    places = {
        origin(each.url) + match[1]
        for each in interactions
        if (match := _LOGIN_PATH.match(_path(each))) is not None and is_login(each)
    }

    def is_keystone(each: Interaction) -> bool:
        path = _path(each)
        if is_login(each) or _PATH.search(path) or _is_version_document(each.response.body):
            return True
        at_keystone = origin(each.url) + _RESOURCE.sub("", path, count=1) in places
        return at_keystone or (origin(each.url).endswith(_PORTS) and path.startswith("/v"))

    found = [(each, is_keystone(each)) for each in interactions]
    return [each for each, is_its in found if not is_its], [
        each for each, is_its in found if is_its
    ]


def is_login(each: Interaction) -> bool:
    """Return whether an interaction asks for a token or is answered with one."""
    sent, response = each.request_headers, each.response
    if any(name in response.headers for name in _TOKEN_HEADERS):
        return True
    if "X-Auth-Key" in sent and ("X-Auth-User" in sent or "X-Storage-User" in sent):
        return True
    if _XML_TOKEN.match(response.body):
        return True
    if _asks_for_token(document_in(each.request_body)):
        return True
    return each.method == "POST" and _holds_token(document_in(response.body))


def _is_version_document(body: bytes) -> bool:
    """Return whether a body is Keystone's list of versions, or one of them."""
    return _IDENTITY in body and not {"version", "versions"}.isdisjoint(document_in(body))


def _asks_for_token(document: Mapping[str, Any]) -> bool:
    auth = document.get("auth")
    return isinstance(auth, dict) and not _LOGIN_FIELDS.isdisjoint(auth)


def _holds_token(document: Mapping[str, Any]) -> bool:
    """Return whether a token is in an answer, or in the one object in it: `access`, `auth`."""
    objects = [document, *(each for each in document.values() if isinstance(each, dict))]
    if isinstance(document.get("token"), str):
        return True
    tokens = (each.get("token") for each in objects)
    return any(isinstance(each, dict) and not _TOKEN_FIELDS.isdisjoint(each) for each in tokens)


def document_in(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; an empty one if it is anything else."""
    try:
        document = json.loads(body, parse_int=str)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _path(each: Interaction) -> str:
    try:
        return urlsplit(each.url).path
    except ValueError:
        return ""
