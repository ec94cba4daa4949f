"""Undo percent-encoding, forms, JSON escapes, entities, base64 and gzip, two layers deep."""

import base64
import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from pytest_imagedetail.body import compression

_LAYERS: Final = 2  # how many encodings to undo on top of each other
_GZIP: Final = b"\x1f\x8b"
UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_ESCAPE: Final = re.compile(rb"\\(?:u([0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*)|([^u]))")
_CONTROLS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_ENTITY: Final = re.compile(rb"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,7});")
_BETWEEN_WORDS: Final = bytes.maketrans(b"\"'<>", b"    ")
_BASE64: Final = re.compile(  # a line of 40 or more characters may continue
    rb"(?:[A-Za-z0-9+/_-]{40,}+\s+)+[A-Za-z0-9+/_-]*+|[A-Za-z0-9+/_-]{11,}+"
)
_PRINTABLE: Final = re.compile(rb"[\t\n\r -~]{8,}")
_HEXADECIMAL: Final = re.compile(rb"[0-9a-fA-F-]+")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


def decodings_of(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the encodings undone ("as written", "percent-encoded, in base64"), and the text."""
    if data.startswith(UTF_16):
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    yield "as written", data.decode("utf-8", "replace")
    for form, view in _nested(data, "", _LAYERS):
        yield form, view.decode("utf-8", "replace")


def _nested(data: bytes, form: str, layers: int) -> Iterator[tuple[str, bytes]]:
    for name, decode in _DECODERS if layers else ():
        content = decode(data)
        if content and content != data:
            forms = f"{form}, {name}" if form else name
            yield forms, content
            yield from _nested(content, forms, layers - 1)


def _form(data: bytes) -> bytes:
    # In a form, a plus sign is a space.
    words = data.translate(_BETWEEN_WORDS).split() if b"+" in data else ()
    spaced = (word.replace(b"+", b" ") for word in dict.fromkeys(words) if b"+" in word)
    return unquote_to_bytes(b"\n".join(spaced))


def _entities(data: bytes) -> bytes:
    return _ENTITY.sub(lambda match: html.unescape(match[0].decode("ascii")).encode(), data)


def _json(data: bytes) -> bytes:
    return _ESCAPE.sub(_unescape, data)


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1] is None:
        return _CONTROLS.get(match[2], match[2])
    units = bytes.fromhex(match[1].replace(b"\\u", b"").decode("ascii"))
    return units.decode("utf-16-be", errors="replace").encode("utf-8")


def _base64(data: bytes) -> bytes:
    """Decode every run of base64, wrapped or not, at each of the four possible offsets."""
    return b"\n".join(content for run in set(_BASE64.findall(data)) for content in _decoded(run))


@lru_cache(maxsize=4096)  # all answers of a cloud have the same words
def _decoded(run: bytes) -> tuple[bytes, ...]:
    if _HEXADECIMAL.fullmatch(run):
        return ()  # ids and checksums
    core = b"".join(run.split()).translate(_URL_SAFE)
    contents: list[bytes] = []
    for start in range(4):
        part = core[start:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        content = base64.b64decode(part + b"=" * (-len(part) % 4))
        if content.startswith(_GZIP):
            content = compression.decompress(content) or b""
        try:
            content.decode("utf-8")
            contents.append(content)
        except UnicodeDecodeError:  # most words decode to binary
            contents += _PRINTABLE.findall(content)
    return tuple(filter(None, contents))


_DECODERS: Final = (
    ("percent-encoded", unquote_to_bytes),
    ("in a form", _form),
    ("JSON-escaped", _json),
    ("with entities", _entities),
    ("in base64", _base64),
    ("gzipped", compression.decompress),
)
