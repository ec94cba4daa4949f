"""Patterns over the paths that reports print: `images[*].metadata.hw_*`, `images[*].server.**`.

A pattern is written as a path is (`model.path_of`). Outside of quotes `*` stands for any part of
one key or place, and `**` at the end for the path so far and everything below it.
"""

import ast
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal, NamedTuple

_SEGMENT: Final = re.compile(
    r"""(?P<dot>\.)?(?P<key>[^.\[\]'"`\s]+)"""
    r"""|\[(?:(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<place>[^\[\]'"`\s]+))\]"""
)
_BELOW: Final = "**"


class Segment(NamedTuple):
    """One part of a path; a quoted one is taken as it stands, whatever it holds.

    The place of a list stands in brackets, `[0]`, and is no key: `.0` and `['0']` are.
    """

    text: str
    quoted: bool = False
    what: Literal["key", "place", "image"] = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPattern:
    """Which paths are meant.

    Attributes:
        text: As written.
        segments: Key by key.
        below: Whether everything below is meant, too.
    """

    text: str
    segments: tuple[Segment, ...]
    below: bool

    @property
    def names_image(self) -> bool:
        """Whether it is about some images by their ids, not about any of a listing's."""
        return self.segments[0].text == "images" and self.segments[1:2] not in ((), (_ANY_IMAGE,))

    def matches(self, path: str) -> bool:
        """Whether a path as reports print it is meant; `[*]` of a path only by a `*`."""
        parts = split(path)
        if len(parts) < len(self.segments) or (len(parts) > len(self.segments) and not self.below):
            return False
        return all(map(_means, self.segments, parts))


_ANY_IMAGE: Final = Segment("*", what="image")


def compiled(text: str) -> PathPattern:
    """Read a pattern.

    Raises:
        ValueError: It is no path, or has `**` in another place than its end.
    """
    segments = split(text)
    below = segments[-1].text == _BELOW and not segments[-1].quoted
    if below:
        segments = segments[:-1]
    if not segments:
        raise ValueError("it would accept every difference")
    if any(_BELOW in each.text and not each.quoted for each in segments):
        raise ValueError("`**` stands at the end, after a dot")
    return PathPattern(text=text, segments=segments, below=below)


def split(path: str) -> tuple[Segment, ...]:
    """The keys and places of a path.

    Raises:
        ValueError: It is no path.
    """
    found: list[Segment] = []
    at = 0
    while at < len(path):
        match = _SEGMENT.match(path, at)
        if match is None or (match["key"] is not None and bool(match["dot"]) != bool(found)):
            raise ValueError(f"no key or place can be read at {path[at : at + 20]!r}")
        quoted = match["quoted"] is not None
        text = _unquoted(match["quoted"]) if quoted else match["key"] or match["place"]
        what: Literal["key", "place", "image"] = "key" if match["place"] is None else "place"
        if [each.text for each in found] == ["images"]:
            what = "image"
        found.append(Segment(text, quoted, what))
        at = match.end()
    if not found:
        raise ValueError("it is empty")
    return tuple(found)


def _means(pattern: Segment, part: Segment) -> bool:
    if pattern.quoted or "*" not in pattern.text:
        same = (pattern.text, pattern.what) == (part.text, part.what)
        return same and (part.quoted or "*" not in part.text)
    # fnmatch knows more than the star; brackets cannot stand here, and a ? is a key's own.
    return fnmatchcase(part.text, pattern.text.replace("?", "[?]"))


def _unquoted(literal: str) -> str:
    """A key as Python's repr writes it."""
    try:
        return str(ast.literal_eval(literal))
    except SyntaxError:
        raise ValueError(f"{literal} is no quoted key") from None
