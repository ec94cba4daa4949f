"""What secrets look like: the names that they stand under, and their own forms."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
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
    # JWT, Keystone's other tokens. A word is taken in one piece up to its first "eyJ", or a word of
    # nothing else would be begun at each.
    r"|(?<![\w-])(?P<before>(?>[\w-]*?(?=eyJ)))eyJ[\w-]{8,}+\.eyJ[\w-]{8,}(?:\.[\w-]*)?"
    r"|\b(?i:(?P<scheme>Basic|Bearer|Negotiate))\s+(?P<credentials>[\w+/=.~-]{8,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z_])"  # AWS access keys, an escape behind them or not
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|npm_|pypi-Ag|hvs\.)[\w-]{16,}"  # forges
    r"|\bAIza[\w-]{35,}|\b[rs]k_live_\w{16,}"  # Google, Stripe
    r"|\bsk-(?:ant|proj|svcacct|admin)-[\w-]{16,}|\bsk-[A-Za-z0-9]{32,}",  # OpenAI and its like
)
_NAME: Final = re.compile(  # of what is assigned or told, as far as the value; u'' is Python 2's
    r"(?<![\w.-])([\w.-]++)"
    r"(\\*+[\"']?[ \t]*+(?:=(?!=)>?[ \t]*+|:(?:[ \t]++|(?=[bBuU]?\\*+[\"'])))"
    r"(?:[bBuU](?=\\*+[\"']))?\\*+[\"']?)"
)
_TELLS: Final = re.compile(
    r"(?:^|[_.-]|(?-i:(?<=[a-z0-9])(?=[A-Z])))"
    r"(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|temp_url_sig|awsaccesskeyid"
    r"|x-amz-signature|(?:access|account|api|auth|encryption|master|private|secret|signing)[_-]?key)"
    r"[_-]?\d{0,3}$",
    re.IGNORECASE,
)
_LONGEST_NAME: Final = 64
_WORDS_TOO: Final = frozenset({"pass", "pwd", "secret", "token", "credential", "credentials"})
_SHORTEST_RANDOM: Final = 16  # characters of a value that has letters or digits only
_DEEPEST_LINE: Final = 40  # columns that a line may be indented
_VALUE: Final = re.compile(r"[^&\s\"'<>;,\\]++")
_VALUE_OF_LINE: Final = re.compile(r"[^&\r\n\"'<>;,\\]++")
_VALUE_IN_QUOTES: Final = {
    '"': re.compile(r"(?:[^\"\\\r\n]|\\.)++"),
    "'": re.compile(r"(?:[^'\\\r\n]|\\.)++"),
    "\\": re.compile(r"[^\"'\\\r\n]++"),  # in JSON that is in JSON
}
_REPLACED: Final = re.compile(
    r"(?:<redacted-\d+>|redacted(?![\w-])|%3Credacted-\d+%3E)", re.IGNORECASE
)
_PAIR: Final = re.compile(r"\"([^\"\\\n]{2,64})\"\s*+:\s*+\"(?![{\[])")  # of JSON in a text
_BETWEEN: Final = r"(?:,\s*+\"[^\"\\]{1,64}+\"\s*+:\s*+(?:\"[^\"\\]*+\"|[\w.+-]++)\s*+){0,4}?,\s*+"
_NAMING: Final = r"\"(?:name|key|property|variable)\"\s*+:\s*+\"([\w.:-]{2,64}+)\"\s*+"
_VALUE_BESIDE: Final = re.compile(  # of JSON in a text: {"name": "password", "value": "..."}
    rf"{_NAMING}{_BETWEEN}\"value\"\s*+:\s*+\"", re.IGNORECASE
)
_VALUE_BEFORE: Final = re.compile(
    rf"(\"value\"\s*+:\s*+\")((?:[^\"\\\r\n]|\\.)++)(?=\"\s*+{_BETWEEN}{_NAMING})", re.IGNORECASE
)
_TAG: Final = re.compile(
    r"<[a-z][\w:.-]*+(?:\s++[\w:.-]++(?:\s*+=\s*+(?:\"[^\"<>]*+\"|'[^'<>]*+'|[^\s\"'<>=/]++))?+)++\s*+/?>",
    re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(
    r"(?<![\w:.-])([\w:.-]++)(\s*+=\s*+[\"']?)([^\"'<>\s]++|(?<=[\"'])[^\"'<>]++)"
)
_NAMES_A_VALUE: Final = frozenset({"name", "key", "property", "variable", "id"})
_ONE_NAME: Final = re.compile(r"[\w.:-]{2,64}")
_VALUES: Final = frozenset({"value", "content"})
HOLDERS: Final = frozenset(
    {"value", "values", "text", "content", "data", "plain", "plaintext", "raw", "#text", "$", "$t"}
)
"""Keys that say nothing of what stands under them; what is above or beside them does."""
_UNPARSED: Final = "<![CDATA["
_ELEMENT: Final = re.compile(r"<(?:[\w-]++:)?([\w.-]++)(?:\s[^<>]*+)?>(?:\s*+<!\[CDATA\[)?+")
_CONTENT: Final = re.compile(r"[^<>]++(?=</)")
_UNPARSED_CONTENT: Final = re.compile(  # of one section or of several
    r"(?:[^\]]|\](?!\]>))++(?:\]\]>\s*+<!\[CDATA\[(?:[^\]]|\](?!\]>))*+)*+"
)
_FIELD: Final = re.compile(  # a header in a text
    r"^([ \t]*(?:x-(?:auth|subject|service|storage|csrf)-token|x-auth-key|x-api-key|set-cookie2?"
    r"|cookie|(?:proxy-)?authorization)[ \t]*:(?![ \t]*<redacted-\d+>[ \t\r]*$)[ \t]*)"
    r"([^\r\n]+)",
    re.IGNORECASE | re.MULTILINE,
)
_FIELD_IN_TEXT: Final = re.compile(
    r"((?<![\w-])(?:set-cookie2?|cookie|(?:proxy-)?authorization)[ \t]*+:[ \t]*+)(?!<redacted-\d+>)"
    r"([^\"'\\\r\n]+)",
    re.IGNORECASE,
)
_USER: Final = re.compile(r"(://)([^/\s:@\"'<>\\]+:[^/\s@\"'<>\\]+)(?=@)")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_LONGEST_WORD: Final = 32  # letters; a bearer's token may have no digit, but is longer
_HARMLESS: Final = frozenset({"", "true", "false", "none", "null", "yes", "no", "0", "1"})
_OWNER_NAME: Final = re.compile(  # as the last word of a name: os-vol-tenant-attr:tenant_id
    r"(?:^|[^a-z0-9]|(?-i:(?<=[a-z0-9])(?=[A-Z])))(?:project|tenant|user|owner|member|domain"
    r"|trust(?:or|ee)|creator|(?:created|updated|deleted)_?by)s?(?:_?(?:uu)?ids?)?$",
    re.IGNORECASE,
)
OWNER_ID: Final = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE
)
"""An id of a project or a user as Keystone makes them."""
_SHORTEST_ID: Final = 8  # characters; below that a word could be hit


def names_secret(name: str) -> bool:
    """Whether what stands under this name must be taken for a secret."""
    return _SECRET_NAME.search(name) is not None and _ABOUT_A_SECRET.search(name) is None


def names_signature(name: str) -> bool:
    """Whether a name of a query is that of a signature; that of an image's property never is."""
    return _SIGNATURE.match(name) is not None


