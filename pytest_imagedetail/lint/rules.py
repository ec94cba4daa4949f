"""The rules of lint: severity and remedy of each. docs/lint.md says what breaks them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pytest_imagedetail.text import plain

Severity = Literal["error", "warning", "note"]
"""An error fails; a warning fails with `--strict`; a note never fails."""


class Rule(NamedTuple):
    """One thing that lint looks for."""

    severity: Severity
    remedy: str


_AGAIN: Final = "record it again: pytest --imagedetail-record-mode=rewrite, or imagedetail record"
_RESTORE: Final = (
    "restore it from version control, or delete it, then record it again: "
    "pytest --imagedetail-record-mode=once, or imagedetail record"
)
_CLEAN: Final = (
    "remove it from version control, and from the history if it was pushed; change the secret; "
    f"then {_AGAIN}"
)
_SCRUB: Final = "imagedetail scrub PATH --cloud NAME; --in-place replaces a recording of vcrpy"
_KEEP: Final = "if it is sensitive, remove it from the image and record it again; else ignore it"
_RELEASE: Final = "record an upgraded cloud under a new name, or correct the declared release"
_RENEW: Final = (
    "record it again: pytest --imagedetail-record-mode=rewrite --imagedetail-max-age=DAYS, "
    "or imagedetail record --max-age=DAYS"
)

_REMEDIES: Final[Mapping[Severity, Mapping[str, str]]] = {
    "error": {
        "unreadable": "check path and permissions",
        "format": _RESTORE,
        "version": _RESTORE,
        "schema": f"upgrade pytest-imagedetail, or {_AGAIN}",
        "provenance": _RESTORE,
        "hash": _RESTORE,
        "replay": _AGAIN,
        "misplaced": "move it to the name given, or delete it",
        "duplicate": "delete the copy; record what should be there",
        "case": "rename one of the clouds",
        "release": _RELEASE,
        "foreign": _SCRUB,
        "secret": _CLEAN,
        "header": _CLEAN,
        "host": _AGAIN,
        "id": _AGAIN,
        "address": _AGAIN,
        "email": _AGAIN,
        "age": _RENEW,
    },
    "warning": {
        "suspicious": _KEEP,
        "orphan": "delete it, or keep it in another folder",
    },
    "note": {
        "undated": _AGAIN,
        "undeclared": "declare it, or delete its folder",
    },
}
RULES: Final = {
    name: Rule(severity=severity, remedy=remedy)
    for severity, remedies in _REMEDIES.items()
    for name, remedy in remedies.items()
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One place that breaks a rule."""

    path: Path
    line: int  # from 1; 1 also for the whole file
    rule: str
    message: str  # one line, without the value

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", plain(self.message))

    @property
    def severity(self) -> Severity:
        """The severity of its rule."""
        return RULES[self.rule].severity

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.severity} {self.rule} {self.message}"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "path": str(self.path),
            "line": self.line,
            "severity": self.severity,
            "rule": self.rule,
            "message": self.message,
            "next": RULES[self.rule].remedy,
        }
