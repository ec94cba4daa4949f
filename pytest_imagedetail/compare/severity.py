"""Judge how bad a difference is by what the releases of both sides promise.

- breaking: a client that relies on the baseline's contract can fail.
- compatible: representation or additions; a careful client does not notice.
- data: the images themselves differ; no contract is touched.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.body import json as jsontext
from pytest_imagedetail.model import (
    MISSING,
    Difference,
    Image,
    ImageRef,
    Path,
    Severity,
    dotted_path,
)
from pytest_imagedetail.normalize import is_own_project
from pytest_imagedetail.normalize.links import SERVICES
from pytest_imagedetail.redact import placeholders

Verdict = tuple[Severity, str]
"""A severity and the reason for it."""

RETYPED: Final = "the JSON type changed"
OTHER_ATTRIBUTE: Final = "an attribute of a link that is for people, not its address"
WITHOUT_RELATION: Final = "without rel"
"""The name of links without a relation at level shape."""

FIXED: Final[Verdict] = "compatible", "the candidate keeps the contract, the baseline did not"
REPEATED: Final[Verdict] = (
    "breaking",
    "a key is repeated, and clients differ in which value they read",
)

NOT_OFFERED: Final = "not offered: "
"""Starts the reason for a difference in a field that one side's release never had (R11)."""

