"""Separate authentication, which never enters a cassette, from other traffic."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail.model import Interaction

_TOKEN_HEADERS: Final = ("X-Subject-Token", "X-Auth-Token", "X-Storage-Token")
_TOKEN_FIELDS: Final = frozenset({"id", "expires", "expires_at", "methods", "catalog"})
_LOGIN_FIELDS: Final = frozenset(
    {"passwordCredentials", "apiAccessKeyCredentials", "token", "identity"}
)
_XML_TOKEN: Final = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?<(?:\w+:)?(?:access|auth)\b[^>]*>\s*<(?:\w+:)?token\b[^>]*\bid="
)
_PATHS: Final = ("/v3/auth/", "/v2.0/tokens")  # only Keystone has these
_LOGIN_PATH: Final = re.compile(r"(.*?/)(?:v3/auth/tokens|v2\.0/tokens)/?$")
_IDENTITY: Final = b"application/vnd.openstack.identity"
_PORTS: Final = (":5000", ":35357")
_VERSIONS: Final = ("/v3", "/v2.0")


def split_keystone(
    interactions: Sequence[Interaction],
) -> tuple[list[Interaction], list[Interaction]]:
    """Split interactions into those with other services and those with Keystone.

    Keystone's are logins, its version documents, and everything below a URL where a login was
    seen or at its usual ports.
    """
    urls = (login.url.partition("?")[0] for login in filter(_is_login, interactions))
    roots = {match[1] for match in map(_LOGIN_PATH.match, urls) if match}
    bases = tuple(f"{root}{version}/" for root in roots for version in ("v3", "v2.0"))

    def is_keystone(interaction: Interaction) -> bool:
        parts = urlsplit(interaction.url)
        url = interaction.url.partition("?")[0].rstrip("/") + "/"
        return (
            _is_login(interaction)
            or any(path in parts.path for path in _PATHS)
            or url in roots
            or url.startswith(bases)
            or (parts.netloc.endswith(_PORTS) and parts.path.startswith(_VERSIONS))
            or _is_version_document(interaction.response.body)
        )

    others: list[Interaction] = []
    keystone: list[Interaction] = []
    for interaction in interactions:
        (keystone if is_keystone(interaction) else others).append(interaction)
    return others, keystone


def _is_login(interaction: Interaction) -> bool:
    """Return whether an interaction asks for a token or is answered with one."""
    headers, response = interaction.request_headers, interaction.response
    auth = document_in(interaction.request_body).get("auth")
    return (
        any(name in response.headers for name in _TOKEN_HEADERS)
        or ("X-Auth-Key" in headers and ("X-Auth-User" in headers or "X-Storage-User" in headers))
        or _XML_TOKEN.match(response.body) is not None
        or (isinstance(auth, dict) and not _LOGIN_FIELDS.isdisjoint(auth))
        or (interaction.method == "POST" and _holds_token(document_in(response.body)))
    )


def _is_version_document(body: bytes) -> bool:
    return _IDENTITY in body and not {"version", "versions"}.isdisjoint(document_in(body))


def _holds_token(document: Mapping[str, Any]) -> bool:
    if isinstance(document.get("token"), str):
        return True
    objects = [document, *(value for value in document.values() if isinstance(value, dict))]
    tokens = (each.get("token") for each in objects)
    return any(isinstance(token, dict) and not _TOKEN_FIELDS.isdisjoint(token) for token in tokens)


def document_in(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body; an empty one if the body is anything else."""
    try:
        document = json.loads(body, parse_int=str)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
