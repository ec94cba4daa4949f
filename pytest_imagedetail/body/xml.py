"""Read XML responses of clouds through Juno into JSON values, and replace text in XML.

Nova's XML writes every value as text. Fields that the API defines as integers become integers; the
rest stays text. So does a null (`None`): only normalization rule R10 can tell what it means.
"""

import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from xml.etree import ElementTree as ET
from xml.parsers import expat

from pytest_imagedetail.body.json import REMEDY, Pairs
from pytest_imagedetail.errors import BodyError

INTEGERS: Final = frozenset({"minDisk", "minRam", "progress", "OS-EXT-IMG-SIZE:size"})
"""The fields of an image that are integers (Nova api-ref; contract `FIELDS`)."""

_LINK: Final = "atom:link"
_SERVERS_1_0: Final = "http://docs.rackspacecloud.com/servers/api/v1.0"  # image ids are integers
_XHTML: Final = "http://www.w3.org/1999/xhtml"
_INTEGER: Final = re.compile(r"-?(?:0|[1-9]\d{0,18})", re.ASCII)
_KEY: Final = r"(?<![\w:.-])[\w:.-]++\s*+="
_TOKEN: Final = re.compile(
    r"<!\[CDATA\[(?P<cdata>.*?)(?:\]\]>|\Z)|<!--(?P<comment>.*?)(?:-->|\Z)"
    r"|</(?P<end>[\w:.-]*+)\s*+>?"
    r"|<(?P<leaf>[a-zA-Z][\w:.-]*+)>(?P<only>[^<]++)</(?P=leaf)>"
    r"|<(?P<start>[a-zA-Z](?:[\w:.-]*[\w.-])?+)(?=[\s/>])"
    r"(?P<attributes>(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>"
    r"|(?P<text>[^<]+)|<(?P<other>[^<>]+)>?",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(
    r"(?<![\w:.-])(?P<name>[\w:.-]++)\s*+=\s*+(?P<mark>[\"']?)"
    r"(?P<value>(?<=\")[^\"]*|(?<=')[^']*|(?:(?!/\Z)[^\s\"'<>])++(?![\"']))(?P=mark)"
    rf"|(?P<rest>(?<![\w:.-])(?!{_KEY})[^\s/](?:(?!{_KEY}).)*+)",  # as in `<Project a1b2c3>`
    re.DOTALL,
)
_ENTITY: Final = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z]\w*);")
_PLACEHOLDER: Final = re.compile("<[^<>]*>")
_UNESCAPED: Final = ("<![CDATA[", "<!--")  # before texts without entities
_VOID: Final = frozenset({"br", "hr", "img", "input"})  # elements of HTML without an end
_MAX_DEPTH: Final = 100  # levels; the content of deeper elements counts as that of the last one

_Span = tuple[int, int]


