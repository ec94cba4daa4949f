"""Makes a cassette of another tool's recording, and counts what it took out of it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final

from pytest_imagedetail.cassette import Store, dumps
from pytest_imagedetail.errors import CassetteError, LeakError
from pytest_imagedetail.model import Interaction, Recording
from pytest_imagedetail.redact import Secrets
from pytest_imagedetail.redact.final_check import refuse_leaks
from pytest_imagedetail.redact.shapes import replace_named, replace_shapes
from pytest_imagedetail.redact.traffic import keystone_among, secrets_in
from pytest_imagedetail.scrub.har import UNANSWERED
from pytest_imagedetail.scrub.reading import Source
from pytest_imagedetail.traffic.recording import Heard, made_of

_PLACEHOLDER: Final = re.compile(r"<redacted-\d+>|%3Credacted-\d+%3E")
_REFUSED: Final = (
    "nothing was written for it, and the recording was left as it is\n"
    "take that value out of the recording, or the interaction that holds it, and scrub it again\n"
    "report it with the field's name (never its value): redaction must learn this place"
)
_KINDS: Final = ("secrets", "hosts", "ids", "addresses", "people", "headers")


class Outcome(Enum):
    """What became of a file."""

    SCRUBBED = "scrubbed"
    UNCHANGED = "unchanged"
    OURS = "ours"
    NOTHING_LEFT = "nothing left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """A recording that can be written, and what was taken out of it.

    Attributes:
        source: The file it is made of.
        heard: The recording; None if the file had nothing but Keystone's traffic.
        keystone: How many interactions of Keystone were dropped.
        unanswered: How many requests were dropped because nothing answered them.
        removed: How many values of each kind: secrets counts different ones, the others places.
    """

    source: Source
    heard: Heard | None
    keystone: int
    unanswered: int
    removed: Mapping[str, int]


def exposed_in(sources: Iterable[Source]) -> Secrets:
    """What several files show together: a token is issued in one and used in another."""
    found = [secrets_in(each.interactions) for each in sources]
    projects = frozenset(each.project_id for each in found if each.project_id is not None)
    return Secrets(
        values=frozenset().union(*(each.values for each in found)),
        ids=projects.union(*(each.ids for each in found)),
    )


def scrubbed(source: Source, *, cloud: str, exposed: Secrets) -> Scrubbed:
    """Redact a recording of another tool; writes nothing.

    Args:
        source: What was read.
        cloud: The name it will be kept under.
        exposed: What must not stand in it, by all files that are given together.
    """
    answered = [each for each in source.interactions if each.response.status_code != UNANSWERED]
    is_keystone = keystone_among(answered)
    kept = [each for each in answered if not is_keystone(each)]
    own = secrets_in(source.interactions)
    dropped = {
        "keystone": len(answered) - len(kept),
        "unanswered": len(source.interactions) - len(answered),
    }
    if not kept:
        removed = _removed(source.interactions, kept, None, own, exposed)
        return Scrubbed(source=source, heard=None, removed=removed, **dropped)
    heard = made_of(
        answered,
        cloud=cloud,
        test=source.path.stem,
        release=None,
        exposed=replace(exposed, project_id=own.project_id),
    )
    provenance = replace(
        heard.recording.provenance, source="scrubbed", recorded_at=source.recorded_at
    )
    heard = replace(heard, recording=replace(heard.recording, provenance=provenance))
    removed = _removed(source.interactions, kept, heard, own, exposed)
    return Scrubbed(source=source, heard=heard, removed=removed, **dropped)


def path_of(done: Scrubbed, *, cloud: str, store: Store) -> Path:
    """Where a file's cassette is written.

    Raises:
        CassetteError: The file itself lies there.
    """
    path = store.traffic_path(cloud, done.source.path.stem)
    if path.exists() and path.samefile(done.source.path):
        raise CassetteError(
            "the cassette would take the place of the recording it is made of",
            where=str(path),
            remedy="write it elsewhere with -o DIR, or move the recording out of the folder of "
            "cassettes\nnothing was written for it",
        )
    return path


def check(heard: Heard, path: Path) -> None:
    """Let the gate look at what would be written.

    Raises:
        LeakError: A secret is left in it.
    """
    text = dumps(heard.recording).encode("utf-8")
    with _in_own_words():
        refuse_leaks(text, secrets=heard.secrets, where=str(path))
        for each in heard.recording.interactions:
            for body in (each.request_body, each.response.body):
                refuse_leaks(body, secrets=heard.secrets, where=str(path))


@contextmanager
def _in_own_words() -> Iterator[None]:
    """There is no session here, and nothing is recorded: the secrets are those of the files."""
    try:
        yield
    except LeakError as error:
        raise LeakError(
            error.problem.replace("a live secret of this session", "a secret that the files show"),
            where=error.where,
            remedy=_REFUSED,
        ) from None


def write(heard: Heard, *, store: Store, force: bool) -> Outcome:
    """Write the cassette; what lies there stays unless it is the same.

    Args:
        heard: What `scrubbed` made.
        store: Where cassettes are.
        force: Whether to replace what lies there.

    Raises:
        CassetteError: Another recording lies there.
        LeakError: A secret is left; nothing is written.
        RecordingError: The folder cannot be written.
    """
    new = heard.recording

    def same(old: Recording) -> Recording:
        if old.interactions != new.interactions or old.provenance.source != "scrubbed":
            raise CassetteError(
                "another cassette lies where this one would be written",
                where=str(store.traffic_path(new.provenance.cloud, str(new.provenance.test))),
                remedy="name another cloud with --cloud or folder with -o, rename the recording, "
                "or replace the cassette with --force\nit was left as it is",
            )
        return old

    with _in_own_words():
        written = store.write_traffic(new, secrets=heard.secrets, merge=None if force else same)
    return Outcome.UNCHANGED if written.value == "unchanged" else Outcome.SCRUBBED


def _removed(
    before: Iterable[Interaction],
    kept: Iterable[Interaction],
    heard: Heard | None,
    own: Secrets,
    exposed: Secrets,
) -> dict[str, int]:
    """Counts by kind; a kind of which there was nothing is left out."""
    texts = [text for each in before for text in _texts(each)]
    known = set(own.values)
    known |= {value for value in exposed.values if any(value in text for text in texts)}
    known |= {value for text in texts for value in _shaped(text)}
    counts: Counter[str] = Counter()
    if heard is not None:
        counts.update(heard.recording.provenance.redactions)
        sent = sum(len(each.request_headers.fields) for each in kept)
        left = heard.recording.interactions
        counts["headers"] += sent - sum(len(each.request_headers.fields) for each in left)
        placeholders = set(_PLACEHOLDER.findall(dumps(heard.recording)))
        counts["secrets"] = max(len(known), len(placeholders))
    else:
        counts["secrets"] = len(known)
    order = [*_KINDS, *sorted(set(counts) - set(_KINDS))]
    return {kind: counts[kind] for kind in order if counts[kind]}


def _shaped(text: str) -> list[str]:
    """What in a text has the shape or the name of a secret, wherever it stands."""
    found: list[str] = []

    def note(value: str) -> str:
        found.append(value)
        return value

    replace_named(replace_shapes(text, note), note)
    return found


def _texts(each: Interaction) -> Iterator[str]:
    yield each.url
    for headers in (each.request_headers, each.response.headers):
        yield from (f"{name}: {value}" for name, value in headers.fields)
    for body in (each.request_body, each.response.body):
        yield body.decode("utf-8", errors="replace")
