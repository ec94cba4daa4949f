"""Text that a program can use and that does not show by itself, in a repr or a traceback."""

import re
from collections.abc import Iterable
from typing import Final

HIDDEN: Final = "<hidden>"

_SHORTEST: Final = 4  # characters; a shorter value would be found in any text
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
    return re.sub("|".join(map(_pattern, known)), HIDDEN, text)


def _pattern(secret: str) -> str:
    pattern = "|".join(map(re.escape, dict.fromkeys((secret, repr(secret)[1:-1]))))
    return f"(?:{pattern})" if len(secret) >= _SHORTEST_PART else rf"(?<!\w)(?:{pattern})(?!\w)"
