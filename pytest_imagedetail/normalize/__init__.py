"""Make answers comparable by changing how they are written, never what they say.

A profile is a list of rules. Each rule has a reason and a source and counts its changes. No rule
may change a lost or added field, a JSON type, a status, a size, the id of another image or order.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_imagedetail.body.xml import INTEGERS
from pytest_imagedetail.model import Image
from pytest_imagedetail.normalize.answer import (
    JSON,
    Answer,
    AnswerFacts,
    LinkForm,
    Links,
    Normalized,
)
from pytest_imagedetail.normalize.links import LinkRewriter, main_hosts, without_hosts
from pytest_imagedetail.normalize.pairs import expected_absences, matched, vendors
from pytest_imagedetail.normalize.placeholders import (
    could_be_the_same,
    in_words_of,
    numbered,
    says_the_same,
)
from pytest_imagedetail.normalize.rules import RULES, NormalizationRule, rule_table, rules_of
from pytest_imagedetail.normalize.values import (
    REFERENCES,
    Names,
    date_in_utc,
    form_of_id,
    vendor_of,
)
from pytest_imagedetail.redact import placeholder
from pytest_imagedetail.settings import PROFILES, check_choice

__all__ = [
    "RULES",
    "Answer",
    "AnswerFacts",
    "LinkForm",
    "Links",
    "NormalizationRule",
    "Normalized",
    "could_be_the_same",
    "counts_of",
    "expected_absences",
    "in_words_of",
    "matched",
    "normalize",
    "numbered",
    "rule_table",
    "rules_of",
    "says_the_same",
    "vendors",
    "without_hosts",
]

_OWNER_KEYS: Final = frozenset({"owner", "owner_id", "project_id", "tenant_id", "user_id"})
_SHORTEST_ID: Final = 8  # characters; a shorter id would be found in any text


def normalize(answer: Answer, profile: str, *, pool: dict[str, Links] | None = None) -> Normalized:
    """Make an answer comparable.

    Args:
        answer: As recorded; it is not changed.
        profile: One of `settings.PROFILES`.
        pool: Links that two answers may share; this answer's are added to it.

    Raises:
        UsageError: An unknown profile.
    """
    check_choice("profile", profile, PROFILES)
    rules = rules_of(profile)
    applied = frozenset(rule.id for rule in rules)
    pool = {} if pool is None else pool
    work = _Work(answer, applied, pool)
    images = tuple(map(work.image, answer.images))
    if any(len(hosts) > 1 for hosts in work.links.hosts.values()):  # rare, so worth a second run
        work = _Work(answer, applied, pool, main_hosts(answer.images))
        images = tuple(map(work.image, answer.images))
    return Normalized(
        profile=profile,
        images=images,
        ids=work.ids,
        answer=work.answer_facts(),
        counts={rule.id: work.counts[rule.id] for rule in rules if rule.counts},
    )


def counts_of(
    one: Normalized,
    other: Normalized,
    *,
    pairs: Iterable[tuple[int, int]],
    absent: int,
    renamed: int = 0,
) -> dict[str, int]:
    """Return how often each rule changed something in two answers together.

    Args:
        one: The baseline.
        other: The candidate.
        pairs: Positions of the same image in both; R12 counts those with two ids.
        absent: What R11 counted.
        renamed: What R16 counted.
    """
    across = sum(one.ids[left] != other.ids[right] for left, right in pairs)
    found = {"R11": absent, "R12": across, "R16": renamed}
    return {rule: found.get(rule, one.counts[rule] + other.counts[rule]) for rule in one.counts}


@dataclass(slots=True)
class _Work:
    """One answer being normalized."""

    answer: Answer
    rules: frozenset[str]
    pool: dict[str, Links]
    main_hosts: Mapping[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    names: Names = field(default_factory=Names)
    ids: tuple[str, ...] = field(init=False)
    known_ids: frozenset[str] = field(init=False)
    links: LinkRewriter = field(init=False)
    from_xml: bool = field(init=False)

    def __post_init__(self) -> None:
        self.ids = tuple(str(image["id"]) for image in self.answer.images)
        self.known_ids = frozenset(self.ids)
        self.from_xml = "R10" in self.rules and {*self.answer.media_types} != {JSON}
        self.links = LinkRewriter(
            rules=self.rules,
            counts=self.counts,
            images=self.answer.images,
            markers=self.known_ids if self.answer.complete else frozenset(self.ids[-1:]),
            pool=self.pool,
            main_hosts=self.main_hosts,
        )

    def image(self, image: Image) -> Image:
        if "R6" not in self.rules:
            return image
        new = image.copy()
        if "links" in new:
            new["links"] = self.links.rewrite("image", new["links"], str(image["id"]))
        if isinstance(new.get("server"), dict):
            new["server"] = self.server(new["server"])
        if "R9" in self.rules:
            for name in ("created", "updated"):
                if isinstance(new.get(name), str):
                    new[name] = date_in_utc(new[name])
                    self.counts["R9"] += new[name] != image[name]
        if self.from_xml:
            self.restore_nulls(new)
        if "R13" in self.rules:
            new["id"] = self.own_id(image["id"])
            if isinstance(new.get("metadata"), dict):
                new["metadata"] = self.metadata(new["metadata"], image)
        return new

    def server(self, server: dict[str, Any]) -> dict[str, Any]:
        new = server.copy()
        if "links" in new:
            new["links"] = self.links.rewrite("server", new["links"], str(server.get("id")))
        if "R13" in self.rules and isinstance(new.get("id"), str):
            new["id"] = self.server_id(new["id"])
        return new

    def restore_nulls(self, image: Image) -> None:
        """Turn the text `None` in the metadata of an answer in XML into null (R10)."""
        self.counts["R10"] += sum(type(image.get(name)) is int for name in INTEGERS)
        if isinstance(metadata := image.get("metadata"), dict):
            nulls = {key: None for key, value in metadata.items() if value == "None"}
            self.counts["R10"] += len(nulls)
            image["metadata"] = {**metadata, **nulls}

    def own_id(self, id_: str | int) -> str | int:
        """Replace an id and keep its JSON type and form: 1361 is neither "1361" nor a UUID."""
        form = form_of_id(id_) if isinstance(id_, str) else ""
        self.counts["R13"] += form is not None
        if isinstance(id_, str):
            return id_ if form is None else form.format("<id>")
        return 0

    def server_id(self, id_: str) -> str:
        """Replace a server's id by its name in the form of the id; keep what is no id."""
        form = form_of_id(id_)
        self.counts["R13"] += form is not None
        return id_ if form is None else form.format(self.names.of("server", id_))

    def metadata(self, metadata: dict[str, Any], image: Image) -> dict[str, Any]:
        self.counts["R15"] += sum(vendor_of(key) is not None for key in metadata)
        server = image.get("server")
        server_id = server.get("id") if isinstance(server, dict) else metadata.get("instance_uuid")
        return {
            key: self._text(key, value, str(image["id"]), server_id)
            if isinstance(value, str)
            else value
            for key, value in metadata.items()
        }

    def _text(self, key: str, value: str, image_id: str, server_id: Any) -> str:
        """Replace the ids in one text of the metadata."""
        if key in _OWNER_KEYS and value == placeholder.CALLER:
            self.counts["R14"] += 1
            return "<project>"
        if key == "user_id" and placeholder.is_id(value):
            self.counts["R14"] += 1
            return self.names.of("user", value)
        if key == "instance_uuid" and value == server_id:
            return self.server_id(value)
        is_uuid = (form_of_id(value) or "").startswith("{}")
        if key in REFERENCES and value not in self.known_ids and is_uuid:
            self.counts["R13"] += 1
            return self.names.of("unmatched", value)
        if len(image_id) < _SHORTEST_ID or image_id not in value:
            return value
        new, count = re.subn(rf"(?<!\w){re.escape(image_id)}(?!\w)", "<id>", value)
        self.counts["R13"] += bool(count)
        return new

    def answer_facts(self) -> AnswerFacts:
        top_level = dict(self.answer.top_level)
        if "R2" in self.rules:
            top_level = {
                name: self.links.next_links(value)
                if name == "images_links"
                else without_hosts(value)
                for name, value in top_level.items()
            }
        return AnswerFacts(
            status_code=self.answer.status_code,
            media_type=self.media_type(),
            top_level=top_level,
            link_forms={path: frozenset(forms) for path, forms in self.links.forms.items()},
        )

    def media_type(self) -> str:
        """Return the form of the bodies or, under R10, whether it is the one asked for."""
        came = " and ".join(sorted({*self.answer.media_types}))
        wanted = " and ".join(sorted({*self.answer.asked_for}))
        if "R10" not in self.rules:
            return came
        return "as asked for" if came == wanted else f"{came}, though {wanted} was asked for"
