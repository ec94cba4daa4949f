"""Bodies as other tools keep them, made into what a client reads: no encoding, no framing."""

import base64
import binascii
import re
from typing import Any, Final

from pytest_imagedetail.body import compression as packing
from pytest_imagedetail.model import Headers
from pytest_imagedetail.scrub.fields import UnsoundError

_CHUNK: Final = re.compile(rb"([0-9a-fA-F]{1,8})(?:;[^\r\n]*)?\r\n")
_CHARSET: Final = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)


def kept(value: Any) -> bytes:
    """A body as it is kept: a text, bytes, or a mapping that holds either or base64.

    Raises:
        UnsoundError: It is none of these.
    """
    if not isinstance(value, dict):
        return _raw(value, charset=None)
    if value.get("base64_string") is not None:
        return from_base64(value["base64_string"])
    encoding = value.get("encoding")
    return _raw(value.get("string"), charset=encoding if isinstance(encoding, str) else None)


def from_base64(value: Any) -> bytes:
    """What base64 holds, whatever white space is in it.

    Raises:
        UnsoundError: It is no base64.
    """
    raw = value.encode("utf-8", errors="replace") if isinstance(value, str) else value
    if not isinstance(raw, bytes):
        raise UnsoundError("a body that should be base64 is no text")
    try:
        return base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error as error:
        raise UnsoundError("a body that should be base64 is none") from error


def encoded(text: str, charset: str | None) -> bytes:
    """A text in the bytes that it had on the wire; UTF-8 where the charset cannot carry it."""
    for each in (charset, "utf-8"):
        try:
            return text.encode(each or "utf-8")
        except (LookupError, ValueError):  # no such charset, or one that cannot carry it
            continue
    return text.encode("utf-8", errors="surrogatepass")


def charset_of(content_type: str) -> str | None:
    """The charset that a content type names."""
    match = _CHARSET.search(content_type)
    return match.group(1) if match else None


def decoded(body: bytes, headers: Headers) -> bytes:
    """A body without chunks and compression, which some tools keep and others have undone.

    Raises:
        UnsoundError: It is compressed in a way that cannot be undone, or damaged.
    """
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = _unchunked(body)
    encodings = headers.get("content-encoding", "")
    content = packing.decoded(body, encodings)
    if content is None:
        raise UnsoundError(
            f"a body is compressed ({_named(encodings)}) and cannot be unpacked: it is damaged, "
            "too large, or of a kind that is not known here"
        )
    return content


def without_encoding(headers: Headers) -> Headers:
    """The headers of a body that is decoded."""
    gone = {"content-encoding", "transfer-encoding", "content-length"}
    return Headers(each for each in headers.fields if each[0].lower() not in gone)


def _raw(value: Any, *, charset: str | None) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return encoded(value, charset)
    raise UnsoundError("a body is neither a text nor bytes")


def _unchunked(body: bytes) -> bytes:
    """A body without the framing of chunks; most tools have taken it away already."""
    content, position = bytearray(), 0
    while (match := _CHUNK.match(body, position)) is not None:
        size = int(match.group(1), 16)
        end = match.end() + size
        if size == 0:
            return bytes(content)
        if body[end : end + 2] != b"\r\n":
            break
        content += body[match.end() : end]
        position = end + 2
    return body


def _named(encodings: str) -> str:
    known = re.fullmatch(r"[\w-]{1,16}(?:, ?[\w-]{1,16}){0,3}", encodings.strip())
    return encodings.strip().lower() if known else "an unknown encoding"
