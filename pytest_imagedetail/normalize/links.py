"""Links in comparable form: rules R1, R2, R3, R5, R6, R7 and R8.

A link is taken apart once and every rule looks at the parts that are its own. What no rule knows
stays as sent.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit
from weakref import WeakValueDictionary

from pytest_imagedetail.normalize.answer import Image, Links
from pytest_imagedetail.normalize.rules import rules_of

CALLER: Final = f"{0:032x}"
"""The project that asked; redaction numbers it first."""

_PROJECT: Final = re.compile(r"0{24}[0-9a-f]{8}")  # redaction's placeholders
_PLACEHOLDER_HOST: Final = re.compile(r"(compute|image|host)(-\d+)?\..+\.invalid")
_PLACEHOLDER_ORIGIN: Final = re.compile(
    r"(?:https://)?\b((?:compute|image|host)(?:-\d+)?)\.[\w.-]+?\.invalid\b"
)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VERSION: Final = re.compile(r"v\d+(\.\d+)?")
_REL_AND_HREF: Final = 2
_SERVICES: Final = {"self": "compute", "bookmark": "compute", "alternate": "image"}


Rewrite = Callable[[str, str, str], str]
"""From a link, its relation and its own id to its comparable form."""

Rewritten = tuple[str, bool, tuple[tuple[str, int], ...]]
"""That form without the id, whether the id ends it, and what the rules counted."""


@dataclass(slots=True, kw_only=True)
class _Shared:
    """The links of one image, and how many others have the same, their own ids aside."""

    links: Links
    counted: Counter[str]
    uses: int = 0


@dataclass(slots=True, kw_only=True)
class LinkForms:
    """The links of one answer being normalized.

    Attributes:
        rules: The ids of the rules that the profile applies.
        counts: How often each did something; shared with whoever normalizes the rest.
        prefix: What stands before the version in the answer's own self links.
        ids: The ids that the next link may name as the last one of its page.
        forms: By the path of a link, the forms that the answer's links have there.
        known: What a link becomes, by how it is rewritten, its relation and what stands before its
            own id.
        shared: What the links of an image become that differ from another image's in its own id
            alone, by what they have in common; one object for all such images.
    """

    rules: frozenset[str]
    counts: Counter[str]
    prefix: Sequence[str] = ()
    ids: frozenset[str] = frozenset()
    forms: dict[str, set[str]] = field(default_factory=dict)
    known: dict[tuple[str, str, str], Rewritten] = field(default_factory=dict)
    shared: dict[tuple[Any, ...], "_Shared"] = field(default_factory=dict)

    def of_image(self, links: Any, image: Image) -> Any:
        """The links of an image, by relation; images whose links say the same share one object."""
        own_id = str(image["id"])
        key = _without_id(links, own_id)
        if key is None:
            return self._keyed(links, own_id, self._image_href)
        found = self.shared.get(key)
        if found is not None:
            found.uses += 1
            return found.links
        before = Counter(self.counts)
        new = self._keyed(links, own_id, self._image_href)
        if not any(own_id in link["href"] for link in new.as_sent()):
            new = _one_for_all(new)
            self.shared[key] = _Shared(links=new, counted=self.counts - before)
        return new

    def settle(self) -> None:
        """Count, once at the end, what the rules did to links that were not rewritten again."""
        for each in self.shared.values():
            for rule, count in each.counted.items():
                self.counts[rule] += count * each.uses

    def of_server(self, links: Any, server_id: Any) -> Any:
        """The links of the server that an image was taken from, by relation."""
        return self._keyed(links, str(server_id), self._server_href)

    def next_links(self, links: Any) -> Any:
        """Where the next page is, by path and by the names of what it asks; each form once."""
        if not isinstance(links, list) or not all(map(_is_link, links)):
            return links
        self.counts["R5"] += 1
        found: list[Any] = []
        for link in links:
            new = {**link, "href": self._next_href(link["href"])}
            if new not in found:
                found.append(new)
        return found

    def _keyed(self, links: Any, own_id: str, href: Rewrite) -> Any:
        if not isinstance(links, list) or not all(map(_is_link, links)):
            return links  # not what the API promises; compared as it is
        keyed: dict[str, list[Any]] = {}
        for link in links:
            rel = link["rel"]
            new = dict(link)
            del new["rel"]
            new["href"] = self._once(href, new["href"], rel, own_id)
            keyed.setdefault(rel, []).append(new)
        self.counts["R6"] += 1
        return Links({rel: found[0] if len(found) == 1 else found for rel, found in keyed.items()})

    def _once(self, rewrite: Rewrite, href: str, rel: str, own_id: str) -> str:
        """Rewrite a link; those that differ in their own id alone are taken apart once."""
        start = href.removesuffix(own_id)
        if start == href or not _UUID.fullmatch(own_id):  # another id might be part of a path
            return rewrite(href, rel, own_id)
        key = (rewrite.__name__, rel, start)
        if key not in self.known:
            before = Counter(self.counts)
            text = rewrite(href, rel, own_id)
            counted = tuple((self.counts - before).items())
            self.known[key] = (text.removesuffix(own_id), text.endswith(own_id), counted)
            return text
        text, keeps_id, counted = self.known[key]
        for rule, count in counted:
            self.counts[rule] += count
        return text + own_id if keeps_id else text

    def _image_href(self, href: str, rel: str, image_id: str) -> str:
        parts = _split(href)
        segments = parts.path.split("/")[1:]
        if parts.query or parts.fragment or "images" not in segments:
            return href  # no link of an image
        place = _last(segments, "images")
        before, after = segments[:place], segments[place:]
        if after[-1] == image_id and len(after) > 1:
            after = [*after[:-1], "<id>"]
            self.counts["R1"] += 1
        before = self._before(before, f"images[*].links.{rel}", "images/<id>")
        return "/".join([self._origin(parts, rel), *before, *after])

    def _server_href(self, href: str, rel: str, server_id: str) -> str:
        parts = _split(href)
        segments = parts.path.split("/")[1:]
        if parts.query or parts.fragment or "servers" not in segments:
            return href
        place = _last(segments, "servers")
        before, after = segments[:place], segments[place:]
        if "R13" in self.rules and after == ["servers", server_id]:
            after = ["servers", "<server>"]
        before = self._before(before, f"images[*].server.links.{rel}", "servers/<server>")
        return "/".join([self._origin(parts, "self"), *before, *after])

    def _next_href(self, href: str) -> str:
        parts = _split(href)
        segments = parts.path.split("/")[1:]
        if "images" not in segments:
            return href
        place = _last(segments, "images")
        before = self._before(segments[:place], "images_links", "images")
        asked = sorted(self._asked(parts.query))
        path = "/".join([self._origin(parts, "self"), *before, *segments[place:]])
        return path + (f"?{'&'.join(asked)}" if asked else "")

    def _asked(self, query: str) -> Iterator[str]:
        """What the next link asks for; a marker that is no image of this answer stays as sent."""
        for name, value in parse_qsl(query, keep_blank_values=True):
            own = name == "limit" or (name == "marker" and value in self.ids)
            yield name if own else f"{name}={value}"

    def _before(self, segments: list[str], where: str, resource: str) -> list[str]:
        """Prefix, version and project of a link's path, as far as the profile keeps them."""
        head, project = segments, segments[:0]
        if segments and _PROJECT.fullmatch(segments[-1]):
            head, project = segments[:-1], segments[-1:]
        if project == [CALLER]:
            self.counts["R3"] += 1
            project = ["<project>"]
        prefix, version = self._prefix_and_version(head)
        kept = [*version, *project]
        if "R8" not in self.rules:
            return kept
        if project in ([], ["<project>"]):  # another project is a fact about this link
            self.counts["R8"] += bool(project)
            kept = version
        form = "/".join(["", *prefix, *version, *project, resource])
        self.forms.setdefault(where, set()).add(form)
        return kept

    def _prefix_and_version(self, head: list[str]) -> tuple[list[str], list[str]]:
        """The prefix by a name, and the version by one; what is neither stays with the version."""
        if "R7" not in self.rules or not head or not all(head):
            return [], head
        if _VERSION.fullmatch(head[-1]):
            self.counts["R7"] += 1
            return ["<prefix>"] if head[:-1] else [], ["<v>"]
        if head == list(self.prefix):
            self.counts["R7"] += 1
            return ["<prefix>"], []
        return [], head

    def _origin(self, parts: SplitResult, rel: str) -> str:
        match = _PLACEHOLDER_HOST.fullmatch(parts.netloc)
        if match is None:
            return f"{parts.scheme}://{parts.netloc}"
        self.counts["R2"] += 1
        service, number = match.groups()
        # A second host of the expected service is deployment; another service is a wrong link.
        return f"<{service}>" if service == _SERVICES.get(rel) else f"<{service}{number or ''}>"


