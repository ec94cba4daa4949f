"""How bad it is that answers differ as answers, or in which images they have."""

from collections.abc import Callable
from typing import Any, Final

from pytest_imagedetail.model import MISSING
from pytest_imagedetail.severity.change import Change, Verdict


def answer_verdict(change: Change) -> Verdict | None:
    """The verdict on what happened to no part of an image; None for what did."""
    if change.kind in _BY_VALUES:
        return _BY_VALUES[change.kind](change)
    return _WHATEVER_VALUES.get(change.kind)


def _repeated(change: Change) -> Verdict:
    """Ids are unique, so that one stands twice is a fault of the side where it does."""
    if change.candidate is MISSING:
        return "compatible", "an id stood more often in the baseline; ids are unique"
    return "breaking", "an id stands more often than on the other side; ids are unique"


def _status(change: Change) -> Verdict:
    """By what a client sees; an error is a text that begins with its status, a listing a number."""
    if isinstance(change.candidate, int):
        if isinstance(change.baseline, int):
            return "compatible", "200 and 203 both carry a whole listing"
        return "compatible", "the candidate answers what the baseline refused"
    if isinstance(change.baseline, int):
        return "breaking", "the candidate refuses what the baseline answered"
    return "compatible", "both refuse, each with its own status"


def _error(change: Change) -> Verdict:
    """Nova wraps an error in a name with code and message; its words are for people."""
    said = isinstance(change.baseline, str) and isinstance(change.candidate, str)
    if said and change.field in {"message", "title", "body"}:
        return "compatible", "the same refusal in other words"
    return "breaking", "clients read an error's code and message under these names"


def _header(change: Change) -> Verdict:
    before, after = map(_media_type, change.values)
    if change.field == "content-type" and before != after:
        return "breaking", "clients choose how to read a body by its media type"
    return "compatible", "a header, which is no part of the body"


def _media_type(header: Any) -> str:
    return str(header).partition(";")[0].strip().lower()


_BY_VALUES: Final[dict[str, Callable[[Change], Verdict]]] = {
    "image_repeated": _repeated,
    "status_changed": _status,
    "error_changed": _error,
    "header_changed": _header,
}

_WHATEVER_VALUES: Final[dict[str, Verdict]] = {
    "image_added": ("data", "only the candidate has this image"),
    "image_removed": ("data", "only the baseline has this image"),
    "order_changed": ("data", "images of both sides stand in another order"),
    "vendor_added": ("data", "a vendor's own metadata; the baseline has none of this vendor's"),
    "vendor_removed": ("data", "a vendor's own metadata; the candidate has none of this vendor's"),
    "answer_changed": ("compatible", "another field beside `images`"),
}
