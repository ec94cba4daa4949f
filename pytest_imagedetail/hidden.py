"""Text that a program can use and that does not show by itself, in a repr or a traceback."""

import base64
import html
import json
import re
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Final
from urllib.parse import quote, quote_plus

HIDDEN: Final = "<hidden>"

_SHORTEST: Final = 4  # characters; a shorter value would be found in any text
_CUT: Final = "..."  # where pytest shortens a long repr
_SHORTEST_PART: Final = 8  # below that, only a whole word is it


class Hidden(str):
    """A text whose repr hides it, as pytest shows the locals of a frame by their reprs."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(HIDDEN)


def without(text: str, secrets: Iterable[str]) -> str:
    """A text without these values.

    Args:
        text: Anything that is about to be shown.
        secrets: What must not show; one of less than eight characters is replaced where it is a
            word, and one of less than four never.
    """
    known = sorted({each for each in secrets if len(each) >= _SHORTEST}, key=len, reverse=True)
    if not known:
        return text
    shown = re.sub("|".join(map(_pattern, known)), HIDDEN, text)
    if _CUT not in shown:
        return shown
    for each in known:
        if len(each) >= _SHORTEST_PART:
            for written in _writings(each):
                shown = _without_ends(shown, written)
    return shown


def _without_ends(text: str, secret: str) -> str:
    """A text without what is left of a secret where a repr was shortened in its middle."""
    for end, step in (secret, 1), (secret[::-1], -1):
        turned, place = text[::step], 0
        while (place := turned.find(end[:_SHORTEST], place)) >= 0:
            shown = zip(turned[place : place + len(end)], end, strict=False)
            stop = place + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], shown))
            if turned.startswith(_CUT, stop):
                turned = turned[:place] + HIDDEN[::step] + turned[stop:]
            place += 1
        text = turned[::step]
    return text


def _writings(secret: str) -> Iterable[str]:
    """A secret as reports and traffic write it, in two ways over each other too."""
    once = [write(secret) for write in _WRITE]
    twice = [write(each) for each in once for write in _WRITE]
    raw = secret.encode("utf-8", errors="surrogatepass")
    encoded = (base64.b64encode(b"\0" * offset + raw).decode() for offset in range(3))
    # What a character of base64 shares with a neighbor of the secret is nobody's.
    shared = [each[(0, 2, 3)[offset] : -4] for offset, each in enumerate(encoded)]
    safe = [each.translate(_URL_SAFE) for each in shared]
    return dict.fromkeys([secret, *once, *twice, raw.hex(), raw.hex().upper(), *shared, *safe])


_URL_SAFE: Final = str.maketrans("+/", "-_")
_WRITE: Final[tuple[Callable[[str], str], ...]] = (
    lambda text: repr(text)[1:-1],
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: quote(text, safe="", errors="surrogatepass"),
    lambda text: quote_plus(text, errors="surrogatepass"),
    html.escape,
)


def _pattern(secret: str) -> str:
    pattern = "|".join(map(re.escape, dict.fromkeys((secret, repr(secret)[1:-1]))))
    return f"(?:{pattern})" if len(secret) >= _SHORTEST_PART else rf"(?<!\w)(?:{pattern})(?!\w)"