def _one_for_all(links: Links) -> Links:
    """The one object for links that say the same, in whichever answer: equal by its address."""
    return _POOL.setdefault(json.dumps(links.as_sent()), links)


_POOL: Final[WeakValueDictionary[str, Links]] = WeakValueDictionary()


def _without_id(links: Any, own_id: str) -> tuple[Any, ...] | None:
    """What links say beside their own id, each of which ends with it; None if one does not."""
    if type(links) is not list or not _UUID.fullmatch(own_id):
        return None  # another id might be part of a path
    cut = -len(own_id)
    key: list[Any] = []
    for link in links:
        if type(link) is not dict:
            return None
        href, rel = link.get("href"), link.get("rel")
        if type(href) is not str or type(rel) is not str or href[cut:] != own_id:
            return None
        if len(link) == _REL_AND_HREF:
            key += rel, href[:cut]
        else:
            media_type = link.get("type")
            if len(link) != _REL_AND_HREF + 1 or type(media_type) is not str:
                return None
            key += rel, href[:cut], media_type, None  # no relation is null, so no key reads as two
    return tuple(key)


def prefix_of(images: Iterable[Image]) -> list[str]:
    """What stands before the version in the first self link that has one: ["compute"], say."""
    for image in images:
        links = image.get("links")
        for link in links if isinstance(links, list) else []:
            if not _is_link(link) or link["rel"] != "self":
                continue
            segments = _split(link["href"]).path.split("/")[1:]
            versions = [place for place, each in enumerate(segments) if _VERSION.fullmatch(each)]
            if versions:
                return segments[: versions[0]]
    return []


def text_without_hosts(text: str, profile: str) -> str:
    """Free text, an error's message say, with its placeholder hosts as every cloud would have them.

    Args:
        text: As recorded; a placeholder host in it carries the cloud's name.
        profile: One of `settings.PROFILES`; wire changes nothing.
    """
    if all(rule.id != "R2" for rule in rules_of(profile)):
        return text
    return _PLACEHOLDER_ORIGIN.sub(r"<\1>", text)


def _last(segments: list[str], name: str) -> int:
    return len(segments) - 1 - segments[::-1].index(name)


def _split(href: str) -> SplitResult:
    try:
        return urlsplit(href)
    except ValueError:  # a bracket that opens no IPv6 address, say
        return urlsplit("")


def _is_link(link: Any) -> bool:
    return (
        isinstance(link, dict)
        and isinstance(link.get("rel"), str)
        and isinstance(link.get("href"), str)
    )
