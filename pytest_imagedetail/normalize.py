"""Makes answers comparable by changing how they are written, never what they say.

A profile is a list of rules; each rule has a reason and a source, and counts what it did, so that
a rule that suddenly fires more or less often is seen. What no rule may touch: fields lost or
added, JSON types, statuses, sizes, ids of other images, order.

The rules keep their numbers from the study of the API that they were derived from (R1 to R15).
R4 (white space, escapes, key order) is parsing itself, R10 (XML) is not supported yet, R11 (fields
that a release never had) is a matter of severity, and R12 (pairing across clouds) of pairing.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pytest_imagedetail.settings import PROFILES, check_choice

Image = dict[str, Any]

_ISO_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_PROJECT: Final = re.compile(r"0{24}[0-9a-f]{8}")  # redaction's placeholders
_CALLER: Final = f"{0:032x}"  # redaction numbers the project that asked first
_PLACEHOLDER_HOST: Final = re.compile(r"(compute|image|host)(-\d+)?\..+\.invalid")
_PLACEHOLDER_ORIGIN: Final = re.compile(
    r"(?:https://)?\b((?:compute|image|host)(?:-\d+)?)\.[\w.-]+?\.invalid\b"
)
_VERSION: Final = re.compile(r"v\d+(\.\d+)?")
_SERVICES: Final = {"self": "compute", "bookmark": "compute", "alternate": "image"}
_OWNER_KEYS: Final = frozenset({"owner", "owner_id", "project_id", "tenant_id", "user_id"})
_SHORTEST_ID: Final = 8  # characters; a shorter id would be found in any text
_VENDORS: Final = {
    "com.rackspace__": "rackspace",
    "rax_": "rackspace",
    "hp_": "hp",
    "gnc_": "gmo",
    "sync_status": "k5",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What of a listing is compared: its images in order and the facts about the whole."""

    images: tuple[Image, ...]
    status_code: int
    cloud: str
    top_level: Mapping[str, Any] = field(default_factory=dict)


