"""What bytes may mean: every text that a reader could get out of them.

The bytes are decoded rather than a secret encoded: there are many ways to write a text and only one
to read it.
"""

import base64
import binascii
import html
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final
from urllib.parse import unquote_to_bytes

from pytest_imagedetail.body import compression as packing

FOLDED: Final = "over several lines"  # as base64 is wrapped; words joined so would mean nothing
_JSON_IN_JSON: Final = 16  # layers; each doubles the backslashes of the one above
_PERCENT_IN_PERCENT: Final = 3
_ENTITY: Final = re.compile(rb"&#?\w+;")
_NO_CHARACTER: Final = re.compile(rb"&#(?=\d{4000})")  # more digits than Python makes a number of
_DEEPEST: Final = 4  # layers of compression and base64
_ESCAPE: Final = re.compile(rb"(?:\\u[0-9a-fA-F]{4})+|(?:\\\\)+|\\[^u\n]")
_ESCAPES: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{6,}={0,2}")
_BREAK: Final = re.compile(  # between lines of base64: a line's end, or that of a text in a list
    rb"[ \t]*+(?:\\?+[\r\n][ \t]*+)++\\?+"
    rb"|\"\s*+,\s*+\"(?![A-Za-z0-9+/_-]++\"\s*+:)"  # what a name follows is no list
)
_WRAPPED: Final = re.compile(
    rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{8,}+(?:(?:%s)[A-Za-z0-9+/_-]++)++={0,2}" % _BREAK.pattern
)
_HEXADECIMAL: Final = re.compile(rb"[0-9a-fA-F-]+")  # ids, mostly; in base64 they mean nothing
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_PRINTABLE: Final = re.compile(rb"[\t\n\r -~\x80-\xff]*")


