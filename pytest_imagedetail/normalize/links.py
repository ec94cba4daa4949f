"""Links in comparable form: rules R1, R2, R3, R5, R6, R7 and R8.

A link is taken apart once and every rule looks at the parts that are its own. What no rule knows
stays as sent.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import SplitResult, parse_qsl, quote_plus, urlsplit

from pytest_imagedetail.contract import API_VERSIONS
from pytest_imagedetail.model import Image
from pytest_imagedetail.normalize.answer import LinkForm, Links
from pytest_imagedetail.normalize.hosts import ANOTHER
from pytest_imagedetail.redact import placeholder

_ORIGIN: Final = placeholder.finder(
    also={
        "origin": rf"(?P<scheme>https(?::|%3A)(?://|%2F%2F))?(?P<host>{placeholder.HOST.pattern})"
    }
)
_LOST_IN_PARTS: Final = re.compile(r"^[\x00-\x20]|[\t\r\n]")  # what urlsplit takes away
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SERVICES: Final = {"self": "compute", "bookmark": "compute", "alternate": "image"}


Kind = Literal["image", "server"]
"""Whose links they are; the kinds have other paths."""


@dataclass(slots=True, kw_only=True)
class _Shared:
    """Links that many images have, their own ids aside, and what they become.

    Attributes:
        sent: The links as sent, with the id of whichever image was looked at last.
        starts: What stands before that id in each of them.
        links: What they become, the same for every id.
        counted: What the rules counted for the first of the images.
        uses: How many others there are.
    """

    sent: list[dict[str, Any]]
    starts: tuple[str, ...]
    links: Links
    counted: Counter[str]
    uses: int = 0

    def fits(self, links: Any, own_id: str) -> bool:
        """Whether links differ from these in the own id alone."""
        for link, start in zip(self.sent, self.starts, strict=True):
            link["href"] = start + own_id
        return bool(links == self.sent)


@dataclass(slots=True, kw_only=True)
class Rewriting:
    """The links of one answer being normalized.

    Attributes:
        rules: The ids of the rules that the profile applies.
        counts: How often each did something; shared with whoever normalizes the rest.
        images: As sent; what stands before the version in their self links is the prefix.
        ids: The ids that the next link may name as the last one of its page.
        main: By the path of a link, the host of Compute that most links have there, if there are
            several, of equals the endpoint's; another one is no place where the cloud is.
        forms: By the path of a link, the forms that the answer's links have there.
        hosts: By the path of a link, the hosts of Compute that links have there.
        shared: Links that differ in the own id alone, by what they have in common.
        latest: Which of these came last; most often the next are the same.
        pool: The one object for links that say the same, by what they say; with that of another
            answer, links of both are equal by their address, and comparing 10,000 images takes a
            sixth less.
    """

    rules: frozenset[str]
    counts: Counter[str]
    images: Sequence[Image] = ()
    ids: frozenset[str] = frozenset()
    main: Mapping[str, str] = field(default_factory=dict)
    hosts: dict[str, set[str]] = field(default_factory=dict)
    forms: dict[str, set[LinkForm]] = field(default_factory=dict)
    shared: dict[tuple[Kind, tuple[Any, ...] | None], _Shared] = field(default_factory=dict)
    latest: dict[Kind, _Shared] = field(default_factory=dict)
    pool: dict[str, Links] = field(default_factory=dict)
    _prefix: list[str] | None = field(default=None, init=False)

    def of(self, kind: Kind, links: Any, own_id: str) -> Any:
        """Links by relation, those of an image or of the server that it was taken from.

        Where links say the same, their own ids aside, they become one object.
        """
        if not _UUID.fullmatch(own_id):  # another id might be part of a path
            return self._keyed(kind, links, own_id)
        like = self.latest.get(kind)
        if like is None or not like.fits(links, own_id):
            like = self.shared.get((kind, _without_id(links, own_id)))
            if like is None:
                return self._first(kind, links, own_id)
            self.latest[kind] = like
        like.uses += 1
        return like.links

    def _first(self, kind: Kind, links: Any, own_id: str) -> Any:
        """Links like none before; those that differ in their own id alone will share the result."""
        before = Counter(self.counts)
        new = self._keyed(kind, links, own_id)
        key = _without_id(links, own_id)
        if key is None or any(own_id in link["href"] for link in new.as_sent()):
            return new
        self.shared[kind, key] = self.latest[kind] = _Shared(
            sent=[dict(link) for link in links],
            starts=tuple(link["href"].removesuffix(own_id) for link in links),
            links=self.pool.setdefault(json.dumps(new.as_sent()), new),
            counted=self.counts - before,
        )
        return self.shared[kind, key].links

    def settle(self) -> None:
        """Count, once at the end, what the rules did to links that were not rewritten again."""
        for each in self.shared.values():
            for rule, count in each.counted.items():
                self.counts[rule] += count * each.uses

    def scattered(self) -> frozenset[str]:
        """The paths at which links have more than one host of Compute."""
        return frozenset(where for where, found in self.hosts.items() if len(found) > 1)

    def next_links(self, links: Any) -> Any:
        """Where the next page is, by path and by the names of what it asks.

        Of a listing's pages each form stands once, but a link that one page sent twice does not.
        """
        if not isinstance(links, list) or not all(map(_is_link, links)):
            return without_hosts(links)
        self.counts["R5"] += 1
        found: list[Any] = []
        sent: set[str] = set()
        for link in links:
            new = {**without_hosts(link), "href": self._next_href(link["href"])}
            if new not in found or link["href"] in sent:  # no two pages have one marker
                found.append(new)
            sent.add(link["href"])
        return found

    def _keyed(self, kind: Kind, links: Any, own_id: str) -> Any:
        if not isinstance(links, list):
            return without_hosts(links)  # not what the API promises; compared as it is
        rewrite = self._image_href if kind == "image" else self._server_href
        if not all(map(_is_link, links)):  # nor is this, but the others are none the worse for it
            return [
                {**without_hosts(link), "href": rewrite(link["href"], link["rel"], own_id)}
                if _is_link(link)
                else without_hosts(link)
                for link in links
            ]
        keyed: dict[str, list[Any]] = {}
        for link in links:
            new = without_hosts(link)
            new["href"] = rewrite(link["href"], link["rel"], own_id)
            keyed.setdefault(new.pop("rel"), []).append(new)
        self.counts["R6"] += 1
        return Links({rel: found[0] if len(found) == 1 else found for rel, found in keyed.items()})

    def _image_href(self, href: str, rel: str, image_id: str) -> str:
        parts = _split(href)
        segments = parts.path.split("/")[1:]
        where = f"images[*].links.{rel}"
        if _has_query(href) or "images" not in segments:
            return self._as_sent(href, parts, rel, where)  # no link of an image
        place = _last(segments, "images")
        before, after = segments[:place], segments[place:]
        if image_id and after[-1] == image_id and len(after) > 1:
            after = [*after[:-1], "<id>"]
            self.counts["R1"] += 1
        before = self._before(before, where, "images/<id>")
        return "/".join([self._origin(parts, rel, where), *before, *after])

    def _server_href(self, href: str, rel: str, server_id: str) -> str:
        own = f"/servers/{server_id.strip('/')}"  # a user may have put any text there
        if href.endswith(own):
            href = href.removesuffix(own) + "/servers/<server>"
            self.counts["R1"] += 1
        parts = _split(href)
        segments = parts.path.split("/")[1:]
        where = f"images[*].server.links.{rel}"
        if _has_query(href) or "servers" not in segments:
            return self._as_sent(href, parts, "self", where)
        place = _last(segments, "servers")
        before, after = segments[:place], segments[place:]
        before = self._before(before, where, "servers/<server>")
        return "/".join([self._origin(parts, "self", where), *before, *after])

    def _next_href(self, href: str) -> str:
        parts = _split(href)
        segments = parts.path.split("/")[1:]
        if "images" not in segments:
            return self._as_sent(href, parts, "self", "images_links")
        place = _last(segments, "images")
        before = self._before(segments[:place], "images_links", "images")
        asked = sorted(self._asked(parts.query))
        path = "/".join([self._origin(parts, "self", "images_links"), *before, *segments[place:]])
        fragment = f"#{parts.fragment}" if "#" in href else ""
        return path + (f"?{'&'.join(asked)}" if asked else "") + fragment

    def _asked(self, query: str) -> Iterator[str]:
        """What the next link asks for; a marker that is no image of this answer stays as sent."""
        for name, value in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
            own = name == "limit" or (name == "marker" and value in self.ids)
            yield name if own else f"{_quoted(name)}={_quoted(value)}"

    def _before(self, segments: list[str], where: str, resource: str) -> list[str]:
        """Prefix, version and project of a link's path, as far as the profile keeps them."""
        head, project = segments, segments[:0]
        if segments and placeholder.is_id(segments[-1]):
            head, project = segments[:-1], segments[-1:]
        if project == [placeholder.CALLER]:
            self.counts["R3"] += 1
            project = ["<project>"]
        prefix, version = self._prefix_and_version(head)
        kept = [*version, *project]
        if "R8" not in self.rules:
            return kept
        if project in ([], ["<project>"]):  # another project is a fact about this link
            self.counts["R8"] += bool(project)
            kept = version
        form = LinkForm(
            prefix=bool(prefix),
            version=tuple(version),
            project="".join(project),
            resource=resource,
        )
        self.forms.setdefault(where, set()).add(form)
        return kept

    def _prefix_and_version(self, head: list[str]) -> tuple[list[str], list[str]]:
        """The prefix by a name, and the version by one; what is neither stays with the version."""
        if "R7" not in self.rules or not head or not all(head):
            return [], head
        if head[-1] in API_VERSIONS:
            self.counts["R7"] += 1
            return ["<prefix>"] if head[:-1] else [], ["<v>"]
        if self._prefix is None:  # few answers need it, and it costs a look at every image
            self._prefix = prefix_of(self.images)
        if head == self._prefix:
            self.counts["R7"] += 1
            return ["<prefix>"], []
        return [], head

    def _as_sent(self, href: str, parts: SplitResult, rel: str, where: str) -> str:
        """A link that other rules do not know, but for its host: the cloud's name is in that."""
        start = f"{parts.scheme}://{parts.netloc}"
        if not parts.netloc or not href.startswith(start):
            return str(without_hosts(href))
        return self._origin(parts, rel, where) + str(without_hosts(href.removeprefix(start)))

    def _origin(self, parts: SplitResult, rel: str, where: str) -> str:
        match = placeholder.host_parts(parts.netloc)
        if match is None:
            return str(without_hosts(f"{parts.scheme}://{parts.netloc}"))
        self.counts["R2"] += 1
        service, number = match.groups()
        if service != _SERVICES.get(rel):
            return f"<{service}{number or ''}>"  # a wrong link
        if service == "compute":  # Nova has one; of Glance's it takes one of several at random
            self.hosts.setdefault(where, set()).add(parts.netloc)
            if parts.netloc != self.main.get(where, parts.netloc):
                return ANOTHER
        return f"<{service}>"


