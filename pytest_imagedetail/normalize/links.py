"""Links in comparable form: rules R1, R2, R3, R5, R6, R7 and R8.

A link is split once, and each rule changes its own part. Parts without a rule stay as sent.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, quote_plus, urlsplit

from pytest_imagedetail.contract import API_VERSIONS, is_uuid
from pytest_imagedetail.model import Image
from pytest_imagedetail.normalize.answer import Answer, Links
from pytest_imagedetail.redact import placeholders

_HOST: Final = re.compile(
    r"(?P<scheme>https(?::|%3A)(?://|%2F%2F))?"
    r"(?:(?<![\w.-])|(?<=%[0-9A-Fa-f]{2}))(?P<host>[a-z][\w.-]*\.invalid)(?![\w-]|\.\w)"
)
SERVICES: Final = {"self": "compute", "bookmark": "compute", "alternate": "image"}
"""The service that the links of a relation point to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """An image or server that has links; `own` replaces its id at the end of each."""

    path: str
    resource: str
    own: str


IMAGE: Final = Holder(path="images[*]", resource="images", own="<id>")
SERVER: Final = Holder(path="images[*].server", resource="servers", own="<server>")


@dataclass(slots=True, kw_only=True)
class LinkRewriter:
    """Rewrite the links of one answer.

    Attributes:
        pool: Rewritten links by their content. Equal links are one object, in both answers if
            they share a pool, so that most comparisons only compare addresses.
        forms: See `Normalized.link_forms`.
        hosts: The first Compute host in links of images, and in next links; it becomes `<compute>`.
    """

    rules: frozenset[str]
    answer: Answer
    pool: dict[str, Links]
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    forms: dict[str, dict[tuple[bool, bool], str]] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    _prefixes: frozenset[tuple[str, ...]] | None = None
    _cache: dict[tuple[str, str], tuple[Links, list[tuple[str, int]]]] = field(default_factory=dict)

    def rewrite(self, holder: Holder, links: Any, own_id: str) -> Any:
        """Return links by relation; links that differ only in the own id are rewritten once."""
        if not is_uuid(own_id):  # another id could be part of a word
            return self._by_relation(holder, links, own_id)
        key = holder.path, repr(links).replace(own_id, "\n")  # repr never contains a line break
        if key in self._cache:
            cached, changes = self._cache[key]
            for rule, count in changes:
                self.counts[rule] += count
            return cached
        before = dict(self.counts)
        new = self._by_relation(holder, links, own_id)
        text = repr(new)
        if isinstance(new, Links) and own_id not in text:
            new = self.pool.setdefault(text, new)
            changes = [(rule, count - before.get(rule, 0)) for rule, count in self.counts.items()]
            self._cache[key] = new, [change for change in changes if change[1]]
        return new

    def next_links(self, links: Any) -> Any:
        """Return the next links without host, page size and marker (R5).

        Links of several pages that became equal are merged; a link that one page sent twice is not.
        """
        if not isinstance(links, list) or not all(map(_is_link, links)):
            return without_hosts(links)
        self.counts["R5"] += 1
        merged: list[Any] = []
        sent: set[str] = set()
        for link in links:
            new = {**without_hosts(link), "href": self._next_href(link["href"])}
            if new not in merged or link["href"] in sent:  # two pages never share a marker
                merged.append(new)
            sent.add(link["href"])
        return merged

    def _by_relation(self, holder: Holder, links: Any, own_id: str) -> Any:
        if not isinstance(links, list):
            return without_hosts(links)  # not what the API promises; compared as sent
        new = [self._link(holder, link, own_id) for link in links]
        if not all(map(_is_link, links)):
            return new
        self.counts["R6"] += 1
        by_relation: dict[str, list[Any]] = {}
        for link in new:
            by_relation.setdefault(link.pop("rel"), []).append(link)
        return Links({rel: g[0] if len(g) == 1 else g for rel, g in by_relation.items()})

    def _link(self, holder: Holder, link: Any, own_id: str) -> Any:
        if not _is_link(link):
            return without_hosts(link)
        href, where = link["href"], f"{holder.path}.links.{link['rel']}"
        # A user may put any text into a server's id.
        ending = f"/{holder.resource}/{own_id.strip('/')}"
        if href.endswith(ending):
            href = f"{href.removesuffix(ending)}/{holder.resource}/{holder.own}"
            self.counts["R1"] += 1
        parts = _split(href)
        segments = parts.path.split("/")[1:]
        if "?" in href or "#" in href or holder.resource not in segments:
            new = self._as_sent(href, parts, link["rel"], where)
        else:
            new = self._rewrite_href(parts, segments, link["rel"], where, holder)
        others = {name: attribute for name, attribute in link.items() if name != "href"}
        return {**without_hosts(others), "href": new}

    def _next_href(self, href: str) -> str:
        parts = _split(href)
        segments = parts.path.split("/")[1:]
        if "images" not in segments:
            return self._as_sent(href, parts, "self", "images_links")
        path = self._rewrite_href(parts, segments, "self", "images_links", IMAGE)
        parameters = sorted(self._parameters(parts.query))
        fragment = f"#{parts.fragment}" if "#" in href else ""
        return path + (f"?{'&'.join(parameters)}" if parameters else "") + fragment

    def _rewrite_href(
        self, parts: SplitResult, segments: list[str], rel: str, where: str, holder: Holder
    ) -> str:
        position = len(segments) - 1 - segments[::-1].index(holder.resource)
        resource = holder.resource if where == "images_links" else f"{holder.resource}/{holder.own}"
        parents = self._normalize_parents(segments[:position], where, resource)
        return "/".join([self._origin(parts, rel, where), *parents, *segments[position:]])

    def _parameters(self, query: str) -> Iterator[str]:
        """Yield the parameters of a next link; a wrong marker or page size stays."""
        images = self.answer.images if self.answer.complete else self.answer.images[-1:]
        markers = {str(image["id"]) for image in images}
        for name, value in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
            is_page_size = name == "limit" and value == self.answer.limit
            if is_page_size or (name == "marker" and value in markers):
                yield name
            else:  # bytes that are not UTF-8 stay as they are
                yield "=".join(quote_plus(text, errors="surrogateescape") for text in (name, value))

    def _normalize_parents(self, segments: list[str], where: str, resource: str) -> list[str]:
        head, project = segments, segments[:0]
        if segments and placeholders.is_owner_placeholder(segments[-1]):
            head, project = segments[:-1], segments[-1:]
        if project and is_own_project(project[0]):
            self.counts["R3"] += 1
            project = ["<project>"]
        prefix, version = self._prefix_and_version(head)
        parents = [*version, *project]
        if "R8" not in self.rules:
            return parents
        if project in ([], ["<project>"]):  # any other project is a fact about this link
            self.counts["R8"] += bool(project)
            parents = version
        form = "/".join(["", *["<prefix>"] * prefix, *version, *project, resource])
        self.forms.setdefault(where, {}).setdefault((prefix, bool(project)), form)
        return parents

    def _prefix_and_version(self, head: list[str]) -> tuple[bool, list[str]]:
        """Return whether there is a prefix, and the version, with any unknown segments."""
        if "R7" not in self.rules or not head or not all(head):
            return False, head
        if head[-1] in API_VERSIONS:
            self.counts["R7"] += 1
            return len(head) > 1, ["<v>"]
        if self._prefixes is None:
            self._prefixes = _prefixes(self.answer.images)
        if tuple(head) in self._prefixes:
            self.counts["R7"] += 1
            return True, []
        return False, head

    def _as_sent(self, href: str, parts: SplitResult, rel: str, where: str) -> str:
        """Return a link that no other rule applies to, without the cloud's name in its host."""
        start = f"{parts.scheme}://{parts.netloc}"
        if not parts.netloc or not href.startswith(start):
            return str(without_hosts(href))
        return self._origin(parts, rel, where) + str(without_hosts(href.removeprefix(start)))

    def _origin(self, parts: SplitResult, rel: str, where: str) -> str:
        # The cloud's own host is the whole origin, without a port.
        role = placeholders.role_of(parts.netloc) if parts.scheme == "https" else None
        if role is None:
            return str(without_hosts(f"{parts.scheme}://{parts.netloc}"))
        self.counts["R2"] += 1
        service = "compute" if is_compute(role) else role
        if service != SERVICES.get(rel):
            return f"<{role}>"  # a wrong link
        if service != "compute":
            return f"<{service}>"
        first = self.hosts.setdefault(where.partition("[")[0], parts.netloc)
        return "<compute>" if first == parts.netloc else "<another compute>"


