"""Read XML responses of clouds through Juno into JSON values, and replace text in XML.

Nova's XML writes every value as text. Fields that the API defines as integers become integers; the
rest stays text. So does a null (`None`): only normalization rule R10 can tell what it means.
"""

import html
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers import expat

from pytest_imagedetail.body.json import REMEDY
from pytest_imagedetail.errors import BodyError

INTEGERS: Final = frozenset({"minDisk", "minRam", "progress", "OS-EXT-IMG-SIZE:size"})
"""The fields of an image that are integers (Nova api-ref; contract `FIELDS`)."""

_LINK: Final = "atom:link"
_SERVERS_1_0: Final = "http://docs.rackspacecloud.com/servers/api/v1.0"  # image ids are integers
_XHTML: Final = "http://www.w3.org/1999/xhtml"
_INTEGER: Final = re.compile(r"-?(?:0|[1-9]\d{0,18})", re.ASCII)
_TOKEN: Final = re.compile(
    r"<!\[CDATA\[(?P<cdata>.*?)(?:\]\]>|\Z)|<!--(?P<comment>.*?)(?:-->|\Z)"
    r"|</(?P<end>[^\s<>]*+)[^<>]*+>"
    r"|<(?P<start>[a-zA-Z][\w:.-]*+)(?P<attributes>(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>"
    r"|(?P<text>[^<]+)|<(?P<other>[^<>]+)>?",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(
    r"(?<![\w:.-])(?P<name>[\w:.-]++)\s*+=\s*+(?P<mark>[\"']?)"
    r"(?P<value>(?:(?<=\")[^\"]+|(?<=')[^']+|[^\s\"'<>=]+))(?P=mark)"
)
_EMPTY: Final = frozenset({"br", "hr", "img", "input"})  # elements of HTML without an end

_Replace = Callable[[str, str], str]
_See = Callable[[list[tuple[str, str]], str], Mapping[str, str]]


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
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"<{element.tag}> has {name!r} twice")
        found[name] = value
    return found


def _value(element: ET.Element) -> Any:
    return _fields(element) if len(element) or element.attrib else _text(element)


def _text(element: ET.Element) -> str:
    return "".join([element.text or "", *(child.tail or "" for child in element)])


def _integer(value: Any) -> Any:
    """Convert integer text; any other value is a fact about the cloud and stays."""
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value


def has_markup(text: str) -> bool:
    """Return whether a text contains an element, as in XML inside of JSON."""
    if "</" not in text and "/>" not in text:
        return False
    return any(token["start"] for token in _TOKEN.finditer(text))


class _Text(NamedTuple):
    """A text between tags, or the value of an attribute."""

    start: int
    end: int
    value: str
    name: str  # of the attribute; "" between tags


@dataclass(slots=True)
class _Element:
    """An element; the outermost one holds the whole document."""

    own: str = ""  # its key, or its name without the prefix
    parent: "_Element | None" = None
    tag: str = ""
    children: list["_Element"] = field(default_factory=list)
    attributes: list[_Text] = field(default_factory=list)
    texts: list[_Text] = field(default_factory=list)
    names: Mapping[str, str] = field(default_factory=dict)  # see `replace_strings`

    def text(self) -> str:
        return "".join(each.value for each in self.texts)

    def named_texts(self) -> list[tuple[str, str]]:
        pairs = [(each.name, each.value) for each in self.attributes]
        pairs += [(_local(each.tag), each.text()) for each in self.children]
        return [*pairs, ("#text", self.text())]


def replace_strings(text: str, replace: _Replace, see: _See) -> str:
    """Pass every text and attribute of XML or HTML through `replace`; keep all else as sent.

    Args:
        text: A document, or a text with markup; it need not be well-formed.
        replace: Takes a text and its name (of the attribute or element, or for
            `<meta key="K">` K; "" for a comment and the like) and returns the replacement.
        see: Takes an element's attributes, the texts of its children and its own text as
            `#text`, and its name. Returns other names for some of them.
    """
    elements, asides = _elements(text)
    found = [(each, "") for each in asides]
    for element in elements:
        beside = element.parent.names if element.parent else {}
        element.names = names = see(element.named_texts(), element.own)
        own = names.get("#text", beside.get(element.own, element.own))
        found += [(each, names.get(each.name, each.name)) for each in element.attributes]
        found += [(each, own) for each in element.texts]
    pieces, end = [], 0
    for each, name in sorted(found):
        if (new := replace(each.value, name)) != each.value:
            pieces += [text[end : each.start], html.escape(new, quote=each.name != "")]
            end = each.end
    return "".join([*pieces, text[end:]])


def _elements(text: str) -> tuple[list[_Element], list[_Text]]:
    """Return the elements of a document, parents first, and the texts that are in none."""
    stack = [_Element()]
    elements, asides = [*stack], list[_Text]()
    is_open: Counter[str] = Counter()
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup or ""
        if kind == "attributes":
            element = _element(token, stack[-1])
            elements.append(element)
            if not (element.tag in _EMPTY or token[kind].endswith("/")):
                stack.append(element)
                is_open[element.tag] += 1
        elif kind == "end":
            is_closed = not is_open[token[kind]]
            while not is_closed:
                element = stack.pop()
                is_open[element.tag] -= 1
                is_closed = element.tag == token[kind]
        else:
            is_data = kind == "cdata"
            value = token[kind] if is_data else html.unescape(token[kind])
            found = _Text(*token.span(0 if is_data else kind), value, "")
            (stack[-1].texts if is_data or kind == "text" else asides).append(found)
    return elements, asides


def _element(token: re.Match[str], parent: _Element) -> _Element:
    element = _Element(parent=parent, tag=token["start"], own=_local(token["start"]))
    for each in _ATTRIBUTE.finditer(token.string, *token.span("attributes")):
        name = "xmlns" if each["name"].startswith("xmlns") else _local(each["name"])
        value = html.unescape(each["value"])
        element.attributes.append(_Text(*each.span("value"), value, name))
        if each["name"] == "key":
            element.own = value
    parent.children.append(element)
    return element


def _local(name: str) -> str:
    return name.rpartition(":")[2]
