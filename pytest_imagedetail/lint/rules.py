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


Origin = Literal["recorded", "scrubbed", "other"]
"""Who made a file: this plugin, `scrub` from another tool's recording, or another tool."""

_RESCRUB: Final = "scrub the original again: imagedetail scrub PATH --cloud NAME --force"
_OTHER: Final = "record it again with its own tool, and scrub that"
_ENDS: Final[Mapping[Origin, Mapping[str, str]]] = {  # of remedies
    "recorded": {
        "again": "record it again: pytest --imagedetail-record-mode=rewrite, or imagedetail record",
        "once": "record it again: pytest --imagedetail-record-mode=once, or imagedetail record",
        "renew": "record it again: pytest --imagedetail-record-mode=rewrite "
        "--imagedetail-max-age=DAYS, or imagedetail record --max-age=DAYS",
        "date": "record it again: pytest --imagedetail-record-mode=rewrite, or imagedetail record",
        "edit": "remove it from the image and record it again",
    },
    "scrubbed": {
        "again": _RESCRUB,
        "once": _RESCRUB,
        "renew": _OTHER,
        "date": _OTHER,
        "edit": "remove it from the original and scrub that again",
    },
    "other": dict.fromkeys(("again", "once"), _OTHER),
}
_RESTORE: Final = "restore it from version control, or delete it, then {once}"
_CLEAN: Final = (
    "remove it from version control, and from the history if it was pushed; change the secret; "
    "then {again}"
)
_REMEDIES: Final[Mapping[Severity, Mapping[str, str]]] = {
    "error": {
        "unreadable": "check path and permissions",
        "format": _RESTORE,
        "version": _RESTORE,
        "schema": "upgrade pytest-imagedetail, or {again}",
        "provenance": _RESTORE,
        "hash": _RESTORE,
        "replay": "{again}",
        "misplaced": "move it to the name given, or delete it",
        "duplicate": "delete the copy; record what should be there",
        "case": "rename one of the clouds",
        "release": "record an upgraded cloud under a new name, or correct the declared release",
        "foreign": "imagedetail scrub PATH --cloud NAME, and delete the original; --in-place "
        "replaces a committed recording of vcrpy",
        "secret": _CLEAN,
        "header": _CLEAN,
        "host": "{again}",
        "id": "{again}",
        "address": "{again}",
        "email": "{again}",
        "age": "{renew}",
    },
    "warning": {
        "suspicious": "if it is sensitive, {edit}; else ignore it",
        "orphan": "delete it, or keep it in another folder",
    },
    "note": {
        "undated": "{date}",
        "undeclared": "declare it, or delete its folder",
    },
}
RULES: Final = {
    name: Rule(severity=severity, remedy=remedy.format(**_ENDS["recorded"]))
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
    origin: Origin = "recorded"

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", plain(self.message))

    @property
    def severity(self) -> Severity:
        """The severity of its rule."""
        return RULES[self.rule].severity

    @property
    def remedy(self) -> str:
        """What to do next."""
        return _REMEDIES[self.severity][self.rule].format(**_ENDS[self.origin])

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
            "next": self.remedy,
        }