def _without_id(links: Any, own_id: str) -> tuple[Any, ...] | None:
    """What links say beside their own id; None unless it ends each of them.

    They have texts for values, so that Python calls them equal to their like only.
    """
    if not isinstance(links, list) or not all(map(_is_link, links)):
        return None
    if not all(isinstance(value, str) for link in links for value in link.values()):
        return None
    if not all(link["href"].endswith(own_id) for link in links):
        return None
    return tuple(
        tuple(sorted({**link, "href": link["href"].removesuffix(own_id)}.items())) for link in links
    )


def main_hosts(images: Iterable[Image], paths: Iterable[str]) -> dict[str, str]:
    """The host of Compute that most links have, of equals the lower one, by the path of a link.

    Args:
        images: As sent.
        paths: Of the links to look at, "images[*].links.self" say.
    """
    found: dict[str, Counter[str]] = {each: Counter() for each in paths}
    for image in images:
        server = image.get("server")
        taken_from = server.get("links") if isinstance(server, dict) else None
        for above, links in (("images[*]", image.get("links")), ("images[*].server", taken_from)):
            for link in filter(_is_link, links if isinstance(links, list) else []):
                where = f"{above}.links.{link['rel']}"
                host = _split(link["href"]).netloc if where in found else ""
                match = placeholder.host_parts(host)
                if match is not None and match[1] == "compute":
                    found[where][host] += 1
    return {
        where: min(hosts, key=lambda host: _rank(hosts, host))
        for where, hosts in found.items()
        if hosts
    }


