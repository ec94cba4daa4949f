"""Replace what must not be written: secrets, owners' ids and hosts. Everything else stays.

Redaction works by what is known and by structure. A session knows its tokens, passwords, ids and
origins. A value with the name of a secret or an owner is known from then on, and replaced
everywhere in the recording. Placeholders depend on the value alone (`redact.placeholders`).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import starmap
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.model import Interaction, Path, Query, Recording
from pytest_imagedetail.redact import names
from pytest_imagedetail.redact.known import Known, Search, origin
from pytest_imagedetail.redact.rewriting import Rewriter, project_in_path

__all__ = [
    "SHAPES",
    "SHAPES_AND_EMAIL",
    "Known",
    "Redacted",
    "learn",
    "origin",
    "place_of",
    "project_in_path",
    "redact",
    "redact_again",
    "redact_query",
]

SHAPES: Final = tuple(names.SHAPES.values())
"""The shapes of secrets."""

SHAPES_AND_EMAIL: Final = (*SHAPES, names.EMAIL)
"""The same with e-mail addresses, for the traffic of a test's own client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """What redaction left, what it replaced, and what the final check must look for."""

    interactions: tuple[Interaction, ...]
    counts: Mapping[str, int]  # by kind
    places: tuple[tuple[str, str], ...]  # kind, and place as of `place_of`; dropped headers, too
    known: Known = field(repr=False)


def redact(
    interactions: Iterable[Interaction],
    *,
    cloud: str,
    known: Known,
    shapes: Sequence[re.Pattern[str]] = SHAPES,
) -> Redacted:
    """Replace secrets, owners' ids and hosts in all interactions of a recording.

    `cloud` stands in the placeholders of hosts. What the interactions show is added to `known`.
    """
    pages = tuple(interactions)
    known |= _asked(pages, known)
    while True:
        rewriter = Rewriter(Search(known, cloud=cloud), shapes=shapes)
        redacted = tuple(starmap(rewriter.interaction, enumerate(pages)))
        learned = rewriter.learned.added_to(known)
        if learned == known:
            break
        known = learned  # may be in what was read before
    counts = Counter(
        kind
        for kind, _, part, _ in rewriter.notes
        if (kind, part) != ("headers", "request.headers")
    )
    return Redacted(
        interactions=redacted,
        counts=dict(sorted(counts.items())),
        places=tuple(
            (kind, place_of(number, part, path))
            for kind, number, part, path in rewriter.notes
            if path != ("Content-Length",)  # writing a cassette adds it
        ),
        known=known,
    )


def redact_again(recording: Recording, *, known: Known) -> Redacted:
    """Redact a recording as when it was made; only a test's own traffic loses e-mail addresses."""
    provenance = recording.provenance
    shapes = SHAPES if provenance.test is None else SHAPES_AND_EMAIL
    return redact(recording.interactions, cloud=provenance.cloud, known=known, shapes=shapes)


def place_of(number: int, part: str, path: Path) -> str:
    """Return a place: `interactions[0].response.body: images[3].metadata.db_password`."""
    keys = (f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
    place = f"interactions[{number}].{part}"
    return f"{place}: {''.join(keys).removeprefix('.')}" if path else place


def learn(interactions: Iterable[Interaction], *, known: Known | None = None) -> Known:
    """Return what is known, and what traffic shows, that must not be written."""
    return redact(interactions, cloud="", known=known or Known()).known


def _asked(pages: Sequence[Interaction], known: Known) -> Known:
    """Return what the URLs show: the project and, unless any is known, the cloud's origin."""
    projects = (project_in_path(urlsplit(each.url).path) for each in pages)
    first = {origin(each.url): "compute" for each in pages[:1] if not known.origins}
    return Known(project=next(filter(None, projects), None), origins=first)


def redact_query(query: Query, *, cloud: str, known: Known) -> Query:
    """Return a query as its cassette names it: a `server` URL holds a host and a project."""
    rewriter = Rewriter(Search(known, cloud=cloud), shapes=SHAPES)
    return replace(
        query,
        params=tuple((name, rewriter.query_value(name, value)) for name, value in query.params),
    )
