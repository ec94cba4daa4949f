"""Looks through the lines of cassettes for what redaction should have replaced. Reads no file."""

import ipaddress
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from pytest_imagedetail.errors import LeakError
from pytest_imagedetail.redact.final_check import refuse_leaks

Spot = tuple[int, str, str]
"""Line, from 1; rule; message."""

CREDENTIALS: Final = re.compile(
    r"(?<![\w-])(?:X-(?:Auth|Subject|Service|Storage)-Token|X-Auth-Key|X-Api-Key|Set-Cookie2?"
    r"|Cookie|(?:Proxy-)?Authorization)[\"']?[ \t]*+:(?![ \t\"']*+<redacted-\d+>)",
    re.IGNORECASE,
)
_HOST: Final = re.compile(
    r"[a-z0-9+.-](?::|%3a)(?:\\?/|%2f){2}(?:<redacted-\d+>(?::<redacted-\d+>)?@)?"
    r"([^/\s\"'<>\\?#%&;,()]+)",
    re.IGNORECASE,
)
_PLACEHOLDER: Final = re.compile(r"[\w.-]+\.invalid", re.IGNORECASE)  # without user and port
_LOCAL_PORT: Final = re.compile(r"(?<![\w.-])localhost:\d+", re.IGNORECASE)
_ADDRESS: Final = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\.*\w)"
    r"|(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])",
    re.IGNORECASE,
)
_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]+@(?:[\w-]+\.)+([a-z]{2,})\b", re.IGNORECASE)
_NOBODYS: Final = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/8", "2001:db8::/32"),
    )
)


class Lines:
    """What was seen so far; cassettes repeat each other's lines, and each is looked at once."""

    def __init__(self) -> None:
        self._clean: Final[set[str]] = set()

    def spots(self, text: str, *, is_ours: bool) -> Iterator[Spot]:
        """What stands in a text and should not, in the order of its lines.

        Args:
            text: Of a cassette.
            is_ours: Whether redaction has been over it; else only what is secret is of interest.
        """
        lines = text.split("\n")
        new = [line for line in dict.fromkeys(lines) if line not in self._clean]
        if not any(_judge("\n".join(new), is_ours=True)):
            self._clean.update(new)
            return
        found = [
            (number, *each)
            for number, line in enumerate(lines, start=1)
            for each in _judge(line, is_ours=is_ours)
        ]
        yield from found
        # A name on one line and its value on the next; the name of a header is found by itself.
        if _leaks(text) and not {"secret", "header"} & {rule for _, rule, _ in found}:
            pairs = (f"{line}\n{below}" for line, below in pairwise(lines))
            at = next((number for number, pair in enumerate(pairs, start=1) if _leaks(pair)), 1)
            yield at, "secret", "something in the shape of a secret, over several lines"


def _judge(text: str, *, is_ours: bool) -> Iterator[tuple[str, str]]:
    """Rules that a text breaks, with messages; of one line or of many."""
    if _leaks(text):
        yield "secret", "something in the shape of a token, a key or a password"
    if CREDENTIALS.search(text):
        yield "header", "a header field that carries tokens, credentials or cookies"
    if not is_ours:
        return
    strange = [host for host in _HOST.findall(text) if _PLACEHOLDER.fullmatch(host) is None]
    if strange:
        yield "host", f"a URL {_what_is_wrong(strange)}"
    if _LOCAL_PORT.search(text):
        yield "address", "a port of localhost"
    if kind := next(_addresses(text), None):
        yield "address", f"{kind} IP address"
    if any(not _is_placeholder_domain(match) for match in _EMAIL.finditer(text)):
        yield "email", "an e-mail address"


def _what_is_wrong(hosts: list[str]) -> str:
    users = [user for user, at, _ in (host.rpartition("@") for host in hosts) if at]
    if any(":" in user for user in users):
        return "that holds a password"
    return "that holds a user" if users else "whose host is no placeholder"


def _leaks(text: str) -> bool:
    try:
        refuse_leaks(text.encode("utf-8", errors="surrogatepass"), secrets=(), where="")
    except LeakError:
        return True
    return False


def _addresses(text: str) -> Iterator[str]:
    for match in _ADDRESS.finditer(text):
        try:
            address = ipaddress.ip_address(match.group())
        except ValueError:
            continue
        if address.is_unspecified or any(address in network for network in _NOBODYS):
            continue
        yield "a loopback" if address.is_loopback else "a private" if address.is_private else "an"


def _is_placeholder_domain(match: re.Match[str]) -> bool:
    domain = match.group().rpartition("@")[2].lower()
    return domain.endswith(".invalid") or domain in {"example.com", "example.org", "example.net"}
