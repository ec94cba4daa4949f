"""Undoes gzip, zlib, bzip2 and xz, as far as memory allows."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

_LARGEST: Final = 64 * 2**20  # bytes; a few kilobytes can unpack to gigabytes
_PIECE: Final = 2**20
_EITHER_HEADER: Final = 32 + zlib.MAX_WBITS  # zlib's word for gzip or zlib, whichever it is
_ZLIB: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_PACKED: Final[Mapping[bytes, Callable[[], object]]] = {
    b"\x1f\x8b\x08": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
    **dict.fromkeys(_ZLIB, zlib.decompressobj),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": lzma.LZMADecompressor,
}
_OF_HTTP: Final = frozenset({"gzip", "x-gzip", "deflate"})
_NO_ENCODING: Final = frozenset({"", "identity"})
_MAGIC: Final = b"\x1f\x8b"


def unpacked(data: bytes) -> bytes | None:
    """What compressed data holds; None if it is not compressed, damaged, or too large to look at.

    Args:
        data: One stream; anything after its end counts as damage.
    """
    start = next((each for each in _PACKED if data.startswith(each)), None)
    if start is None:
        return None
    stream: Any = _PACKED[start]()
    try:
        content = stream.decompress(data, _LARGEST + 1)
    except (zlib.error, OSError, lzma.LZMAError, EOFError):
        return None
    whole = stream.eof and not stream.unused_data and len(content) <= _LARGEST
    return bytes(content) if whole else None


def decoded(
    body: bytes,
    encodings: str,
    others: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType({}),
) -> bytes | None:
    """A body without its content encodings; None if one of them cannot be undone.

    A client may have undone them already and kept the header.

    Args:
        body: Compressed as often as the header says, or not any more.
        encodings: The header's value, in the order in which they were applied.
        others: What undoes encodings that are not known here, by name.
    """
    for name in (each.strip().lower() for each in reversed(encodings.split(","))):
        if name in _NO_ENCODING:
            continue
        content = unpacked(body) if name in _OF_HTTP else None
        if content is None and name == "deflate":
            content = _inflated(body)
        if content is None and name in others and not _is_text(body):
            content = others[name](body)
        if content is None and body and (not _is_text(body) or body.startswith(_MAGIC)):
            return None
        body = body if content is None else content
    return body


def _inflated(data: bytes) -> bytes | None:
    """What deflate without zlib's frame holds; some servers send that."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = stream.decompress(data, _LARGEST + 1)
    except zlib.error:
        return None
    whole = stream.eof and not stream.unused_data and len(content) <= _LARGEST
    return content if whole else None


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def exceeds(data: bytes, most: int) -> bool:
    """Whether gzip or zlib data unpacks to more bytes than that; damaged data does not.

    It is unpacked piece by piece, so the answer costs no memory.
    """
    stream = zlib.decompressobj(_EITHER_HEADER)
    size, rest = 0, data
    try:
        while rest and not stream.eof and size <= most:
            size += len(stream.decompress(rest, _PIECE))
            rest = stream.unconsumed_tail
    except zlib.error:
        return False
    return size > most


def repacked(content: bytes, *, like: bytes) -> bytes | None:
    """Content compressed as other data is; the same content gives the same bytes.

    None for what only few servers send and nothing here writes: bzip2 and xz.
    """
    if like.startswith(b"\x1f\x8b\x08"):
        return gzip.compress(content, mtime=0)
    if like.startswith(_ZLIB):
        return zlib.compress(content)
    return None
