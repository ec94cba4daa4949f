"""Which of two hosts of Compute is which, as the paired images say (R2).

By itself an answer calls that host its own which most of its links have. With some images more, it
may be the other one, though no other image leads elsewhere. Where most links have the host that was
asked, there is no doubt, and a link to another one is a difference.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from pytest_imagedetail.model import Image
from pytest_imagedetail.normalize.answer import Links, Normalized

OWN: Final = "<compute>"
ANOTHER: Final = "<another compute>"

_PAIR: Final = 2


def with_hosts_of(
    one: Normalized, other: Normalized, pairs: Iterable[tuple[int, int]]
) -> tuple[Normalized, Normalized]:
    """Both answers, each with its two hosts called as most of the paired images want it.

    Only where a side has two hosts and it is in doubt which is its own: of more, all but one have
    one name.

    Args:
        one: The baseline.
        other: The candidate.
        pairs: Places of the same image in both.
    """
    pairs = tuple(pairs)
    for where in sorted({*one.answer.hosts, *other.answer.hosts}):
        in_doubt = [side.answer.hosts.get(where) == _PAIR for side in (one, other)]
        if not any(in_doubt) or not _wants_exchange(one, other, pairs, where):
            continue
        if in_doubt[1]:
            other = _exchanged(other, where)
        else:
            one = _exchanged(one, where)
    return one, other


def _wants_exchange(
    one: Normalized, other: Normalized, pairs: Iterable[tuple[int, int]], where: str
) -> bool:
    alike = 0
    for left, right in pairs:
        names = [_host(side.images[at], where) for side, at in ((one, left), (other, right))]
        if None not in names:
            alike += 1 if names[0] == names[1] else -1
    return alike < 0


def _host(image: Image, where: str) -> str | None:
    """The name of the host of Compute that a link has; None without such a link."""
    owner, rel = _owner(image, where)
    link = owner.get(rel) if isinstance(owner, Links) else None
    href = link.get("href") if isinstance(link, dict) else None
    host = str(href).partition("/")[0]
    return host if host in {OWN, ANOTHER} else None


def _owner(image: Mapping[str, Any], where: str) -> tuple[Any, str]:
    """The links that a path of `Rewriting.hosts` is about, and the relation."""
    above, _, rel = where.partition(".links.")
    server = image.get("server") if above.endswith(".server") else image
    return (server.get("links") if isinstance(server, dict) else None), rel


def _exchanged(side: Normalized, where: str) -> Normalized:
    return replace(side, images=tuple(_with_exchanged(image, where) for image in side.images))


def _with_exchanged(image: Image, where: str) -> Image:
    links, rel = _owner(image, where)
    if not isinstance(links, Links) or rel not in links:
        return image
    found = links[rel]
    new = [_other(link) for link in found] if isinstance(found, list) else _other(found)
    changed = Links({**links, rel: new})
    if links is image.get("links"):
        return {**image, "links": changed}
    return {**image, "server": {**image["server"], "links": changed}}


def _other(link: dict[str, Any]) -> dict[str, Any]:
    host, slash, rest = str(link["href"]).partition("/")
    name = {OWN: ANOTHER, ANOTHER: OWN}.get(host, host)
    return {**link, "href": f"{name}{slash}{rest}"}
