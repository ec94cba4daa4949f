"""Removes what must not be written: an allow-list for headers, placeholders for everything else.

Placeholders keep identity: the same value always gets the same one, different values different
ones, so that a mix-up of ids or hosts in an answer is still visible after redaction. They are
numbered in the order in which a recording shows the values, so that recording the same answer
twice gives the same bytes.

The gate (`pytest_imagedetail.leaks`) looks for the secrets again, without trusting this package.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pytest_imagedetail.model import Interaction, Query
from pytest_imagedetail.placeholder import HOST, ID, PERSON, SECRET, finder
from pytest_imagedetail.redact.ids import is_placeholder_id
from pytest_imagedetail.redact.known import Numbering, Secrets
from pytest_imagedetail.redact.messages import (
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    redact_interaction,
)
from pytest_imagedetail.redact.placeholders import Placeholders
from pytest_imagedetail.redact.urls import owners_in, project_in_path

__all__ = [
    "REQUEST_HEADERS",
    "RESPONSE_HEADERS",
    "Numbering",
    "Redacted",
    "Secrets",
    "holds_placeholders",
    "is_placeholder_id",
    "owners_in",
    "project_in_path",
    "redact",
    "redact_query",
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
    pages = tuple(interactions)
    placeholders = Placeholders(cloud=cloud, secrets=secrets, numbering=numbering)
    for page in pages:
        placeholders.learn(page)
    for page in pages:  # hosts and tokens in free text are learnt by replacing them
        redact_interaction(page, placeholders)
    placeholders.counts.clear()
    redacted = tuple(redact_interaction(page, placeholders) for page in pages)
    if numbering is not None:
        numbering.ids |= placeholders.numbered()
    return Redacted(
        interactions=redacted,
        counts={kind: n for kind, n in sorted(placeholders.counts.items()) if n},
        replaced=placeholders.replaced(),
    )


def redact_query(query: Query, *, endpoint: str, cloud: str, secrets: Secrets) -> Query:
    """The query as its cassette will name it: a `server` URL holds a host and a project.

    A query made from a replayed answer holds placeholders already and comes back as it is.
    """
    placeholders = Placeholders(cloud=cloud, secrets=secrets)
    placeholders.learn_request(endpoint)
    return replace(
        query,
        params=tuple((name, placeholders.query_value(name, value)) for name, value in query.params),
    )


def holds_placeholders(body: bytes) -> bool:
    """Whether a body was redacted before, by whomever; its numbers are then its own.

    An address for documentation does not say so: it may be somebody's own.
    """
    return _NOBODYS.search(body.decode("latin-1")) is not None
