"""Find sensitive-looking text that is kept: private addresses, internal hosts, e-mail addresses.

Nothing marks it as secret, so redaction keeps it; `lint` and `record` report it.
"""

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from pytest_imagedetail.body.json import leaves
from pytest_imagedetail.model import Interaction, Path
from pytest_imagedetail.redact import place_of

_BETWEEN_WORDS: Final = re.compile(r"[^\w.:@-]+")
_INTERNAL: Final = frozenset({"corp", "internal", "intranet", "lan", "local", "localdomain"})
_EXAMPLES: Final = ("example.com", "example.net", "example.org", ".invalid")
_PRIVATE: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)


def suspicious(interactions: Iterable[Interaction]) -> Iterator[tuple[str, str]]:
    """Yield what a suspicious text in a body looks like, and its place (see `place_of`)."""
    for number, each in enumerate(interactions):
        for part, body in (("request", each.request_body), ("response", each.response.body)):
            for path, text in _texts(body):
                if (kind := _kind_of(text)) is not None:
                    yield kind, place_of(number, f"{part}.body", path)


def _texts(body: bytes) -> Iterable[tuple[Path, str]]:
    """Return every value of a JSON body as text, with its path; any other body is one text."""
    try:
        return [(path, str(value)) for path, value in leaves(json.loads(body))]
    except (ValueError, RecursionError):
        return [((), body.decode("utf-8", errors="replace"))]


def _kind_of(text: str) -> str | None:
    for word in _BETWEEN_WORDS.split(text):
        if ("." in word or ":" in word) and (kind := _kind_of_word(word.rstrip("."))):
            return kind
    return None


def _kind_of_word(word: str) -> str | None:
    user, _, domain = word.lower().rpartition("@")
    labels, has_port = domain.partition(":")[0].split("."), ":" in domain
    if user and len(labels) > 1 and labels[-1].isalpha() and not has_port:
        return None if domain.endswith(_EXAMPLES) else "an e-mail address"
    if _is_private(domain) or (has_port and _is_private(domain.rpartition(":")[0])):
        return "a private IP address"
    if (len(labels) > 1 and labels[-1] in _INTERNAL) or (labels == ["localhost"] and has_port):
        return "an internal host name"
    return None


def _is_private(word: str) -> bool:
    try:
        address = ipaddress.ip_address(word)
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE)
