"""Replace secrets, owners' ids and hosts before writing; keep everything else.

Redaction uses known values and structure. A session knows its tokens, passwords, ids and origins. A
value with the name of a secret or an owner is learned, and replaced everywhere in the recording.
Placeholders depend on the value alone (`redact.placeholders`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import starmap
from urllib.parse import urlsplit

from pytest_imagedetail.model import NO_RESPONSE, Interaction, Path, Query, Recording, dotted_path
from pytest_imagedetail.redact.known import Known, Search
from pytest_imagedetail.redact.rewriting import Rewriter
from pytest_imagedetail.redact.urls import origin, project_in_path

__all__ = [
    "Known",
    "RedactionResult",
    "learn",
    "origin",
    "place_of",
    "project_in_path",
    "redact",
    "redact_again",
    "redact_query",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionResult:
    """The redacted interactions, what was replaced, and what the final check must look for."""

    interactions: tuple[Interaction, ...]
    counts: Mapping[str, int]  # by kind
    places: tuple[tuple[str, str], ...]  # kind and place (see `place_of`), also of dropped headers
    known: Known = field(repr=False)


def redact(
    interactions: Sequence[Interaction], *, cloud: str, known: Known, emails: bool = False
) -> RedactionResult:
    """Replace secrets, owners' ids and hosts in all interactions of a recording.

    E-mail addresses are replaced if `emails`: in the traffic of a test's own client. Placeholders
    of hosts contain `cloud`. What the interactions reveal is added to `known`.
    """
    projects = (project_in_path(urlsplit(one.url).path) for one in interactions)
    origins = {origin(one.url): "compute" for one in interactions[:1] if not known.origins}
    known |= Known(project=next(filter(None, projects), None), origins=origins)
    while True:
        rewriter = Rewriter(Search(known, cloud=cloud), emails=emails)
        redacted = tuple(starmap(rewriter.rewrite, enumerate(interactions)))
        learned = rewriter.learner.merge_into(known)
        if learned == known:
            break
        known = learned  # may occur in parts already redacted
    counts = Counter(
        kind
        for kind, _, part, _ in rewriter.notes
        if (kind, part) != ("headers", "request.headers")
    )
    return RedactionResult(
        interactions=redacted,
        counts=dict(sorted(counts.items())),
        places=tuple(
            (kind, place_of(number, part, path))
            for kind, number, part, path in rewriter.notes
            if path != ("Content-Length",)  # writing a cassette adds it
        ),
        known=known,
    )


def redact_again(recording: Recording, *, known: Known) -> RedactionResult:
    """Redact a recording with the facts in its provenance."""
    cloud, emails = recording.provenance.cloud, recording.provenance.test is not None
    return redact(recording.interactions, cloud=cloud, known=known, emails=emails)


def place_of(number: int, part: str, path: Path) -> str:
    """Format a place: `interactions[0].response.body: images[3].metadata.db_password`."""
    place = f"interactions[{number}].{part}"
    return f"{place}: {dotted_path(path)}" if path else place


def learn(interactions: Iterable[Interaction], *, known: Known | None = None) -> Known:
    """Return `known` with the secrets, owners and hosts that traffic reveals."""
    return redact(tuple(interactions), cloud="", known=known or Known()).known


def redact_query(query: Query, *, cloud: str, known: Known) -> Query:
    """Redact a query as in its cassette: a `server` URL holds a host and a project."""
    request = Interaction(url=f"http://compute.invalid/?{query.wire}", response=NO_RESPONSE)
    (redacted,) = redact([request], cloud=cloud, known=known).interactions
    return replace(query, params=Query.parse(urlsplit(redacted.url).query).params)
