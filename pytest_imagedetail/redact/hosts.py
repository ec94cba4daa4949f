"""Hosts: `https://compute.CLOUD.invalid`, `https://image-2.CLOUD.invalid` and so on."""

import re
from collections import Counter
from typing import Final
from urllib.parse import SplitResult

from pytest_imagedetail.redact.known import Numbering
from pytest_imagedetail.redact.placeholder import host
from pytest_imagedetail.redact.urls import origin, without_port

_REGISTRY: Final = re.compile(r"(?:ac|co|com|edu|go|gov|ne|net|or|org)\.[a-z]{2}")  # as co.uk
_NAME: Final = re.compile(r"(?=.*[a-z])[a-z0-9-]+(?:\.[a-z0-9-]+)+")  # of a host; no address


class Hosts:
    """The origins (scheme, host and port) of one recording, numbered by their roles."""

    def __init__(self, known: Numbering, *, cloud: str, counts: Counter[str]) -> None:
        self._cloud = cloud
        self._origins = known.origins
        self._foreign = known.foreign  # origins that are not of the cloud itself
        self._roles = known.roles
        self._counts = counts

    def learn(self, url: SplitResult, role: str = "host") -> str:
        """Give the origin of a URL its placeholder: of a service of the cloud, or just a host."""
        if not url.netloc or url.netloc.endswith(".invalid"):
            return f"{url.scheme}://{url.netloc}"
        found = origin(url)
        if role != "host" and found in self._foreign:  # its own after all, as a link shows
            self._foreign.remove(found)
            del self._origins[found]
        if found not in self._origins:
            self._roles[role] += 1
            if role == "host":
                self._foreign.add(found)
            self._origins[found] = f"https://{host(role, self._roles[role], self._cloud)}"
        return self._origins[found]

    def is_foreign(self, url: SplitResult) -> bool:
        """Whether no link showed the host to be the cloud's own."""
        return origin(url) in self._foreign

    def replace(self, text: str) -> str:
        """Replace the hosts that were learnt, and others below the domains of the cloud's own."""
        lower = text.lower()
        for (_, netloc), placeholder in self._origins.items():
            for name in (netloc, without_port(netloc)):
                if ("." in name or ":" in name) and name in lower:
                    before = r"(?<![\w.])" if name[-1].isdigit() else r"(?<!\w)"  # not in 110.0.0.1
                    text, count = re.subn(
                        rf"{before}{re.escape(name)}(?!\.*\w)",
                        placeholder.removeprefix("https://"),
                        text,
                        flags=re.IGNORECASE,
                    )
                    self._counts["hosts"] += count
        for domain in self._domains():
            if domain in lower:
                pattern = rf"(?<![\w.-])(?:[\w-]+\.)*{re.escape(domain)}(?![\w-]|\.\w)"
                text = re.sub(pattern, self._neighbor, text, flags=re.IGNORECASE)
        return text

    def replaced(self) -> set[str]:
        """The hosts themselves, with and without their ports."""
        hosts = {netloc for _, netloc in self._origins}
        names = {without_port(host) for host in hosts}
        return (hosts - names) | {name for name in names if "." in name or ":" in name}

    def _domains(self) -> list[str]:
        """The domains of the cloud's own hosts: other names below them are its own, too."""
        own = self._origins.keys() - self._foreign
        found = (_domain(without_port(netloc)) for _, netloc in own)
        return sorted({domain for domain in found if domain is not None})

    def _neighbor(self, match: re.Match[str]) -> str:
        """A host of the cloud's own domain that no link leads to."""
        self._counts["hosts"] += 1
        url = SplitResult("name", match.group().lower(), "", "", "")
        return self.learn(url).removeprefix("https://")


def _domain(host: str) -> str | None:
    """The domain that a host's organization has; None for an address or a name without one."""
    if _NAME.fullmatch(host) is None:
        return None
    labels = host.split(".")
    length = 3 if _REGISTRY.fullmatch(".".join(labels[-2:])) else 2
    return ".".join(labels[-length:])
