"""Compression undone, as far as memory allows."""

import bz2
import gzip
import lzma
import tracemalloc
import zlib

import pytest

from pytest_imagedetail.body import compression as packing

TEXT = b"the same words again and again " * 40
BOTH = [gzip.compress, zlib.compress]
ALL = [*BOTH, lambda data: zlib.compress(data, 1), bz2.compress, lzma.compress]


@pytest.mark.parametrize("pack", ALL)
def test_what_was_packed_is_unpacked(pack):
    """Each of the forms that servers and people use; empty content too."""
    assert packing.unpacked(pack(TEXT)) == TEXT
    assert packing.unpacked(pack(b"")) == b""


@pytest.mark.parametrize("pack", ALL)
def test_damage_and_what_is_not_packed_are_none(pack):
    """A cut stream, one with something behind it, one with a changed byte, and plain text."""
    packed = pack(TEXT)
    changed = bytearray(packed)
    changed[len(packed) // 2] ^= 0xFF
    for data in (packed[:-3], packed + b"more", bytes(changed), TEXT, b""):
        assert packing.unpacked(data) is None


def test_a_bomb_is_not_unpacked(monkeypatch):
    """One byte more than fits is too large; the limit itself is not."""
    monkeypatch.setattr(packing, "_LARGEST", 1000)
    assert packing.unpacked(gzip.compress(b"x" * 1000)) == b"x" * 1000
    assert packing.unpacked(gzip.compress(b"x" * 1001)) is None


@pytest.mark.parametrize("pack", BOTH)
def test_how_much_it_unpacks_to(pack):
    """To the byte, over many pieces; what is damaged or not packed exceeds nothing."""
    size = 3 * 2**20 + 7
    packed = pack(b"x" * size)
    assert packing.exceeds(packed, size - 1)
    assert not packing.exceeds(packed, size)
    assert not packing.exceeds(packed[:20], 10**6)
    assert not packing.exceeds(b"", 0)
    assert not packing.exceeds(TEXT, 0)


def test_to_know_that_costs_no_memory():
    """A bomb of 512 MiB is told in the room of a few pieces."""
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(b"\0" * 2**20) for _ in range(512)) + packer.flush()
    tracemalloc.start()
    try:
        assert packing.exceeds(bomb, 256 * 2**20)
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("pack", BOTH)
def test_repacked_as_it_was(pack):
    """The same form, and the same bytes for the same content, whenever it is done."""
    again = packing.repacked(b"other", like=pack(TEXT))
    assert packing.unpacked(again) == b"other"
    assert again[:2] == pack(TEXT)[:2]
    assert again == packing.repacked(b"other", like=pack(TEXT))


def test_what_nothing_here_writes_is_not_repacked():
    """Whoever asks must leave it as it is, or refuse it."""
    for like in (bz2.compress(TEXT), lzma.compress(TEXT), TEXT, b""):
        assert packing.repacked(b"other", like=like) is None


def raw_deflate(data):
    """Deflate as some servers send it, without zlib's frame."""
    return zlib.compress(data)[2:-4]


@pytest.mark.parametrize(
    ("encodings", "body"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("GZIP", gzip.compress(TEXT, mtime=0)),
        ("gzip, gzip", gzip.compress(gzip.compress(TEXT, mtime=0), mtime=0)),
        ("deflate , X-Gzip", gzip.compress(zlib.compress(TEXT), mtime=0)),
        ("deflate", raw_deflate(TEXT)),
        ("identity", TEXT),
        ("", TEXT),
        ("gzip", TEXT),
        ("rot13", b"\xff" + TEXT),
        ("br", TEXT),
    ],
)
def test_content_encodings_are_undone(encodings, body):
    """In any spelling, each as often as it says, and not again where a client has done it."""
    others = {"rot13": lambda data: data[1:]}
    assert packing.decoded(body, encodings, others) == TEXT


@pytest.mark.parametrize(
    ("encodings", "body"),
    [
        ("br", b"\xff\xfe"),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-9]),
        ("gzip", b"\x1f\x8b text"),
        ("br, gzip", gzip.compress(b"\xff\xfe", mtime=0)),
    ],
)
def test_what_cannot_be_undone_is_none(encodings, body):
    """It must not pass for what a client reads."""
    assert packing.decoded(body, encodings) is None


def test_no_body_has_no_encoding():
    """As in the answer to HEAD."""
    assert packing.decoded(b"", "gzip, br") == b""
