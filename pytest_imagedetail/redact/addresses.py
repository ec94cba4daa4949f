"""E-mail, MAC and IP addresses; nobody has those that replace them."""

import ipaddress
import re
from collections import Counter
from typing import Final

from pytest_imagedetail.redact.known import Numbering
from pytest_imagedetail.redact.placeholder import INTERFACE, PERSON, V4, V6

_IPV4: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\.*\w)")
_IPV6: Final = re.compile(
    r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}"
    r"(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]{0,4})(?![\w:])"
)
_MAC: Final = re.compile(
    r"(?<![\w:-])(?:(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}"
    r"|(?=[0-9-]*[a-fA-F])(?:[0-9a-fA-F]{2}-){5}[0-9a-fA-F]{2})(?![\w:-])"  # no date has letters
)
_NOBODYS_MAC: Final = re.compile(
    r"02[:-]00[:-]00[:-]|(?:00[:-]){5}00|(?:ff[:-]){5}ff", re.IGNORECASE
)
_EMAIL: Final = re.compile(
    r"(?<![\w.%+-])[\w.+-]+(@|%40)(?:[A-Za-z0-9-]+\.)+(?!invalid(?![\w-]))[A-Za-z]{2,}(?![\w-])"
)
_OF_VERSION: Final = {4: V4, 6: V6}
_NOBODYS: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"),  # for documentation, RFC 5737
            "2001:db8::/32",  # the same, RFC 3849
            "240.0.0.0/8",  # for future use, RFC 1112
        ),
    )
)


class Addresses:
    """The addresses of one recording."""

    def __init__(self, known: Numbering, *, counts: Counter[str]) -> None:
        self._people = known.people
        self._interfaces = known.interfaces
        self._addresses = known.addresses
        self._counts = counts

    def replace_people(self, text: str) -> str:
        """Replace e-mail addresses."""
        return _EMAIL.sub(self._person, text) if "@" in text or "%40" in text else text

    def replace(self, text: str) -> str:
        """Replace MAC and IP addresses."""
        text = _MAC.sub(self._interface, text)
        if "::" in text or text.count(":") > 1:
            text = _IPV6.sub(self._address, text)
        return _IPV4.sub(self._address, text) if "." in text else text

    def replaced(self) -> set[str]:
        """The addresses themselves."""
        return {*self._addresses, *self._people, *self._interfaces}

    def _person(self, match: re.Match[str]) -> str:
        text, at = match.group(), match.group(1)
        known = text.lower().replace("%40", "@")
        if text not in self._people:
            number = len(set(self._people.values())) + 1
            self._people[text] = self._people.setdefault(known, PERSON.whole(number))
        self._counts["people"] += 1
        return self._people[text].replace("@", at)

    def _interface(self, match: re.Match[str]) -> str:
        text = match.group()
        if _NOBODYS_MAC.match(text):
            return text
        if text not in self._interfaces:
            known = text.lower().replace("-", ":")
            new = INTERFACE.write(len(set(self._interfaces.values())) + 1)
            self._interfaces[text] = self._interfaces.setdefault(known, new)
        self._counts["addresses"] += 1
        return self._interfaces[text]

    def _address(self, match: re.Match[str]) -> str:
        text = match.group()
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return text
        if address.is_unspecified or any(address in network for network in _NOBODYS):
            return text
        if text not in self._addresses:
            number = len(set(self._addresses.values())) + 1
            new = _OF_VERSION[address.version].write(number)
            self._addresses[text] = self._addresses.setdefault(str(address), new)
        self._counts["addresses"] += 1
        return self._addresses[text]
