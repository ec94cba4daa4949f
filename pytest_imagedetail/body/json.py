r"""JSON as text: parse it strictly, and lay it out without changing a token.

A recorded body must keep what the cloud sent, for example `1.017415075e+09`, `\/`, key order and
repeated keys. So nothing is parsed and dumped again: only white space between tokens changes.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Never

from pytest_imagedetail.errors import BodyError

_STRING: Final = r'"(?:[^"\\]|\\.)*+"'
_TOKEN: Final = re.compile(_STRING + r'|[{}\[\]:,]|[^\s{}\[\]:,"]+')
_PART: Final = re.compile(  # an innermost container, or a token
    rf'[{{\[](?:[^{{}}\[\]"]|{_STRING})*+[}}\]]|{_TOKEN.pattern}'
)
_SCALAR: Final = re.compile(_STRING + "|-?[0-9][0-9.eE+-]*")
_OPEN: Final = frozenset("{[")
_CLOSE: Final = frozenset("}]")
_SPACED: Final = {",": ", ", ":": ": "}
REMEDY: Final = "ask the cloud again; a body is never repaired"
_REPEATED: Final = " (repeated)"
_INDENT: Final = "  "
_LINE: Final = 100  # columns; a longer container is split over several lines


class Pairs(list[tuple[str, Any]]):
    """The pairs of an object, repeated keys included."""


class Number(str):
    """A number as written."""

    __slots__ = ()


def parse(text: str, *, where: str) -> Any:
    """Parse JSON strictly, without NaN and Infinity.

    A repeated key keeps its last value, as in most clients. All of its values are also listed
    under `KEY (repeated)`, so that a comparison shows them.
    """
    if not text.strip():
        raise BodyError(
            "the body is empty, so it is not a listing",
            where=where,
            remedy="save the cloud's answer again; an empty answer is not an empty list",
        )
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        if isinstance(error, json.JSONDecodeError):
            problem = error.msg[:1].lower() + error.msg[1:]
            problem = problem.removesuffix(" at").removesuffix(" starting")
            where += f", line {error.lineno}, column {error.colno}"
        raise BodyError(f"the body is not JSON: {problem}", where=where, remedy=REMEDY) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        for key, times in Counter(key for key, _ in pairs).items():
            if times > 1:
                result[key + _REPEATED] = [value for name, value in pairs if name == key]
    return result


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not a JSON value (RFC 8259, section 6)")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number} is too large a number for any client")
    return value


def is_repeated(key: object) -> bool:
    """Return whether `parse` added this key to list the values of a repeated key."""
    return isinstance(key, str) and key.endswith(_REPEATED)


def leaves(value: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield every value that is neither an object nor a list, with its keys and positions."""
    remaining: list[tuple[tuple[Any, ...], Any]] = [((), value)]
    while remaining:
        path, value = remaining.pop()
        if isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            remaining += reversed([((*path, key), item) for key, item in items])
        else:
            yield path, value


def objects_in(holder: Any, key: str) -> list[dict[str, Any]]:
    """Return the objects in the list `holder[key]`; empty if there is no such list."""
    items = holder.get(key) if isinstance(holder, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def pretty(text: str) -> str:
    """Indent valid JSON, changing only white space; keep short innermost containers on one line."""
    pieces: list[str] = []
    depth = 0
    for part in _PART.findall(text):
        for symbol in _tokens(part) if part[0] in _OPEN else (part,):
            if symbol in _OPEN:
                depth += 1
                pieces.append(symbol + "\n" + _INDENT * depth)
            elif symbol in _CLOSE:
                depth -= 1
                pieces.append("\n" + _INDENT * depth + symbol)
            elif symbol == ",":
                pieces.append(",\n" + _INDENT * depth)
            else:
                pieces.append(_SPACED.get(symbol, symbol))
    return "".join(pieces)


def _tokens(part: str) -> Sequence[str]:
    tokens = _TOKEN.findall(part)
    line = "".join(map(_SPACED.get, tokens, tokens))
    return [line] if len(line) <= _LINE else tokens


def replace_scalars(text: str, replace: Callable[[Any], Iterable[str | None]]) -> str | None:
    """Replace keys, strings and numbers of a JSON document; return None for any other text.

    `replace` takes the document, with objects as `Pairs` and numbers as `Number`. It returns the
    replacement for each key, string and number, in document order; None keeps one.
    """
    pieces, end = [], 0
    try:
        document = json.loads(
            text.removeprefix("\ufeff"),
            object_pairs_hook=Pairs,
            parse_int=Number,
            parse_float=Number,
        )
        for match, replacement in zip(_SCALAR.finditer(text), replace(document), strict=True):
            if replacement is not None:
                pieces += [
                    text[end : match.start()],
                    json.dumps(replacement, ensure_ascii="\\u" in match[0]),
                ]
                end = match.end()
    except (ValueError, RecursionError):
        return None
    return "".join([*pieces, text[end:]])