class Links(dict[str, Any]):
    """Links by relation; of its own type, so that an object sent for a list stays different."""

    def as_sent(self) -> list[dict[str, Any]]:
        """The links as a list again, relations included."""
        return [
            {"rel": rel, **link}
            for rel, found in self.items()
            for link in (found if isinstance(found, list) else [found])
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """An answer in comparable form.

    Attributes:
        profile: The profile that made it.
        images: The images in the cloud's order, links keyed by relation unless the profile is wire.
        ids: The images' ids in the same order, as sent.
        answer: Facts about the whole answer: status code, fields beside `images`, forms of links.
        counts: How often each rule of the profile changed something.
    """

    profile: str
    images: tuple[Image, ...]
    ids: tuple[str, ...]
    answer: Mapping[str, Any]
    counts: Mapping[str, int]

    @property
    def facts(self) -> dict[str, Any]:
        """Everything that makes two answers equal; images that share an id stay apart."""
        return {"ids": self.ids, "images": self.images, "answer": dict(self.answer)}


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizationRule:
    """One change of representation.

    Attributes:
        id: Its number, "R1" to "R15".
        name: What it is about, two or three words.
        reason: Why the difference it removes says nothing about the images.
        source: Where that is known from.
        profile: The first profile that applies it.
    """

    id: str
    name: str
    reason: str
    source: str
    profile: str


RULES: Final = (
    NormalizationRule(
        id="R1",
        name="own id in links",
        reason="images are compared by id, so a link's own id says nothing more; another id stays",
        source="Nova views/images.py: the id is the last segment of all three links",
        profile="same-cloud",
    ),
    NormalizationRule(
        id="R2",
        name="link host",
        reason="host, port and scheme are those of the request or of a configured prefix",
        source="Nova views/images.py and options compute_link_prefix, glance_link_prefix",
        profile="same-cloud",
    ),
    NormalizationRule(
        id="R3",
        name="project in links",
        reason="the project is the caller's, not the image's",
        source="Nova wsgi.Request.application_url",
        profile="same-cloud",
    ),
    NormalizationRule(
        id="R5",
        name="volatile fields",
        reason="the next link repeats the request's host, page size and marker",
        source="Nova api/openstack/common.py, _get_collection_links",
        profile="same-cloud",
    ),
    NormalizationRule(
        id="R6",
        name="link order",
        reason="links are found by their relation; their order is Nova's habit, no promise",
        source="Nova api-ref; Cactus sent two bookmarks",
        profile="same-cloud",
    ),
    NormalizationRule(
        id="R7",
        name="version in links",
        reason="the same answer under /v1.1, /v2 and /v2.1 differs in nothing else",
        source="HP Cloud 2012 recorded under /v1.1 and /v2; Nova serves /v2 with the code of v2.1",
        profile="cross-version",
    ),
    NormalizationRule(
        id="R8",
        name="project presence in links",
        reason="Havana, Kilo and microversion 2.18 changed it; reported once, not on each image",
        source="Nova e516de74c1 (bug 1343080) and 2.18",
        profile="cross-version",
    ),
    NormalizationRule(
        id="R9",
        name="date form",
        reason="offset, zone letter and fraction write the same second",
        source="Cloud Servers 1.0 sends -05:00, Cyclades +00:00, Glance v1 fractions",
        profile="cross-version",
    ),
    NormalizationRule(
        id="R13",
        name="ids in values",
        reason="each cloud gives its own ids to the same image and its server",
        source="Nova writes base_image_ref, instance_uuid, kernel_id and ramdisk_id",
        profile="cross-cloud",
    ),
    NormalizationRule(
        id="R14",
        name="owner in metadata",
        reason="the owner is the project that asked, under another id on each cloud",
        source="Nova writes owner_id, user_id and project_id into snapshots",
        profile="cross-cloud",
    ),
    NormalizationRule(
        id="R15",
        name="vendor namespaces",
        reason="a vendor's own metadata is compared with the same vendor's only",
        source="Rackspace com.rackspace__1__* and rax_*, HP hp_*, GMO gnc_*, K5 sync_status*",
        profile="cross-cloud",
    ),
)


def normalize(answer: Answer, profile: str) -> Normalized:
    """Make an answer comparable.

    Args:
        answer: As recorded; it is not changed.
        profile: One of `settings.PROFILES`.

    Raises:
        UsageError: An unknown profile.
    """
    check_choice("profile", profile, PROFILES)
    work = _Work(answer=answer, rules=frozenset(rule.id for rule in rules_of(profile)))
    images = tuple(work.image(image) for image in answer.images)
    return Normalized(
        profile=profile,
        images=images,
        ids=tuple(str(image["id"]) for image in answer.images),
        answer=work.answer_facts(),
        counts={rule.id: work.counts[rule.id] for rule in rules_of(profile)},
    )


def rules_of(profile: str) -> tuple[NormalizationRule, ...]:
    """The rules that a profile applies: its own and those of every narrower one."""
    reach = PROFILES.index(profile)
    return tuple(rule for rule in RULES if PROFILES.index(rule.profile) <= reach)


@dataclass(slots=True, kw_only=True)
class _Work:
    """One answer being normalized."""

    answer: Answer
    rules: frozenset[str]
    counts: Counter[str] = field(default_factory=Counter)
    forms: dict[str, set[str]] = field(default_factory=dict)

    def image(self, image: Image) -> Image:
        if not self.rules:
            return image
        new = dict(image)
        for name, apply in _FIELDS.items():
            if name in new:
                new[name] = apply(self, new[name], image)
        if "R13" in self.rules:
            self.counts["R13"] += 1
            new["id"] = _placeholder(image["id"], "<id>")
        if "R15" in self.rules and isinstance(new.get("metadata"), dict):
            self.counts["R15"] += sum(vendor_of(key) is not None for key in new["metadata"])
        return new

    def answer_facts(self) -> dict[str, Any]:
        top_level = dict(self.answer.top_level)
        if "R5" in self.rules and "images_links" in top_level:
            top_level["images_links"] = self._next_links(top_level["images_links"])
        facts: dict[str, Any] = {"status_code": self.answer.status_code, "top_level": top_level}
        if "R8" in self.rules:
            facts["link_form"] = {rel: sorted(forms) for rel, forms in sorted(self.forms.items())}
        return facts

    def links(self, links: Any, image: Image) -> Any:
        return self._keyed(links, image["id"], self.image_href)

    def _keyed(self, links: Any, image_id: Any, href: Callable[[str, str, str], str]) -> Any:
        if not isinstance(links, list) or not all(map(_is_link, links)):
            return links  # not what the API promises; compared as it is
        keyed: dict[str, list[Any]] = {}
        for link in links:
            rel = link["rel"]
            new = {key: value for key, value in link.items() if key != "rel"}
            new["href"] = href(new["href"], rel, str(image_id))
            keyed.setdefault(rel, []).append(new)
        self.counts["R6"] += 1
        return Links({rel: found[0] if len(found) == 1 else found for rel, found in keyed.items()})

    def image_href(self, href: str, rel: str, image_id: str) -> str:
        parts = _split(href)
        segments = parts.path.split("/")[1:]
        if parts.query or parts.fragment or "images" not in segments:
            return href  # no link of an image
        place = len(segments) - 1 - segments[::-1].index("images")
        before, after = segments[:place], segments[place:]
        if after[-1] == image_id and len(after) > 1:
            after = [*after[:-1], "<id>"]
            self.counts["R1"] += 1
        before = self._before_images(before, rel)
        origin = self._origin(parts.scheme, parts.netloc, rel)
        return "/".join([origin, *before, *after])

    def _before_images(self, before: list[str], rel: str) -> list[str]:
        """Prefix, version and project of a link's path, as far as the profile keeps them."""
        head, project = self._prefix(before)
        if "R8" not in self.rules:
            return [*head, *project]
        if project not in ([], ["<project>"]):
            return [*head, *project]  # another project's: a fact about this link
        form = "/".join(["", *head, *project, "images/<id>"])
        self.forms.setdefault(rel, set()).add(form)
        self.counts["R8"] += bool(project)
        return head

    def _prefix(self, before: list[str]) -> tuple[list[str], list[str]]:
        """What stands before the project, and the project, of which only the caller's is named."""
        head, project = before, before[:0]
        if before and _PROJECT.fullmatch(before[-1]):
            head, project = before[:-1], before[-1:]
        if project == [_CALLER]:
            self.counts["R3"] += 1
            project = ["<project>"]
        if "R7" in self.rules and head:
            self.counts["R7"] += 1
            head = ["<v>"] if _VERSION.fullmatch(head[-1]) else []
        return head, project

    def _next_links(self, links: Any) -> Any:
        """Where the next page is, by path and by the names of what it asks."""
        if not isinstance(links, list) or not all(map(_is_link, links)):
            return links
        self.counts["R5"] += 1
        return [{**link, "href": self._next_href(link["href"])} for link in links]

    def _next_href(self, href: str) -> str:
        parts = _split(href)
        segments = parts.path.split("/")[1:]
        if "images" not in segments:
            return href
        place = len(segments) - 1 - segments[::-1].index("images")
        head, project = self._prefix(segments[:place])
        before = head if "R8" in self.rules and project == ["<project>"] else [*head, *project]
        path = [self._origin(parts.scheme, parts.netloc, "self"), *before, *segments[place:]]
        asked = [
            name if name in {"limit", "marker"} else f"{name}={value}"
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ]
        return "/".join(path) + (f"?{'&'.join(sorted(asked))}" if asked else "")

    def _origin(self, scheme: str, netloc: str, rel: str) -> str:
        match = _PLACEHOLDER_HOST.fullmatch(netloc)
        if match is None:
            return f"{scheme}://{netloc}"
        self.counts["R2"] += 1
        service, number = match.groups()
        # A second host of the expected service is deployment; another service is a wrong link.
        return f"<{service}>" if service == _SERVICES.get(rel) else f"<{service}{number or ''}>"

    def date(self, value: Any, _image: Image) -> Any:
        if "R9" not in self.rules or not isinstance(value, str):
            return value
        if not _ISO_DATE.fullmatch(value):
            return value  # invalid: stays as sent, and equal only to itself
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            moment = moment.astimezone(UTC).replace(microsecond=0, tzinfo=None)
        except (ValueError, OverflowError):
            return value
        new = f"{moment.isoformat()}Z"
        self.counts["R9"] += new != value
        return new

    def server(self, server: Any, _image: Image) -> Any:
        if not isinstance(server, dict):
            return server
        new = dict(server)
        if "links" in new:
            new["links"] = self._keyed(new["links"], server.get("id"), self.server_href)
        if "R13" in self.rules and "id" in new:
            self.counts["R13"] += 1
            new["id"] = _placeholder(new["id"], "<server>")
        return new

    def server_href(self, href: str, _rel: str, server_id: str) -> str:
        parts = _split(href)
        segments = parts.path.split("/")[1:]
        if parts.query or parts.fragment or "servers" not in segments:
            return href
        place = segments.index("servers")
        tail = segments[place:]
        if "R13" in self.rules and tail == ["servers", server_id]:
            tail = ["servers", "<server>"]
        head, project = self._prefix(segments[:place])
        if "R8" in self.rules and project == ["<project>"]:
            self.counts["R8"] += 1
            project = []
        return "/".join([self._origin(parts.scheme, parts.netloc, "self"), *head, *project, *tail])

    def metadata(self, metadata: Any, image: Image) -> Any:
        if not isinstance(metadata, dict) or "R13" not in self.rules:
            return metadata
        server = image.get("server")
        taken_from = server.get("id") if isinstance(server, dict) else metadata.get("instance_uuid")
        new = {}
        for key, value in metadata.items():
            if not isinstance(value, str):
                new[key] = value
            elif key in _OWNER_KEYS and _is_owner(key, value):
                self.counts["R14"] += 1
                new[key] = "<owner>"
            elif key == "instance_uuid" and value == taken_from:
                self.counts["R13"] += 1
                new[key] = "<server>"
            else:
                new[key] = self._without_own_id(value, str(image["id"]))
        return new

    def _without_own_id(self, value: str, image_id: str) -> str:
        if len(image_id) < _SHORTEST_ID or image_id not in value:
            return value
        new, count = re.subn(rf"(?<!\w){re.escape(image_id)}(?!\w)", "<id>", value)
        self.counts["R13"] += bool(count)
        return new


_FIELDS: Final[Mapping[str, Callable[[_Work, Any, Image], Any]]] = {
    "links": _Work.links,
    "created": _Work.date,
    "updated": _Work.date,
    "server": _Work.server,
    "metadata": _Work.metadata,
}


def text_without_hosts(text: str, profile: str) -> str:
    """Free text, an error's message say, with its placeholder hosts as every cloud would have them.

    Args:
        text: As recorded; a placeholder host in it carries the cloud's name.
        profile: One of `settings.PROFILES`; wire changes nothing.
    """
    if all(rule.id != "R2" for rule in rules_of(profile)):
        return text
    return _PLACEHOLDER_ORIGIN.sub(r"<\1>", text)


def vendor_of(key: str) -> str | None:
    """The vendor in whose namespace a metadata key stands, or None."""
    return next((name for start, name in _VENDORS.items() if key.startswith(start)), None)


def _is_owner(key: str, value: str) -> bool:
    """Whether an id is the caller's: its project, or a user, of whom placeholders say no more."""
    return value == _CALLER or (key == "user_id" and _PROJECT.fullmatch(value) is not None)


def _placeholder(value: Any, name: str) -> Any:
    """A stand-in for an id that keeps its JSON type: 1361 and "1361" are not the same."""
    return name if isinstance(value, str) else value if value is None else type(value)()


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
