"""What redaction writes in place of what it removes, for whoever has to know it again.

This is the one place that knows how a placeholder is written and how it is found. `leaks`,
`lint.lines` and `shapes` keep lists of their own on purpose: they look for secrets, and what they
take for none must not grow because another placeholder is to be read.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of placeholder.

    Attributes:
        name: What `finder` calls it.
        write: The part of it that tells one from another, by its number from 1 on.
        pattern: Finds that part where redaction may have written it, in JSON, in XML or in a URL.
        around: What stands before and behind that part where it is written in plain.
    """

    name: str
    write: Callable[[int], str]
    pattern: str
    around: tuple[str, str] = ("", "")

    def whole(self, number: int) -> str:
        """The placeholder as redaction writes it in plain text."""
        before, behind = self.around
        return f"{before}{self.write(number)}{behind}"


def host(role: str, number: int, cloud: str) -> str:
    """The `number`th host of a role, "compute" say, that an answer of a cloud shows."""
    return f"{role}-{number}.{cloud}.invalid" if number > 1 else f"{role}.{cloud}.invalid"


host_parts: Final = re.compile(r"(compute|image|host)(-[0-9]+)?\..+\.invalid").fullmatch
"""The role and the number of a text that is such a host and nothing else."""

_DOCUMENTATION: Final = ("192.0.2", "198.51.100", "203.0.113")  # RFC 5737
_HOSTS: Final = 254  # of one of these


def _v4(number: int) -> str:
    """Of documentation as far as they go, then for future use (RFC 1112): nobody has them."""
    block, last = divmod(number - 1, _HOSTS)
    if block < len(_DOCUMENTATION):
        return f"{_DOCUMENTATION[block]}.{last + 1}"
    return str(IPv4Address("240.0.0.0") + number - _HOSTS * len(_DOCUMENTATION))


def _begins(first: str, apart: str) -> str:
    """A pattern of a first character with nothing of a class before it, or a percent-encoded one.

    The look back comes second, so that `re` passes over most texts by their characters alone.
    """
    return rf"{first}(?:(?<!{apart}{first})|(?<=%[0-9A-Fa-f]{{2}}{first}))"


_COLON: Final = r"(?::|%3[Aa])"

ID: Final = Kind(
    name="id",
    write="{:032x}".format,
    # An underscore is no part of it: AUTH_<project>.
    pattern=_begins("0", "[0-9A-Za-z]") + r"0{23}[0-9a-f]{8}(?![0-9A-Za-z])",
)
SECRET: Final = Kind(
    name="secret",
    write="redacted-{}".format,
    pattern=r"r(?:(?<=<r)|(?<=%3[Cc]r)|(?<=&lt;r))edacted-[0-9]+(?=>|%3[Ee]|&gt;)",
    around=("<", ">"),
)
PERSON: Final = Kind(
    name="person",
    write="user-{}".format,
    pattern=r"u(?<![a-z-]u)ser-[0-9]+(?=(?:@|%40)example\.invalid)",
    around=("", "@example.invalid"),
)
INTERFACE: Final = Kind(
    name="interface",
    write=lambda number: f"02:00:00:{number.to_bytes(3).hex(':')}",
    pattern=_begins("0", r"[\w:-]")
    + rf"2(?:{_COLON}00){{2}}(?:{_COLON}[0-9a-f]{{2}}){{3}}(?![\w:-])",
)
V4: Final = Kind(
    name="v4",
    write=_v4,
    pattern=_begins("[12]", r"[\w.]")
    + r"(?:(?<=1)9(?:2\.0\.2|8\.51\.100)|(?<=2)(?:03\.0\.113|40(?:\.[0-9]{1,3}){2}))"
    r"\.[0-9]{1,3}(?!\.*\w)",
)
V6: Final = Kind(
    name="v6",
    write=lambda number: str(IPv6Address("2001:db8::") + number),
    pattern=_begins("2", r"[\w:.]") + rf"001{_COLON}db8{_COLON}{{2}}(?:[0-9a-f:]|%3[Aa])*(?![\w:])",
)
HOST: Final = Kind(
    name="host",
    write=lambda number: host("host", number, "cloud"),
    pattern=_begins("[chi]", r"\w")
    + r"(?:(?<=c)ompute|(?<=i)mage|(?<=h)ost)(?:-[0-9]+)?\.[\w.-]{1,63}?\.invalid\b",
)
KINDS: Final = (ID, SECRET, PERSON, INTERFACE, V4, V6, HOST)
"""All that redaction writes."""

NAMES: Final = MappingProxyType(
    {what: rf"<{what}-[0-9]+>" for what in ("server", "user", "unmatched")}
)
"""Patterns of the names that R13 and R14 give, by what they are names of."""

CALLER: Final = ID.write(0)
"""The project that asked; redaction numbers it first."""

is_id: Final = re.compile(r"0{24}[0-9a-f]{8}").fullmatch
"""Whether a text is the id of a project or a user, which are numbered alike, and nothing else."""

is_secret: Final = re.compile(r"<redacted-[0-9]+>").fullmatch
"""Whether a text is what stands in the place of a secret and nothing else."""


def finder(*kinds: Kind, also: Mapping[str, str] = MappingProxyType({})) -> re.Pattern[str]:
    """A pattern that finds placeholders; the last group of a match says of which kind.

    Args:
        kinds: Those to find.
        also: Other patterns by their names; they come first.
    """
    patterns = {**also, **{kind.name: kind.pattern for kind in kinds}}
    # Groups are empty and stand behind: each alternative begins with a character to look for.
    found = "|".join(f"{each}(?P<{name}>)" for name, each in patterns.items())
    return re.compile(found or r"(?!)")  # none of no kind, where an empty pattern finds all


_ANY: Final = finder(*KINDS)


def holds(text: str) -> bool:
    """Whether a text holds a placeholder; an address for documentation is taken for one."""
    return _ANY.search(text) is not None


def name_in(match: re.Match[str]) -> str:
    """What a `finder` found, the same wherever it stands: the colons of a URL may be encoded."""
    return match.group().replace("%3A", ":").replace("%3a", ":")


def spelled(name: str, match: re.Match[str]) -> str:
    """A name for the place of another, spelled as that one is."""
    return name if match.group() == name_in(match) else name.replace(":", "%3A")


def name_of(what: str, number: int) -> str:
    """The name that R13 or R14 gives the `number`th server, user or unmatched image."""
    return f"<{what}-{number}>"


def candidates_own(name: str) -> str:
    """What R16 makes of a candidate's placeholder that none of the baseline's is left for."""
    return f"<the candidate's {name}>"
