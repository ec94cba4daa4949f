"""How bad a difference is, judged by what the releases of both sides promise.

- breaking: a client that relied on the baseline's contract can fail.
- compatible: representation or additions; a careful client does not notice.
- data: the images themselves differ; no contract is touched.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.destinations import destination
from pytest_imagedetail.model import MISSING, Difference, Severity
from pytest_imagedetail.strict import Path

_ADDED: Final = "field_added"
_REMOVED: Final = "field_removed"

_OWNERS: Final = "metadata belongs to the image"
_NO_TEXT: Final = "metadata values are strings or null; typed clients cannot read this"

OTHER_ATTRIBUTE: Final = "what a link says beside its address, which is for people"
"""Why another media type or title of a link breaks nobody."""

SENT_PROGRESS: Final = frozenset({0, 25, 50, 100})
"""What Nova makes of a status: views/images.py, _get_progress."""

OTHER_PROGRESS: Final = "Nova sends 0, 25, 50 and 100 only"
"""Why another progress is seen, though the contract allows any."""

OTHER_WRITING: Final = "a date in another writing; strict parsers refuse it"
"""Why a date with an offset, say, is no fault and no matter of the images either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference before it is judged.

    Attributes:
        kind: What happened.
        field: The field of the image detail ("metadata", "links"), or "" for the whole answer.
        below: The keys below that field that lead to where it happened; none for the field itself.
        baseline: The old value, or MISSING.
        candidate: The new value, or MISSING.
        cause: The key of the candidate's metadata for which Nova sends the field; None if the field
            needs none, or that is gone too.
    """

    kind: str
    field: str
    below: Path = ()
    baseline: Any
    candidate: Any
    cause: str | None = None

    @property
    def values(self) -> tuple[Any, Any]:
        """The old value and the new one."""
        return self.baseline, self.candidate

    @property
    def is_of_link(self) -> bool:
        """Whether it happened to links: the image's own, or below those of its server."""
        return self.field == "links" or (
            self.field == "server" and self.below[:1] == ("links",) and len(self.below) > 1
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Knows by what to judge.

    Attributes:
        baseline: The release of the old side; None if it is not declared.
        candidate: The release of the new side.
        schema: A published schema to judge by in place of what the releases promise.
    """

    baseline: str | None
    candidate: str | None
    schema: contract.Schema | None = None

    def severity(self, change: Change) -> tuple[Severity, str]:
        """The severity of a change and the reason for it."""
        if refused := self._refused(change):
            return "breaking", refused
        if change.kind in _OF_ANSWER:
            return _OF_ANSWER[change.kind](change)
        if change.kind in _OF_KIND:
            return _OF_KIND[change.kind]
        if change.field == "metadata" and change.below:
            return self._metadata(change)
        if change.is_of_link:
            return self._links(change)
        judge = {_REMOVED: self._removed, _ADDED: self._added}.get(change.kind, self._changed)
        return judge(change)

    def part(self, *path: str | int) -> contract.Part | None:
        """What is promised of the value at a path of an image; None if it is refused there."""
        return self._image.along(path)

    def form_of_candidate(self, *path: str | int) -> str | None:
        """The form that the candidate's own release promises of a text; None for any."""
        part = contract.image_in(self.candidate).along(path)
        return None if part is None else part.form

    @property
    def _image(self) -> contract.Part:
        """What a client of the baseline is promised."""
        return contract.image_in(self.baseline) if self.schema is None else self.schema.image

    def requires(self, field: str) -> bool:
        """Whether every image of the baseline is promised to have a field."""
        if self.schema is not None:
            return field in self.schema.required
        return contract.promises(field, self.baseline)

    @property
    def promised_by(self) -> str:
        """Whose promise it is, in a reason."""
        return "the contract" if self.schema is None else f"{self.schema.name}'s schema"

    def difference(
        self,
        kind: str,
        path: str,
        *,
        field: str = "",
        baseline: Any,
        candidate: Any,
    ) -> Difference:
        """A judged difference of the whole answer, or one that all its images share.

        Args:
            kind: What happened.
            path: Where, as reports write it.
            field: As in `Change`.
            baseline: The old value, or MISSING.
            candidate: The new value, or MISSING.
        """
        severity, reason = self.severity(
            Change(kind=kind, field=field, baseline=baseline, candidate=candidate)
        )
        return Difference(
            kind=kind,
            severity=severity,
            path=path,
            baseline=baseline,
            candidate=candidate,
            reason=reason,
        )

    def refused_beside(self, name: str, value: Any) -> str | None:
        """Why the schema refuses what stands beside the images; None if it does not.

        Args:
            name: The name of the field.
            value: What stands there; MISSING is never refused.
        """
        if self.schema is None or value is MISSING:
            return None
        return self._refusal(self.schema.beside, (name,), value)

    def _refused(self, change: Change) -> str | None:
        """Why what was added is no such value as is promised; None if it is one."""
        if change.kind == "answer_changed" and change.baseline is MISSING:
            return self.refused_beside(change.field, change.candidate)
        if change.kind not in {_ADDED, "item_added"}:
            return None
        return self._refusal(self._image, (change.field, *change.below), change.candidate)

    def _refusal(self, whole: contract.Part, path: Path, value: Any) -> str | None:
        part = whole.along(path)
        if part is None:
            refused = contract.REFUSED.reason.format(by=self.promised_by)
            return None if self.schema is None else refused  # no release refuses what is new
        found = None if value is MISSING else part.refusal(_with_ids(value), path[-1])
        return None if found is None else found.reason.format(by=self.promised_by)

    def _removed(self, change: Change) -> tuple[Severity, str]:
        if change.below:
            return "breaking", "a part of the field is gone"
        if change.cause is not None and self.schema is None:
            return "breaking", f"Nova sends it for every image with metadata.{change.cause}"
        field = change.field
        if self.schema is not None:
            needs = f"{self.promised_by} requires it of every image"
            return ("breaking", needs) if self.requires(field) else ("data", "it is optional")
        return self._removed_by_release(field)

    def _removed_by_release(self, field: str) -> tuple[Severity, str]:
        named = f" ({self.baseline})" if self.baseline else ""
        if contract.promises(field, self.baseline):
            if not contract.offers(field, self.candidate):
                return "breaking", f"{self.candidate} never offered it; the baseline's release does"
            return "breaking", f"the baseline's release{named} promises it for every image"
        if field in contract.FIELDS:
            return "data", "optional: it depends on the image"
        return "compatible", "no release promises it"

    def _added(self, change: Change) -> tuple[Severity, str]:
        field = change.field
        if (
            not change.below
            and self.baseline is not None
            and not contract.offers(field, self.baseline)
        ):
            return "compatible", f"{self.baseline} never had it"
        return "compatible", "clients pass over fields that they do not know"

    def _changed(self, change: Change) -> tuple[Severity, str]:
        part = self.part(change.field, *change.below) or contract.ANYTHING
        retyped = change.kind in {"type_changed", "null_changed"}
        if retyped and not part.types:
            return "breaking", "the JSON type changed"
        if judged := self._kept(part, change):
            return judged
        if retyped:
            return "data", f"{self.promised_by} allows both"
        if change.field == "progress" and self.schema is None:
            old, new = (each in SENT_PROGRESS for each in change.values)
            if old and not new:
                return "compatible", OTHER_PROGRESS
        if part.form == contract.ISOTIME and len({*map(_form_of, change.values)}) > 1:
            return "compatible", OTHER_WRITING
        return "data", "another value of the same type"

    def _kept(self, part: contract.Part, change: Change) -> tuple[Severity, str] | None:
        """The verdict if one of the values breaks what is promised of it."""
        name = (change.field, *change.below)[-1]
        old, new = (
            None if each is MISSING else part.refusal(_with_ids(each), name)
            for each in change.values
        )
        if new is not None and old is not None and old.how == new.how:
            return "data", f"neither side keeps {self.promised_by}"
        if new is not None:
            return "breaking", new.reason.format(by=self.promised_by)
        if old is not None:
            return "compatible", f"the candidate keeps {self.promised_by}, the baseline did not"
        return None

    def _links(self, change: Change) -> tuple[Severity, str]:
        """The links of an image, or of its server."""
        if change.kind in {_ADDED, "item_added"}:
            return "compatible", "one more link relation or attribute"
        if change.kind in {_REMOVED, "item_removed"}:
            return "breaking", "a link relation or attribute is gone"
        if change.kind == "link_changed" and not change.below:
            return "compatible", _forms(change)
        if change.kind != "link_changed" or not isinstance(change.candidate, str):
            return self._relinked(change)
        if change.below[-1] != "href":
            return "compatible", OTHER_ATTRIBUTE
        names = [each for each in change.below if isinstance(each, str)]  # no places in a list
        return moved(["", *names][-2], {change.baseline}, {change.candidate})

    def _relinked(self, change: Change) -> tuple[Severity, str]:
        """Links that became something else, or came to be what they should be."""
        part = self.part(change.field, *change.below) or contract.ANYTHING
        judged = self._kept(part, change)
        if judged is not None and judged[0] != "breaking":
            return judged
        was_several = part.several and isinstance(change.baseline, list)
        if was_several and isinstance(change.candidate, dict):
            return "compatible", "one link of each relation, where there were several"
        return "breaking", "clients look for a list of links, one of each relation"

    def _metadata(self, change: Change) -> tuple[Severity, str]:
        """Metadata is its owner's; only what breaks a map of strings is the API's."""
        if self.schema is not None:
            return "data", f"{self.promised_by} allows any value in the metadata"
        part = self.part(change.field, *change.below) or contract.ANYTHING
        if change.candidate is MISSING:
            return "data", _OWNERS
        if not part.types:  # what Nova decodes from JSON, and what should not be there
            retyped = change.kind == "type_changed"
            return ("breaking", "the JSON type changed") if retyped else ("data", _OWNERS)
        severity, reason = self._kept(part, change) or ("data", _OWNERS)
        return severity, _NO_TEXT if severity == "breaking" else reason


_NAMED: Final = re.compile(r"<(?:id|server-\d+|the candidate's <server-\d+>)>")
_ANY_ID: Final = "00000000-0000-0000-0000-000000000000"


def _with_ids(value: Any) -> Any:
    """The value with an id where normalization has put a name: ids are what it stands for."""
    if isinstance(value, str):
        return _ANY_ID if _NAMED.fullmatch(value) else value
    if isinstance(value, dict):
        return {key: _with_ids(each) for key, each in value.items()}
    return [_with_ids(each) for each in value] if isinstance(value, list) else value


def _form_of(value: Any) -> str | None:
    return contract.text_format(value) if isinstance(value, str) else None


_OF_KIND: Final[dict[str, tuple[Severity, str]]] = {
    "image_added": ("data", "only the candidate has this image"),
    "image_removed": ("data", "only the baseline has this image"),
    "order_changed": ("data", "images of both sides stand in another order"),
    "vendor_added": ("data", "a vendor's own metadata; the baseline has none of this vendor's"),
    "vendor_removed": ("data", "a vendor's own metadata; the candidate has none of this vendor's"),
    "answer_changed": ("compatible", "another field beside `images`"),
}


def _repeated(change: Change) -> tuple[Severity, str]:
    """Ids are unique, so that one stands twice is a fault of the side where it does."""
    if change.candidate is MISSING:
        return "compatible", "an id stood more often in the baseline; ids are unique"
    return "breaking", "an id stands more often than on the other side; ids are unique"


def _status(change: Change) -> tuple[Severity, str]:
    """By what a client sees; an error is a text that begins with its status, a listing a number."""
    if isinstance(change.candidate, int):
        if isinstance(change.baseline, int):
            return "compatible", "200 and 203 both carry a whole listing"
        return "compatible", "the candidate answers what the baseline refused"
    if isinstance(change.baseline, int):
        return "breaking", "the candidate refuses what the baseline answered"
    return "compatible", "both refuse, each with its own status"


def _error(change: Change) -> tuple[Severity, str]:
    """Nova wraps an error in a name with code and message; its words are for people."""
    said = isinstance(change.baseline, str) and isinstance(change.candidate, str)
    if said and change.field in {"message", "title", "body"}:
        return "compatible", "the same refusal in other words"
    return "breaking", "clients read an error's code and message under these names"


def _header(change: Change) -> tuple[Severity, str]:
    if change.field == "content-type" and _media_type(change.baseline) != _media_type(
        change.candidate
    ):
        return "breaking", "clients choose how to read a body by its media type"
    return "compatible", "a header, which is no part of the body"


_OF_ANSWER: Final[dict[str, Callable[[Change], tuple[Severity, str]]]] = {
    "image_repeated": _repeated,
    "status_changed": _status,
    "error_changed": _error,
    "header_changed": _header,
}


def _media_type(header: Any) -> str:
    return str(header).partition(";")[0].strip().lower()


def moved(relation: str, old: Collection[str], new: Collection[str]) -> tuple[Severity, str]:
    """How bad it is that links of one relation have other addresses.

    Args:
        relation: "self", say.
        old: The addresses of the baseline's, as normalized.
        new: Those of the candidate's.
    """
    before, after = ({destination(each) for each in side} for side in (old, new))
    if after == before:
        return "compatible", "the same place, written in another form"
    if after < before:
        return "compatible", "the baseline has links that lead elsewhere, too"
    if all(each.is_own(relation) for each in after - before):
        return "compatible", "the candidate's link leads to its own image or server, as it should"
    return "breaking", "a link leads elsewhere after hosts and projects were normalized"


def _forms(change: Change) -> str:
    """Whether all links changed their form, or one side has several at once; a list has several."""
    several = [
        f"the {side} has {len(forms)} forms of this link at once"
        for side, forms in zip(("baseline", "candidate"), change.values, strict=True)
        if isinstance(forms, list)
    ]
    return "; ".join(several) or "all links of this relation have another form"
