"""XML as text: read the answers of clouds through Juno into the values that JSON has.

Nova's XML writes every value as text. Fields that the API knows as integers become integers; all
else stays the text that was sent, a null (`None`) too, for only a rule can say what it stands for.

A document type is refused, so that no entity is ever defined, followed or expanded.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat

from pytest_imagedetail.errors import BodyError

INTEGERS: Final = frozenset({"minDisk", "minRam", "progress", "OS-EXT-IMG-SIZE:size"})
"""The fields of an image that are integers (Nova api-ref; contract `FIELDS`)."""

_INTEGERS_1_0: Final = INTEGERS | {"id", "serverId"}  # Cloud Servers 1.0 numbers both
_NAMESPACE_1_0: Final = "http://docs.rackspacecloud.com/servers/api/v1.0"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_XHTML: Final = "http://www.w3.org/1999/xhtml"
_ALIASES: Final = {
    "http://docs.openstack.org/compute/ext/disk_config/api/v1.1": "OS-DCF",
    "http://docs.openstack.org/compute/ext/image_size/api/v1.1": "OS-EXT-IMG-SIZE",
}
_PUBLIC_NAMESPACES: Final = (
    *("http://docs.openstack.org/", "http://docs.rackspacecloud.com/"),
    *("http://docs.rackspace.com/", "http://www.w3.org/", "https://www.w3.org/"),
)
_DEEPEST: Final = 50
_INTEGER: Final = re.compile(r"-?(?:0|[1-9]\d{0,18})", re.ASCII)

_PART: Final = re.compile(
    r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>"
    r"|<(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+>"
    r"|[^<]+",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(r"""(?<![\w:.-])([\w:.-]++)(\s*+=\s*+)(?:"([^"]*)"|'([^']*)')""")
_LONGEST_NUMBER: Final = 4000  # digits; Python limits integers
_REFERENCE: Final = re.compile(r"&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));")
_CHARACTERS: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
)
_CDATA: Final = "<![CDATA["


@dataclass(slots=True)
class _Element:
    """One element: its name, the namespace that the name is of, and what is in it."""

    name: str
    namespace: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["_Element"] = field(default_factory=list)
    text: str = ""


class _RefusedError(ValueError):
    """It is well-formed so far, and still no answer of a cloud."""


def parse(body: bytes, *, where: str) -> dict[str, Any]:
    """Read an answer in XML: a listing as `{"images": [...]}`, an error as `{name: {...}}`.

    Args:
        body: The document. It is UTF-8, whatever it declares: redaction has read it so.
        where: What to call it in an error, for example a path.

    Raises:
        BodyError: It is not well-formed, declares a document type, is a web page, is nested too
            deeply, or says something twice that can stand once.
    """
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)  # noqa: FBT003  expat's own signature: this is all of it
        if reader.root.name == "images":
            return _listing(reader.root)
        _refuse_page(reader.root)
        return {reader.root.name: _fault(reader.root)}
    except expat.ExpatError as error:
        raise BodyError(
            f"the body is not XML: {expat.ErrorString(error.code)}",
            where=f"{where}, line {error.lineno}, column {error.offset + 1}",
            remedy="ask the cloud again; a body is never repaired, for a repair would be a guess",
        ) from error
    except _RefusedError as error:
        raise BodyError(
            f"the body is not XML that can be read: {error}",
            where=where,
            remedy="ask the cloud again, or look at the file",
        ) from error


def replace_strings(text: str, replace: Callable[[str, str | None], str]) -> str:
    """Pass every text and attribute of an XML document through `replace`; the rest stays as sent.

    Args:
        text: Well-formed XML.
        replace: Takes a decoded text and the name it stands under (an attribute's, an element's,
            or for `<meta key="K">` K; None for a comment); returns what shall stand there instead.
    """
    return "".join(_replaced(text, replace))


def _replaced(text: str, replace: Callable[[str, str | None], str]) -> Iterator[str]:
    names: list[str | None] = [None]
    for match in _PART.finditer(text):
        part = match.group()
        if part.startswith(_CDATA):
            inner = part.removeprefix(_CDATA).removesuffix("]]>")
            new = replace(inner, names[-1])
            yield part if new == inner else new.translate(_ESCAPES)
        elif part.startswith(("<!--", "<?")):
            yield part[:2] + _again(part[2:-1], None, replace) + part[-1]
        elif part.startswith("</"):
            names.pop()
            yield part
        elif part.startswith("<"):
            if not part.endswith("/>"):
                names.append(_name_of_text(part))
            yield _ATTRIBUTE.sub(lambda found: _attribute(found, replace), part)
        else:
            yield _again(part, names[-1], replace)


def _name_of_text(tag: str) -> str:
    """What the text in an element is called: the key of a `meta`, else the element's own name."""
    attributes = {name: double or single for name, _, double, single in _ATTRIBUTE.findall(tag)}
    name = re.split(r"[\s>/]", tag[1:], maxsplit=1)[0].rpartition(":")[2]
    return _decoded(attributes.get("key", name))


