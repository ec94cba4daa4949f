"""What is promised of one JSON value and of those below it, and how a value breaks the promise."""

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_imagedetail.contract.forms import ISOTIME, is_isotime, text_format


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One promise that a value does not keep.

    Attributes:
        reason: What is wrong, with `{by}` for whoever promised it.
        how: What the value is instead; two values that break a promise alike have the same.
    """

    reason: str
    how: Hashable


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is promised of one value.

    Attributes:
        types: JSON types it may have, as Python types; True is no integer. None for any, and then
            nothing is promised of what is below it either.
        values: The values of an enumeration; none for any.
        form: The form of a text, as `text_format` names it; None for any.
        least: The smallest number; None for any.
        names: What stands under the keys that are named.
        rows: What stands at the first places of a list.
        others: What stands under any other key or at any other place; None refuses them.
        keys: What other keys look like; None for any.
        several: Whether a list of such values may stand for one, as links of one relation do.
    """

    types: tuple[type, ...] = ()
    values: frozenset[Any] = frozenset()
    form: str | None = None
    least: int | None = None
    names: Mapping[str, "Part"] = field(default_factory=dict)
    rows: Sequence["Part"] = ()
    others: "Part | None" = None
    keys: re.Pattern[str] | None = None
    several: bool = False

    def along(self, path: Sequence[str | int]) -> "Part | None":
        """The part at a path below this one; None if such a key is refused."""
        part: Part | None = self
        for key in path:
            part = None if part is None else part.at(key)
        return part

    def breach(self, value: Any, name: str | int) -> Breach | None:
        """Which promise the value itself breaks, whatever is below it.

        Args:
            value: A JSON value.
            name: What to call it.
        """
        if self.types and type(value) not in self.types:
            reason = "{by} does not allow null here" if value is None else _OTHER_TYPE
            return Breach(reason=reason, how=str(type(value)))
        if self.values and value not in self.values:
            return Breach(reason=f"no {name} of {{by}}", how=value)
        if self.form is not None and isinstance(value, str) and not _has_form(value, self.form):
            return Breach(reason=f"{{by}} promises {self.form}", how=text_format(value))
        if self.least is not None and isinstance(value, int) and value < self.least:
            return Breach(reason=f"{{by}} promises {self.least} or more", how="less")
        return None

    def refusal(self, value: Any, name: str | int) -> Breach | None:
        """Which promise the value breaks, or any value below it.

        Args:
            value: A JSON value.
            name: What to call it.
        """
        if self.several and isinstance(value, list):
            refusals = (self.refusal(each, name) for each in value)
            return next((each for each in refusals if each is not None), None)
        found = self.breach(value, name)
        for key, each in _below(value):
            if found is not None:
                return found
            part = self.at(key)
            found = REFUSED if part is None else part.refusal(each, key)
        return found

    def at(self, key: str | int) -> "Part | None":
        """The part under one key, or at one place of a list; None if it is refused."""
        if not self.types:
            return ANYTHING
        if isinstance(key, str):
            known = self.keys is None or self.keys.fullmatch(key)
            return self.names.get(key, self.others if known else None)
        if self.several:
            return self
        return self.rows[key] if key < len(self.rows) else self.others


def _below(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


REFUSED: Final = Breach(reason="{by} refuses fields that it does not name", how="refused")
"""What is wrong with a key that no part is promised under."""

ANYTHING: Final = Part()
"""A part of which nothing is promised."""

_OTHER_TYPE: Final = "{by} names another JSON type"


def _has_form(value: str, form: str) -> bool:
    found = text_format(value)
    return is_isotime(found) if form == ISOTIME else found == form