def is_first_host(host: str) -> bool:
    """Whether a placeholder is the first of its role: of a recording, the host that was asked."""
    match = placeholder.host_parts(host)
    return match is not None and match[2] is None


def _rank(hosts: Counter[str], host: str) -> tuple[int, int]:
    """What the order of images does not change: the number of links, then that of the host."""
    match = placeholder.host_parts(host)
    return -hosts[host], -int((match and match[2]) or "-1")


def prefix_of(images: Iterable[Image]) -> list[str]:
    """What stands before the version in most self links that have one: ["compute"], say."""
    starts: Counter[str] = Counter()
    for image in images:
        links = image.get("links")
        for link in links if isinstance(links, list) else []:
            if _is_link(link) and link["rel"] == "self":
                before, _, after = link["href"].rpartition("/images/")
                starts[before or after] += 1
    found: Counter[tuple[str, ...]] = Counter()
    for start, count in starts.items():
        segments = _split(start).path.split("/")[1:]
        versions = [place for place, each in enumerate(segments) if each in API_VERSIONS]
        if versions:
            found[tuple(segments[: versions[0]])] += count
    return list(min(((-count, prefix) for prefix, count in found.items()), default=(0, ()))[1])


def without_hosts(value: Any) -> Any:
    """A JSON value with each placeholder host in it as every cloud would have it (R2).

    Scheme, host and port are `<compute>` as in a link; a host alone is `<compute host>`.

    Args:
        value: As recorded; a placeholder host in it carries the cloud's name.
    """
    if isinstance(value, str):
        return _ORIGIN.sub(_without_name, value) if ".invalid" in value else value
    if isinstance(value, dict):
        new = {without_hosts(key): without_hosts(each) for key, each in value.items()}
        return new if len(new) == len(value) else value
    return [without_hosts(each) for each in value] if isinstance(value, list) else value


