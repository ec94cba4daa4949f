"""What is judged, and what a verdict is."""

from dataclasses import dataclass
from typing import Any

from pytest_imagedetail.model import Path, Severity

Verdict = tuple[Severity, str]
"""A severity and the reason for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference before it is judged.

    Attributes:
        kind: What happened.
        field: The field of the image detail ("metadata", "links"), or "" for the whole answer.
        below: The keys below that field that lead to where it happened; none for the field itself.
        baseline: The old value, or MISSING.
        candidate: The new value, or MISSING.
        cause: The key of the candidate's metadata for which Nova sends the field; None if the field
            needs none, or that is gone too.
    """

    kind: str
    field: str
    below: Path = ()
    baseline: Any
    candidate: Any
    cause: str | None = None

    @property
    def values(self) -> tuple[Any, Any]:
        """The old value and the new one."""
        return self.baseline, self.candidate

    @property
    def path(self) -> Path:
        """The keys from the image detail on."""
        return (self.field, *self.below)

    @property
    def is_addition(self) -> bool:
        """Whether a field or an item came."""
        return self.kind in {"field_added", "item_added"}

    @property
    def is_removal(self) -> bool:
        """Whether a field or an item went."""
        return self.kind in {"field_removed", "item_removed"}