def _attribute(match: re.Match[str], replace: Callable[[str, str | None], str]) -> str:
    name, equals, double, single = match.groups()
    value = double if double is not None else single
    is_namespace = name == "xmlns" or name.startswith("xmlns:")
    if is_namespace and value.startswith(_PUBLIC_NAMESPACES):
        return match.group()
    new = _again(value, name.rpartition(":")[2], replace)
    return match.group() if new == value else f'{name}{equals}"{new}"'


def _again(text: str, name: str | None, replace: Callable[[str, str | None], str]) -> str:
    value = _decoded(text)
    new = replace(value, name)
    return text if new == value else new.translate(_ESCAPES)


def _decoded(text: str) -> str:
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name is not None:
        return _CHARACTERS.get(name, match.group())
    digits, base = (decimal, 10) if decimal is not None else (hexadecimal, 16)
    number = int(digits, base) if len(digits) < _LONGEST_NUMBER else sys.maxunicode + 1
    return chr(number) if number <= sys.maxunicode else match.group()  # in a comment, say


class _Reader:
    """Builds the elements of one document while expat reads it."""

    def __init__(self) -> None:
        self.root = _Element("")
        self._open: list[_Element] = []
        self.parser = expat.ParserCreate("utf-8", " ")
        self.parser.namespace_prefixes = True
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse_document_type
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        own, namespace = _named(name)
        fields = {_named(each)[0]: value for each, value in attributes.items()}
        element = _Element(own, namespace, fields)
        if len(fields) < len(attributes):
            raise _RefusedError(f"two attributes of <{own}> have one name")
        if len(self._open) >= _DEEPEST:
            raise _RefusedError("it is nested too deeply")
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _data(self, text: str) -> None:
        self._open[-1].text += text


def _refuse_document_type(*_: object) -> None:
    raise _RefusedError(
        "it declares a document type, which no cloud sends: entities could read files or grow "
        "without end"
    )


def _refuse_page(root: _Element) -> None:
    """HTML can be well-formed; what a cloud sends is in a namespace of its own."""
    if root.namespace in {"", _XHTML}:
        raise _RefusedError(f"<{root.name}> is in no namespace of a cloud")


def _named(name: str) -> tuple[str, str]:
    """The name as JSON writes it ("OS-EXT-IMG-SIZE:size"), and its namespace."""
    if " " not in name:
        return name, ""
    namespace, local, *prefix = name.split(" ")
    if namespace == _ATOM:
        return local, namespace
    alias = _ALIASES.get(namespace, *prefix or [""])
    return (f"{alias}:{local}" if alias else local), namespace


def _listing(root: _Element) -> dict[str, Any]:
    integers = _INTEGERS_1_0 if root.namespace == _NAMESPACE_1_0 else INTEGERS
    images: list[dict[str, Any]] = []
    others: list[_Element] = []
    for child in root.children:
        if child.name == "image":
            images.append(_image(child, integers))
        else:
            others.append(child)
    rest = _Element(root.name, root.namespace, root.attributes, others, root.text)
    if "images" in (document := _fields(rest)):
        raise _RefusedError("<images> has 'images' in it")
    document["images"] = images
    if "links" in document:
        document["images_links"] = document.pop("links")
    return document


def _image(element: _Element, integers: frozenset[str]) -> dict[str, Any]:
    fields = _fields(element)
    for name in integers & element.attributes.keys():
        fields[name] = _integer(element.attributes[name])
    return fields


def _integer(text: str) -> int | str:
    """The integer that a text writes; another text stays, for it is a fact about the cloud."""
    return int(text) if _INTEGER.fullmatch(text) else text


def _fault(root: _Element) -> Any:
    value = _value(root)
    if isinstance(value, dict) and isinstance(value.get("code"), str):
        value["code"] = _integer(value["code"])
    return value


def _fields(element: _Element) -> dict[str, Any]:
    """Attributes and children by name; links in their order."""
    fields: dict[str, Any] = dict(element.attributes)
    links: list[Any] = []
    for child in element.children:
        if child.namespace == _ATOM and child.name == "link":
            links.append(_fields(child))
            continue
        if child.name in fields:
            raise _RefusedError(f"<{element.name}> has {child.name!r} twice")
        fields[child.name] = _metadata(child) if child.name == "metadata" else _value(child)
    if links and "links" in fields:
        raise _RefusedError(f"<{element.name}> has 'links' twice")
    if links:
        fields["links"] = links
    if element.text.strip():
        fields["#text"] = element.text
    return fields


def _value(element: _Element) -> Any:
    """What an element holds: its text, or its fields if it has any."""
    if element.attributes or element.children:
        return _fields(element)
    return element.text


def _metadata(element: _Element) -> dict[str, Any]:
    """`<meta key="K">text</meta>` as K and text."""
    found: dict[str, Any] = {}
    for child in element.children:
        key = child.attributes.get("key")
        if child.name != "meta" or key is None or child.children or len(child.attributes) > 1:
            raise _RefusedError(f"<metadata> holds <{child.name}>, which is no `meta` with a key")
        if key in found:
            raise _RefusedError(f"<metadata> has the key {key!r} twice")
        found[key] = child.text
    if element.attributes or element.text.strip():
        raise _RefusedError("<metadata> holds something else than `meta`")
    return found


def is_xml(body: bytes) -> bool:
    """Whether a body begins as XML does; HTML does too."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"
