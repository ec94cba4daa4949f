"""What separates two answers in how their links are written, where the links themselves are alike.

R7 and R8 take a prefix, the version and the project that asked out of links, for every image has
them alike. That they came or went is one difference of the whole answer.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pytest_imagedetail.model import Difference
from pytest_imagedetail.normalize import LinkForm, Normalized
from pytest_imagedetail.severity import Judge


def link_form_differences(
    one: Normalized, other: Normalized, judge: Judge, *, found: Iterable[Difference]
) -> Iterator[Difference]:
    """Forms of links that changed, but for those that a link's own difference shows already.

    Args:
        one: The baseline.
        other: The candidate.
        judge: Says how bad it is.
        found: The differences of images and pages.
    """
    old, new = one.answer.link_forms, other.answer.link_forms
    paths = [each.any_image for each in found]
    for path in sorted(old.keys() & new.keys()):
        shown = any(_is_at_or_below(each, path) for each in paths)
        if old[path] == new[path] or (shown and _left_out(old[path]) == _left_out(new[path])):
            continue
        yield judge.difference(
            "link_changed",
            path,
            field="links",
            baseline=_written(old[path]),
            candidate=_written(new[path]),
        )


def _is_at_or_below(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))


def _left_out(forms: Iterable[LinkForm]) -> set[tuple[bool, bool]]:
    """What of the forms is not in the links themselves: whether there is a prefix, and a project.

    Whatever else stands before the resource stays in its link.
    """
    return {(each.prefix, bool(each.project)) for each in forms}


def _written(forms: Iterable[LinkForm]) -> Any:
    """A form, or the list of them."""
    texts = sorted(map(str, forms))
    return texts[0] if len(texts) == 1 else texts
