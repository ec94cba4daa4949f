"""Undo gzip, zlib and deflate without unpacking more than fits into memory."""

import gzip
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

_MAX_SIZE: Final = 64 * 2**20  # bytes; a few kilobytes can unpack to gigabytes
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_RAW_DEFLATE: Final = -zlib.MAX_WBITS
_GZIP: Final = b"\x1f\x8b"


def decompress(data: bytes) -> bytes | None:
    """Return the content of gzip or zlib data; None if it is neither, damaged or too large."""
    return _decompress(data, _GZIP_OR_ZLIB)


def _decompress(data: bytes, wbits: int) -> bytes | None:
    stream = zlib.decompressobj(wbits)
    try:
        content = stream.decompress(data, _MAX_SIZE + 1)
    except zlib.error:
        return None
    is_complete = stream.eof and not stream.unused_data and len(content) <= _MAX_SIZE
    return content if is_complete else None


def decode(
    body: bytes,
    encodings: str,
    decoders: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType({}),
) -> bytes | None:
    """Return a body without its content encodings; None if one of them cannot be undone.

    A client may have undone them and kept the header, so text is returned unchanged. `decoders`
    adds encodings to gzip and deflate, by name.
    """
    for name in (item.strip().lower() for item in reversed(encodings.split(","))):
        content = None
        if name in {"gzip", "x-gzip", "deflate"}:
            content = decompress(body)
            if content is None and name == "deflate":
                content = _decompress(body, _RAW_DEFLATE)  # some servers leave out zlib's header
        elif name in {"", "identity"}:
            content = body
        elif name in decoders and not _is_text(body):
            content = decoders[name](body)
        if content is None and not _is_text(body):
            return None
        body = body if content is None else content
    return body


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def compress_like(data: bytes, content: bytes) -> bytes:
    """Compress content in the format of `data`; equal content gives equal bytes."""
    return gzip.compress(content, mtime=0) if data.startswith(_GZIP) else zlib.compress(content)
