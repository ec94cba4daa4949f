"""Format values, counts and columns on one line, without characters that move the cursor."""

import json
import os.path
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pytest_imagedetail.model import MISSING, Difference

_WIDTH: Final = 100  # characters of a value by default
_BEFORE: Final = 8  # characters before the first difference of two values


def value(document: Any, width: int = _WIDTH) -> str:
    """Return a JSON value on one line of at most `width` characters; "absent" for MISSING."""
    if document is MISSING:
        return "absent"
    # JSON escapes only some of the control characters that a terminal obeys.
    return cut(plain(json.dumps(document, ensure_ascii=False)), width)


def contrast(baseline: Any, candidate: Any, width: int = _WIDTH) -> tuple[str, str]:
    """Return two values, each cut to `width` (at least 16) so that the difference is visible."""
    texts = value(baseline, sys.maxsize), value(candidate, sys.maxsize)
    if max(map(len, texts)) <= width:
        return texts
    common = len(os.path.commonprefix(texts))  # noqa: RUF071  compares letters, not paths
    start = common - _BEFORE if common >= width - len("...") else 0
    dots = '"...' if all(text.startswith('"') for text in texts) else "..."
    old, new = (dots + text[start:] if start else text for text in texts)
    return cut(old, width), cut(new, width)


def plain(text: str) -> str:
    """Escape unprintable characters as JSON does, so that none moves the cursor."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def cut(text: str, width: int) -> str:
    """Return the text, or its beginning with three dots."""
    return text if len(text) <= width else f"{text[: width - 3]}..."


def shows_values(difference: Difference) -> bool:
    """Return whether to show both values; an image is too long, a missing recording has none."""
    return not difference.kind.startswith(("image_", "recording_"))


def values(difference: Difference, width: int = _WIDTH) -> tuple[tuple[str, str], ...]:
    """Return the values to show, each with the sign of its side; see `contrast`."""
    if not shows_values(difference):
        return ()
    old, new = contrast(difference.baseline, difference.candidate, width)
    pairs = (("-", difference.baseline, old), ("+", difference.candidate, new))
    return tuple((sign, line) for sign, sent, line in pairs if sent is not MISSING)


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `2 images`, `3 queries`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("ry") else f"{number} {noun}s"


def aligned(rows: Sequence[Sequence[str]], width: int | None = None) -> Iterator[str]:
    """Yield rows in columns, two spaces apart, or one if they are wider than `width`."""
    cells = [[*map(plain, row)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    gap = "  " if width is None or sum(widths) + 2 * (len(widths) - 1) <= width else " "
    for row in cells:
        yield gap.join(map(str.ljust, row, widths)).rstrip()