def without_hosts(value: Any) -> Any:
    """Return a JSON value without the cloud's name in the placeholders of its hosts (R2).

    `https://compute.a.invalid` becomes `<compute>`, as in a link; a host alone, or after another
    scheme, becomes `<compute host>`. Other hosts stay.
    """
    return _without_hosts(value) if ".invalid" in repr(value) else value


def _without_hosts(value: Any) -> Any:
    if isinstance(value, str):
        return _HOST.sub(_without_name, value)
    if isinstance(value, dict):
        new = {_without_hosts(key): _without_hosts(item) for key, item in value.items()}
        return new if len(new) == len(value) else value
    return [_without_hosts(item) for item in value] if isinstance(value, list) else value


def _without_name(match: re.Match[str]) -> str:
    scheme, role = match["scheme"], placeholders.role_of(match["host"])
    if role is None:
        return match[0]
    if scheme is None:
        return f"<{role} host>"
    return f"<{role}>" if "/" in scheme else f"%3C{role}%3E"


def is_compute(role: str) -> bool:
    """Return whether a role is Compute's: "compute", or "compute-links" for links elsewhere."""
    return role == "compute" or role.startswith("compute-")


def is_own_project(owner: str) -> bool:
    """Return whether the placeholder of an owner is that of the requesting project."""
    return placeholders.compact(owner) == placeholders.OWN_PROJECT


def _prefixes(images: Iterable[Image]) -> frozenset[tuple[str, ...]]:
    """Return the path segments before the version in self links, for example ("compute",)."""
    lists = (image["links"] for image in images if isinstance(image.get("links"), list))
    links = (link for group in lists for link in group if _is_link(link) and link["rel"] == "self")
    starts = {link["href"].rpartition("/images/")[0] for link in links}
    paths = [_split(start).path.split("/")[1:] for start in starts]
    return frozenset(
        tuple(path[: path.index(version)])
        for path in paths
        for version in path
        if version in API_VERSIONS
    )


def _split(href: str) -> SplitResult:
    """Split a URL; return empty parts for text that `urlsplit` rejects or would change."""
    empty = urlsplit("")
    if href != href.strip() or not href.isprintable():  # urlsplit drops such characters
        return empty
    try:
        parts = urlsplit(href)
    except ValueError:  # for example a bracket that opens no IPv6 address
        return empty
    if not parts.path.startswith("/"):
        return empty
    if ".invalid" not in href[len(parts.scheme) + len("://") + len(parts.netloc) :]:
        return parts
    rest = {name: without_hosts(getattr(parts, name)) for name in ("path", "query", "fragment")}
    return parts._replace(**rest)


def _is_link(link: Any) -> bool:
    return (
        isinstance(link, dict)
        and isinstance(link.get("rel"), str)
        and isinstance(link.get("href"), str)
    )
