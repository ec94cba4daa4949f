"""YAML as text; the only module that knows PyYAML. Loads safely, dumps deterministically."""

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
        ImageDetailError: As the class given: unreadable, not UTF-8, not YAML or not safe YAML, with
            line and column where they are known.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        _refuse_bombs(text)
        return yaml.load(text, Loader=_Loader)  # a safe loader, by its name above
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        place = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        problem = fault.problem or fault.context or "no YAML"
        raise error(f"not a readable YAML file: {problem}", where=place, remedy=remedy) from fault
    except UnicodeDecodeError as fault:
        raise error(
            f"not a UTF-8 file: byte {fault.start} is {fault.object[fault.start]:#04x}",
            where=str(path),
            remedy=remedy,
        ) from fault
    except (LookupError, AttributeError, TypeError, ArithmeticError) as fault:
        # PyYAML's constructors raise what they trip over: `!!bool maybe` is a KeyError.
        problem = f"a value does not fit its type ({type(fault).__name__})"
        raise error(
            f"not a readable YAML file: {problem}", where=str(path), remedy=remedy
        ) from fault
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        # ValueError: an impossible date, say. A reader error quotes at most one character.
        raise error(f"not a readable YAML file: {fault}", where=str(path), remedy=remedy) from fault
    except OSError as fault:
        raise error(
            f"the file cannot be read: {fault.strerror}", where=str(path), remedy=remedy
        ) from fault


def dump(document: Any) -> str:
    """Write a document: keys in the order given, UTF-8 unescaped, no line folding."""
    return yaml.dump(
        document, Dumper=_LiteralDumper, allow_unicode=True, sort_keys=False, width=1_000_000
    )


def _refuse_bombs(text: str) -> None:
    """Refuse what is harmless to parse, but not to build: deep nesting, aliases that multiply.

    libyaml builds nested nodes on the C stack without a limit; too many end the process.
    """
    loader = _Loader(text)
    sizes: dict[str, int] = {}  # what an alias stands for: its characters, aliases followed
    nested: list[tuple[str | None, int]] = []  # anchor, size before it
    size = 0
    while loader.check_event():
        event = loader.get_event()
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


def _bomb(problem: str, event: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


class _LiteralDumper(_Dumper):
    """The C dumper, which also knows literal blocks and never writes anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML calls it with the value
        return True


def _represent_literal(dumper: Any, text: Literal) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


_LiteralDumper.add_representer(Literal, _represent_literal)
