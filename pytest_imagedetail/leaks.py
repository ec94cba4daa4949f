"""The gate: looks for secrets in bytes about to be written, and trusts no redaction.

It knows what a session must not show and the shapes that secrets have. A hit refuses the write.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import unquote_to_bytes

from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.redact import SECRET_SHAPES

_SHORTEST: Final = 4  # a shorter "secret" would be found in any text
_FOLDED: Final = "over several lines"  # as base64 is wrapped; words joined so would mean nothing
_DEEPEST: Final = 16  # layers of JSON in JSON; each doubles the backslashes of the one above


def refuse_leaks(data: bytes, *, secrets: Iterable[str], where: str) -> None:
    """Raise if a secret stands in the data in any form it is known to take.

    The data is decoded rather than the secret encoded: there are many ways to escape a text and
    only one to read it.

    Args:
        data: The bytes about to be written.
        secrets: Values that must not be there: raw, percent-encoded, JSON-escaped or in base64.
        where: The file that would have been written.

    Raises:
        LeakError: With line and kind of the hit, never the value.
    """
    known = sorted({each for each in secrets if len(each) >= _SHORTEST}, key=len, reverse=True)
    for form, text in _readings(data):
        for secret in known:
            for needle in _spellings(secret):
                if form != _FOLDED and needle in text:
                    raise _leak(f"a live secret of this session ({form})", data, needle, where)
            in_hex = secret.encode("utf-8", errors="surrogatepass").hex().encode()
            if in_hex in text.lower():
                kind = "a live secret of this session (in hexadecimal)"
                raise _leak(kind, data.lower(), in_hex, where)
            for needle in _in_base64(secret):
                if needle in text:
                    raise _leak("a live secret of this session (in base64)", data, needle, where)
        match = SECRET_SHAPES.search(text.decode("utf-8", errors="replace"))
        if match is not None:
            needle = match.group().encode("utf-8")
            raise _leak("something in the shape of a token or key", data, needle, where)


def _readings(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What the data may mean; JSON is undone layer by layer, for JSON may hold JSON."""
    yield "as it is", data
    yield _FOLDED, b"".join(data.split())
    if b"\0" in data:
        yield "with zero bytes", data.replace(b"\0", b"")
    text, form = data, ""
    for _ in range(_DEEPEST):
        if b"%" in text:
            yield f"percent-encoded{form and ' and '}{form}", unquote_to_bytes(text)
        if b"+" in text:
            yield f"form-encoded{form and ' and '}{form}", _form_decoded(text)
        below = _unescaped(text)
        if below == text:
            return
        text, form = below, "JSON-escaped"
        yield form, text


def _unescaped(data: bytes) -> bytes:
    """The data with the backslash escapes of JSON undone, wherever they stand."""
    return _ESCAPE.sub(_escaped, data) if b"\\" in data else data


def _escaped(match: re.Match[bytes]) -> bytes:
    text = match.group()
    if text[1:2] != b"u":
        return _ESCAPES.get(text[1:], text[1:])
    units = bytes.fromhex(text.replace(b"\\u", b"").decode("ascii"))
    return units.decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")


def _form_decoded(data: bytes) -> bytes:
    return unquote_to_bytes(data.replace(b"+", b" "))


_ESCAPE: Final = re.compile(rb"(?:\\u[0-9a-fA-F]{4})+|\\[^u\n]")
_ESCAPES: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def _spellings(secret: str) -> set[bytes]:
    """The bytes of a secret; one of half characters may have come from JSON or from raw bytes."""
    found = {secret.encode("utf-8", errors="surrogatepass")}
    with suppress(UnicodeEncodeError):
        found.add(secret.encode("utf-8", errors="surrogateescape"))
    return found


def _in_base64(secret: str) -> set[bytes]:
    """What base64 of any longer text that holds the secret must hold."""
    found: set[bytes] = set()
    raw = secret.encode("utf-8", errors="surrogatepass")
    for offset in range(3):
        # Cut the characters that its neighbours share.
        encoded = base64.b64encode(b"\0" * offset + raw)
        core = encoded[(0, 2, 3)[offset] : len(encoded) - (0, 4, 4)[(offset + len(raw)) % 3]]
        if len(core) >= 2 * _SHORTEST:
            found |= {core, core.translate(_URL_SAFE)}
    return found


_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


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
    return any(needle in text for _, text in _readings(line))
