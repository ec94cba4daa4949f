"""What a client of the baseline is promised, by whom, and whether values keep it."""

import re
from dataclasses import dataclass
from typing import Any, Final

from pytest_imagedetail import contract, placeholder
from pytest_imagedetail.model import MISSING, Path
from pytest_imagedetail.severity.change import Verdict

RETYPED: Final = "the JSON type changed"
"""Why another type breaks where none is promised."""

_SERVER: Final = placeholder.NAMES["server"]
_NAMED: Final = re.compile(f"<id>|{_SERVER}|{placeholder.candidates_own(_SERVER)}")
_ANY_ID: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """By what to judge: the releases of both sides, or a schema.

    Attributes:
        baseline: The release of the old side; None if it is not declared.
        candidate: The release of the new side.
        schema: A published schema to judge by in place of what the releases promise.
    """

    baseline: str | None
    candidate: str | None
    schema: contract.Schema | None = None

    @property
    def by(self) -> str:
        """Whose promise it is, in a reason."""
        return "the contract" if self.schema is None else f"{self.schema.name}'s schema"

    @property
    def mended(self) -> Verdict:
        """The verdict on what only the candidate keeps."""
        return "compatible", f"the candidate keeps {self.by}, the baseline did not"

    def part(self, *path: str | int) -> contract.Part | None:
        """What is promised of the value at a path of an image; None if it is refused there."""
        return self._image.along(path)

    def form_of_candidate(self, *path: str | int) -> str | None:
        """The form that the candidate's own release promises of a text; None for any."""
        part = contract.image_in(self.candidate).along(path)
        return None if part is None else part.form

    def requires(self, field: str) -> bool:
        """Whether every image of the baseline is promised to have a field."""
        if self.schema is not None:
            return field in self.schema.required
        return contract.promises(field, self.baseline)

    def says(self, breach: contract.Breach) -> str:
        """The reason why such a breach breaks a client."""
        return breach.reason.format(by=self.by)

    def refusal(self, path: Path, value: Any) -> str | None:
        """Why what came to an image is no such value as is promised; None if it is one.

        Args:
            path: Where it came.
            value: What came; MISSING says only that something did.
        """
        return self._refusal(self._image, path, value)

    def refused_beside(self, name: str, value: Any) -> str | None:
        """Why the schema refuses what stands beside the images; None if it does not.

        Args:
            name: The name of the field.
            value: What stands there; MISSING is never refused.
        """
        if self.schema is None or value is MISSING:
            return None
        return self._refusal(self.schema.beside, (name,), value)

    def kept(self, path: Path, values: tuple[Any, Any]) -> Verdict | None:
        """The verdict if one of two values breaks what is promised of it; None if none does.

        Args:
            path: Where they stand in an image.
            values: The old one and the new one; MISSING breaks nothing.
        """
        part = self.part(*path) or contract.ANYTHING
        old, new = (
            None if each is MISSING else part.refusal(_with_ids(each), path[-1]) for each in values
        )
        if new is not None and old is not None and old.how == new.how:
            return "data", f"neither side keeps {self.by}"
        if new is not None:
            return "breaking", self.says(new)
        return None if old is None else self.mended

    @property
    def _image(self) -> contract.Part:
        return contract.image_in(self.baseline) if self.schema is None else self.schema.image

    def _refusal(self, whole: contract.Part, path: Path, value: Any) -> str | None:
        part = whole.along(path)
        if part is None:  # no release refuses what is new
            return None if self.schema is None else self.says(contract.REFUSED)
        found = None if value is MISSING else part.refusal(_with_ids(value), path[-1])
        return None if found is None else self.says(found)


def _with_ids(value: Any) -> Any:
    """The value with an id where normalization has put a name: ids are what it stands for."""
    if isinstance(value, str):
        return _ANY_ID if _NAMED.fullmatch(value) else value
    if isinstance(value, dict):
        return {key: _with_ids(each) for key, each in value.items()}
    return [_with_ids(each) for each in value] if isinstance(value, list) else value
