"""YAML as text; the only module that knows PyYAML. Loads safely, dumps deterministically."""

import itertools
import re
import stat
from collections.abc import Iterator
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
_UNREADABLE: Final = re.compile(  # what YAML 1.1 has no place for (section 5.1)
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_ONE_SIDE: Final = (
    "take one side whole, never a mixture: git checkout --ours FILE, or --theirs FILE\n"
)
_LARGEST_FILE: Final = 128 * 2**20  # bytes; a listing of some 100,000 images


class Literal(str):
    """Text to be written as a literal block where that can carry it exactly."""

    __slots__ = ()


def read(path: Path, *, error: type[ImageDetailError], remedy: str) -> Any:
    """Read a UTF-8 YAML file.

    Args:
        path: The file.
        error: What to raise, so that the caller's user sees one class of error.
        remedy: What that user should do next.

    Raises:
        ImageDetailError: As the class given: unreadable, not UTF-8, not YAML or not safe YAML, a
            key twice in one mapping; with line and column where they are known.
    """
    return _read(path, _OwnLoader, error=error, remedy=remedy)


def read_foreign(path: Path, *, error: type[ImageDetailError], remedy: str) -> Any:
    """Read a UTF-8 YAML file of another tool, as safely as `read`.

    Every plain value but null is a text as it is written: a header's value is no number. Ruby's
    `!binary` is bytes; tags of plain texts in Ruby and Python 2 are texts. Other tags are errors.

    Args:
        path: The file.
        error: What to raise.
        remedy: What the user should do next.

    Raises:
        ImageDetailError: As `read`.
    """
    return _read(path, _ForeignLoader, error=error, remedy=remedy)


def _read(path: Path, loader: Any, *, error: type[ImageDetailError], remedy: str) -> Any:
    try:
        text = content(path).decode("utf-8")
        if (conflict := _CONFLICT.search(text)) is not None:
            raise error(
                "not a readable YAML file: a merge conflict of version control was left in it",
                where=f"{path}, line {_line(text, conflict.start())}",
                remedy=_ONE_SIDE + remedy,
            )
        _refuse_bombs(text)
        return yaml.load(text, Loader=loader)  # noqa: S506  a safe loader, each of the two
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        place = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        problem = fault.problem or fault.context or "no YAML"
        if "nesting depth" in problem:  # PyYAML 6.0.4 counts by itself, before we can
            problem = "nested too deeply"
        raise error(f"not a readable YAML file: {problem}", where=place, remedy=remedy) from fault
    except UnicodeDecodeError as fault:
        raise error(
            f"not a UTF-8 file: byte {fault.start} is {fault.object[fault.start]:#04x}",
            where=f"{path}, line {fault.object[: fault.start].count(10) + 1}",
            remedy=remedy,
        ) from fault
    except (LookupError, AttributeError, TypeError, ArithmeticError) as fault:
        # PyYAML's constructors raise what they trip over: `!!bool maybe` is a KeyError.
        problem = f"a value does not fit its type ({type(fault).__name__})"
        raise error(
            f"not a readable YAML file: {problem}", where=str(path), remedy=remedy
        ) from fault
    except yaml.reader.ReaderError as fault:
        odd = _UNREADABLE.search(text)
        line = f", line {_line(text, odd.start())}" if odd else ""
        problem = "a character that no text has" if odd else str(fault.reason)
        raise error(
            f"not a readable YAML file: {problem}", where=f"{path}{line}", remedy=remedy
        ) from fault
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        # ValueError: too many digits, say. A reader error quotes at most one character.
        raise error(f"not a readable YAML file: {fault}", where=str(path), remedy=remedy) from fault
    except OSError as fault:
        raise error(
            f"the file cannot be read: {fault.strerror}", where=str(path), remedy=remedy
        ) from fault


def content(path: Path) -> bytes:
    """All of a file, unless reading it would never end or take all memory.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no file, or too large.
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
    """The line, from 1, where a part of a readable document stands; else the nearest above it.

    Args:
        text: A document that `read` has read.
        *keys: The way down to the part: keys of mappings and places in sequences.
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
    """The line, from 1, of the first comment of a readable document; None if there is none.

    A program that reads the document passes over it, whatever it says.
    """
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
    """The line, from 1, of the first `<<` that is a key of YAML's own; None if there is none."""
    if "<<" not in text:
        return None
    for event in _events(text):
        is_plain = isinstance(event, yaml.ScalarEvent) and not event.style
        if is_plain and event.value == "<<":
            return _line(text, event.start_mark.index)
    return None


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _refuse_bombs(text: str) -> None:
    """Refuse what is harmless to parse, but not to build: deep nesting, aliases that multiply.

    A key that stands twice in a mapping is refused, too: all but its last value would be lost.

    libyaml builds nested nodes on the C stack without a limit; too many end the process.
    """
    sizes: dict[str, int] = {}  # what an alias stands for: its characters, aliases followed
    nested: list[tuple[str | None, int]] = []  # anchor, size before it
    keys = _Keys()
    size = 0
    for event in _events(text):
        keys.meet(event)
        if isinstance(event, yaml.AliasEvent):
            size += sizes.get(event.anchor or "", 1)
            if size > _LARGEST or any(anchor == event.anchor for anchor, _ in nested):
                raise _bomb("aliases that multiply", event)
        elif isinstance(event, yaml.ScalarEvent):
            size += 1 + len(event.value)
            if event.anchor:
                sizes[event.anchor] = 1 + len(event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            nested.append((event.anchor, size))
            if len(nested) > _DEEPEST:
                raise _bomb("nested too deeply", event)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = nested.pop()
            size += 1
            if anchor:
                sizes[anchor] = size - before


class _Keys:
    """The keys of the mappings that are open while a document is gone through."""

    def __init__(self) -> None:
        self._open: list[tuple[set[str] | None, bool]] = [(None, False)]  # and: a key comes next

    def meet(self, event: Any) -> None:
        if isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.NodeEvent):
            seen, is_key = self._open[-1]
            if seen is not None:
                self._open[-1] = (seen, not is_key)
                if is_key and isinstance(event, yaml.ScalarEvent):
                    self._note(event, seen)
            if isinstance(event, yaml.CollectionStartEvent):
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                self._open.append((set() if is_mapping else None, is_mapping))

    @staticmethod
    def _note(event: Any, seen: set[str]) -> None:
        key = event.value
        if key in seen and key != "<<":
            name = f"the key `{key}`" if _NAMEABLE.fullmatch(key) else "a key"
            raise _bomb(f"{name} stands twice in one mapping", event)
        seen.add(key)


def _events(text: str) -> Iterator[Any]:
    loader = _Loader(text)
    for number in itertools.count():
        if not loader.check_event():
            return
        event = loader.get_event()
        if number > _MOST:
            raise _bomb(f"more than {_MOST} values", event)
        yield event


def _bomb(problem: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


class _OwnLoader(_Loader):
    """The safe loader, which says where a date stands that no calendar has."""


def _as_date(loader: Any, node: Any) -> Any:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError as fault:
        raise yaml.MarkedYAMLError(
            problem=f"{node.value} is no date: {fault}", problem_mark=node.start_mark
        ) from fault


_OwnLoader.add_constructor("tag:yaml.org,2002:timestamp", _as_date)


class _ForeignLoader(_Loader):
    """The safe loader, for which what another tool wrote is text."""


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
