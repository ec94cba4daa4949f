"""Tokens, passwords and whatever else is secret by itself: `<redacted-1>`, `<redacted-2>` ..."""

import base64
import json
from collections import Counter
from typing import Final
from urllib.parse import quote, quote_plus

from pytest_imagedetail.redact.known import Numbering, Secrets
from pytest_imagedetail.redact.placeholder import SECRET, is_secret
from pytest_imagedetail.redact.shapes import is_distinct

_SHORTEST_SECRET: Final = 4  # the same for what the session knows; the gate draws the same line


class Tokens:
    """The secrets of one recording; those that it shows are learnt by replacing them."""

    def __init__(self, known: Numbering, *, secrets: Secrets, counts: Counter[str]) -> None:
        self._known = secrets.values
        self._tokens = known.tokens
        self._spellings: dict[str, tuple[str, ...]] = {}
        self._counts = counts

    def placeholder(self, value: str) -> str:
        """What stands in the place of a secret; a placeholder stays what it is."""
        if is_secret(value):
            return value
        if value not in self._tokens:
            self._tokens[value] = SECRET.whole(len(self._tokens) + 1)
        self._counts["secrets"] += 1
        return self._tokens[value]

    def replace(self, text: str) -> str:
        """Replace the secrets that the session knows and those that were learnt so far."""
        known = self._known | self._learnt()
        for secret in sorted(known, key=lambda each: (-len(each), each)):
            if len(secret) >= _SHORTEST_SECRET:
                for spelling in self._spelled(secret):
                    if spelling in text:
                        text = text.replace(spelling, self.placeholder(secret))
        return text

    def replaced(self) -> set[str]:
        """The secrets themselves."""
        return self._learnt() | self._known

    def _learnt(self) -> set[str]:
        return {value for value in self._tokens if is_distinct(value)}

    def _spelled(self, secret: str) -> tuple[str, ...]:
        if secret not in self._spellings:
            self._spellings[secret] = _spellings(secret)
        return self._spellings[secret]


def _spellings(secret: str) -> tuple[str, ...]:
    """How a text may spell a secret; longer forms first, for one may hold another."""
    raw = secret.encode("utf-8", errors="surrogatepass")
    in_base64 = base64.b64encode(raw).decode("ascii")
    found = {
        secret,
        quote(raw, safe=""),
        quote(raw),
        quote_plus(raw),
        quote(raw, safe="").lower(),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        in_base64,
        in_base64.rstrip("="),
        raw.hex(),
        raw.hex().upper(),
    }
    return tuple(sorted(found, key=lambda each: (-len(each), each)))
