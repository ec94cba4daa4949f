"""Make answers comparable by changing how they are written, never what they say.

A profile is a list of rules. Each rule has a reason and a source and counts its changes. No rule
may change a lost or added field, a JSON type, a status, a size, the id of another image or order.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from pytest_imagedetail.body.xml import INTEGERS
from pytest_imagedetail.model import Image
from pytest_imagedetail.normalize.answer import JSON, Answer, Links, Normalized
from pytest_imagedetail.normalize.links import (
    IMAGE,
    SERVER,
    LinkRewriter,
    is_compute,
    is_own_project,
    without_hosts,
)
from pytest_imagedetail.normalize.pairs import match_ids, vendors
from pytest_imagedetail.normalize.rules import RULES, rules_in
from pytest_imagedetail.normalize.values import date_in_utc, form_of_id, vendor_of
from pytest_imagedetail.redact.names import names_owner
from pytest_imagedetail.settings import PROFILES, check_choice

__all__ = [
    "RULES",
    "Answer",
    "Links",
    "Normalized",
    "is_compute",
    "is_own_project",
    "match_ids",
    "normalize",
    "vendors",
    "without_hosts",
]

_SHORTEST_ID: Final = 8  # characters; a shorter id could occur in any text


def normalize(answer: Answer, profile: str, *, pool: dict[str, Links] | None = None) -> Normalized:
    """Make an answer comparable; raise UsageError for an unknown profile.

    Its links are added to the pool, which two answers may share.
    """
    check_choice("profile", profile, PROFILES)
    rules = rules_in(profile)
    pool = {} if pool is None else pool
    links = LinkRewriter(rules=frozenset(rule.id for rule in rules), answer=answer, pool=pool)
    normalizer = _Normalizer(answer, links)
    images = tuple(map(normalizer.image, answer.images))
    if "R10" in links.rules and {*answer.media_types} != {JSON}:
        for image in images:
            normalizer.restore_nulls(image)
    return Normalized(
        profile=profile,
        images=images,
        ids=tuple(str(image["id"]) for image in answer.images),
        status_code=answer.status_code,
        media_type=normalizer.media_type(),
        top_level=normalizer.top_level(),
        link_host=links.hosts.get("images", "").partition(".")[0],
        link_forms=links.forms,
        counts={rule.id: links.counts[rule.id] for rule in rules if rule.counts},
    )


@dataclass(slots=True)
class _Normalizer:
    answer: Answer
    links: LinkRewriter

    def image(self, image: Image) -> Image:
        rules = self.links.rules
        if "R6" not in rules:
            return dict(without_hosts(image))
        new = _other_fields(image, "links", "server")
        if "links" in image:
            new["links"] = self.links.rewrite(IMAGE, image["links"], str(image["id"]))
        if "server" in image:
            new["server"] = self.server(image["server"])
        if "R9" in rules:
            for name in ("created", "updated"):
                date = new.get(name)
                if isinstance(date, str) and (utc := date_in_utc(date)) != date:
                    new[name] = utc
                    self.links.counts["R9"] += 1
        if "R13" in rules:
            new["id"] = self.own_id(image["id"])
            if isinstance(new.get("metadata"), dict):
                new["metadata"] = self.metadata(new["metadata"], str(image["id"]))
        return new

    def server(self, server: Any) -> Any:
        if not isinstance(server, dict):
            return without_hosts(server)
        new = _other_fields(server, "links")
        if "links" in server:
            new["links"] = self.links.rewrite(SERVER, server["links"], str(server.get("id")))
        return new

    def restore_nulls(self, image: Image) -> None:
        """Turn the text `None` in the metadata of an XML answer into null (R10)."""
        self.links.counts["R10"] += sum(type(image.get(name)) is int for name in INTEGERS)
        if isinstance(metadata := image.get("metadata"), dict):
            nulls = {key: None for key, value in metadata.items() if value == "None"}
            self.links.counts["R10"] += len(nulls)
            image["metadata"] = {**metadata, **nulls}

    def own_id(self, value: str | int) -> str | int:
        """Replace an id and keep its JSON type and form: 1361 is neither "1361" nor a UUID."""
        form = form_of_id(value) if isinstance(value, str) else ""
        self.links.counts["R13"] += form is not None
        if isinstance(value, str):
            return value if form is None else form.format("<id>")
        return 0

    def metadata(self, metadata: dict[str, Any], image_id: str) -> dict[str, Any]:
        self.links.counts["R15"] += sum(vendor_of(key) is not None for key in metadata)
        return {
            key: self._text(key, value, image_id) if isinstance(value, str) else value
            for key, value in metadata.items()
        }

    def _text(self, key: str, value: str, image_id: str) -> str:
        if names_owner(key) and is_own_project(value):
            self.links.counts["R14"] += 1
            return "<project>"
        if len(image_id) < _SHORTEST_ID or image_id not in value:
            return value
        new, count = re.subn(rf"(?<!\w){re.escape(image_id)}(?!\w)", "<id>", value)
        self.links.counts["R13"] += bool(count)
        return new

    def top_level(self) -> dict[str, Any]:
        fields = dict(without_hosts(dict(self.answer.top_level)))
        if "R5" in self.links.rules and "images_links" in fields:
            fields["images_links"] = self.links.next_links(self.answer.top_level["images_links"])
        return fields

    def media_type(self) -> str:
        sent, requested = {*self.answer.media_types}, {*self.answer.requested_types}
        if "R10" in self.links.rules and sent == requested:
            return "as asked for"
        text = " and ".join(sorted(sent))
        if "R10" not in self.links.rules:
            return text
        return f"{text}, though {' and '.join(sorted(requested))} was asked for"


def _other_fields(fields: dict[str, Any], *excluded: str) -> dict[str, Any]:
    others = dict(fields)
    for name in excluded:
        others.pop(name, None)
    clean: dict[str, Any] = without_hosts(others)
    return clean
