"""The gate: looks for secrets in bytes about to be written, and trusts no redaction.

It knows what a session must not show and the shapes that secrets have. A hit refuses the write.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.redact import SECRET_SHAPES

_SHORTEST = 4  # a shorter "secret" would be found in any text


def refuse_leaks(data: bytes, *, secrets: Iterable[str], where: str) -> None:
    """Raise if a secret stands in the data in any form it is known to take.

    Args:
        data: The bytes about to be written.
        secrets: Values that must not be there: raw, percent-encoded, JSON-escaped or in base64.
        where: The file that would have been written.

    Raises:
        LeakError: With line and kind of the hit, never the value.
    """
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) < _SHORTEST:
            continue
        for form, needle in _forms(secret):
            position = data.find(needle)
            if position >= 0:
                raise _leak(f"a live secret of this session ({form})", data, position, where)
    match = SECRET_SHAPES.search(data.decode("utf-8", errors="replace"))
    if match is not None:
        position = data.find(match.group().encode("utf-8"))
        raise _leak("something in the shape of a token or key", data, max(position, 0), where)


def _forms(secret: str) -> Iterator[tuple[str, bytes]]:
    raw = secret.encode("utf-8", errors="surrogateescape")
    yield "as it is", raw
    yield "percent-encoded", quote(raw, safe="").encode()
    yield "form-encoded", quote_plus(raw).encode()
    yield "JSON-escaped", json.dumps(secret)[1:-1].encode()
    for offset in range(3):
        # Base64 of a longer text that holds the secret: cut the characters its neighbours share.
        encoded = base64.b64encode(b"\0" * offset + raw)
        core = encoded[(0, 2, 3)[offset] : len(encoded) - (0, 4, 4)[(offset + len(raw)) % 3]]
        if len(core) >= 2 * _SHORTEST:
            yield "in base64", core


def _leak(what: str, data: bytes, position: int, where: str) -> LeakError:
    line = data.count(b"\n", 0, position) + 1
    return LeakError(
        f"refused to write: {what} was left after redaction",
        where=f"{where}, line {line} of what would have been written",
        remedy="nothing was written and an older recording is untouched\n"
        "report it with the line's field name (never its value): redaction must learn this place",
    )
