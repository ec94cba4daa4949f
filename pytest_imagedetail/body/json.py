r"""JSON as text: parse it strictly, and lay it out without changing a token.

A recorded body has to stay what the cloud sent, for example `1.017415075e+09`, `\/`, the order of
keys and repeated keys. So nothing is parsed and dumped again. Only the white space between tokens
changes, and the strings that a caller replaces.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, Never

from pytest_imagedetail.errors import BodyError

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_TOKEN: Final = re.compile(_STRING.pattern + r'|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_COLON: Final = re.compile(r"[ \t\r\n]*:")
_OPEN: Final = frozenset("{[")
_CLOSE: Final = frozenset("}]")
_SPACED: Final = {",": ", ", ":": ": "}
_REPEATED: Final = " (repeated)"
_INDENT: Final = "  "
_LINE: Final = 100  # columns that a container may fill before it is laid out over several lines


class _NotJsonError(ValueError):
    """Python's json module accepts it; RFC 8259 does not."""


def parse(text: str, *, where: str) -> Any:
    """Parse JSON strictly, without NaN and Infinity.

    A key that an object has twice keeps its last value, as in most clients. All its values are
    listed under another key, `KEY (repeated)`, so that a comparison shows them.

    Args:
        text: The document.
        where: What to call it in an error, for example a path.

    Raises:
        BodyError: The text is not JSON; with line and column.
    """
    if not text.strip():
        raise BodyError(
            "the body is empty, so it is not a listing",
            where=where,
            remedy="save the cloud's answer again; an empty answer is not an empty list",
        )
    try:
        hook = _object if _repeats_keys(text) else None  # which costs a call for each object
        return json.loads(
            text, object_pairs_hook=hook, parse_constant=_refuse_constant, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:]
        raise BodyError(
            f"the body is not JSON: {reason.removesuffix(' at').removesuffix(' starting')}",
            where=f"{where}, line {error.lineno}, column {error.colno}",
            remedy="ask the cloud again; a body is never repaired, for a repair would be a guess",
        ) from error
    except (RecursionError, ValueError) as error:
        # Python's own words for its limits differ between versions and name its settings.
        problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        if not isinstance(error, RecursionError | _NotJsonError):
            problem = "it holds an integer of thousands of digits"
        raise BodyError(
            f"the body is not JSON that can be read: {problem}",
            where=where,
            remedy="ask the cloud again, or look at the file",
        ) from error


def _repeats_keys(text: str) -> bool:
    """Return whether an object has a key twice, without a call in Python for each object."""
    objects: list[list[tuple[str, Any]]] = []
    json.loads(text, object_pairs_hook=objects.append)
    return sum(map(len, objects)) > sum(map(len, map(dict, objects)))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        for key, times in Counter(key for key, _ in pairs).items():
            if times > 1:
                name = key + _REPEATED
                while name in found:
                    name += _REPEATED
                found[name] = [value for each, value in pairs if each == key]
    return found


def _refuse_constant(name: str) -> Never:
    raise _NotJsonError(f"{name} is not a JSON value (RFC 8259, section 6)")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise _NotJsonError(f"{number} is too large a number for any client")
    return value


def is_repeated(key: object) -> bool:
    """Return whether `parse` made this key to list the values of a repeated one."""
    return isinstance(key, str) and key.endswith(_REPEATED)


def pretty(text: str) -> str:
    """Lay valid JSON out over lines; a short container that holds no container stays on one line.

    Only the white space between tokens changes.
    """
    tokens = [match.group() for match in _TOKEN.finditer(text)]
    pieces: list[str] = []
    depth = position = 0
    while position < len(tokens):
        symbol = tokens[position]
        if symbol in _OPEN:
            line, position_after = _one_line(tokens, position)
            if line is not None:
                pieces.append(line)
                position = position_after
                continue
            depth += 1
            pieces.append(symbol + "\n" + _INDENT * depth)
        elif symbol in _CLOSE:
            depth -= 1
            pieces.append("\n" + _INDENT * depth + symbol)
        elif symbol == ",":
            pieces.append(",\n" + _INDENT * depth)
        elif symbol == ":":
            pieces.append(": ")
        else:
            pieces.append(symbol)
        position += 1
    return "".join(pieces)


def replace_strings(text: str, replace: Callable[[str, str | None], str]) -> str:
    """Pass every string of a JSON text through `replace`; tokens it leaves alone stay as sent.

    Args:
        text: Valid JSON.
        replace: Takes a decoded string and the key it stands under (None for a key and for a
            string in a list) and returns its replacement.
    """
    pieces: list[str] = []
    key: str | None = None
    end = 0
    for match in _STRING.finditer(text):
        pieces.append(text[end : match.start()])
        end = match.end()
        token = match.group()
        value = json.loads(token)
        is_key = _COLON.match(text, end) is not None
        new = replace(value, None if is_key else key)
        pieces.append(token if new == value else json.dumps(new, ensure_ascii="\\u" in token))
        if is_key:
            key = value
    pieces.append(text[end:])
    return "".join(pieces)


def _one_line(tokens: list[str], start: int) -> tuple[str | None, int]:
    """Return the container that starts here on one line, or None if it is long or nested."""
    width = 0
    for position in range(start, len(tokens)):
        token = tokens[position]
        width += len(_SPACED.get(token, token))
        if width > _LINE or (position > start and token in _OPEN):
            return None, start
        if token in _CLOSE:
            text = "".join(_SPACED.get(token, token) for token in tokens[start : position + 1])
            return text, position + 1
    return None, start