_OWNERS: Final = "metadata belongs to the image"
_NO_TEXT: Final = "metadata values are strings or null; typed clients cannot read this"
_ANY_ID: Final = "00000000-0000-0000-0000-000000000000"  # `<id>` stands for a UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference before it is judged; `path` begins at a field of the image detail.

    `cause` is the candidate's metadata key that makes Nova send a removed field; None if the field
    needs none, or if the key was removed as well.
    """

    kind: str
    path: Path
    baseline: Any
    candidate: Any
    cause: str | None = None

    @property
    def field(self) -> str:
        """The field of the image detail."""
        return str(self.path[0])

    @property
    def subpath(self) -> Path:
        """The keys below that field."""
        return self.path[1:]

    @property
    def values(self) -> tuple[Any, Any]:
        """The old value and the new one."""
        return self.baseline, self.candidate

    @property
    def is_addition(self) -> bool:
        """Whether a field or an item was added."""
        return self.kind in {"field_added", "item_added"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Judge changes by the declared releases of both sides; None if not declared."""

    baseline: str | None
    candidate: str | None

    def severity(self, change: Change) -> Verdict:
        """Return the severity of a change, and the reason for it."""
        severity, reason = self._of_value(change)
        return severity, self._absence(change) or reason

    def _absence(self, change: Change) -> str | None:
        """Return the reason if the declared release of one side never had a whole field (R11).

        The release is never inferred: a missing field would then excuse itself.
        """
        release = {"field_added": self.baseline, "field_removed": self.candidate}.get(change.kind)
        if release is None or not _never_had(change.path, release):
            return None
        suffix = "; the baseline's release has" if change.kind == "field_removed" else ""
        return f"{NOT_OFFERED}{release} never had it{suffix}"

    def _of_value(self, change: Change) -> Verdict:
        if jsontext.is_repeated(change.path[-1]):
            return REPEATED if change.is_addition else FIXED
        if change.is_addition and (broken := self._breach_verdict(change)):
            return broken
        if change.field == "metadata" and change.subpath:
            return self._metadata(change)
        if is_link_change(change):
            return self._links(change)
        if change.kind == "field_added":
            return "compatible", "clients ignore fields that they do not know"
        return self._removed(change) if change.kind == "field_removed" else self._changed(change)

    def part(self, path: Path) -> contract.Part:
        """Return what the baseline's release promises for a path of an image."""
        return contract.image_in(self.baseline).along(path)

    def added_images(self, added: Sequence[Image], baseline: Sequence[Image]) -> list[str]:
        """Return for each added image a promise that it breaks and the baseline keeps, or ""."""
        broken = [*map(self._broken_promises, added)]
        before = set[str]().union(*map(self._broken_promises, baseline if any(broken) else ()))
        return [min(each - before, default="") for each in broken]

    def _broken_promises(self, image: Image) -> set[str]:
        promise = contract.image_in(self.baseline)
        names = (name for name in contract.FIELDS if contract.promises(name, self.baseline))
        lacking = {f"lacks {name}" for name in names if name not in image}
        breaches = promise.breaches(image, ("image",))
        return lacking | {
            f"has {breach.seen} in {dotted_path(path[1:])}" for path, breach in breaches
        }

    def _breach_verdict(self, change: Change) -> Verdict | None:
        part = self.part(change.path)
        old, new = (_first_breach(value, part, change.path) for value in change.values)
        if new is not None and old is not None and old.seen == new.seen:
            return "data", "neither side keeps the contract"
        if new is not None:
            return "breaking", new.reason
        return None if old is None else FIXED

    def _removed(self, change: Change) -> Verdict:
        field = change.field
        if change.subpath:
            return "breaking", "a part of the field is gone"
        if change.cause is not None:
            return "breaking", f"Nova sends it for every image with metadata.{change.cause}"
        if contract.promises(field, self.baseline):
            release = f" ({self.baseline})" if self.baseline else ""
            return "breaking", f"the baseline's release{release} promises it for every image"
        if field in contract.FIELDS:
            return "data", "optional: it depends on the image"
        return "compatible", "no release promises it"

    def _changed(self, change: Change) -> Verdict:
        part = self.part(change.path)
        retyped = change.kind in {"type_changed", "null_changed"}
        if retyped and not part.types:
            return "breaking", RETYPED
        if verdict := self._breach_verdict(change):
            return verdict
        if retyped:
            return "data", "the contract allows both"
        old, new = map(_formats, change.values)
        if part.form == contract.ISOTIME and old != new:
            return form_verdict(part.form, old, new)
        return "data", "another value of the same type"

    def _metadata(self, change: Change) -> Verdict:
        """Judge metadata: it belongs to the image's owner, the API only defines the types."""
        # Nova decodes some values from JSON, so their types are up to the owner.
        if change.candidate is MISSING or not self.part(change.path).types:
            return "data", _OWNERS
        severity, reason = self._breach_verdict(change) or ("data", _OWNERS)
        return severity, _NO_TEXT if severity == "breaking" else reason

    def _links(self, change: Change) -> Verdict:
        if change.is_addition:
            return "compatible", "one more link relation or attribute"
        if change.kind in {"field_removed", "item_removed"}:
            return _link_removed(change)
        is_attribute = change.kind == "link_changed" and bool(change.subpath)
        if is_attribute and isinstance(change.candidate, str):
            return _attribute_changed(change)
        return self._relinked(change)

    def _relinked(self, change: Change) -> Verdict:
        verdict = self._breach_verdict(change)
        if verdict is not None and verdict[0] != "breaking":
            return verdict
        several = self.part(change.path).several
        if several and isinstance(change.baseline, list) and isinstance(change.candidate, dict):
            return "compatible", "one link of each relation, where there were several"
        return "breaking", "clients look for a list of links, one of each relation"


def _first_breach(value: Any, part: contract.Part, path: Path) -> contract.Breach | None:
    if value is MISSING:
        return None
    breaches = part.breaches(_ANY_ID if value == "<id>" else value, path)
    return next((breach for _, breach in breaches), None)


def _never_had(path: Path, release: str) -> bool:
    """Return whether a path is a whole field or the alternate link, and newer than a release."""
    if path == ("links", "alternate"):
        return not contract.reached(release, "essex")  # Nova views/images.py: two links until then
    return len(path) == 1 and path[0] in contract.FIELDS and not contract.offers(path[0], release)


def form_verdict(form: str, old: set[str], new: set[str]) -> Verdict:
    """Judge the text formats of both sides against the promised format."""
    added = new - old - {form}
    if not added:
        return "compatible", "the candidate writes what the contract promises"
    if form == contract.ISOTIME and all(map(contract.is_isotime, added)):
        return "compatible", "a date in another format; strict parsers refuse it"
    return "breaking", f"the contract promises {form}"


