"""XML as text: read the answers of clouds through Juno into the values that JSON has.

Nova's XML writes every value as text. Fields that the API defines as integers become integers; all
else stays text. A null (`None`) does too, for only a rule can say what it stands for.
"""

import html
import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from xml.etree import ElementTree as ET
from xml.parsers import expat

from pytest_imagedetail.errors import BodyError

INTEGERS: Final = frozenset({"minDisk", "minRam", "progress", "OS-EXT-IMG-SIZE:size"})
"""The fields of an image that are integers (Nova api-ref; contract `FIELDS`)."""

_INTEGERS_1_0: Final = INTEGERS | {"id", "serverId"}  # Cloud Servers 1.0 numbers both
_NAMESPACE_1_0: Final = "http://docs.rackspacecloud.com/servers/api/v1.0"
_XHTML: Final = "http://www.w3.org/1999/xhtml"
_LINK: Final = "atom:link"
_PREFIXES: Final = {
    "http://www.w3.org/2005/Atom": "atom",
    "http://docs.openstack.org/compute/ext/disk_config/api/v1.1": "OS-DCF",
    "http://docs.openstack.org/compute/ext/image_size/api/v1.1": "OS-EXT-IMG-SIZE",
}
_INTEGER: Final = re.compile(r"-?(?:0|[1-9]\d{0,18})", re.ASCII)
_PART: Final = re.compile(
    r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>"
    r"|<(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+>"
    r"|[^<]+",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(r"""(?<![\w:.-])([\w:.-]++)(\s*+=\s*+)(?:"([^"]*)"|'([^']*)')""")
_CDATA: Final = "<![CDATA["

_Replace = Callable[[str, str | None], str]


class _RefusedError(ValueError):
    """The document is well-formed, but no answer of a cloud."""


class _Builder(ET.TreeBuilder):
    """Builds elements whose names have a prefix as in JSON: "OS-EXT-IMG-SIZE:size".

    It refuses a document type, so that no entity is ever expanded.
    """

    def __init__(self) -> None:
        super().__init__()
        self.prefixes: dict[str, str] = {}
        self.namespace: str | None = None  # the root's

    def doctype(self, *_: object) -> None:
        raise _RefusedError(
            "it declares a document type, which no cloud sends: entities could read files or grow "
            "without end"
        )

    def start_ns(self, prefix: str, uri: str) -> None:
        self.prefixes[uri] = _PREFIXES.get(uri, prefix)

    def start(self, tag: str, attrs: dict[str, str]) -> ET.Element:
        if self.namespace is None:
            self.namespace = tag.removeprefix("{").rpartition("}")[0]
        named = {self._name(key): text for key, text in attrs.items()}
        if len(named) < len(attrs):
            raise _RefusedError(f"two attributes of <{self._name(tag)}> have one name")
        return super().start(self._name(tag), named)

    def _name(self, tag: str) -> str:
        namespace, _, name = tag.removeprefix("{").rpartition("}")
        prefix = self.prefixes.get(namespace)
        return f"{prefix}:{name}" if prefix else name


def is_xml(body: bytes) -> bool:
    """Return whether a body begins as XML does; HTML does too."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def parse(body: bytes, *, where: str) -> dict[str, Any]:
    """Read an answer in XML: a listing as `{"images": [...]}`, an error as `{name: {...}}`.

    Args:
        body: The document in UTF-8, whatever it declares.
        where: What to call it in an error, for example a path.

    Raises:
        BodyError: It is not well-formed, declares a document type, is a web page, is nested too
            deeply, or holds a field twice.
    """
    builder = _Builder()
    parser = ET.XMLParser(target=builder, encoding="utf-8")  # noqa: S314  no entities
    try:
        parser.feed(body)
        return _document(parser.close(), builder.namespace or "")
    except ET.ParseError as error:
        line, column = error.position
        raise BodyError(
            f"the body is not XML: {expat.ErrorString(error.code)}",
            where=f"{where}, line {line}, column {column + 1}",
            remedy="ask the cloud again; a body is never repaired, for a repair would be a guess",
        ) from error
    except (_RefusedError, RecursionError) as error:
        problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise BodyError(
            f"the body is not XML that can be read: {problem}",
            where=where,
            remedy="ask the cloud again, or look at the file",
        ) from error


def _document(root: ET.Element, namespace: str) -> dict[str, Any]:
    if root.tag != "images":
        if namespace in {"", _XHTML}:  # HTML can be well-formed
            raise _RefusedError(f"<{root.tag}> is in no namespace of a cloud")
        fault = _value(root)
        if isinstance(fault, dict) and "code" in fault:
            fault["code"] = _integer(fault["code"])
        return {root.tag: fault}
    integers = _INTEGERS_1_0 if namespace == _NAMESPACE_1_0 else INTEGERS
    elements = root.findall("image")
    images = [_fields(element) for element in elements]
    for image in images:
        image.update({key: _integer(image[key]) for key in integers & image.keys()})
    for element in elements:
        root.remove(element)
    document = _fields(root)
    if "images" in document:
        raise _RefusedError("<images> has 'images' in it")
    document["images"] = images
    if "links" in document:
        document["images_links"] = document.pop("links")
    return document


def _fields(element: ET.Element) -> dict[str, Any]:
    """Return attributes and children by name; Atom links as a list, in their order."""
    pairs: list[tuple[str, Any]] = [*element.items()]
    links = [_fields(child) for child in element if child.tag == _LINK]
    if links:
        pairs.append(("links", links))
    for child in element:
        if child.tag != _LINK:
            read = _metadata if child.tag == "metadata" else _value
            pairs.append((child.tag, read(child)))
    if (text := _text(element)).strip():
        pairs.append(("#text", text))
    return _unique(pairs, f"<{element.tag}> has")


def _value(element: ET.Element) -> Any:
    """Return the text of an element, or its fields if it has any."""
    return _fields(element) if len(element) or element.attrib else _text(element)


def _metadata(element: ET.Element) -> dict[str, Any]:
    """Return each `<meta key="K">text</meta>` as K and text."""
    if element.attrib or _text(element).strip():
        raise _RefusedError("<metadata> holds something else than `meta`")
    for child in element:
        if child.tag != "meta" or [*child.attrib] != ["key"] or len(child):
            raise _RefusedError(f"<metadata> holds <{child.tag}>, which is no `meta` with a key")
    return _unique([(child.attrib["key"], _text(child)) for child in element], "<metadata> has")


def _unique(pairs: list[tuple[str, Any]], what: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _RefusedError(f"{what} {name!r} twice")
        found[name] = value
    return found


def _text(element: ET.Element) -> str:
    """Return all text directly in an element, also that between its children."""
    return "".join([element.text or "", *(child.tail or "" for child in element)])


def _integer(value: Any) -> Any:
    """Return the integer that a text writes; another value is a fact about the cloud and stays."""
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value


def attributes(text: str) -> list[dict[str, str]] | None:
    """Return the attributes of every element of a document; None if it is not well-formed."""
    found: list[dict[str, str]] = []
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = lambda _, attrs: found.append(attrs)
    try:
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)  # noqa: FBT003
    except (expat.ExpatError, ValueError):
        return None
    return found


def replace_strings(text: str, replace: _Replace) -> str:
    """Pass every text and attribute of an XML document through `replace`; the rest stays as sent.

    Args:
        text: Well-formed XML.
        replace: Takes a decoded text and the name it stands under (an attribute's, an element's,
            or for `<meta key="K">` K; None for a comment) and returns its replacement.
    """
    return "".join(_replaced(text, replace))


def _replaced(text: str, replace: _Replace) -> Iterator[str]:
    names: list[str | None] = [None]
    for match in _PART.finditer(text):
        part = match.group()
        if part.startswith(_CDATA):
            inner = part.removeprefix(_CDATA).removesuffix("]]>")
            new = replace(inner, names[-1])
            yield part if new == inner else html.escape(new)
        elif part.startswith(("<!--", "<?")):
            yield part[:2] + _replaced_text(part[2:-1], None, replace) + part[-1]
        elif part.startswith("</"):
            names.pop()
            yield part
        elif part.startswith("<"):
            if not part.endswith("/>"):
                names.append(_name_of_text(part))
            yield _ATTRIBUTE.sub(lambda found: _replaced_attribute(found, replace), part)
        else:
            yield _replaced_text(part, names[-1], replace)


def _name_of_text(tag: str) -> str:
    """Return the name of the text in an element: the key of a `meta`, else the element's name."""
    attributes = {name: double or single for name, _, double, single in _ATTRIBUTE.findall(tag)}
    name = re.split(r"[\s>/]", tag[1:], maxsplit=1)[0].rpartition(":")[2]
    return html.unescape(attributes.get("key", name))


def _replaced_attribute(match: re.Match[str], replace: _Replace) -> str:
    name, equals, double, single = match.groups()
    value = double if double is not None else single
    if name == "xmlns" or name.startswith("xmlns:"):  # an identifier, not an address
        return match.group()
    new = _replaced_text(value, name.rpartition(":")[2], replace)
    return match.group() if new == value else f'{name}{equals}"{new}"'


def _replaced_text(text: str, name: str | None, replace: _Replace) -> str:
    value = html.unescape(text)
    new = replace(value, name)
    return text if new == value else html.escape(new)
