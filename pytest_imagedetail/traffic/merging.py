"""Makes one recording of two, or refuses what would answer a test with what another one heard."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urlsplit

from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.model import Interaction, Provenance, Recording
from pytest_imagedetail.traffic.keys import Key, answer_of, by_request, key_of, line


def merged(
    old: Recording,
    new: Recording,
    *,
    replacing: bool,
    beside: Mapping[Key, Sequence[Interaction]] = MappingProxyType({}),
) -> Recording:
    """Both in one recording: what is new is added to what is there.

    For equal requests the answers must agree as far as both know them: a test would else be
    answered what another one heard.

    Args:
        old: What is there.
        new: What a test heard.
        replacing: Whether new answers take the place of old ones to equal requests, where these
            are of an earlier run.
        beside: What other tests of this run heard, by request. It is never given up.

    Raises:
        RecordingError: They contradict each other, or it cannot be known that the same host has
            the same placeholder in both.
    """
    _refuse_several_hosts(old, new)
    interactions = list(old.interactions)
    before = by_request(interactions)
    for key, heard in by_request(new.interactions).items():
        known, others = before.get(key, []), beside.get(key, ())
        told = max(heard, others, key=len)  # another test may have asked more often
        if _agree(heard, others) and _agree(known, told):
            interactions += told[len(known) :]
        elif _agree(heard, others) and replacing:
            interactions = list(_in_place(interactions, key, told))
        else:
            raise _contradiction(new.provenance, heard[0])
    date = _older(old.provenance.recorded_at, new.provenance.recorded_at)
    return Recording(
        provenance=replace(_joined_provenance(old, new, interactions), recorded_at=date),
        interactions=tuple(interactions),
    )


def appended(old: Recording, new: Recording) -> Recording:
    """What a test asked beyond its recording, behind it.

    Raises:
        RecordingError: It cannot be known that the same host has the same placeholder in both.
    """
    _refuse_several_hosts(old, new)
    interactions = (*old.interactions, *new.interactions)
    return Recording(
        provenance=_joined_provenance(old, new, interactions), interactions=interactions
    )


def _joined_provenance(
    old: Recording, new: Recording, interactions: Sequence[Interaction]
) -> Provenance:
    """What is known of both; what was redacted is counted in the order that `redact` counts in."""
    counts = Counter(old.provenance.redactions)
    if tuple(interactions) != old.interactions:
        counts += Counter(new.provenance.redactions)
    return replace(
        old.provenance,
        pages=len(interactions),
        redactions=dict(sorted(counts.items())),
        catalog=old.provenance.catalog or new.provenance.catalog,
    )


def _refuse_several_hosts(old: Recording, new: Recording) -> None:
    several = [
        hosts
        for recording in (old, new)
        if len(hosts := sorted({urlsplit(each.url).netloc for each in recording.interactions})) > 1
    ]
    if not several:
        return
    provenance = new.provenance
    raise RecordingError(
        "what was heard cannot be added to the cassette: it is of several hosts, and nobody knows "
        "which of them is which placeholder of the cassette",
        where=f"cloud {provenance.cloud}, {provenance.test}: {', '.join(several[0])}",
        remedy="give each test a cassette of its own: without cassette= in the marker, each has\n"
        "or move the cassette away and record all its tests afresh; what is recorded is untouched",
    )


def _contradiction(provenance: Provenance, heard: Interaction) -> RecordingError:
    return RecordingError(
        f"another test of this cassette was answered otherwise to {line(heard)}",
        where=f"cloud {provenance.cloud}, cassette {provenance.test}",
        remedy="give the tests cassettes of their own: without cassette= in the marker, each has\n"
        "what is recorded is untouched",
    )


def _agree(some: Sequence[Interaction], others: Sequence[Interaction]) -> bool:
    """Whether answers to one request are the same as far as both know them, in their order."""
    return all(answer_of(one) == answer_of(other) for one, other in zip(some, others, strict=False))


def _in_place(
    interactions: Iterable[Interaction], key: Key, told: Sequence[Interaction]
) -> Iterator[Interaction]:
    """Interactions with other answers to one request; what is beyond the old ones stands last."""
    new = iter(told)
    for each in interactions:
        if key_of(each) != key:
            yield each
        elif (one := next(new, None)) is not None:
            yield one
    yield from new


def _older(one: str | None, other: str | None) -> str | None:
    return min(filter(None, (one, other)), default=None)
