"""The gate: looks for secrets in bytes about to be written, and trusts no redaction.

It knows what a session must not show and, from its own list, the shapes that secrets have; a hole
in redaction's list is so no hole in this one. A hit refuses the write.
"""

import base64
import re
import string
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.redact.decodings import FOLDED, is_readable, readings

_SHORTEST: Final = 4  # a shorter "secret" would be found in any text
_SHORTEST_TOKEN: Final = 16  # the least that has a shape of its own

_TOKEN: Final = re.compile(
    r"gAAAAA[\w-]{20,}"  # Fernet, Keystone's tokens
    # JWT, Keystone's other tokens; a word is taken in one piece up to its first "eyJ", or a word
    # of nothing else would be begun at each.
    r"|(?<![\w-])(?>[\w-]*?(?=eyJ))eyJ[\w-]{8,}+\.eyJ[\w-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|npm_|pypi-Ag|hvs\.)[\w-]{16,}"
    r"|\bAIza[\w-]{35}|\b[rs]k_live_\w{16,}"  # Google, Stripe
    r"|\bsk-(?:ant|proj|svcacct|admin)-[\w-]{16,}|\bsk-[A-Za-z0-9]{32,}"  # OpenAI and its like
)
_AUTHORIZATION: Final = re.compile(
    r"\b(?:(Basic)|Bearer|Negotiate)[ \t]+([\w+/=.~-]{8,})", re.IGNORECASE
)
_URL_USER: Final = re.compile(r"://[^/\s:@\"'<>\\]+:[^/\s@\"'<>\\]+@")
_PAIR: Final = re.compile(  # the value is looked at only: it may be the next name
    r"\"([^\"\\\n]{2,64})\"\s*+:\s*+\"(?=((?:[^\"\\\n]|\\.)+)\")"
)
_SECRET_NAME: Final = re.compile(
    r"passw(?:or)?d|passphrase|passcode|secret|token|(?:api|private|access|auth)[_-]?key"
    r"|(?-i:[a-z]Pass$)|\b(?:[a-z]+_)?pass$|\bpwd$|^(?:proxy-)?authorization$|^(?:set-)?cookie$",
    re.IGNORECASE,
)
_NO_SECRET_NAME: Final = re.compile(
    r"expire|issued|(?:_at|_in|_?types?|_?methods?|_?ur[il]|_?endpoint|_enabled|_ttl)$",
    re.IGNORECASE,
)
_ASSIGNED: Final = re.compile(  # in a query, a form, a file of settings, YAML
    r"(?<![\w.-])([\w.-]++)[\"']?[ \t]*+"
    r"(?:=(?!=)>?[ \t]*+|:(?:[ \t]++|(?=[bBuU]?[\"'])))(?:[bBuU](?=[\"']))?[\"']?"
)
_ELEMENT: Final = re.compile(
    r"<(?:[\w-]++:)?([\w.-]++)(?:\s[^<>]*+)?>(?:\s*+<!\[CDATA\[|(?=[^<>]++</))"
)
_MEMBERS: Final = r"(?:,\s*+\"[^\"\\]{1,64}+\"\s*+:\s*+(?:\"[^\"\\]*+\"|[\w.+-]++)\s*+){0,4}?,\s*+"
_NAMED: Final = r"\"(?:name|key|property|variable)\"\s*+:\s*+\"([\w.:-]{2,64}+)\"\s*+"
_BESIDE: Final = re.compile(  # {"name": "password", "value": "..."}
    rf"{_NAMED}{_MEMBERS}\"value\"\s*+:\s*+\"((?:[^\"\\\n]|\\.)++)\""
    rf"|\"value\"\s*+:\s*+\"((?:[^\"\\\n]|\\.)++)\"\s*+{_MEMBERS}{_NAMED}",
    re.IGNORECASE,
)
_HELD: Final = re.compile(  # {"password": {"value": "..."}}
    r"\"([^\"\\\n]{2,64})\"\s*+:\s*+\[?\s*+\{\s*+"
    r"(?:\"[^\"\\]{1,64}+\"\s*+:\s*+(?:\"[^\"\\]*+\"|[\w.+-]++)\s*+,\s*+){0,4}?"
    r"\"(?:values?|text|content|data|plain(?:text)?|raw|#text|\$t?)\"\s*+:\s*+\[?\s*+"
    r"\"((?:[^\"\\\n]|\\.)++)\"",
    re.IGNORECASE,
)
_TAG: Final = re.compile(
    r"<[a-z][\w:.-]*+(?:\s++[\w:.-]++(?:\s*+=\s*+(?:\"[^\"<>]*+\"|'[^'<>]*+'|[^\s\"'<>=/]++))?+)++\s*+/?>",
    re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(
    r"(?<![\w:.-])([\w:.-]++)\s*+=\s*+[\"']?([^\"'<>\s]++|(?<=[\"'])[^\"'<>]++)"
)
_TOLD: Final = re.compile(r"[^&\s\"'<>;,\\]{1,64}")
_TELLING: Final = re.compile(  # at the end of a name: a policy for passwords is none
    r"(?:^|[._-]|(?-i:(?<=[a-z0-9])(?=[A-Z])))(?:password|passwd|passphrase|passcode|pass|pwd|secret"
    r"|token|credentials?|(?:access|account|api|auth|encryption|master|private|secret|signing)"
    r"[_-]?key|x-amz-signature|temp_url_sig|awsaccesskeyid)[_-]?\d{0,3}$",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"pass|pwd|secret|token|credentials?", re.IGNORECASE)
_FIELD: Final = re.compile(
    r"^[ \t]*(?:-[ \t]+)?'?(?:x-(?:auth|subject|service|storage|csrf)-token|x-auth-key|x-api-key"
    r"|set-cookie2?|cookie|(?:proxy-)?authorization)'?[ \t]*:\s*(?:-[ \t]+)?([^\r\n]+)"
    r"|(?<![\w-])(?:set-cookie2?|cookie|(?:proxy-)?authorization)[ \t]*+:[ \t]*+([^\"'\\\r\n]+)",
    re.IGNORECASE | re.MULTILINE,
)
_PLACEHOLDER: Final = re.compile(
    r"[\"']?(?:(?:<|%3C)redacted-\d+(?:>|%3E)|redacted|true|false|null|none|yes|no|[01])?[\"']?",
    re.IGNORECASE,
)
_ONLY_PLACEHOLDER: Final = re.compile(r"<redacted-\d+>[ \t\r]*(?:[\"'\\;,]|$)", re.MULTILINE)
# Looked for first: searching for a plain text is ten times as fast as for an expression.
_TOKEN_SIGNS: Final = (
    *("gAAAAA", "eyJ", "PRIVATE KEY", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    *("github_pat_", "glpat-", "xox", "npm_", "pypi-Ag", "hvs.", "AIza", "k_live_", "sk-"),
)
_SCHEMES: Final = ("basic", "bearer", "negotiate")
_NAME_SIGNS: Final = (
    *("pass", "secret", "token", "_key", "-key", "apikey", "keyid", "authkey", "privatekey"),
    *("accesskey", "accountkey", "encryptionkey", "masterkey", "signingkey", "credential"),
    *("pwd", "authorization", "cookie", "x-amz-signature", "temp_url_sig"),
)
_LONGEST_WORD: Final = 32
_LONGEST_NAME: Final = 64


def refuse_leaks(data: bytes, *, secrets: Iterable[str], where: str) -> None:
    """Raise if a secret stands in the data in any form it is known to take.

    Args:
        data: The bytes about to be written.
        secrets: Values that must not be there: raw, percent-encoded, JSON-escaped, in base64, in
            hexadecimal, in UTF-16, HTML-escaped, or compressed.
        where: The file that would have been written.

    Raises:
        LeakError: With line and kind of the hit, never the value. Or nobody can tell: the data is
            neither text nor compressed text.
    """
    known = sorted({each for each in secrets if len(each) >= _SHORTEST}, key=len, reverse=True)
    shortest = _SHORTEST if known else _SHORTEST_TOKEN
    for form, text in readings(data, shortest=shortest):
        for secret in known:
            if (found := _found(secret, form, text)) is not None:
                kind, needle = found
                raise _leak(f"a live secret of this session ({kind})", data, needle, where)
        if (shape := next(_shapes(text.decode("utf-8", errors="replace"), form), None)) is not None:
            raise _leak(shape[0], data, shape[1].encode("utf-8"), where)
    if not is_readable(data):
        raise LeakError(
            f"refused to write: {len(data)} bytes are neither text nor compressed text, so nobody "
            "can see whether a secret is in them",
            where=where,
            remedy="nothing was written and an older recording is untouched\n"
            "if they are compressed, let the client ask for another encoding (Accept-Encoding: "
            "gzip)\n"
            "or keep a request that fetches a file out of what is recorded",
        )


def _found(secret: str, form: str, text: bytes) -> tuple[str, bytes] | None:
    """The form in which a secret stands in a text, and its bytes there."""
    if form != FOLDED:
        for kind, needle in _spellings(secret):
            if needle in text:
                return kind or form, needle
    raw = secret.encode("utf-8", errors="surrogatepass")
    if raw.hex().encode() in text.lower():
        return "in hexadecimal", raw.hex().encode()
    return next((("in base64", each) for each in _in_base64(raw, text)), None)


def _spellings(secret: str) -> Iterator[tuple[str, bytes]]:
    """The bytes of a secret; one of half characters may have come from JSON or from raw bytes."""
    yield "", secret.encode("utf-8", errors="surrogatepass")
    with suppress(UnicodeEncodeError):
        yield "", secret.encode("utf-8", errors="surrogateescape")
    yield "in UTF-16", secret.encode("utf-16-le", errors="surrogatepass")
    yield "in UTF-16", secret.encode("utf-16-be", errors="surrogatepass")


def _in_base64(raw: bytes, text: bytes) -> Iterator[bytes]:
    """What in a text is base64 of something longer that holds the secret, wherever it begins."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw)
        # The characters that its neighbours share are cut, and looked at where the others are.
        before = (0, 2, 3)[offset]
        core = encoded[before : len(encoded) - (0, 4, 4)[(offset + len(raw)) % 3]]
        if len(core) < 2 * _SHORTEST:
            continue
        for each in {core, core.translate(_URL_SAFE)}:
            at = text.find(each)
            while at >= 0:
                if _holds(text[max(at - before, 0) :][: len(encoded)], offset, raw):
                    yield each
                at = text.find(each, at + 1)


def _holds(encoded: bytes, offset: int, raw: bytes) -> bool:
    """Whether the secret stands behind so many bytes, down to its last bit."""
    whole = encoded.translate(_BITS) + b"A" * (-len(encoded) % 4)
    return base64.b64decode(whole)[offset : offset + len(raw)] == raw


_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_OTHERS: Final = bytes(set(range(256)) - set(string.ascii_letters.encode() + b"0123456789+/-_"))
_BITS: Final = bytes.maketrans(b"-_" + _OTHERS, b"+/" + b"A" * len(_OTHERS))


def _shapes(text: str, form: str) -> Iterator[tuple[str, str]]:
    """What in a text looks like a secret, whoever it belongs to: kinds and values.

    Where lines are joined, a name may stand before anything.
    """
    if _has(text, _TOKEN_SIGNS):
        yield from (("something in the shape of a token or key", each) for each in _tokens(text))
    lower = text.lower()
    if _has(lower, _SCHEMES):
        for match in _AUTHORIZATION.finditer(text):
            if _are_credentials(match.group(2), basic=match.group(1) is not None):
                yield "something in the shape of a token or key", match.group()
    if "://" in text:
        for match in _URL_USER.finditer(text):
            yield "a URL with a user and a password", match.group()
    if form != FOLDED and _has(lower, _NAME_SIGNS):
        yield from _named(text)
        yield from _beside(text)


def _tokens(text: str) -> Iterator[str]:
    return (match.group() for match in _TOKEN.finditer(text))


def _named(text: str) -> Iterator[tuple[str, str]]:
    """What stands under a name that tells."""
    for match in _PAIR.finditer(text):
        name, value = match.groups()
        if _tells(name) and _is_left(value):
            yield "a value under the name of a secret", match.group()
    for match in _ASSIGNED.finditer(text):
        told = _TOLD.match(text, match.end())
        if told is not None and _is_told(match[1], told[0]):
            yield "a value under the name of a secret", match[0] + told[0]
    for match in _ELEMENT.finditer(text):
        content = _TOLD.match(text, match.end())
        if content is not None and _is_told(match[1], content[0]):
            yield "a value under the name of a secret", match[0] + content[0]
    for match in _FIELD.finditer(text):
        if _ONLY_PLACEHOLDER.match(match[1] or match[2]) is None:
            yield "a header that carries tokens, credentials or cookies", match.group().strip()


def _beside(text: str) -> Iterator[tuple[str, str]]:
    """What stands beside a name that tells."""
    for match in _HELD.finditer(text):
        if _tells(match[1]) and _is_left(match[2]):
            yield "a value under the name of a secret", match.group()
    if '"value"' in text.lower():
        for match in _BESIDE.finditer(text):
            if _tells(match[1] or match[4]) and _is_left(match[2] or match[3]):
                yield "a value under the name of a secret", match.group()
    for match in _TAG.finditer(text) if "<" in text else ():
        if _is_field_left(dict(_ATTRIBUTE.findall(match[0].lower()))):
            yield "a value under the name of a secret", match.group()


def _is_field_left(attributes: dict[str, str]) -> bool:
    """Whether a tag is a form's field or a setting whose name tells, with its value."""
    names = (attributes.get(name, "") for name in ("name", "key", "property", "variable", "id"))
    values = [attributes[name] for name in ("value", "content") if name in attributes]
    return any(map(_tells, names)) and any(map(_is_left, values))


def _is_told(name: str, value: str) -> bool:
    """Whether a text before a value says that it is secret, and the value is more than a word."""
    if _TELLING.search(name[-_LONGEST_NAME:]) is None or not _is_left(value):
        return False
    if _WORD.fullmatch(name) is None:
        return any(map(str.isalnum, value))
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return value[0] != "/" and (mixed or len(value) >= _SHORTEST_TOKEN)


def _has(text: str, signs: tuple[str, ...]) -> bool:
    return any(sign in text for sign in signs)


def _are_credentials(text: str, *, basic: bool) -> bool:
    """Whether what follows "Basic" or "Bearer" is more than a word."""
    if not basic:
        return any(each.isdigit() for each in text) or len(text) > _LONGEST_WORD
    core = text.rstrip("=.~-")
    try:
        decoded = base64.b64decode(core + "=" * (-len(core) % 4), validate=True)
    except ValueError:  # what is not ASCII is no binascii.Error
        return False
    return b":" in decoded and (decoded.isascii() or not core.isalpha())


def _tells(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None and _NO_SECRET_NAME.search(name) is None


def _is_left(value: str) -> bool:
    """Whether a value is no placeholder, no flag, and no document that is read by itself."""
    return _PLACEHOLDER.fullmatch(value) is None and value[:1] not in {"{", "["}


def _leak(what: str, data: bytes, needle: bytes, where: str) -> LeakError:
    lines = enumerate(data.split(b"\n"), start=1)
    at = next((number for number, line in lines if _reads_as(line, needle)), 0)
    place = f"line {at}" if at else "over several lines"
    return LeakError(
        f"refused to write: {what} was left after redaction",
        where=f"{where}, {place} of what would have been written",
        remedy="nothing was written and an older recording is untouched\n"
        "report it with the line's field name (never its value): redaction must learn this place",
    )


def _reads_as(line: bytes, needle: bytes) -> bool:
    return any(
        needle in text or needle in text.lower() for _, text in readings(line, shortest=_SHORTEST)
    )
