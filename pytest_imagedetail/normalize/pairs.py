"""Match the ids (R13, R14) and the vendors (R15) of two answers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pytest_imagedetail.model import Image
from pytest_imagedetail.normalize.answer import Normalized
from pytest_imagedetail.normalize.values import REFERENCES, form_of_id, vendor_of
from pytest_imagedetail.redact import placeholders
from pytest_imagedetail.redact.names import names_owner


def matched(
    one: Normalized, other: Normalized, pairs: Iterable[tuple[int, int]]
) -> tuple[Normalized, Normalized]:
    """Return both answers with comparable ids; only the profile `cross-cloud` changes anything.

    The candidate's references to paired images get the baseline's ids. The id of a server, an owner
    or an image that is not in the answer becomes `<server of images[2]>`, by its first place in the
    paired images: equal ids get one name, different ids get two.
    Metadata of vendors that only one side has is left out.
    """
    if one.profile != "cross-cloud":
        return one, other
    pairs = sorted(pairs)
    old, new = map(_foreign_ids, (one, other))
    ours: dict[str, str] = {}
    theirs: dict[str, str] = {}
    for left, right in pairs:
        for key in sorted(old[left].keys() & new[right].keys()):
            name = f"<{key} of images[{left}]>"
            ours.setdefault(old[left][key], name)
            theirs.setdefault(new[right][key], name)
    partner = {other.ids[right]: one.ids[left] for left, right in pairs}
    shared = {*vendors(one)} & {*vendors(other)}
    return _translated(one, old, ours, {}, shared), _translated(other, new, theirs, partner, shared)


def vendors(side: Normalized) -> dict[str, list[str]]:
    """Return the metadata keys of each vendor."""
    keys: dict[str, set[str]] = {}
    for image in side.images:
        metadata = image.get("metadata")
        for key in metadata if isinstance(metadata, dict) else ():
            if (vendor := vendor_of(key)) is not None:
                keys.setdefault(vendor, set()).add(key)
    return {vendor: sorted(found) for vendor, found in keys.items()}


def _foreign_ids(side: Normalized) -> list[dict[str, str]]:
    """Return, for each image, the ids by key that refer to anything but a listed image."""
    listed, found = {*side.ids}, []
    for image in side.images:
        server, metadata = image.get("server"), image.get("metadata")
        texts = dict(metadata) if isinstance(metadata, dict) else {}
        texts["server"] = server.get("id") if isinstance(server, dict) else None
        ids = {key: value for key, value in texts.items() if isinstance(value, str)}
        found.append({key: id_ for key, id_ in ids.items() if _is_foreign_id(key, id_, listed)})
    return found


def _is_foreign_id(key: str, value: str, listed: set[str]) -> bool:
    if key in REFERENCES:
        return value not in listed and (form_of_id(value) or "").startswith("{}")
    if key in {"server", "instance_uuid"}:
        return form_of_id(value) is not None
    return (
        names_owner(key)
        and placeholders.is_owner_placeholder(value)
        and not placeholders.is_fixed(value)
    )


def _translated(
    side: Normalized,
    ids: Sequence[Mapping[str, str]],
    names: Mapping[str, str],
    partner: Mapping[str, str],
    shared: set[str],
) -> Normalized:
    counts = Counter(side.counts)
    images = []
    for image, foreign in zip(side.images, ids, strict=True):
        new = {
            key: (form_of_id(value) or "{}").format(names[value])
            for key, value in foreign.items()
            if value in names
        }
        counts.update("R14" if names_owner(key) else "R13" for key in new)
        images.append(_with(image, new, partner, shared))
    return replace(side, images=tuple(images), counts=dict(counts))


def _with(
    image: Image, names: dict[str, str], partner: Mapping[str, str], shared: set[str]
) -> Image:
    new = dict(image)
    if "server" in names:
        new["server"] = {**image["server"], "id": names.pop("server")}
    if isinstance(image.get("metadata"), dict):
        of_all = {None, *shared}
        kept = {key: value for key, value in image["metadata"].items() if vendor_of(key) in of_all}
        for key, value in kept.items():
            if key in names:
                kept[key] = names[key]
            elif key in REFERENCES and isinstance(value, str):
                kept[key] = partner.get(value, value)
        new["metadata"] = kept
    return new
