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
    """What to judge by: the releases of both sides.

    Attributes:
        baseline: The release of the old side; None if it is not declared.
        candidate: The release of the new side.
    """

    baseline: str | None
    candidate: str | None

    @property
    def by(self) -> str:
        """Whose promise it is, in a reason."""
        return contract.BY

    @property
    def mended(self) -> Verdict:
        """The verdict on what only the candidate keeps."""
        return "compatible", f"the candidate keeps {self.by}, the baseline did not"

    def part(self, *path: str | int) -> contract.Part:
        """Return what the baseline's release promises of the value at a path of an image."""
        return contract.image_in(self.baseline).along(path)

    def form_of_candidate(self, *path: str | int) -> str | None:
        """The form that the candidate's own release promises of a text; None for any."""
        return contract.image_in(self.candidate).along(path).form

    def requires(self, field: str) -> bool:
        """Whether every image of the baseline is promised to have a field."""
        return contract.promises(field, self.baseline)

    def refusal(self, path: Path, value: Any) -> str | None:
        """Why what came to an image is no such value as is promised; None if it is one.

        Args:
            path: Where it came.
            value: What came; MISSING says only that something did.
        """
        if value is MISSING:
            return None
        found = self.part(*path).refusal(_with_ids(value), path[-1])
        return None if found is None else found.reason

    def kept(self, path: Path, values: tuple[Any, Any]) -> Verdict | None:
        """The verdict if one of two values breaks what is promised of it; None if none does.

        Args:
            path: Where they stand in an image.
            values: The old one and the new one; MISSING breaks nothing.
        """
        part = self.part(*path)
        old, new = (
            None if each is MISSING else part.refusal(_with_ids(each), path[-1]) for each in values
        )
        if new is not None and old is not None and old.how == new.how:
            return "data", f"neither side keeps {self.by}"
        if new is not None:
            return "breaking", new.reason
        return None if old is None else self.mended


def _with_ids(value: Any) -> Any:
    """The value with an id where normalization has put a name: ids are what it stands for."""
    if isinstance(value, str):
        return _ANY_ID if _NAMED.fullmatch(value) else value
    if isinstance(value, dict):
        return {key: _with_ids(each) for key, each in value.items()}
    return [_with_ids(each) for each in value] if isinstance(value, list) else value
