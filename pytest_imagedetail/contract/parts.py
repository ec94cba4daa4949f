"""Describes what a release promises of a JSON value, and finds what breaks the promise."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_imagedetail.contract.forms import ISOTIME, is_isotime, text_format

BY: Final = "the contract"
"""Who promises it, in a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One promise that a value does not keep.

    Attributes:
        reason: What is wrong.
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
        others: What stands under any other key, and at any place of a list; None for anything.
        several: Whether a list of such values may stand for one, as links of one relation do.
    """

    types: tuple[type, ...] = ()
    values: frozenset[Any] = frozenset()
    form: str | None = None
    least: int | None = None
    names: Mapping[str, "Part"] = field(default_factory=dict)
    others: "Part | None" = None
    several: bool = False

    def along(self, path: Sequence[str | int]) -> "Part":
        """Return the part at a path below this one."""
        part = self
        for key in path:
            part = part.at(key)
        return part

    def breach(self, value: Any, name: str | int) -> Breach | None:
        """Which promise the value itself breaks, whatever is below it.

        Args:
            value: A JSON value.
            name: What to call it.
        """
        if self.types and type(value) not in self.types:
            reason = f"{BY} does not allow null here" if value is None else _OTHER_TYPE
            return Breach(reason=reason, how=str(type(value)))
        if self.values and value not in self.values:
            return Breach(reason=f"no {name} of {BY}", how=value)
        if self.form is not None and isinstance(value, str) and not _has_form(value, self.form):
            return Breach(reason=f"{BY} promises {self.form}", how=text_format(value))
        if self.least is not None and isinstance(value, int) and value < self.least:
            return Breach(reason=f"{BY} promises {self.least} or more", how="less")
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
            found = self.at(key).refusal(each, key)
        return found

    def at(self, key: str | int) -> "Part":
        """Return the part under one key, or at one place of a list."""
        if isinstance(key, str) and key in self.names:
            return self.names[key]
        if isinstance(key, int) and self.several:
            return self
        return self.others or ANYTHING


def _below(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


ANYTHING: Final = Part()
"""A part of which nothing is promised."""

_OTHER_TYPE: Final = f"{BY} names another JSON type"


def _has_form(value: str, form: str) -> bool:
    found = text_format(value)
    return is_isotime(found) if form == ISOTIME else found == form
