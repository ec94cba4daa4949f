"""Read XML responses of clouds through Juno into JSON values, and replace text in XML.

Nova's XML writes every value as text. Fields that the API defines as integers become integers; the
rest stays text. So does a null (`None`): only normalization rule R10 can tell what it means.
"""

import html
import re
from collections.abc import Callable, Mapping
from html.entities import html5
from typing import Any, Final
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
_ENTITY: Final = re.compile(  # not in CDATA
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?!(?:amp|lt|gt|quot|apos);)(\w+;)", re.DOTALL
)
_TAG: Final = re.compile(r"<[a-zA-Z](?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+>")
_ATTRIBUTE: Final = re.compile(
    r"(?<![\w:.-])(?P<name>[\w:.-]++)\s*+=\s*+(?P<mark>[\"']?)"
    r"(?P<value>(?:(?<=\")[^\"]+|(?<=')[^']+|[^\s\"'<>=]+))(?P=mark)"
)
_ELEMENT: Final = re.compile(  # up to the next tag, or the end of truncated text
    r"(?P<tag><(?:[\w.-]{1,64}:)?(?P<name>[\w.-]{1,64})"
    r"(?:\s+key=[\"'](?P<key>[^\"'<>]*+)[^<>]*|\s[^<>]*)?>)(?P<value>[^<>]+)"
)
_BEFORE_ROOT: Final = re.compile(r"\ufeff?(?:\s*<\?xml\s[^>]*>\s*)?")

_Replace = Callable[[str, str], str]
_See = Callable[[list[tuple[str, str]], str], Mapping[str, str]]


def is_xml(body: bytes) -> bool:
    """Return whether a body starts like XML; HTML does, too."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def parse(body: bytes, *, where: str) -> dict[str, Any]:
    """Parse a UTF-8 response: a listing as `{"images": [...]}`, an error as `{name: {...}}`."""
    try:
        return _document(_tree(body, declared=_refuse_document_type))
    except (expat.ExpatError, ValueError, RecursionError) as error:
        problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        if isinstance(error, expat.ExpatError):
            problem = expat.ErrorString(error.code)
            where += f", line {error.lineno}, column {error.offset + 1}"
        raise BodyError(
            f"the body cannot be read as XML: {problem}", where=where, remedy=REMEDY
        ) from error


def _tree(
    body: bytes, *, declared: Callable[..., None], aside: Callable[..., None] | None = None
) -> ET.Element:
    """Parse a document, keeping namespace prefixes.

    Call `declared` for a document type, `aside` for comments, instructions and entities.
    """
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = declared
    parser.CommentHandler = parser.ProcessingInstructionHandler = parser.EntityDeclHandler = aside
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


def replace_strings(text: str, replace: _Replace, see: _See) -> str | None:
    """Pass every text and attribute of an XML document through `replace`.

    An unchanged document is returned as sent; a changed one loses comments, instructions and
    document types.

    Args:
        text: The document; for one that is not well-formed, the result is None.
        replace: Takes a text and its name (of the attribute or element, or for
            `<meta key="K">` K) and returns the replacement.
        see: Takes an element's attributes, the texts of its children and its own text as
            `#text`, and its name. Returns other names for some of them.
    """
    asides: list[str] = []

    def aside(*parts: object) -> None:
        asides.extend(part for part in parts if isinstance(part, str))

    try:
        whole = _ENTITY.sub(_character, text).encode("utf-8", "surrogatepass")
        root = _tree(whole, declared=aside, aside=aside)
        before = ET.tostring(root, encoding="unicode")
        _replace_below(root, {}, replace, see)
        after = ET.tostring(root, encoding="unicode")
    except (expat.ExpatError, ValueError, RecursionError):
        return None
    if after == before and all(replace(each, "") == each for each in asides):
        return text
    before_root = _BEFORE_ROOT.match(text)
    return (before_root[0] if before_root else "") + after


def _character(entity: re.Match[str]) -> str:
    """Decode an HTML entity, which the parser would drop."""
    character = html5.get(entity[1] or "")
    return entity[0] if character is None else html.escape(character)


def _replace_below(
    element: ET.Element, beside: Mapping[str, str], replace: _Replace, see: _See
) -> None:
    """Replace text below an element; `beside` holds names given by its siblings."""
    own = element.get("key", _local(element.tag))
    names = see(_named_texts(element), own)
    text_name = names.get("#text", beside.get(own, own))
    for attribute, value in element.items():
        name = _attribute(attribute)
        element.set(attribute, replace(value, names.get(name, name)))
    if element.text:
        element.text = replace(element.text, text_name)
    for child in element:
        _replace_below(child, names, replace, see)
        if child.tail:
            child.tail = replace(child.tail, text_name)


def _named_texts(element: ET.Element) -> list[tuple[str, str]]:
    pairs = [*element.items(), *((child.tag, _text(child)) for child in element)]
    return [*((_local(name), text) for name, text in pairs), ("#text", _text(element))]


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _attribute(name: str) -> str:
    """Return the name of an attribute, without its prefix; `xmlns` for each namespace."""
    return "xmlns" if name.startswith("xmlns") else _local(name)


def replace_markup(text: str, replace: _Replace, see: _See) -> str:
    """Replace attributes and texts as `replace_strings` does, in markup that may not be XML.

    This finds tags by their look, as in HTML, truncated XML and XML inside other text. Names that
    an element gives to its attributes count; names that it gives to its children do not.
    """

    def tag(match: re.Match[str]) -> str:
        found = [(each, html.unescape(each["value"])) for each in _ATTRIBUTE.finditer(match[0])]
        names = see([(_local(each["name"]), value) for each, value in found], "")
        pieces, end = [], 0
        for each, value in found:
            name = _attribute(each["name"])
            new = replace(value, names.get(name, name))
            kept = each["value"] if new == value else html.escape(new)
            pieces += [match[0][end : each.start("value")], kept]
            end = each.end("value")
        return "".join([*pieces, match[0][end:]])

    def element(match: re.Match[str]) -> str:
        value = html.unescape(match["value"])
        new = replace(value, match["key"] or match["name"])
        return match[0] if new == value else match["tag"] + html.escape(new)

    return _ELEMENT.sub(element, _TAG.sub(tag, text))
