"""Removes what must not be written: an allow-list for headers, placeholders for everything else.

Placeholders keep identity: the same value always gets the same one, different values different
ones, so that a mix-up of ids or hosts in an answer is still visible after redaction. They are
numbered in the order in which a recording shows the values, so that recording the same answer
twice gives the same bytes.

The final check (`redact.final_check`) looks for the secrets again, by another mechanism.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pytest_imagedetail.model import Interaction, Query
from pytest_imagedetail.redact import placeholder
from pytest_imagedetail.redact.ids import is_placeholder_id
from pytest_imagedetail.redact.known import Numbering, Secrets
from pytest_imagedetail.redact.messages import (
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    redact_interaction,
)
from pytest_imagedetail.redact.placeholder import HOST, ID, PERSON, SECRET, finder
from pytest_imagedetail.redact.placeholders import Placeholders
from pytest_imagedetail.redact.urls import owners_in, project_in_path

__all__ = [
    "REQUEST_HEADERS",
    "RESPONSE_HEADERS",
    "Numbering",
    "Part",
    "Redacted",
    "Secrets",
    "holds_placeholders",
    "is_placeholder_id",
    "owners_in",
    "project_in_path",
    "redact",
    "redact_query",
    "redact_together",
]

_NOBODYS: Final = finder(ID, SECRET, PERSON, HOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """What redaction left, and what it did.

    Attributes:
        interactions: Safe to write, as far as this package can tell.
        counts: How many values of each kind were replaced.
        replaced: The values themselves, for the gate to look for. Never written, never printed.
    """

    interactions: tuple[Interaction, ...]
    counts: Mapping[str, int]
    replaced: frozenset[str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A recording to be redacted, by itself or together with others.

    Attributes:
        interactions: As sent and received, all pages of the recording.
        cloud: The name that stands in the placeholders of hosts.
        secrets: What its session knows to be secret.
    """

    interactions: tuple[Interaction, ...] = field(repr=False)
    cloud: str
    secrets: Secrets


def redact(
    interactions: Iterable[Interaction],
    *,
    cloud: str,
    secrets: Secrets,
    numbering: Numbering | None = None,
) -> Redacted:
    """Replace everything that could tell who asked whom.

    Args:
        interactions: As sent and received, all pages of one recording.
        cloud: The name that stands in the placeholders of hosts.
        secrets: What the session knows to be secret.
        numbering: To go on with; a recording that is kept begins with none.
    """
    part = Part(interactions=tuple(interactions), cloud=cloud, secrets=secrets)
    (redacted,) = redact_together([part], numbering=numbering or Numbering(first_id=0))
    return redacted


def redact_together(parts: Sequence[Part], *, numbering: Numbering) -> tuple[Redacted, ...]:
    """Replace in several recordings so that equal placeholders of theirs mean equal values.

    What one of them tells of a value, a host's service say, holds in all, in whichever order.

    Args:
        parts: The recordings.
        numbering: To go on with.
    """
    work = [
        (part.interactions, Placeholders(numbering, cloud=part.cloud, secrets=part.secrets))
        for part in parts
    ]
    for pages, placeholders in work:
        for page in pages:
            placeholders.learn(page)
    for pages, placeholders in work:  # hosts and tokens in free text are learnt by replacing them
        for page in pages:
            redact_interaction(page, placeholders)
        placeholders.counts.clear()
    return tuple(_redacted(pages, placeholders) for pages, placeholders in work)


def _redacted(pages: Iterable[Interaction], placeholders: Placeholders) -> Redacted:
    interactions = tuple(redact_interaction(page, placeholders) for page in pages)
    return Redacted(
        interactions=interactions,
        counts={kind: n for kind, n in sorted(placeholders.counts.items()) if n},
        replaced=placeholders.replaced(),
    )


def redact_query(query: Query, *, endpoint: str, cloud: str, secrets: Secrets) -> Query:
    """The query as its cassette will name it: a `server` URL holds a host and a project.

    A query made from a replayed answer holds placeholders already and comes back as it is.
    """
    placeholders = Placeholders(Numbering(first_id=0), cloud=cloud, secrets=secrets)
    placeholders.learn_request(endpoint)
    return replace(
        query,
        params=tuple((name, placeholders.query_value(name, value)) for name, value in query.params),
    )


def holds_placeholders(body: bytes, *, replaced: Collection[str]) -> bool:
    """Whether a body was redacted before, by whomever; its numbers are then its own.

    Args:
        body: As it was before it is redacted now.
        replaced: What was replaced now. An address for documentation may be somebody's own, and
            counts only where nothing else was left to replace.
    """
    text = body.decode("latin-1")
    return _NOBODYS.search(text) is not None or (not replaced and placeholder.holds(text))
