"""Placeholders for redacted values. Each depends on its value alone.

Equal values get equal placeholders in every page, cassette and cloud, so recordings can be
compared without matching placeholders first. The exceptions are fixed words, which stand for every
value of their kind (`holds_fixed_word`).
"""

import hashlib
import re
from typing import Final

OWN_PROJECT: Final = "0" * 32
"""The project of the recording session."""

SECRET: Final = "<redacted>"  # noqa: S105
SECRET_IN_URL: Final = "redacted"  # noqa: S105
OWNER: Final = "redacted-owner"
"""An owner whose id is a name or a number: its digest could be guessed."""

EMAIL: Final = "redacted@redacted.invalid"
IPV4: Final = "192.0.2.1"  # RFC 5737, for documentation
IPV6: Final = "2001:db8::1"  # RFC 3849, for documentation
MAC: Final = "02:00:00:00:00:01"  # locally administered

_WORDS: Final = "|".join(map(re.escape, (SECRET, "%3Credacted%3E", OWNER, EMAIL)))
_ADDRESSES: Final = "|".join(map(re.escape, (IPV4, IPV6, MAC)))
_FIXED: Final = re.compile(rf"{_WORDS}|(?<![\w.<-]){SECRET_IN_URL}(?![\w.>-])|\A(?:{_ADDRESSES})\Z")
HEX_RUN: Final = re.compile(r"[0-9a-fA-F](?:-?[0-9a-fA-F]){31,}")  # may be or contain an id
_MARK: Final = "0" * 8
_ID: Final = re.compile(r"(?i:[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12,})")
IDS: Final = re.compile(rf"(?<![\w-]){_ID.pattern}(?![\w-]|\.\w)")  # as in `in:ID,ID`
_OWN_HOST: Final = re.compile(r"([a-z][a-z0-9_-]*)\.[A-Za-z0-9._-]+\.invalid")
_FOREIGN_DIGITS: Final = 3
_PLACEHOLDER: Final = re.compile(rf"\.invalid(?![\w-])|(?<![0-9a-f]){_MARK}(?:-?[0-9a-f]){{24}}")


def is_id(value: str) -> bool:
    """Return whether a value has the form of Keystone's ids: 32 or more hex digits."""
    return _ID.fullmatch(value) is not None


def is_owner_placeholder(value: str) -> bool:
    """Return whether redaction wrote this in place of an owner's id."""
    return value == OWNER or (value.startswith(_MARK) and is_id(value))


def compact(value: str) -> str:
    """Return an id without dashes, in lower case."""
    return value.replace("-", "").lower()


def owner(value: str) -> str:
    """Return a digest with the length and dashes of an owner's id; a fixed word for other texts."""
    if is_owner_placeholder(value):
        return value
    if not is_id(value):
        return OWNER
    digits = compact(value)
    digest = hashlib.sha512(digits.encode("ascii")).hexdigest() * (1 + len(digits) // 128)
    return _dashed(_MARK + digest[: len(digits) - len(_MARK)], like=value)


def digest_of(value: str | None) -> str | None:
    """Return the digest of a project or user for provenance; None if it could be guessed."""
    return owner(value) if value is not None and is_id(value) else None


def own_project(value: str) -> str:
    """Return the placeholder of the session's own project, with the dashes of `value`."""
    return _dashed(OWN_PROJECT, like=value) if is_id(value) else OWN_PROJECT


def _dashed(digits: str, *, like: str) -> str:
    if "-" not in like:
        return digits
    following = iter(digits)
    return "".join("-" if char == "-" else next(following, "") for char in like)


def host(role: str, cloud: str) -> str:
    """Return the placeholder host of a cloud's own service, for example "compute"."""
    return f"{role}.{cloud}.invalid"


def role_of(hostname: str) -> str | None:
    """Return the role of a cloud's own host; None for any other."""
    match = _OWN_HOST.fullmatch(hostname)
    return match[1] if match else None


def foreign_host(hostname: str) -> str:
    """Return the placeholder of any other host, with three digits of its digest."""
    digest = hashlib.sha256(hostname.lower().encode("utf-8", "surrogatepass")).hexdigest()
    return f"host-{digest[:_FOREIGN_DIGITS]}.invalid"


def is_placeholder_host(hostname: str) -> bool:
    """Return whether a host is in the reserved domain `.invalid` (RFC 2606)."""
    return hostname.lower().endswith(".invalid")


def is_placeholder(value: str) -> bool:
    """Return whether redaction wrote this in place of a whole value."""
    return _FIXED.fullmatch(value) is not None or is_owner_placeholder(value)


def holds_fixed_word(text: str) -> bool:
    """Return whether a value in a text became a fixed word, and so cannot be compared."""
    return _FIXED.search(text) is not None


def holds(text: str) -> bool:
    """Return whether a text holds a placeholder and so cannot be sent to a cloud."""
    return _PLACEHOLDER.search(text) is not None or holds_fixed_word(text)