def _without_name(match: re.Match[str]) -> str:
    scheme, service = match["scheme"], match["host"].partition(".")[0]
    if scheme is None:
        return f"<{service} host>"
    return f"<{service}>" if "/" in scheme else f"%3C{service}%3E"


def _has_query(href: str) -> bool:
    """Whether a link has a query or a fragment, an empty one too."""
    return "?" in href or "#" in href


def _quoted(text: str) -> str:
    try:
        return quote_plus(text, errors="surrogateescape")  # a byte that is no UTF-8 is itself
    except UnicodeEncodeError:  # half a character, as JSON can write it
        return quote_plus(text, errors="surrogatepass")


def _last(segments: list[str], name: str) -> int:
    return len(segments) - 1 - segments[::-1].index(name)


def _split(href: str) -> SplitResult:
    """The parts of a URL, without hosts outside their place; no parts of what is none."""
    try:
        parts = urlsplit("" if _LOST_IN_PARTS.search(href) else href)
    except ValueError:  # a bracket that opens no IPv6 address, say
        return urlsplit("")
    if not parts.path.startswith("/"):
        return urlsplit("")
    rest = {name: without_hosts(getattr(parts, name)) for name in ("path", "query", "fragment")}
    return parts._replace(**rest)


def _is_link(link: Any) -> bool:
    return (
        isinstance(link, dict)
        and isinstance(link.get("rel"), str)
        and isinstance(link.get("href"), str)
    )
