"""The rules of lint: severity, meaning and remedy of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pytest_imagedetail.text import plain

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that lint looks for."""

    id: str
    severity: Severity  # "error" fails; "warning" fails with `--strict`; "note" never fails
    meaning: str  # what breaks the rule
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


_TABLE: Final[dict[Severity, tuple[tuple[str, str, str], ...]]] = {
    "error": (
        (
            "unreadable",
            "a file or folder that cannot be read, or is too large",
            "check path and permissions",
        ),
        ("format", "not UTF-8, not safe YAML, or no interactions", _RESTORE),
        ("version", "a cassette version other than vcrpy's 1", _RESTORE),
        ("schema", "provenance of an unknown schema", f"upgrade pytest-imagedetail, or {_AGAIN}"),
        ("provenance", "provenance or an interaction that is not valid", _RESTORE),
        ("hash", "changed after it was written", _RESTORE),
        ("replay", "pages that are not a listing or do not follow each other", _AGAIN),
        ("misplaced", "not under its own name", "move it to the name given, or delete it"),
        ("duplicate", "a copy of a recording", "delete the copy; record what should be there"),
        ("case", "a name that differs from another in case only", "rename one of the clouds"),
        ("release", "of another release than declared, or than recorded before", _RELEASE),
        ("foreign", "of another tool, with its secrets", _SCRUB),
        ("secret", "a password, token or key, by its name or its shape", _CLEAN),
        ("header", "a header that cassettes do not keep, such as `X-Auth-Token`", _CLEAN),
        ("host", "a host that is not a placeholder", _AGAIN),
        ("id", "an id of a project, user or domain that is not a placeholder", _AGAIN),
        ("address", "an IP or MAC address in a field for addresses", _AGAIN),
        ("email", "an e-mail address in the traffic of a test", _AGAIN),
        ("age", "older than --max-age, without a date, or dated in the future", _RENEW),
    ),
    "warning": (
        ("suspicious", "a private address, internal host or e-mail address in a text", _KEEP),
        ("orphan", "not a cassette", "delete it, or keep it in another folder"),
    ),
    "note": (
        ("undated", "imported without a date, so --max-age does not apply", _AGAIN),
        (
            "undeclared",
            "of a cloud that imagedetail.yaml lacks",
            "declare it, or delete its folder",
        ),
    ),
}
RULES: Final = {
    id_: Rule(id=id_, severity=severity, meaning=meaning, remedy=remedy)
    for severity, rules in _TABLE.items()
    for id_, meaning, remedy in rules
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
