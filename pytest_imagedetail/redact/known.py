"""What is known before a recording is redacted."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a session knows and must not write.

    Attributes:
        project_id: As it stands in request URLs.
        values: Tokens, passwords and application credential secrets.
        ids: User and project ids.
    """

    project_id: str | None = None
    values: frozenset[str] = field(default=frozenset(), repr=False)
    ids: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(slots=True, kw_only=True)
class Numbering:
    """The placeholders given so far, by what they stand for.

    Two answers redacted with one numbering can be compared by their placeholders: equal ones stand
    for equal values. The project that asked is the exception; it is the first of each answer.
    Secret, and never written.
    """

    origins: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    foreign: set[tuple[str, str]] = field(default_factory=set, repr=False)
    ids: dict[str, str] = field(default_factory=dict, repr=False)
    addresses: dict[str, str] = field(default_factory=dict, repr=False)
    people: dict[str, str] = field(default_factory=dict, repr=False)
    interfaces: dict[str, str] = field(default_factory=dict, repr=False)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    roles: Counter[str] = field(default_factory=Counter)
