"""Match the ids (R13, R14) and the vendors (R15) of two answers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pytest_imagedetail.model import Image
from pytest_imagedetail.normalize.answer import Normalized
from pytest_imagedetail.normalize.values import REFERENCES, form_of_id, vendor_of
from pytest_imagedetail.redact import placeholders
from pytest_imagedetail.redact.names import names_owner


def match_ids(
    baseline: Normalized, candidate: Normalized, pairs: Iterable[tuple[int, int]]
) -> tuple[Normalized, Normalized]:
    """Return both answers with comparable ids; other profiles than `cross-cloud` change nothing.

    The candidate's references to paired images get the baseline's ids. The id of a server, an owner
    or an image that is not in the answer becomes `<server of images[2]>`, by its first place in the
    paired images: equal ids get one name, different ids get two.
    Metadata of vendors that only one side has is left out.
    """
    if baseline.profile != "cross-cloud":
        return baseline, candidate
    pairs = sorted(pairs)
    old, new = map(_foreign_ids, (baseline, candidate))
    old_names: dict[str, str] = {}
    new_names: dict[str, str] = {}
    for left, right in pairs:
        for key in sorted(old[left].keys() & new[right].keys()):
            name = f"<{key} of images[{left}]>"
            old_names.setdefault(old[left][key], name)
            new_names.setdefault(new[right][key], name)
    baseline_ids = {candidate.ids[right]: baseline.ids[left] for left, right in pairs}
    shared = {*vendors(baseline)} & {*vendors(candidate)}
    renamed = _rename_ids(baseline, old, old_names, {}, shared)
    return renamed, _rename_ids(candidate, new, new_names, baseline_ids, shared)


def vendors(side: Normalized) -> dict[str, list[str]]:
    """Return the metadata keys of each vendor."""
    keys: dict[str, set[str]] = {}
    for image in side.images:
        metadata = image.get("metadata")
        for key in metadata if isinstance(metadata, dict) else ():
            if (vendor := vendor_of(key)) is not None:
                keys.setdefault(vendor, set()).add(key)
    return {vendor: sorted(names) for vendor, names in keys.items()}


def _foreign_ids(side: Normalized) -> list[dict[str, str]]:
    """Return, for each image, the ids by key that refer to anything but a listed image."""
    listed, foreign = {*side.ids}, []
    for image in side.images:
        server, metadata = image.get("server"), image.get("metadata")
        texts = dict(metadata) if isinstance(metadata, dict) else {}
        texts["server"] = server.get("id") if isinstance(server, dict) else None
        ids = {key: value for key, value in texts.items() if isinstance(value, str)}
        foreign.append({key: own for key, own in ids.items() if _is_foreign_id(key, own, listed)})
    return foreign


def _is_foreign_id(key: str, value: str, listed: set[str]) -> bool:
    if key in REFERENCES:
        return value not in listed and (form_of_id(value) or "").startswith("{}")
    if key in {"server", "instance_uuid"}:
        return form_of_id(value) is not None
    return (
        names_owner(key)
        and placeholders.is_owner_placeholder(value)
        and value != placeholders.OWNER
    )


def _rename_ids(
    side: Normalized,
    ids: Sequence[Mapping[str, str]],
    names: Mapping[str, str],
    baseline_ids: Mapping[str, str],
    shared: set[str],
) -> Normalized:
    counts = Counter(side.counts)
    images = []
    for image, foreign in zip(side.images, ids, strict=True):
        replaced = {
            key: (form_of_id(value) or "{}").format(names[value])
            for key, value in foreign.items()
            if value in names
        }
        counts.update("R14" if names_owner(key) else "R13" for key in replaced)
        images.append(_replace_ids(image, replaced, baseline_ids, shared))
    return replace(side, images=tuple(images), counts=dict(counts))


def _replace_ids(
    image: Image, names: dict[str, str], baseline_ids: Mapping[str, str], shared: set[str]
) -> Image:
    new = dict(image)
    if "server" in names:
        new["server"] = {**image["server"], "id": names.pop("server")}
    if isinstance(image.get("metadata"), dict):
        compared = {None, *shared}
        metadata = image["metadata"].items()
        kept = {key: value for key, value in metadata if vendor_of(key) in compared}
        for key, value in kept.items():
            if key in names:
                kept[key] = names[key]
            elif key in REFERENCES and isinstance(value, str):
                kept[key] = baseline_ids.get(value, value)
        new["metadata"] = kept
    return new
