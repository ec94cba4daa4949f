"""Names for what each cloud numbers in its own way: servers, users, images (R13, R14).

Within one answer the same id has the same name and another id another one, so that a mix-up is
still seen. Between two answers names are matched as placeholders are, by R16: what `<user-2>` is on
one side, one user and no other is on the other.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pytest_imagedetail.model import Image
from pytest_imagedetail.normalize.answer import Normalized
from pytest_imagedetail.normalize.hosts import with_hosts_of
from pytest_imagedetail.normalize.values import vendor_of
from pytest_imagedetail.redact.placeholder import name_of

REFERENCES: Final = ("base_image_ref", "kernel_id", "ramdisk_id")
"""Metadata that names another image."""

_FORMS: Final = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "{}"),
    (re.compile(r"[0-9a-f]{32}"), "{} without dashes"),
    (re.compile(r"[0-9]+"), "counted {}"),  # before Essex, and HP's to the end
)
_ID: Final = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}")


@dataclass(slots=True)
class Names:
    """The names of one answer, numbered as they are met."""

    given: dict[tuple[str, str], str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def of(self, what: str, id_: str) -> str:
        """The name of a server, a user or an unmatched image."""
        if (what, id_) not in self.given:
            self.numbers[what] = self.numbers.get(what, 0) + 1
            self.given[what, id_] = name_of(what, self.numbers[what])
        return self.given[what, id_]


def form_of_id(value: str) -> str | None:
    """How to write what stands in place of an id, so that its form is still seen; None for no id.

    A client that takes a UUID apart does not take 1361, and `None` or nothing is no id at all.
    """
    return next((form for pattern, form in _FORMS if pattern.fullmatch(value)), None)


def is_id(value: str) -> bool:
    """Whether a reference has the form of an image's id; `nokernel` and `None` have not."""
    return _ID.fullmatch(value) is not None


def matched(
    one: Normalized, other: Normalized, pairs: Iterable[tuple[int, int]]
) -> tuple[Normalized, Normalized]:
    """Both answers with what the paired images say: which host is which, and which image.

    The candidate's image references are in the baseline's ids. Metadata of vendors that only one
    side has is left out; the two are not to be compared.

    Args:
        one: The baseline.
        other: The candidate.
        pairs: Places of the same image in both.
    """
    pairs = tuple(pairs)
    one, other = with_hosts_of(one, other, pairs)
    if one.profile != "cross-cloud":
        return one, other
    shared = {*vendors(one)} & {*vendors(other)}
    partner = {other.ids[right]: one.ids[left] for left, right in pairs}
    return (
        replace(one, images=tuple(_translated(each, {}, shared) for each in one.images)),
        replace(other, images=tuple(_translated(each, partner, shared) for each in other.images)),
    )


def vendors(side: Normalized) -> dict[str, list[str]]:
    """The metadata keys of each vendor."""
    keys: dict[str, set[str]] = {}
    for image in side.images:
        metadata = image.get("metadata")
        for key in metadata if isinstance(metadata, dict) else ():
            if (vendor := vendor_of(key)) is not None:
                keys.setdefault(vendor, set()).add(key)
    return {vendor: sorted(found) for vendor, found in keys.items()}


def _translated(image: Image, partner: Mapping[str, str], shared: set[str]) -> Image:
    if not isinstance(image.get("metadata"), dict):
        return image
    metadata = {
        key: partner.get(value, value) if key in REFERENCES and isinstance(value, str) else value
        for key, value in image["metadata"].items()
        if vendor_of(key) in {None, *shared}
    }
    return {**image, "metadata": metadata}
