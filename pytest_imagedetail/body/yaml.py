"""YAML files: load them safely, write them deterministically, replace them atomically.

Only this module uses PyYAML.
"""

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import yaml
from yaml.composer import Composer

from pytest_imagedetail.errors import ImageDetailError

LARGEST: Final = 128 * 2**20
"""The largest file that is read, in bytes; it holds a listing of about 100,000 images."""
_MAX_VALUES: Final = 1_000_000  # values; a listing of any length is one value, a page about seventy


def is_yaml(path: Path) -> bool:
    """Return whether a file has a suffix of YAML, in small letters or capitals."""
    return path.suffix.lower() in {".yaml", ".yml"}


class Literal(str):
    """Text to write as a literal block, if a literal block can represent it exactly."""

    __slots__ = ()


class Loader(Composer, yaml.CSafeLoader):
    """A safe loader that limits the number of values and rejects repeated keys.

    It parses in C, which is sixty times as fast, and composes in Python, where the limit applies.
    """

    def __init__(self, text: str) -> None:
        yaml.CSafeLoader.__init__(self, text)
        Composer.__init__(self)
        self._count = self._size = 0
        self._sizes: dict[str, int] = {}  # by anchor: the values and characters of an alias

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Reject too many values; each alias adds all values and characters of its anchor."""
        event: Any = self.peek_event()
        before, size = self._size, 1 + len(getattr(event, "value", ""))
        self._count += 1
        # An alias inside its own anchor is infinite; PyYAML rejects one without an anchor.
        if isinstance(event, yaml.AliasEvent) and event.anchor in self.anchors:
            size = self._sizes.get(str(event.anchor), _MAX_VALUES)
            self._count += size
        self._size += size
        if self._count > _MAX_VALUES:
            problem = f"more than {_MAX_VALUES} values, aliases included"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        if event.anchor is not None:
            self._sizes[event.anchor] = self._size - before
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Reject a repeated key; PyYAML would keep the last value."""
        node = super().compose_mapping_node(anchor)
        keys = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
                continue
            if key.value in keys:
                problem = f"the key `{key.value}` is repeated"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            keys.add(key.value)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Add a line number to errors such as the KeyError for `!!bool maybe`."""
        try:
            return super().construct_object(node, deep)
        except (LookupError, AttributeError, TypeError, ArithmeticError, ValueError) as fault:
            reason = str(fault) if isinstance(fault, ValueError) else type(fault).__name__
            problem = f"a value does not fit its type: {reason}"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from fault


class ForeignLoader(Loader):
    """Load every plain value but null as text, and Ruby's `!binary` as bytes."""


_AS_TEXT: Final[Any] = Loader.construct_scalar
_AS_BYTES: Final[Any] = Loader.construct_yaml_binary

for _tag in (
    *(f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "timestamp")),
    *("tag:yaml.org,2002:python/unicode", "tag:yaml.org,2002:python/str"),
    *("!ruby/symbol", "!ruby/sym"),
):
    ForeignLoader.add_constructor(_tag, _AS_TEXT)
ForeignLoader.add_constructor("!binary", _AS_BYTES)


@dataclass(frozen=True, slots=True)
class Files:
    """YAML files of one kind, in UTF-8; `error` and `remedy` are for one that cannot be read.

    `conflict` is the remedy for a merge conflict.
    """

    error: type[ImageDetailError]
    remedy: str
    loader: type[Loader] = Loader
    conflict: str = "resolve it"

    def read(self, path: Path) -> Any:
        """Parse a file; the error has line and column if it is not safe YAML."""
        return self.parse(self.text(path), where=str(path))

    def text(self, path: Path) -> str:
        """Return the text of a file."""
        return self.decode(self.content(path), where=str(path))

    def content(self, path: Path) -> bytes:
        """Return the content of a file."""
        try:
            return content(path)
        except OSError as fault:
            problem, remedy = f"the file cannot be read: {fault.strerror}", self.remedy
            if isinstance(fault, FileNotFoundError):
                remedy = "give the path of a file that exists"
            raise self.error(problem, where=str(path), remedy=remedy) from fault

    def decode(self, data: bytes, *, where: str) -> str:
        """Decode the content of the file `where`."""
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as fault:
            problem = f"not a UTF-8 file: byte {fault.start} is {fault.object[fault.start]:#04x}"
            where += f", line {fault.object[: fault.start].count(10) + 1}"
            raise self.error(problem, where=where, remedy=self.remedy) from fault

    def parse(self, text: str, *, where: str) -> Any:
        """Parse the text of the file `where`."""
        try:
            return self.loader(text).get_single_data()
        except yaml.MarkedYAMLError as fault:
            problem = fault.problem or fault.context or "not YAML"
            if (conflict := f"\n{text}".find("\n<<<<<<< ")) >= 0:
                where += ", line " + str(text.count("\n", 0, conflict) + 1)
                problem = f"it holds a merge conflict; {self.conflict}"
            elif mark := fault.problem_mark or fault.context_mark:
                where += f", line {mark.line + 1}, column {mark.column + 1}"
        except yaml.reader.ReaderError as fault:
            problem = str(fault.reason)
            where += f", line {text.encode()[: fault.position].count(10) + 1}"
        except RecursionError:
            problem = "nested too deeply"
        problem = f"not a readable YAML file: {problem}"
        raise self.error(problem, where=where, remedy=self.remedy)


def content(path: Path) -> bytes:
    """Return the content of a file; raise OSError for devices, pipes and files over `LARGEST`."""
    status = path.stat()
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise OSError(errno.EINVAL, "it is a pipe, a socket or a device")
    if status.st_size > LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST // 2**20} MiB")
    return path.read_bytes()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file that replaces `path`, or the target of a link, at the end.

    Nothing is replaced if the block raises.
    """
    target = path.resolve()
    # Not tempfile: only the owner can read its files, but cassettes and rules are shared.
    temporary = target.with_name(f".{target.stem[:40]}.{token_hex(8)}.tmp")
    try:
        yield temporary
        temporary.replace(target)  # atomic on every platform
    finally:
        temporary.unlink(missing_ok=True)


def line_of(text: str, *keys: str | int) -> int:
    """Return the line, from 1, of a key in a valid document, or of its nearest parent."""
    node = Loader(text).get_single_node()
    line = 0
    for key in keys:
        parts: dict[Any, tuple[yaml.Node, yaml.Node]] = {}
        if isinstance(node, yaml.MappingNode):
            parts = {name.value: (name, value) for name, value in node.value}
        elif isinstance(node, yaml.SequenceNode):
            parts = {number: (value, value) for number, value in enumerate(node.value)}
        if key not in parts:
            break
        name, node = parts[key]
        line = name.start_mark.line
    return line + 1


def lines_of(text: str) -> Iterator[int]:
    """Yield the line, from 1, of each item of a valid document that is a list."""
    document = Loader(text).get_single_node()
    for item in document.value if document is not None else ():
        yield item.start_mark.line + 1


def dump(document: Any) -> str:
    """Write a document: keys in the order given, UTF-8 unescaped, no line folding."""
    return yaml.dump(
        document, Dumper=_LiteralDumper, allow_unicode=True, sort_keys=False, width=1_000_000
    )


class _LiteralDumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML calls it with the value
        return True


def _represent_literal(dumper: Any, text: Literal) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


_LiteralDumper.add_representer(Literal, _represent_literal)
