"""Undoes gzip, zlib, bzip2 and xz, as far as memory allows."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Mapping
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
