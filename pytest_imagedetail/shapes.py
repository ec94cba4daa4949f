"""What secrets look like: the names that they stand under, and their own forms."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final

_SECRET_NAME: Final = re.compile(
    r"passw(or)?d|passphrase|passcode|(?<![a-z])u?pass(?![a-z])|(?-i:(?<=[a-z])Pass(?![a-z]))"
    r"|(?<![a-z])pwd?(?![a-z])|secret|token|credential|(?:private|api|access|auth)[_-]?key"
    r"|^(?:proxy-)?authorization$|^(?:set-)?cookie$",
    re.IGNORECASE,
)
_ABOUT_A_SECRET: Final = re.compile(  # when it ends, what kind it is: no secrets themselves
    r"expire|_(?:at|in|types?|methods?|url|uri|endpoint|enabled|ttl)$", re.IGNORECASE
)
_SIGNATURE: Final = re.compile(r"(?!property-).*sig(nature)?$", re.IGNORECASE)
_SHAPES: Final = re.compile(
    r"gAAAAA[\w-]{20,}={0,2}"  # Fernet, Keystone's tokens
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?"  # JWT, Keystone's other tokens
    r"|\b(?i:(?P<scheme>Basic|Bearer))\s+(?P<credentials>[A-Za-z0-9+/=._~-]{8,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS access keys
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-)[\w-]{16,}",  # forges and chats
)
_ASSIGNED: Final = re.compile(  # in a connection string, a form, a URL without a host
    r"((?<![\w-])(?:password|passwd|passphrase|client_secret|secret_key|access_token|auth_token"
    r"|refresh_token|api_?key|x-amz-(?:signature|security-token)|temp_url_sig|awsaccesskeyid)=)"
    r"(?!redacted(?![\w-])|%3Credacted-\d+%3E)([^&\s\"'<>;,\\]+)",
    re.IGNORECASE,
)
_FIELD: Final = re.compile(  # a header in a text
    r"^([ \t]*(?:x-(?:auth|subject|service|storage|csrf)-token|x-auth-key|x-api-key|set-cookie2?"
    r"|cookie|(?:proxy-)?authorization)[ \t]*:(?![ \t]*<redacted-\d+>[ \t\r]*$)[ \t]*)"
    r"([^\r\n]+)",
    re.IGNORECASE | re.MULTILINE,
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_LONGEST_WORD: Final = 32  # letters; a bearer's token may have no digit, but is longer
_HARMLESS: Final = frozenset({"", "true", "false", "none", "null", "yes", "no", "0", "1"})
_SHORTEST_ID: Final = 8  # characters; below that a word could be hit


def names_secret(name: str) -> bool:
    """Whether what stands under this name must be taken for a secret."""
    return _SECRET_NAME.search(name) is not None and _ABOUT_A_SECRET.search(name) is None


def names_signature(name: str) -> bool:
    """Whether a name of a query is that of a signature; that of an image's property never is."""
    return _SIGNATURE.match(name) is not None


def is_harmless(value: str) -> bool:
    """Whether a value is a flag or nothing, whatever it stands under."""
    return value.lower() in _HARMLESS


def is_distinct(value: str) -> bool:
    """Whether a value found under a secret's name is no word that may stand elsewhere by right."""
    return len(value) >= _SHORTEST_ID and not value.isalpha()


def looks_like_id(value: str) -> bool:
    """Whether a value is so much an id that replacing it anywhere cannot hit a word."""
    return (
        len(value) >= _SHORTEST_ID and any(each.isdigit() for each in value) and not value.isspace()
    )


def replace_shapes(text: str, replace: Callable[[str], str]) -> str:
    """Pass everything in the text that has the shape of a token or key through `replace`."""
    return _SHAPES.sub(lambda match: _replaced(match, replace), text)


def replace_named(text: str, replace: Callable[[str], str]) -> str:
    """Pass every value that stands after the name of a secret in free text through `replace`."""
    for pattern in (_ASSIGNED, _FIELD):
        text = pattern.sub(lambda match: match.group(1) + replace(match.group(2)), text)
    return text


def basic_credentials(encoded: str) -> tuple[str, str] | None:
    """User and password of a Basic authorization; None if it is none ("Basic installation")."""
    encoded = "".join(_BASE64.findall(encoded)[:1])
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        return None
    try:
        text = decoded.decode("utf-8")
    except UnicodeDecodeError:
        if encoded.isalpha():  # words may decode to anything
            return None
        text = decoded.decode("latin-1")
    user, colon, password = text.partition(":")
    return (user, password) if colon and text.isprintable() else None


def _replaced(match: re.Match[str], replace: Callable[[str], str]) -> str:
    """A word after "Basic" or "Bearer" that cannot be credentials stays."""
    text, credentials = match.group(), match.group("credentials")
    if credentials is None:
        return replace(text)
    if match.group("scheme").lower() == "basic":
        return text if basic_credentials(credentials) is None else replace(text)
    if not any(each.isdigit() for each in credentials) and len(credentials) <= _LONGEST_WORD:
        return text
    return replace(text)