def _formats(value: Any) -> set[str]:
    return {contract.text_format(value)} if isinstance(value, str) else set()


def is_link_change(change: Change) -> bool:
    """Return whether links of the image or of its server changed."""
    if change.field == "server":
        return change.subpath[:1] == ("links",) and len(change.subpath) > 1
    return change.field == "links"


def link_verdict(relation: str, old: Collection[str], new: Collection[str]) -> Verdict:
    """Judge changed normalized addresses of links with one relation."""
    before, after = ({_destination(href) for href in side} for side in (old, new))
    if after == before:
        return "compatible", "the same place, written in another form"
    if after < before:
        return "compatible", "the baseline also has links that lead elsewhere"
    if all(_is_own(destination, relation) for destination in after - before):
        return "compatible", "the candidate's link leads to its own image or server, as it should"
    return "breaking", "a link leads elsewhere after hosts and projects were normalized"


def _attribute_changed(change: Change) -> Verdict:
    if change.subpath[-1] != "href":
        return "compatible", OTHER_ATTRIBUTE
    names = [key for key in change.subpath if isinstance(key, str)]  # without list positions
    old, new = (str(value).partition("/servers/") for value in change.values)
    named_by_user = change.field == "server" and "<server>" not in {old[2], new[2]}
    if named_by_user and old[1] and old[:2] == new[:2]:
        return "data", "Nova puts metadata.instance_uuid there, whatever its owner wrote"
    return link_verdict(["", *names][-2], {change.baseline}, {change.candidate})


_WRITING: Final = frozenset({"<v>", "<project>", *contract.API_VERSIONS})
"""Segments that do not change what a link points to; R7 and R8 remove them."""

_RESOURCES: Final = (("images", "<id>"), ("servers", "<server>"))


def _destination(href: str) -> tuple[str, tuple[str, ...]]:
    scheme, separator, rest = href.partition("://") if "://" in href else ("", "", href)
    host, *segments = rest.split("/")
    path = tuple(each for each in segments if each not in _WRITING and not is_own_project(each))
    if host == "<image>" and path[-2:] == ("images", "<id>"):
        # Nova without glance_link_prefix.
        path = (*filter(placeholders.is_owner_placeholder, path[:-2]), *path[-2:])
    return f"{scheme}{separator}{host}", path


def _is_own(destination: tuple[str, tuple[str, ...]], relation: str) -> bool:
    """Return whether a link points to its own image or server; "" stands for any relation."""
    host, path = destination
    services = {SERVICES.get(relation)} if relation else {*SERVICES.values()}
    return host in {f"<{service}>" for service in services} and path in _RESOURCES


def _link_removed(change: Change) -> Verdict:
    link = change.baseline
    is_entry = change.kind == "item_removed" and change.path[-2] == "links"
    is_named = isinstance(link, dict) and isinstance(link.get("rel"), str)
    if change.path[-1] == WITHOUT_RELATION or (is_entry and not is_named):
        return "compatible", "a link without a relation, which no client can look up"
    return "breaking", "a link relation or attribute is gone"


def repeated_verdict(candidate: Any) -> Verdict:
    """Judge a repeated id; `candidate` is MISSING if the baseline repeats it."""
    if candidate is MISSING:
        return "compatible", "the baseline repeats an id; ids are unique"
    return "breaking", "the candidate repeats an id; ids are unique"


def difference(
    kind: str, path: str, verdict: Verdict, values: tuple[Any, Any], image: ImageRef | None = None
) -> Difference:
    """Return a difference with its verdict; `values` are those of baseline and candidate."""
    severity, reason = verdict
    return Difference(
        kind=kind,
        severity=severity,
        path=path,
        image=image,
        baseline=values[0],
        candidate=values[1],
        reason=reason,
    )
