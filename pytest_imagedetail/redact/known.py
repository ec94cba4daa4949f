"""What is known before a recording is redacted."""

from collections import Counter
from dataclasses import dataclass, field, replace


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

    Attributes:
        first_id: Where ids begin beside that of the project that asked, which is 0: with 1, or with
            0 in a recording that is alone, if nobody knows who asked.
    """

    first_id: int = 1
    origins: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    foreign: set[tuple[str, str]] = field(default_factory=set, repr=False)
    ids: dict[str, str] = field(default_factory=dict, repr=False)
    addresses: dict[str, str] = field(default_factory=dict, repr=False)
    people: dict[str, str] = field(default_factory=dict, repr=False)
    interfaces: dict[str, str] = field(default_factory=dict, repr=False)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    roles: Counter[str] = field(default_factory=Counter)

    def with_own_hosts(self) -> "Numbering":
        """The same but for hosts: what is given to anything else is given in both."""
        return replace(self, origins={}, foreign=set(), roles=Counter())