def is_xml(body: bytes) -> bool:
    """Return whether a body starts like XML; HTML does, too."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def parse(body: bytes, *, where: str) -> dict[str, Any]:
    """Parse a UTF-8 response: a listing as `{"images": [...]}`, an error as `{name: {...}}`."""
    try:
        return _document(_tree(body))
    except (expat.ExpatError, ValueError, RecursionError) as error:
        problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        if isinstance(error, expat.ExpatError):
            problem = expat.ErrorString(error.code)
            where += f", line {error.lineno}, column {error.offset + 1}"
        raise BodyError(
            f"the body cannot be read as XML: {problem}", where=where, remedy=REMEDY
        ) from error


def _tree(body: bytes) -> ET.Element:
    """Parse a document, keeping namespace prefixes."""
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.Parse(body, True)  # noqa: FBT003
    return builder.close()


def _refuse_document_type(*_: object) -> None:
    raise ValueError("it declares a document type, which no cloud sends")


def _document(root: ET.Element) -> dict[str, Any]:
    spaces = [uri for name, uri in root.items() if name.partition(":")[0] == "xmlns"]
    if root.tag != "images":
        if not spaces or _XHTML in spaces:  # HTML can be well-formed
            raise ValueError(f"<{root.tag}> has no namespace that a cloud uses")
        fault = _value(root)
        if isinstance(fault, dict) and "code" in fault:
            fault["code"] = _integer(fault["code"])
        return {root.tag: fault}
    elements = root.findall("image")
    images = [_fields(element) for element in elements]
    for element in elements:
        root.remove(element)
    integers = INTEGERS | ({"id", "serverId"} if _SERVERS_1_0 in spaces else set())
    for image in images:
        image.update({key: _integer(image[key]) for key in integers & image.keys()})
    document = _fields(root)
    if "links" in document:
        document["images_links"] = document.pop("links")
    return document | {"images": images}


def _fields(element: ET.Element) -> dict[str, Any]:
    """Return attributes and children by name; Atom links as a list, in their order."""
    pairs: list[tuple[str, Any]]
    pairs = [(name, text) for name, text in element.items() if name.partition(":")[0] != "xmlns"]
    if links := [_fields(child) for child in element if child.tag == _LINK]:
        pairs.append(("links", links))
    for child in element:
        if child.tag == "meta" and [*child.attrib] == ["key"] and not len(child):
            pairs.append((child.attrib["key"], _text(child)))
        elif child.tag == "metadata":
            pairs.append((child.tag, _fields(child)))
        elif child.tag != _LINK:
            pairs.append((child.tag, _value(child)))
    if (text := _text(element)).strip():
        pairs.append(("#text", text))
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise ValueError(f"<{element.tag}> has {name!r} twice")
        fields[name] = value
    return fields


def _value(element: ET.Element) -> Any:
    return _fields(element) if len(element) or element.attrib else _text(element)


def _text(element: ET.Element) -> str:
    return "".join([element.text or "", *(child.tail or "" for child in element)])


def _integer(value: Any) -> Any:
    """Convert integer text; any other value is a fact about the cloud and stays."""
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value


def has_markup(text: str) -> bool:
    """Return whether a text holds an element with attributes or an end, as XML inside of JSON."""
    sign = "" if "</" in text or "/>" in text else "="
    for token in _TOKEN.finditer(text) if sign in text else ():
        if token["leaf"] or (token["start"] and sign in token["attributes"]):
            return True
    return False


def replace_strings(text: str, replace: Callable[[Any], Iterable[str | None]]) -> str:
    """Replace texts and attributes of XML or HTML, well-formed or not; keep all else as sent.

    `replace` takes the document. Elements are `Pairs` of attributes, children and texts, which
    have the key `#text`; an element that has a text only is that text. Names lack the prefix. The
    key of comments, and of what is no attribute in a tag, is "". `replace` returns the replacement
    for each key and text, in document order; None keeps one. Names always stay.
    """
    document, spans = _pairs(text)
    pieces, end = [], 0
    for span, new in zip(spans, replace(document), strict=True):
        if span is not None and new is not None:
            start, stop = span
            is_literal = text.endswith(_UNESCAPED, 0, start)
            pieces += [text[end:start], new if is_literal else _escape(new, like=text[start:stop])]
            end = stop
    return "".join([*pieces, text[end:]])


def _pairs(text: str) -> tuple[Pairs, list[_Span | None]]:
    """Return a document as `replace_strings` describes it, and the span of each text."""
    document = Pairs()
    stack, spans = [("", document)], list[_Span | None]()
    is_open: Counter[str] = Counter()
    for token in _TOKEN.finditer(text):
        tag, closed = token["start"], token["end"]
        element = stack[-1][1]
        if tag:
            element = Pairs()
            stack[-1][1].append((_local_name(tag), element))
            spans.append(None)
        for key, value, span in _texts(token):
            element.append((key, value))
            spans += [None, span]
        is_closed = (tag or "").lower() in _VOID or (token["attributes"] or "").endswith("/")
        if tag and not is_closed and len(stack) < _MAX_DEPTH:
            stack.append((tag, element))
            is_open[tag] += 1
        while is_open[closed]:
            name, _ = stack.pop()
            is_open[name] -= 1
            if name == closed:
                break
    return document, spans


def _texts(token: re.Match[str]) -> Iterator[tuple[str, str, _Span]]:
    """Yield the key, the value and the span of each attribute or text in a token."""
    kind = token.lastgroup or ""
    if kind == "attributes":
        for attribute in _ATTRIBUTE.finditer(token.string, *token.span(kind)):
            name, part = attribute["name"] or "", attribute.lastgroup or ""
            name = "xmlns" if name.startswith("xmlns") else _local_name(name)
            yield name, _unescape(attribute[part]), attribute.span(part)
    elif kind in {"cdata", "comment"}:
        yield "#text" if kind == "cdata" else "", token[kind], token.span(kind)
    elif kind != "end":
        key = _local_name(token["leaf"]) if kind == "only" else "#text" if kind == "text" else ""
        yield key, _unescape(token[kind]), token.span(kind)


def _local_name(name: str) -> str:
    return name.rpartition(":")[2]


def _unescape(text: str) -> str:
    """Decode entities, but only with their semicolon: `?a=1&copy=2` has none."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _escape(text: str, *, like: str) -> str:
    """Escape a text; where `like` needed no escape, as in a script, only placeholders do."""
    if "<" in like or _unescape(like) != like:
        return html.escape(text)
    return _PLACEHOLDER.sub(lambda new: html.escape(new[0]), text)
