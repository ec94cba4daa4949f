"""How bad a difference is, judged by what the releases of both sides promise.

- breaking: a client that relied on the baseline's contract can fail.
- compatible: representation or additions; a careful client does not notice.
- data: the images themselves differ; no contract is touched.
"""

from dataclasses import dataclass
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.model import MISSING, Difference
from pytest_imagedetail.severity.answers import answer_verdict
from pytest_imagedetail.severity.change import Change, Verdict
from pytest_imagedetail.severity.links import OTHER_ATTRIBUTE, is_of_links, link_verdict, moved
from pytest_imagedetail.severity.promise import RETYPED, Promise
from pytest_imagedetail.severity.values import form_verdict, value_verdict

__all__ = [
    "OTHER_ATTRIBUTE",
    "RETYPED",
    "Change",
    "Judge",
    "Promise",
    "Verdict",
    "form_verdict",
    "is_of_links",
    "moved",
    "value_verdict",
]

_OWNERS: Final = "metadata belongs to the image"
_NO_TEXT: Final = "metadata values are strings or null; typed clients cannot read this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Says how bad a change is.

    Attributes:
        promise: By what to judge.
    """

    promise: Promise

    def severity(self, change: Change) -> Verdict:
        """The severity of a change and the reason for it."""
        if refused := self._refused(change):
            return "breaking", refused
        if judged := answer_verdict(change):
            return judged
        if change.field == "metadata" and change.below:
            return self._metadata(change)
        if is_of_links(change):
            return link_verdict(change, self.promise)
        judge = {"field_removed": self._removed, "field_added": self._added}
        return judge.get(change.kind, self._changed)(change)

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

    def _refused(self, change: Change) -> str | None:
        """Why what was added is no such value as is promised; None if it is one."""
        if not change.is_addition:
            return None
        return self.promise.refusal(change.path, change.candidate)

    def _removed(self, change: Change) -> Verdict:
        if change.below:
            return "breaking", "a part of the field is gone"
        if change.cause is not None:
            return "breaking", f"Nova sends it for every image with metadata.{change.cause}"
        return self._removed_by_release(change.field)

    def _removed_by_release(self, field: str) -> Verdict:
        old, new = self.promise.baseline, self.promise.candidate
        if self.promise.requires(field):
            if not contract.offers(field, new):
                return "breaking", f"{new} never offered it; the baseline's release does"
            named = f" ({old})" if old else ""
            return "breaking", f"the baseline's release{named} promises it for every image"
        if field in contract.FIELDS:
            return "data", "optional: it depends on the image"
        return "compatible", "no release promises it"

    def _added(self, change: Change) -> Verdict:
        known = self.promise.baseline
        if not change.below and known is not None and not contract.offers(change.field, known):
            return "compatible", f"{known} never had it"
        return "compatible", "clients pass over fields that they do not know"

    def _changed(self, change: Change) -> Verdict:
        promise = self.promise
        part = promise.part(*change.path)
        retyped = change.kind in {"type_changed", "null_changed"}
        if retyped and not part.types:
            return "breaking", RETYPED
        if judged := promise.kept(change.path, change.values):
            return judged
        if retyped:
            return "data", f"{promise.by} allows both"
        before, after = ([each] for each in change.values)
        if judged := value_verdict(change.path, before, after):
            return judged
        old, new = map(_forms, change.values)
        if part.form == contract.ISOTIME and old != new:
            return form_verdict(promise, part.form, old, new)
        return "data", "another value of the same type"

    def _metadata(self, change: Change) -> Verdict:
        """Metadata is its owner's; only what breaks a map of strings is the API's."""
        promise = self.promise
        if change.candidate is MISSING:
            return "data", _OWNERS
        part = promise.part(*change.path)
        if not part.types:  # what Nova decodes from JSON, whatever a user put there
            return "data", _OWNERS
        severity, reason = promise.kept(change.path, change.values) or ("data", _OWNERS)
        return severity, _NO_TEXT if severity == "breaking" else reason


def _forms(value: Any) -> set[str]:
    return {contract.text_format(value)} if isinstance(value, str) else set()
