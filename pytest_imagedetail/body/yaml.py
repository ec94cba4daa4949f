"""YAML files: load them safely, write them deterministically. Only this module uses PyYAML."""

import itertools
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from pytest_imagedetail.errors import ImageDetailError

try:  # libyaml reads sixty times as fast; PyYAML may have been built without it
    from yaml import CSafeDumper as _Dumper
    from yaml import CSafeLoader as _Loader
except ImportError:
    from yaml import SafeDumper as _Dumper  # type: ignore[assignment]
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

_DEEPEST: Final = 100  # levels; a cassette has eight
_LARGEST: Final = 1_000_000  # characters of a document that uses aliases
_MOST: Final = 1_000_000  # values; a listing of any length is one, a page some seventy
_NAMEABLE: Final = re.compile(r"[\w.-]{1,40}")
_CONFLICT: Final = re.compile(r"^<{7} ", re.MULTILINE)
_LARGEST_FILE: Final = 128 * 2**20  # bytes; a listing of some 100,000 images


class Literal(str):
    """Text to be written as a literal block where that can carry it exactly."""

    __slots__ = ()


def read(path: Path, *, error: type[ImageDetailError], remedy: str) -> Any:
    """Read a UTF-8 YAML file.

    Args:
        path: The file.
        error: The class of error to raise.
        remedy: What the user should do next.

    Raises:
        ImageDetailError: As the class given: unreadable, not UTF-8, not YAML, not safe YAML, or a
            repeated key in one mapping; with line and column where they are known.
    """
    return _read(path, _OwnLoader, error=error, remedy=remedy)


def read_foreign(path: Path, *, error: type[ImageDetailError], remedy: str) -> Any:
    """Read a UTF-8 YAML file of another tool, as safely as `read`.

    Every plain value but null is a text as it is written: a header's value is no number. Ruby's
    `!binary` is bytes; tags of plain texts in Ruby and Python 2 are texts. Other tags are errors.

    Args:
        path: The file.
        error: The class of error to raise.
        remedy: What the user should do next.

    Raises:
        ImageDetailError: As `read`.
    """
    return _read(path, _ForeignLoader, error=error, remedy=remedy)


def _read(path: Path, loader: Any, *, error: type[ImageDetailError], remedy: str) -> Any:
    place = str(path)
    try:
        text = content(path).decode("utf-8")
        _check_structure(text)
        return yaml.load(text, Loader=loader)  # noqa: S506  a safe loader, each of the two
    except OSError as fault:
        problem = f"the file cannot be read: {fault.strerror}"
        raise error(problem, where=place, remedy=remedy) from fault
    except UnicodeDecodeError as fault:
        problem = f"not a UTF-8 file: byte {fault.start} is {fault.object[fault.start]:#04x}"
        place += f", line {fault.object[: fault.start].count(10) + 1}"
        raise error(problem, where=place, remedy=remedy) from fault
    except yaml.MarkedYAMLError as fault:
        problem = fault.problem or fault.context or "not YAML"
        if "nesting depth" in problem:  # PyYAML 6.0.4 counts by itself, before we can
            problem = "nested too deeply"
        if mark := fault.problem_mark or fault.context_mark:
            place += f", line {mark.line + 1}, column {mark.column + 1}"
    except yaml.reader.ReaderError as fault:
        problem = f"{fault.reason}"
        place += f", line {text.encode()[: fault.position].count(10) + 1}"
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        problem = str(fault)
    raise error(f"not a readable YAML file: {problem}", where=place, remedy=remedy)


def content(path: Path) -> bytes:
    """Return the bytes of a file, unless reading it would never end or take all memory.

    Raises:
        OSError: It cannot be read.
        ValueError: It is a pipe or device, or too large.
    """
    mode = path.stat().st_mode  # before it is opened: opening a pipe waits for who writes it
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ValueError("it is a pipe, a socket or a device, not a file")
    with path.open("rb") as file:
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise ValueError(f"it has more than {_LARGEST_FILE // 2**20} MiB")
    return content


def dump(document: Any) -> str:
    """Write a document: keys in the order given, UTF-8 unescaped, no line folding."""
    return yaml.dump(
        document, Dumper=_LiteralDumper, allow_unicode=True, sort_keys=False, width=1_000_000
    )


