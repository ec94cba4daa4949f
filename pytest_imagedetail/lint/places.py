"""Find what redaction would still replace in recorded interactions."""

from collections.abc import Iterator
from typing import Final

from pytest_imagedetail.model import Interaction, Recording
from pytest_imagedetail.redact import SHAPES, SHAPES_AND_EMAIL, Known, placeholders, redact
from pytest_imagedetail.redact.suspicious import texts

_KINDS: Final = (
    ("id", placeholders.OWNER),
    ("email", placeholders.EMAIL),
    ("secret", placeholders.SECRET_IN_URL),
    ("host", ".invalid"),
    ("address", placeholders.IPV4),
    ("address", placeholders.IPV6),
    ("address", placeholders.MAC),
)
"""The kind of a placeholder by what it contains; anything else is an id."""


def redacted_again(recording: Recording) -> tuple[Interaction, ...]:
    """Redact a recording as if it had just been made; a redacted one stays the same."""
    provenance = recording.provenance
    shapes = SHAPES if provenance.test is None else SHAPES_AND_EMAIL
    pages = recording.interactions
    return redact(pages, cloud=provenance.cloud, known=Known(), shapes=shapes).interactions


def replaced(
    before: tuple[Interaction, ...], after: tuple[Interaction, ...]
) -> Iterator[tuple[str, str]]:
    """Yield kind and place of each value that redaction replaced.

    A place is for example `interactions[0].response.body: images[3].metadata.note`.
    """
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        for place, here, there in _changes(old, new):
            kind = "header" if there is None else _kind(here, there)
            yield kind, f"interactions[{number}].{place}"


def _changes(old: Interaction, new: Interaction) -> Iterator[tuple[str, str, str | None]]:
    """Yield place, text and redacted text of what differs; None for a header that is dropped."""
    if old.url != new.url:
        yield "request.uri", old.url, new.url
    for message, sent, kept in (
        ("request", old.request_headers, new.request_headers),
        ("response", old.response.headers, new.response.headers),
    ):
        for name in sent:
            if name.lower() != "content-length" and sent[name] != kept.get(name):
                yield f"{message}.headers: {name}", sent[name], kept.get(name)
    for message, sent_body, kept_body in (
        ("request", old.request_body, new.request_body),
        ("response", old.response.body, new.response.body),
    ):
        for path, here, there in _changed_texts(sent_body, kept_body):
            yield f"{message}.body: {path}".removesuffix(": "), here, there


def _changed_texts(old: bytes, new: bytes) -> list[tuple[str, str, str]]:
    if old == new:
        return []
    pairs = zip(texts(old), texts(new), strict=False)
    changed = [(path, here, there) for (_, here), (path, there) in pairs if here != there]
    whole = ("", old.decode("utf-8", "replace"), new.decode("utf-8", "replace"))
    return changed or [whole]  # a repeated key, for example, has no path of its own


def _kind(old: str, new: str) -> str:
    return next((kind for kind, mark in _KINDS if new.count(mark) > old.count(mark)), "id")
