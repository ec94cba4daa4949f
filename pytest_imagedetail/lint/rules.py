"""What lint can find: every rule with its severity, its meaning and what to do about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

Severity = Literal["error", "warning", "note"]

_AGAIN: Final = "record it again: pytest --imagedetail-record-mode=rewrite, or imagedetail record"
_BACK: Final = (
    "bring it back from version control, or delete it, then record it again: "
    "pytest --imagedetail-record-mode=once, or imagedetail record"
)
_CLEAN: Final = (
    "take it out of version control, and out of its history if it was pushed; "
    "change the secret; then " + _AGAIN
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that lint looks for.

    Attributes:
        id: What is printed and typed.
        severity: "error" must not be committed or cannot replay, "warning" wants a look, "note"
            is only told.
        meaning: What the rule says of a file it finds.
        remedy: What to do next.
    """

    id: str
    severity: Severity
    meaning: str
    remedy: str


RULES: Final = {
    rule.id: rule
    for rule in (
        Rule(
            id="unreadable",
            severity="error",
            meaning="no file that can be read, so nothing is known of it",
            remedy="check the path and its permissions",
        ),
        Rule(
            id="format",
            severity="error",
            meaning="not UTF-8, not safe YAML, too large, empty, a key twice, or no interactions",
            remedy=_BACK,
        ),
        Rule(
            id="version",
            severity="error",
            meaning="a cassette version other than vcrpy's 1",
            remedy=_BACK,
        ),
        Rule(
            id="schema",
            severity="error",
            meaning="provenance of a schema that this release does not know",
            remedy="upgrade pytest-imagedetail, or " + _AGAIN,
        ),
        Rule(
            id="provenance",
            severity="error",
            meaning="provenance or an interaction that no recording has",
            remedy=_BACK,
        ),
        Rule(
            id="hash",
            severity="error",
            meaning="changed after it was written, or something was added that no hash covers",
            remedy=_BACK,
        ),
        Rule(
            id="replay",
            severity="error",
            meaning="whole as a file, but its pages are no listing, or do not lead to each other",
            remedy=_AGAIN,
        ),
        Rule(
            id="misplaced",
            severity="error",
            meaning="under another name than that of its cloud and query or test",
            remedy="move it to the name given, or delete it",
        ),
        Rule(
            id="duplicate",
            severity="error",
            meaning="a copy of a recording under another name",
            remedy="delete the copy; record what should stand there",
        ),
        Rule(
            id="case",
            severity="error",
            meaning="differs from another file in capitals only, so some file systems keep one",
            remedy="rename one of the clouds, and record it again",
        ),
        Rule(
            id="release",
            severity="error",
            meaning="of another release than declared, or than the cloud's other recordings",
            remedy="record an upgraded cloud under a new name, or correct the declared release",
        ),
        Rule(
            id="foreign",
            severity="error",
            meaning="a cassette that this tool did not write, so nobody has looked for secrets",
            remedy="make a safe one of it: imagedetail scrub FILE --cloud NAME",
        ),
        Rule(
            id="secret",
            severity="error",
            meaning="something in the shape of a token, a key or a password",
            remedy=_CLEAN,
        ),
        Rule(
            id="header",
            severity="error",
            meaning="a header field with credentials or cookies, or one that no recording keeps",
            remedy=_CLEAN,
        ),
        Rule(
            id="host",
            severity="error",
            meaning="a URL whose host is no placeholder of the cloud, or that has a user or a port",
            remedy=_AGAIN,
        ),
        Rule(
            id="id",
            severity="error",
            meaning="a project in a request's URL that is no placeholder",
            remedy=_AGAIN,
        ),
        Rule(
            id="address",
            severity="error",
            meaning="an IP address, or a port of localhost; none of RFC 5737 or RFC 3849",
            remedy=_AGAIN,
        ),
        Rule(
            id="email",
            severity="warning",
            meaning="an e-mail address, of somebody perhaps",
            remedy="look whose it is; take it out of the image and "
            + _AGAIN
            + "; or pass --ignore email",
        ),
        Rule(
            id="age",
            severity="error",
            meaning="older than --max-age allows, recorded and without a date, or of a date "
            "that is still to come",
            remedy="record it again: pytest --imagedetail-record-mode=rewrite "
            "--imagedetail-max-age=DAYS, or imagedetail record --max-age=DAYS",
        ),
        Rule(
            id="undated",
            severity="note",
            meaning="without a date, so --max-age says nothing of it; what was imported has none",
            remedy="record it from a cloud, if there is one to ask",
        ),
        Rule(
            id="orphan",
            severity="warning",
            meaning="no cassette: left over from a write that was killed, a lock, or not ours",
            remedy="delete it, or keep it in another folder",
        ),
        Rule(
            id="undeclared",
            severity="note",
            meaning="of a cloud that imagedetail.yaml does not declare, while it declares others",
            remedy="declare the cloud, or delete its folder",
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One place that a rule is broken at.

    Attributes:
        path: The file.
        line: From 1; 1 too where the file as a whole is meant.
        rule: The rule's id.
        message: What is wrong, one line; never the value that must not be there.
    """

    path: Path
    line: int
    rule: str
    message: str

    def __post_init__(self) -> None:
        printable = "".join(each if each.isprintable() else "?" for each in self.message)
        object.__setattr__(self, "message", printable)

    @property
    def severity(self) -> Severity:
        """That of its rule."""
        return RULES[self.rule].severity

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.severity} {self.rule} {self.message}"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "path": str(self.path),
            "line": self.line,
            "severity": self.severity,
            "rule": self.rule,
            "message": self.message,
            "next": RULES[self.rule].remedy,
        }
