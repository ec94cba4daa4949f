"""Makes answers comparable by changing how they are written, never what they say.

A profile is a list of rules; each rule has a reason and a source, and counts what it did, so that
a rule that suddenly fires more or less often is seen. What no rule may touch: fields lost or
added, JSON types, statuses, sizes, ids of other images, order.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_imagedetail.body.xml import INTEGERS
from pytest_imagedetail.model import Image
from pytest_imagedetail.normalize.absence import expected_absences
from pytest_imagedetail.normalize.answer import (
    JSON,
    Answer,
    AnswerFacts,
    LinkForm,
    Links,
    Normalized,
)
from pytest_imagedetail.normalize.links import (
    Rewriting,
    is_first_host,
    main_hosts,
    without_hosts,
)
from pytest_imagedetail.normalize.names import (
    REFERENCES,
    Names,
    form_of_id,
    is_id,
    matched,
    vendors,
)
from pytest_imagedetail.normalize.placeholders import (
    could_be_the_same,
    in_words_of,
    numbered,
    says_the_same,
)
from pytest_imagedetail.normalize.rules import RULES, NormalizationRule, rule_table, rules_of
from pytest_imagedetail.normalize.values import as_nova_writes_it, date_in_utc, vendor_of
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
    "vendor_of",
    "vendors",
    "without_hosts",
]

_OWNER_KEYS: Final = frozenset({"owner", "owner_id", "project_id", "tenant_id", "user_id"})
_DATES: Final = ("created", "updated")
_SHORTEST_ID: Final = 8  # characters; a shorter id would be found in any text


def normalize(answer: Answer, profile: str, *, pool: dict[str, Links] | None = None) -> Normalized:
    """Make an answer comparable.

    Args:
        answer: As recorded; it is not changed.
        profile: One of `settings.PROFILES`.
        pool: Of links that the answer may share with another one, which this one is added to.

    Raises:
        UsageError: An unknown profile.
    """
    check_choice("profile", profile, PROFILES)
    rules = rules_of(profile)
    applied = frozenset(rule.id for rule in rules)
    pool = {} if pool is None else pool
    work = _work(answer, applied, pool)
    images = work.images()
    if scattered := work.links.scattered():  # almost never, so to find out which is the cloud's
        work = _work(answer, applied, pool, main_hosts(answer.images, scattered))  # costs once more
        images = work.images()
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
    """What each rule did to two answers together.

    Args:
        one: The baseline.
        other: The candidate.
        pairs: Places of the same image in both; R12 counts those with two ids.
        absent: What R11 counted.
        renamed: What R16 counted.
    """
    across = sum(one.ids[left] != other.ids[right] for left, right in pairs)
    found = {"R11": absent, "R12": across, "R16": renamed}
    return {rule: found.get(rule, one.counts[rule] + other.counts[rule]) for rule in one.counts}


def _work(
    answer: Answer,
    rules: frozenset[str],
    pool: dict[str, Links],
    main: Mapping[str, str] | None = None,
) -> "_Work":
    counts: Counter[str] = Counter()
    ids = tuple(str(image["id"]) for image in answer.images)
    return _Work(
        answer=answer,
        rules=rules,
        counts=counts,
        ids=ids,
        known=frozenset(ids),
        steps=tuple((name, step) for name, rule, step in _STEPS if rule in rules),
        from_xml="R10" in rules and {*answer.media_types} != {JSON},
        links=Rewriting(
            rules=rules,
            counts=counts,
            images=answer.images,
            main=main or {},
            ids=frozenset(ids if answer.complete else ids[-1:]),
            pool=pool,
        ),
    )


@dataclass(slots=True, kw_only=True)
class _Work:
    """One answer being normalized."""

    answer: Answer
    rules: frozenset[str]
    counts: Counter[str]
    ids: tuple[str, ...]
    known: frozenset[str]
    links: Rewriting
    steps: "tuple[tuple[str, _Step], ...]"
    from_xml: bool
    names: Names = field(default_factory=Names)

    def images(self) -> tuple[Image, ...]:
        images = self.answer.images
        if "R6" in self.rules:
            images = tuple(map(self.image, images, self.ids))
        self.links.settle()
        return images

    def image(self, image: Image, own_id: str) -> Image:
        new = image.copy()
        if "links" in new:
            new["links"] = self.links.of("image", new["links"], own_id)
        for name, step in self.steps:
            if name in new:
                new[name] = step(self, new[name], image)
        if "R9" in self.rules:
            for name in _DATES:
                value = new.get(name)
                if type(value) is str and not as_nova_writes_it(value):
                    new[name] = date_in_utc(value)
                    self.counts["R9"] += new[name] != value
        if self.from_xml:
            new = self.out_of_xml(new)
        if "R13" in self.rules:
            new["id"] = self.own_id(image["id"])
        if "R15" in self.rules and isinstance(new.get("metadata"), dict):
            self.counts["R15"] += sum(vendor_of(key) is not None for key in new["metadata"])
        return new

    def own_id(self, id_: Any) -> Any:
        """A stand-in for an id that keeps its JSON type and form: 1361 is no "1361", nor a UUID."""
        form = form_of_id(id_) if isinstance(id_, str) else ""
        self.counts["R13"] += form is not None
        if isinstance(id_, str):
            return id_ if form is None else form.format("<id>")
        return type(id_)()

    def out_of_xml(self, image: Image) -> Image:
        """An image of an answer in XML, with the nulls of its metadata."""
        self.counts["R10"] += sum(type(image.get(name)) is int for name in INTEGERS)
        metadata = image.get("metadata")
        if not isinstance(metadata, dict):
            return image
        nulls = {key: None for key, value in metadata.items() if value == "None"}
        self.counts["R10"] += len(nulls)
        return {**image, "metadata": {**metadata, **nulls}}

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
            hosts={
                path: len(self.links.hosts[path])
                for path in self.links.scattered()
                if not (self.answer.is_asked and is_first_host(self.links.main.get(path, "")))
            },
        )

    def media_type(self) -> str:
        """The form of the bodies or, under R10, whether it is the one that was asked for."""
        came = " and ".join(sorted({*self.answer.media_types}))
        wanted = " and ".join(sorted({*self.answer.asked_for}))
        if "R10" not in self.rules:
            return came
        return "as asked for" if came == wanted else f"{came}, though {wanted} was asked for"

    def server(self, server: Any, _image: Image) -> Any:
        if not isinstance(server, dict):
            return server
        new = dict(server)
        if "links" in new:
            new["links"] = self.links.of("server", new["links"], str(server.get("id")))
        if "R13" in self.rules and isinstance(new.get("id"), str):
            new["id"] = self.server_id(new["id"])
        return new

    def server_id(self, id_: str) -> str:
        """The name of a server in the form of its id, or what is no id as it stands."""
        form = form_of_id(id_)
        self.counts["R13"] += form is not None
        return id_ if form is None else form.format(self.names.of("server", id_))

    def metadata(self, metadata: Any, image: Image) -> Any:
        if not isinstance(metadata, dict):
            return metadata
        server = image.get("server")
        taken_from = server.get("id") if isinstance(server, dict) else metadata.get("instance_uuid")
        return {
            key: self._text(key, value, str(image["id"]), taken_from)
            if isinstance(value, str)
            else value
            for key, value in metadata.items()
        }

    def _text(self, key: str, value: str, image_id: str, taken_from: Any) -> str:
        """One text of the metadata, with a name in place of an id."""
        if key in _OWNER_KEYS and value == placeholder.CALLER:
            self.counts["R14"] += 1
            return "<project>"
        if key == "user_id" and placeholder.is_id(value):
            self.counts["R14"] += 1
            return self.names.of("user", value)
        if key == "instance_uuid" and value == taken_from:
            return self.server_id(value)
        if key in REFERENCES and value not in self.known and is_id(value):
            self.counts["R13"] += 1
            return self.names.of("unmatched", value)
        return self._without_own_id(value, image_id)

    def _without_own_id(self, value: str, image_id: str) -> str:
        if len(image_id) < _SHORTEST_ID or image_id not in value:
            return value
        new, count = re.subn(rf"(?<!\w){re.escape(image_id)}(?!\w)", "<id>", value)
        self.counts["R13"] += bool(count)
        return new


_Step = Callable[[_Work, Any, Image], Any]
"""What makes one field comparable, from its value and the image as sent."""

_STEPS: Final[tuple[tuple[str, str, _Step], ...]] = (
    ("server", "R6", _Work.server),
    ("metadata", "R13", _Work.metadata),
)
"""Fields, and the first rule that has something to do there."""
