"""Secrets that are told by their shape, in words that must be decoded to see it."""

import re
from collections.abc import Callable
from typing import Final

from pytest_imagedetail.body import compression as packing
from pytest_imagedetail.redact.decodings import FOLDED, decoded, readings
from pytest_imagedetail.redact.shapes import replace_named, replace_shapes

_WORDS: Final = re.compile(r"([\s\"'<>{}\[\](),]+)")  # what parts words is kept, too
_ENCODED: Final = re.compile(rb"%[0-9a-fA-F]{2}|\\|&#?\w+;|\0|\w\+")
_SIGN: Final = re.compile(rb"pass|secret|token|key|pwd|gAAAAA|eyJ|basic|bearer|://", re.IGNORECASE)
_SHORTEST_SHAPE: Final = 16  # characters


def replace_disguised(text: str, replace: Callable[[str], str]) -> str:
    """Pass words in which a secret's shape can be read through `replace`, or a text of such words.

    What is told from the shape alone could be written in base64, percent-encoded or in JSON; no
    placeholder can be put into that.
    """
    if not _is_disguise(text):
        return text
    words = [replace(word) if _is_disguise(word) else word for word in _WORDS.split(text)]
    shown = "".join(words)
    return replace(text) if _is_disguise(shown) else shown


def _is_disguise(text: str) -> bool:
    """Whether a secret's shape can be read in a text, but not where it stands as it is."""
    data = text.encode("utf-8", errors="surrogatepass")
    return _may_be_disguise(data) and any(
        _has_shape(read.decode("utf-8", errors="replace"), joined=form == FOLDED)
        for form, read in readings(data, shortest=_SHORTEST_SHAPE)
        if read != data
    )


def _may_be_disguise(data: bytes) -> bool:
    """Whether reading it is worth the time: most texts of a listing mean what they say."""
    if _ENCODED.search(data):
        return True
    if len(data) < _SHORTEST_SHAPE:
        return False
    runs = set(decoded(data, shortest=_SHORTEST_SHAPE))
    runs.update(decoded(b"".join(data.split()), shortest=_SHORTEST_SHAPE))
    return any(_SIGN.search(run) or run.isascii() or packing.unpacked(run) for run in runs)


def _has_shape(text: str, *, joined: bool) -> bool:
    found: list[str] = []

    def note(value: str) -> str:
        found.append(value)
        return "<redacted-1>"

    text = replace_shapes(text, note)
    if not joined:  # what stands after a name is not its value, then
        replace_named(text, note)
    return bool(found)