def value_beside_name(fields: Mapping[str, object]) -> list[str]:
    """The values of an object that tells a secret's name: {"name": "password", "value": "..."}."""
    lower = {name.lower(): value for name, value in fields.items()}
    names = [each for name in _NAMES_A_VALUE if isinstance(each := lower.get(name), str)]
    if not any(_ONE_NAME.fullmatch(each) and names_secret(each) for each in names):
        return []
    values = _listed(lower.get("value"))
    return [each for each in values if isinstance(each, str) and not is_harmless(each)]


def held_below_name(value: object) -> list[str]:
    """The values in what stands under a secret's name: `{"value": "..."}`, or a list of such."""
    holders = [each for each in _listed(value) if isinstance(each, dict)]
    found = [
        each
        for holder in holders
        for name, held in holder.items()
        if name.lower() in HOLDERS
        for each in _listed(held)
    ]
    return [each for each in found if isinstance(each, str) and not is_harmless(each)]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def names_owner(name: str) -> bool:
    """Whether an id under this name is that of a project, a user or a domain."""
    return _OWNER_NAME.search(name[-_LONGEST_NAME:]) is not None


def is_owner_id(value: str) -> bool:
    """Whether a value has the form of Keystone's ids; only its name tells it from any other's."""
    return OWNER_ID.fullmatch(value) is not None


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
    if "=" in text or ":" in text:
        text = _each_after(_NAME, text, _assigned, replace)
        for pattern in (_FIELD, _FIELD_IN_TEXT, _USER):
            text = pattern.sub(lambda match: match[1] + replace(match[2]), text)
        text = _each_after(_PAIR, text, _paired, replace)
    if '"value"' in text.lower():
        text = _each_after(_VALUE_BESIDE, text, _paired, replace)
        text = _VALUE_BEFORE.sub(lambda match: _before_its_name(match, replace), text)
    if "<" in text and "=" in text:
        text = _TAG.sub(lambda match: _in_tag(match[0], replace), text)
    if "</" in text:
        text = _each_after(_ELEMENT, text, _enclosed, replace)
    return text


