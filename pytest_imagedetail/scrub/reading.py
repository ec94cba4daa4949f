"""Reads a recording of another tool, safely, and says which tool's it is."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette import loads
from pytest_imagedetail.errors import DamagedCassetteError
from pytest_imagedetail.model import Interaction
from pytest_imagedetail.scrub import fields, har, http_interactions, vcrpy
from pytest_imagedetail.scrub.fields import UnsoundError

_REMEDY: Final = (
    "give it a whole recording of vcrpy, pytest-recording, Ruby's VCR or betamax, or a HAR file\n"
    "nothing was written for it, and the file was left as it is"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of another tool.

    Attributes:
        path: The file.
        tool: "vcrpy", "Ruby VCR", "betamax" or "HAR"; "imagedetail" for one of ours.
        interactions: As sent and received, bodies decoded; none of ours are looked at.
        recorded_at: When the first was recorded, UTC, ISO 8601; None if the file does not say.
    """

    path: Path
    tool: str
    interactions: tuple[Interaction, ...] = field(default=(), repr=False)
    recorded_at: str | None = None


def read(path: Path) -> Source:
    """Read a file; one that this project wrote is checked, and comes without interactions.

    Raises:
        DamagedCassetteError: It cannot be read, is not safe, or is no recording that is known.
    """
    text, is_json = _text_of(path)
    document = (
        _json(path, text)
        if is_json
        else yamltext.read_foreign(path, error=DamagedCassetteError, remedy=_REMEDY)
    )
    if document is None:
        raise _damaged("the file is empty", path)
    if not isinstance(document, dict):
        raise _damaged("no recording that is known here: it is no mapping of names", path)
    if isinstance(document.get("imagedetail"), dict):
        loads(path)  # one of ours that was changed is no safe one
        return Source(path=path, tool="imagedetail")
    tool, keys, listed, made, date = _format(document, path)
    if not isinstance(listed, list):
        raise _damaged(f"its `{'.'.join(keys)}` is no list", path)
    if not listed:
        raise _damaged("the recording has no interactions", path)
    interactions = []
    for number, each in enumerate(listed):
        try:
            interactions.append(made(fields.whole(each)))
        except UnsoundError as fault:
            line = "" if is_json else f", line {yamltext.line_of(text, *keys, number)}"
            place = f"{path}{line}, interaction {number + 1}"
            raise DamagedCassetteError(
                f"an interaction is not as {tool} writes it: {fault}", where=place, remedy=_REMEDY
            ) from fault
    dates = (each.get(date) for each in listed if isinstance(each, dict))
    return Source(path=path, tool=tool, interactions=tuple(interactions), recorded_at=_first(dates))


def _text_of(path: Path) -> tuple[str, bool]:
    """The text of a file, and whether it is JSON."""
    try:
        text = yamltext.content(path).decode("utf-8-sig")  # some exporters of HAR begin with a mark
    except UnicodeDecodeError as fault:
        problem = f"not a UTF-8 file: byte {fault.start} is {fault.object[fault.start]:#04x}"
        raise _damaged(problem, path) from fault
    except OSError as fault:
        raise _damaged(f"the file cannot be read: {fault.strerror}", path) from fault
    except ValueError as fault:  # a pipe, or too large
        raise _damaged(f"the file cannot be read: {fault}", path) from fault
    return text, text.lstrip()[:1] in {"{", "["}


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        place = f"{path}, line {fault.lineno}, column {fault.colno}"
        raise DamagedCassetteError(
            f"not a readable JSON file: {fault.msg}", where=place, remedy=_REMEDY
        ) from None  # the decoder's error holds the whole text
    except (RecursionError, ValueError) as fault:
        problem = "nested too deeply" if isinstance(fault, RecursionError) else "a number too long"
        raise _damaged(f"not a readable JSON file: {problem}", path) from None


_Format = tuple[str, tuple[str, ...], Any, Callable[[dict[Any, Any]], Interaction], str]


def _format(document: dict[Any, Any], path: Path) -> _Format:
    """The tool, where its interactions stand, these, how each is read, and where its date is."""
    if vcrpy.KEY in document:
        made = vcrpy.interaction
        return "vcrpy", (vcrpy.KEY,), document[vcrpy.KEY], made, "recorded_at"
    key = http_interactions.KEY
    if key in document:
        is_betamax = str(document.get("recorded_with", "")).startswith("betamax")
        tool = "betamax" if is_betamax else "Ruby VCR"
        return tool, (key,), document[key], http_interactions.interaction, "recorded_at"
    log = document.get("log")
    if isinstance(log, dict) and "entries" in log:
        return "HAR", ("log", "entries"), log["entries"], har.interaction, "startedDateTime"
    raise _damaged(
        "no recording that is known here: it has no `interactions`, `http_interactions` or "
        "`log.entries`",
        path,
    )


def _first(dates: Iterable[Any]) -> str | None:
    """The oldest of dates in ISO 8601 or RFC 2822; None if one of them is neither."""
    found = [_date(each) for each in dates]
    known = [each for each in found if each is not None]
    if not known or len(known) < len(found):
        return None
    return min(known).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _date(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = parse(value)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _damaged(problem: str, path: Path) -> DamagedCassetteError:
    return DamagedCassetteError(problem, where=str(path), remedy=_REMEDY)
