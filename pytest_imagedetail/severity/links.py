"""How bad it is that links of an image or of its server differ: by where they lead."""

from collections.abc import Collection
from typing import Final

from pytest_imagedetail.destinations import destination
from pytest_imagedetail.severity.change import Change, Verdict
from pytest_imagedetail.severity.promise import Promise

WITHOUT_RELATION: Final = "without rel"
"""How a shape names the links that say none."""

OTHER_ATTRIBUTE: Final = "what a link says beside its address, which is for people"
"""Why another media type or title of a link breaks nobody."""


def is_of_links(change: Change) -> bool:
    """Whether it happened to links: the image's own, or below those of its server."""
    return change.field == "links" or (
        change.field == "server" and change.below[:1] == ("links",) and len(change.below) > 1
    )


def link_verdict(change: Change, promise: Promise) -> Verdict:
    """How bad a change of links is."""
    if change.is_addition:
        return "compatible", "one more link relation or attribute"
    if change.is_removal:
        return _gone(change)
    if change.kind == "link_changed" and not change.below:
        return "compatible", _forms(change)
    if change.kind != "link_changed" or not isinstance(change.candidate, str):
        return _relinked(change, promise)
    if change.below[-1] != "href":
        return "compatible", OTHER_ATTRIBUTE
    return _readdressed(change)


def _readdressed(change: Change) -> Verdict:
    """Judge another address of one link."""
    names = [each for each in change.below if isinstance(each, str)]  # no places in a list
    old, new = (str(each).partition("/servers/") for each in change.values)
    named_by_user = change.field == "server" and "<server>" not in {old[2], new[2]}
    if named_by_user and old[1] and old[:2] == new[:2]:
        return "data", "Nova puts metadata.instance_uuid there, whatever its owner wrote"
    return moved(["", *names][-2], {change.baseline}, {change.candidate})


def moved(relation: str, old: Collection[str], new: Collection[str]) -> Verdict:
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


def _gone(change: Change) -> Verdict:
    if _was_of_no_relation(change):
        return "compatible", "it was a link of no relation, and no client could look for it"
    return "breaking", "a link relation or attribute is gone"


def _was_of_no_relation(change: Change) -> bool:
    """Whether what is gone is an item of the list that says no relation, or all such."""
    if change.kind != "item_removed":
        return change.below[-1:] == (WITHOUT_RELATION,)
    if len(change.below) > (1 if change.field == "links" else 2):  # one of several of a relation
        return False
    was = change.baseline
    return not (isinstance(was, dict) and isinstance(was.get("rel"), str))


def _relinked(change: Change, promise: Promise) -> Verdict:
    """Links that became something else, or came to be what they should be."""
    judged = promise.kept(change.path, change.values)
    if judged is not None and judged[0] != "breaking":
        return judged
    part = promise.part(*change.path)
    if part.several and isinstance(change.baseline, list) and isinstance(change.candidate, dict):
        return "compatible", "one link of each relation, where there were several"
    return "breaking", "clients look for a list of links, one of each relation"


def _forms(change: Change) -> str:
    """Whether all links changed their form, or one side has several at once; a list has several."""
    several = [
        f"the {side} has {len(forms)} forms of this link at once"
        for side, forms in zip(("baseline", "candidate"), change.values, strict=True)
        if isinstance(forms, list)
    ]
    return "; ".join(several) or "all links of this relation have another form"