def _each_after(
    pattern: re.Pattern[str],
    text: str,
    value: Callable[[re.Match[str]], str | None],
    replace: Callable[[str], str],
) -> str:
    """Replace each value that stands right behind a match; what is no secret is looked into."""
    pieces: list[str] = []
    end = position = 0
    while (match := pattern.search(text, position)) is not None:
        position = match.end()
        if (found := value(match)) is not None:
            pieces += [text[end:position], replace(found)]
            end = position = position + len(found)
    return "".join([*pieces, text[end:]])


def _assigned(match: re.Match[str]) -> str | None:
    """The value of `name=value` or `name: value`, in quotes or not."""
    name, sign = match[1], match[2]
    if not _tells(name):
        return None
    value = _value_of(match, sign).match(match.string, match.end())
    return _secret(value[0].rstrip(), name) if value is not None else None


def _value_of(match: re.Match[str], sign: str) -> re.Pattern[str]:
    if sign[-1] in _VALUE_IN_QUOTES:
        return _VALUE_IN_QUOTES["\\" if sign[-2:-1] == "\\" else sign[-1]]
    before = match.string[max(match.start() - _DEEPEST_LINE, 0) : match.start()]
    begins_line = match.start() <= _DEEPEST_LINE or "\n" in before
    is_line = begins_line and not before.rpartition("\n")[2].strip(" \t-")
    return _VALUE_OF_LINE if ":" in sign and is_line else _VALUE


def _paired(match: re.Match[str]) -> str | None:
    value = _VALUE_IN_QUOTES['"'].match(match.string, match.end())
    return _secret(value[0], "") if value is not None and names_secret(match[1]) else None


def _before_its_name(match: re.Match[str], replace: Callable[[str], str]) -> str:
    told = names_secret(match[3]) and _secret(match[2], "") is not None
    return match[1] + replace(match[2]) if told else match[0]


def _in_tag(tag: str, replace: Callable[[str], str]) -> str:
    """A tag without the value of a form's field or a setting whose name tells."""
    found = _ATTRIBUTE.findall(tag)
    if not any(name.lower() in _NAMES_A_VALUE and names_secret(said) for name, _, said in found):
        return tag

    def without(match: re.Match[str]) -> str:
        told = match[1].lower() in _VALUES and _secret(match[3], "") is not None
        return match[1] + match[2] + replace(match[3]) if told else match[0]

    return _ATTRIBUTE.sub(without, tag)


def _enclosed(match: re.Match[str]) -> str | None:
    if not _tells(match[1]):
        return None
    content = _UNPARSED_CONTENT if match[0].endswith(_UNPARSED) else _CONTENT
    value = content.match(match.string, match.end())
    return None if value is None else _secret(value[0], match[1])


def _tells(name: str) -> bool:
    return _TELLS.search(name[-_LONGEST_NAME:]) is not None


def _secret(value: str, name: str) -> str | None:
    """The value, unless it is nothing, a flag, a placeholder, or a word after what may be one."""
    if is_harmless(value.strip()) or _REPLACED.fullmatch(value):
        return None
    if not any(each.isalnum() for each in value):
        return None
    if name.lower() in _WORDS_TOO and not _is_random(value):
        return None
    return value


def _is_random(value: str) -> bool:
    """Whether a value after "token" or "pass" is more than a word, a number or a path."""
    if value.startswith("/"):
        return False
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return mixed or len(value) >= _SHORTEST_RANDOM


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
    before, credentials = match["before"] or "", match["credentials"]
    text = match[0][len(before) :]
    if credentials is None:
        return before + replace(text)
    if match["scheme"].lower() == "basic":
        return replace(text) if _is_basic(credentials) else text
    if not any(each.isdigit() for each in credentials) and len(credentials) <= _LONGEST_WORD:
        return text
    return replace(text)


def _is_basic(credentials: str) -> bool:
    """Whether they have a user, or might have: better one word too many than one too few."""
    core = "".join(_BASE64.findall(credentials)[:1]).rstrip("=")
    try:
        decoded = base64.b64decode(core + "=" * (-len(core) % 4), validate=True)
    except binascii.Error:
        return False
    return b":" in decoded and (decoded.isascii() or not core.isalpha())