def line_of(text: str, *keys: str | int) -> int:
    """Return the line, from 1, of a part of a readable document, or of its nearest parent.

    Args:
        text: A document that `read` has read.
        *keys: The path to the part: keys of mappings and positions in sequences.
    """
    node = yaml.compose(text, Loader=_Loader)
    line = 0
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next((each for each in node.value if each[0].value == key), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            pair = (node.value[key],) * 2 if key < len(node.value) else None
        else:
            pair = None
        if pair is None:
            break
        line, node = pair[0].start_mark.line, pair[1]
    return line + 1


def comment_line(text: str) -> int | None:
    """Return the line, from 1, of the first comment of a readable document, if any."""
    if "#" not in text:
        return None
    end = 0
    for event in _events(text):
        start, behind = event.start_mark.index, event.end_mark.index
        if (at := text.find("#", end, start)) >= 0:
            return _line(text, at)
        if isinstance(event, yaml.ScalarEvent) and event.style in {"|", ">"}:
            head = text.find("\n", start, behind)
            if (at := text.find("#", start, head if head >= 0 else behind)) >= 0:
                return _line(text, at)
        end = max(end, behind)
    at = text.find("#", end)
    return _line(text, at) if at >= 0 else None


def merge_line(text: str) -> int | None:
    """Return the line, from 1, of the first merge key `<<`, if any."""
    if "<<" not in text:
        return None
    for event in _events(text):
        is_plain = isinstance(event, yaml.ScalarEvent) and not event.style
        if is_plain and event.value == "<<":
            return _line(text, event.start_mark.index)
    return None


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


@dataclass(slots=True)
class _Collection:
    """A mapping or sequence that is open while its document is checked."""

    anchor: str | None
    size_before: int
    keys: set[str] | None  # None for a sequence
    next_is_key: bool = True

    def add(self, event: Any) -> None:
        if self.keys is None:
            return
        if self.next_is_key and isinstance(event, yaml.ScalarEvent):
            key = event.value
            if key in self.keys and key != "<<":
                name = f"the key `{key}`" if _NAMEABLE.fullmatch(key) else "a key"
                raise _fault(f"{name} stands twice in one mapping", event.start_mark)
            self.keys.add(key)
        self.next_is_key = not self.next_is_key


def _check_structure(text: str) -> None:
    """Refuse merge conflicts, deep nesting, aliases that multiply and repeated keys.

    libyaml builds nested nodes on the C stack, so deep nesting would end the process. The loader
    keeps only the last value of a repeated key.
    """
    if (conflict := _CONFLICT.search(text)) is not None:
        mark = yaml.Mark("", 0, text.count("\n", 0, conflict.start()), 0, None, 0)
        sides = "git checkout --ours FILE, or --theirs FILE"
        raise _fault(f"it holds a merge conflict; take one side whole: {sides}", mark)
    sizes: dict[str | None, int] = {}  # by anchor, the characters that an alias stands for
    nested: list[_Collection] = []
    size = 0
    for event in _events(text):
        if isinstance(event, yaml.CollectionEndEvent):
            closed = nested.pop()
            size += 1
            sizes[closed.anchor] = size - closed.size_before
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        if nested:
            nested[-1].add(event)
        if isinstance(event, yaml.AliasEvent):
            size += sizes.get(event.anchor, 1)
            if size > _LARGEST or event.anchor in [each.anchor for each in nested]:
                raise _fault("aliases that multiply", event.start_mark)
        elif isinstance(event, yaml.ScalarEvent):
            size += 1 + len(event.value)
            sizes[event.anchor] = 1 + len(event.value)
        else:
            keys: set[str] | None = set() if isinstance(event, yaml.MappingStartEvent) else None
            nested.append(_Collection(event.anchor, size, keys))
            if len(nested) > _DEEPEST:
                raise _fault("nested too deeply", event.start_mark)


def _events(text: str) -> Iterator[Any]:
    loader = _Loader(text)
    for number in itertools.count():
        if not loader.check_event():
            return
        event: Any = loader.get_event()
        if number > _MOST:
            raise _fault(f"more than {_MOST} values", event.start_mark)
        yield event


def _fault(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


class _OwnLoader(_Loader):
    """The safe loader; every error has a line."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
        try:
            return super().construct_object(node, deep)
        except (LookupError, AttributeError, TypeError, ArithmeticError, ValueError) as fault:
            # What PyYAML's constructors raise by accident: `!!bool maybe` is a KeyError.
            reason = str(fault) if isinstance(fault, ValueError) else type(fault).__name__
            raise _fault(f"a value does not fit its type: {reason}", node.start_mark) from fault


class _ForeignLoader(_OwnLoader):
    """The safe loader, for which every value of another tool is text."""


def _as_text(loader: Any, node: Any) -> str:
    return str(loader.construct_scalar(node))


def _as_bytes(loader: Any, node: Any) -> Any:
    return loader.construct_yaml_binary(node)


for _tag in (
    *(f"tag:yaml.org,2002:{each}" for each in ("bool", "int", "float", "timestamp")),
    *("tag:yaml.org,2002:python/unicode", "tag:yaml.org,2002:python/str"),
    *("!ruby/symbol", "!ruby/sym"),
):
    _ForeignLoader.add_constructor(_tag, _as_text)
_ForeignLoader.add_constructor("!binary", _as_bytes)


class _LiteralDumper(_Dumper):
    """The C dumper, which also knows literal blocks and never writes anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML calls it with the value
        return True


def _represent_literal(dumper: Any, text: Literal) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


_LiteralDumper.add_representer(Literal, _represent_literal)
