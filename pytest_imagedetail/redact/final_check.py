"""Scan the bytes about to be written for secrets, whatever redaction did before.

The scan looks for the session's values and the shapes of secrets (`redact.table`) in every decoding
of the bytes (`redact.decodings`).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pytest_imagedetail.body import compression
from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.redact import table
from pytest_imagedetail.redact.decodings import UTF_16, decodings_of
from pytest_imagedetail.redact.known import Known, Search

_BINARY: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def refuse_leaks(data: bytes, *, known: Known, where: str) -> None:
    """Raise LeakError if the data contains a known value or the shape of a secret.

    The error names the kind and the line, never the value. Data that is neither text nor
    compressed text cannot be checked and is refused.
    """
    for form, what, line in leaks_in(decodings_of(data), Search(known)):
        place = f", line {line} of what would have been written" if form == "as written" else ""
        raise LeakError(
            f"refused to write: {what} was left after redaction ({form})",
            where=f"{where}{place}",
            remedy="nothing was written, and an older recording is untouched\n"
            "remove it from the image, the test or the recording that holds it, and try again",
        )
    content = compression.decompress(data) or data
    if content.startswith(UTF_16):
        content = content.decode("utf-16", "replace").encode("utf-8", "replace")
    if _BINARY.search(content):
        raise LeakError(
            f"refused to write {len(data)} bytes that are not text: they cannot be checked for "
            "secrets",
            where=where,
            remedy="nothing was written, and an older recording is untouched\n"
            "if they are compressed, let the client ask for gzip (Accept-Encoding: gzip)\n"
            "or keep the request that fetches a file out of the recording",
        )


def leaks_in(views: Iterable[tuple[str, str]], search: Search) -> Iterator[tuple[str, str, int]]:
    """Yield the encoding, the kind and the line of known values and of shapes of secrets."""
    for form, text in views:
        if (replaced := search.replace(text)) != text:
            pairs = enumerate(zip(text.split("\n"), replaced.split("\n"), strict=False), start=1)
            line = next((number for number, (old, new) in pairs if old != new), 1)
            yield form, "a secret or an id of this session", line
        for what, pattern in table.SHAPES.items():
            if (match := pattern.search(text)) is not None:
                yield form, what, 1 + text.count("\n", 0, match.start())
