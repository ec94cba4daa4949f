"""YAML as text; the only module that knows PyYAML. Loads safely, dumps deterministically."""

from pathlib import Path
from typing import Any

import yaml

from pytest_imagedetail.errors import ImageDetailError

try:  # libyaml reads sixty times as fast; PyYAML may have been built without it
    from yaml import CSafeDumper as _Dumper
    from yaml import CSafeLoader as _Loader
except ImportError:
    from yaml import SafeDumper as _Dumper  # type: ignore[assignment]
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]


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
        return yaml.load(
            path.read_bytes().decode("utf-8"), Loader=_Loader
        )  # a safe loader, by its name above
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


class _LiteralDumper(_Dumper):
    """The C dumper, which also knows literal blocks and never writes anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML calls it with the value
        return True


def _represent_literal(dumper: Any, text: Literal) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")


_LiteralDumper.add_representer(Literal, _represent_literal)