def readings(data: bytes, *, shortest: int) -> Iterator[tuple[str, bytes]]:
    """Pairs of a form ("as it is", "percent-encoded and JSON-escaped") and what is read in it.

    Args:
        data: A whole file, a body, or a line.
        shortest: How many bytes base64 must hold to be of interest, four at least; every word
            could be base64 of something.
    """
    yield from _texts(data)
    yield from _beneath(data, shortest=shortest * 4 // 3, depth=_DEEPEST)


def is_readable(data: bytes) -> bool:
    """Whether the readings show all there is: it is text, or compressed text."""
    content = packing.unpacked(data)
    if content is not None:
        return is_readable(content)
    for encoding in ("utf-8", *(["utf-16"] if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else [])):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return _PRINTABLE.fullmatch(data) is not None  # an 8-bit charset, whichever it is


def decoded(text: bytes, *, shortest: int) -> Iterator[bytes]:
    """What each run of base64's characters would be; of most words, nothing sensible.

    Args:
        text: Anything.
        shortest: How many characters a run must have.
    """
    for run in set(_BASE64.findall(text)):
        if len(run) < shortest or _HEXADECIMAL.fullmatch(run):
            continue
        core = run.rstrip(b"=").translate(_URL_SAFE)
        core = core[: len(core) - (len(core) % 4 == 1)]
        try:
            yield base64.b64decode(core + b"=" * (-len(core) % 4))
        except binascii.Error:
            continue


def _texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Each meaning of the data, and that with its wrapped lines put together."""
    for form, text in _meanings(data):
        yield form, text
        joined = _WRAPPED.sub(_joined, text)
        if joined != text:
            yield FOLDED, joined


def _joined(match: re.Match[bytes]) -> bytes:
    """Lines in one; lines of one length by themselves too, for a word may stand before them."""
    lines = _BREAK.split(match.group())
    blocks, ended = [[lines[0]]], False
    for before, line in pairwise(lines):
        if ended or len(line) > len(before):
            blocks.append([])
        blocks[-1].append(line)
        ended = len(blocks[-1]) > 1 and len(line) < len(before)
    return b"\n".join(dict.fromkeys([b"".join(lines), *map(b"".join, blocks)]))


def _meanings(data: bytes) -> Iterator[tuple[str, bytes]]:
    """JSON is undone layer by layer, for JSON may hold JSON."""
    yield "as it is", data
    yield FOLDED, b"".join(data.split())
    if b"\0" in data:
        yield "with zero bytes", data.replace(b"\0", b"")
    yield from _as_a_link_has_it(data, "")
    for text in _layers(data):
        yield "JSON-escaped", text
        yield from _as_a_link_has_it(text, " and JSON-escaped")


def _layers(data: bytes) -> Iterator[bytes]:
    """What JSON's escapes stand for, one layer after another."""
    for _ in range(_JSON_IN_JSON):
        below = _unescaped(data)
        if below == data:
            return
        data = below
        yield data


def _as_a_link_has_it(text: bytes, form: str) -> Iterator[tuple[str, bytes]]:
    """What a text means in a URL, a form or a page; there too, JSON may be in it."""
    for kind, meant in _of_the_web(text):
        yield f"{kind}{form}", meant
        yield from ((f"JSON-escaped and {kind}{form}", below) for below in _layers(meant))
    if b"+" in text:
        meant = _form_decoded(text)
        yield f"form-encoded{form}", meant
        yield from ((f"JSON-escaped and form-encoded{form}", below) for below in _layers(meant))


def _of_the_web(text: bytes) -> Iterator[tuple[str, bytes]]:
    """Percent-encoding, once or more, and what HTML makes of quotes: Nova's errors have both."""
    for _ in range(_PERCENT_IN_PERCENT):
        below = unquote_to_bytes(text) if b"%" in text else text
        if below == text:
            break
        text = below
        yield "percent-encoded", text
    if _ENTITY.search(text):
        short = _NO_CHARACTER.sub(b"&amp;#", text)
        unescaped = html.unescape(short.decode("utf-8", errors="surrogateescape"))
        yield "HTML-escaped", unescaped.encode("utf-8", errors="surrogateescape")


def _beneath(data: bytes, *, shortest: int, depth: int) -> Iterator[tuple[str, bytes]]:
    """Under compression and base64, and under each other."""
    if depth == 0:
        return
    content = packing.unpacked(data)
    if content is not None:
        for form, text in _all(content, shortest=shortest, depth=depth - 1):
            yield _under("compressed", form), text
        return
    seen: set[bytes] = set()
    for form, text in tuple(_texts(data)):
        pieces = [piece for piece in decoded(text, shortest=shortest) if piece not in seen]
        seen.update(pieces)
        if not pieces:
            continue
        yield f"in base64, {form}", b"\n".join(pieces)
        for piece in pieces:
            if packing.unpacked(piece) is not None or (len(piece) > 8 and _is_text(piece)):  # noqa: PLR2004
                for below, meant in _all(piece, shortest=shortest, depth=depth - 1):
                    yield _under("in base64", below), meant


def _under(cover: str, form: str) -> str:
    """Joined words mean nothing under a cover, too."""
    return form if form == FOLDED else f"{cover}, {form}"


def _all(data: bytes, *, shortest: int, depth: int) -> Iterator[tuple[str, bytes]]:
    yield from _texts(data)
    yield from _beneath(data, shortest=shortest, depth=depth)


def _is_text(data: bytes) -> bool:
    try:
        return data.decode("utf-8").isprintable() or _PRINTABLE.fullmatch(data) is not None
    except UnicodeDecodeError:
        return False


def _unescaped(data: bytes) -> bytes:
    """The data with the backslash escapes of JSON undone, wherever they stand."""
    return _ESCAPE.sub(_escaped, data) if b"\\" in data else data


def _escaped(match: re.Match[bytes]) -> bytes:
    text = match.group()
    if text[1:2] == b"\\":
        return text[: len(text) // 2]
    if text[1:2] != b"u":
        return _ESCAPES.get(text[1:], text[1:])
    units = bytes.fromhex(text.replace(b"\\u", b"").decode("ascii"))
    return units.decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")


def _form_decoded(data: bytes) -> bytes:
    return unquote_to_bytes(data.replace(b"+", b" "))
