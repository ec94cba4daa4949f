"""Makes a recording of what was heard: checked, redacted, and merged with what is there."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import zip_longest
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail import __version__
from pytest_imagedetail.cassette import as_read
from pytest_imagedetail.errors import RecordingError, ResponseError
from pytest_imagedetail.exposure import keystone_among, secrets_in
from pytest_imagedetail.model import Headers, Interaction, Provenance, Recording, Response
from pytest_imagedetail.patience import NOBODY_ANSWERED
from pytest_imagedetail.placeholder import CALLER
from pytest_imagedetail.redact import Numbering, Secrets, redact
from pytest_imagedetail.request import api_version
from pytest_imagedetail.traffic.keystone import catalog_in, endpoint_of, keystone_of
from pytest_imagedetail.transport import Access

Key = tuple[str, str, tuple[tuple[str, str], ...], bytes]
"""What makes two requests the same: method, URL, headers and body, redacted."""

_REFUSED: Final = frozenset({403}) | NOBODY_ANSWERED
_BUSY: Final = frozenset({408, 413, 425, 429, 502, 503, 504})
_BROKEN: Final = 500  # and above


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Redacted traffic, not yet written.

    Attributes:
        recording: Of the test's own traffic, without Keystone's.
        secrets: What the gate must look for when it is written.
        ids: The placeholders of projects and users, as far as they are known.
    """

    recording: Recording = field(repr=False)
    secrets: frozenset[str] = field(repr=False)
    ids: Mapping[str, str] = field(repr=False)


def made_of(
    heard: Sequence[Interaction],
    *,
    cloud: str,
    test: str,
    release: str | None,
    accesses: Iterable[Access] = (),
    exposed: Secrets | None = None,
    known: frozenset[str] = frozenset(),
    numbering: Numbering | None = None,
) -> Heard:
    """Redact what was heard; Keystone's part tells what is secret, and is left out.

    Args:
        heard: As sent and received, at least one interaction that is not Keystone's.
        cloud: The name it will be kept under.
        test: Whose traffic it is.
        release: The cloud's release, if declared.
        accesses: What the run itself knows of the cloud.
        exposed: What the traffic shows and nobody may read; by default what is found in it.
        known: What nobody may read, however it is known.
        numbering: Of the ids, secrets and addresses that the run has met in the same cassette.
    """
    is_keystone = keystone_among(heard)
    kept = [each for each in heard if not is_keystone(each)]
    ways = tuple(accesses)
    endpoint = ways[0].endpoint if ways else endpoint_of(kept[0].url)
    summary = _summary(endpoint, catalog_in(heard))
    secrets = _secrets(secrets_in(heard) if exposed is None else exposed, ways, known)
    # Hosts are named by what they are in this traffic.
    own = numbering and numbering.with_own_hosts()
    redacted = redact([*kept, summary], cloud=cloud, secrets=secrets, numbering=own)
    facts = json.loads(redacted.interactions[-1].response.body)
    interactions = tuple(as_read(each) for each in redacted.interactions[:-1])
    provenance = Provenance(
        cloud=cloud,
        test=test,
        release=release,
        recorded_at=datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        api_version=api_version(facts["endpoint"]),
        max_microversion=ways[0].max_microversion if ways else None,
        pages=len(interactions),
        redactions=redacted.counts,
        plugin=__version__,
        endpoint=facts["endpoint"],
        catalog=tuple(facts["catalog"]),
    )
    return Heard(
        recording=Recording(provenance=provenance, interactions=interactions),
        secrets=redacted.replaced,
        ids=_ids(secrets, own),
    )


def _ids(secrets: Secrets, numbering: Numbering | None) -> dict[str, str]:
    caller = {secrets.project_id: CALLER} if secrets.project_id else {}
    return {**numbering.ids, **caller} if numbering else caller


def of_stock(recording: Recording) -> Recording:
    """A cassette of stock vcrpy as a test replays it: Keystone's part only tells the catalog.

    The token in it may have expired, and the built-in Keystone issues one that does not.
    """
    heard = recording.interactions
    is_keystone = keystone_among(heard)
    kept = tuple(each for each in heard if not is_keystone(each))
    if not kept:
        return recording
    endpoint = endpoint_of(kept[0].url)
    stub = keystone_of(catalog_in(heard), endpoint)
    left = tuple(each for each in heard if not is_keystone(each) or stub.answer(each) is None)
    provenance = replace(
        recording.provenance, pages=len(left), endpoint=endpoint, catalog=stub.catalog
    )
    return Recording(provenance=provenance, interactions=left)


def refuse_failures(recording: Recording, *, expected: frozenset[int], where: str) -> None:
    """Raise if an answer is one that nobody wants to replay for ever.

    Raises:
        ResponseError: A refusal, a busy cloud or a 5xx that the test does not expect.
    """
    for each in recording.interactions:
        status = each.response.status_code
        if status in expected or not (status in _REFUSED or status >= _BROKEN):
            continue
        raise ResponseError(
            f"the recording was not kept: the cloud answered {status} to {each.method} {each.url}",
            where=where,
            remedy=f"{_mend(status)}, then record again\n"
            f"or, if the test is about it: imagedetail_cassette.expect({status})\n"
            "an older recording is untouched",
            status_code=status,
        )


def refuse_no_answer(
    old: Recording, new: Recording, *, expected: frozenset[int], where: str
) -> None:
    """Raise if nobody answered what was asked again: then nothing is known of the recording.

    A recorded refusal is what the cloud is expected to answer.

    Raises:
        ResponseError: It refused the credentials, or is busy or down.
    """
    before = by_request(old.interactions)
    for key, heard in by_request(new.interactions).items():
        for one, each in zip_longest(before.get(key, [])[: len(heard)], heard):
            status = each.response.status_code
            recorded = one is not None and one.response.status_code == status
            if recorded or status in expected or status not in NOBODY_ANSWERED:
                continue
            raise ResponseError(
                f"the recording was not verified: the cloud answered {status} to {_line(each)}",
                where=f"{where}; nothing was written",
                remedy=f"{_mend(status)}, then verify again\n"
                f"or, if the test is about it: imagedetail_cassette.expect({status})",
                status_code=status,
            )


def _mend(status: int) -> str:
    if status in _BUSY:
        return "wait until the cloud has time"
    return "mend what the cloud refused (credentials, policy)"


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
    return Recording(
        provenance=replace(
            old.provenance,
            recorded_at=_older(old.provenance.recorded_at, new.provenance.recorded_at),
            pages=len(interactions),
            redactions=dict(
                Counter(old.provenance.redactions) + Counter(new.provenance.redactions)
                if interactions != list(old.interactions)
                else old.provenance.redactions
            ),
            catalog=old.provenance.catalog or new.provenance.catalog,
        ),
        interactions=tuple(interactions),
    )


def appended(old: Recording, new: Recording) -> Recording:
    """What a test asked beyond its recording, behind it.

    Raises:
        RecordingError: It cannot be known that the same host has the same placeholder in both.
    """
    _refuse_several_hosts(old, new)
    interactions = (*old.interactions, *new.interactions)
    counts = Counter(old.provenance.redactions) + Counter(new.provenance.redactions)
    provenance = replace(
        old.provenance,
        pages=len(interactions),
        redactions=dict(sorted(counts.items())),
        catalog=old.provenance.catalog or new.provenance.catalog,
    )
    return Recording(provenance=provenance, interactions=interactions)


def lacking(kept: Recording, heard: Sequence[Interaction]) -> list[Interaction]:
    """What was heard and is not in a recording."""
    left = Counter(map(_whole, kept.interactions))
    missing = []
    for each in heard:
        if left[_whole(each)]:
            left[_whole(each)] -= 1
        else:
            missing.append(each)
    return missing


def changes(old: Recording, new: Recording) -> list[str]:
    """What a cloud answers otherwise than recorded, a line for each; nothing if all is the same."""
    before, now = by_request(old.interactions), by_request(new.interactions)
    lines = [f"no longer asked: {_line(each[0])}" for key, each in before.items() if key not in now]
    for key, heard in now.items():
        known = before.get(key, [])
        if not known:
            lines.append(f"not recorded: {_line(heard[0])}")
        elif len(known) != len(heard):
            lines.append(f"asked {len(heard)} times, recorded {len(known)}: {_line(heard[0])}")
        for one, other in zip(known, heard, strict=False):
            lines += [f"{_line(one)}: {each}" for each in _departures(one.response, other.response)]
    return lines


def asked_of(old: Recording, new: Recording) -> Recording:
    """What one of the tests that share a recording asked of it: the part that it is judged by."""
    wanted = times_asked(new)
    kept = []
    for each in old.interactions:
        if wanted[_request(each)]:
            wanted[_request(each)] -= 1
            kept.append(each)
    return replace(old, interactions=tuple(kept))


def by_request(interactions: Iterable[Interaction]) -> dict[Key, list[Interaction]]:
    """Interactions by what makes their requests the same, each in its order."""
    found: dict[Key, list[Interaction]] = {}
    for each in interactions:
        found.setdefault(_request(each), []).append(each)
    return found


def answer_of(each: Interaction) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """What makes two answers the same: status, headers and body."""
    return each.response.status_code, _fields(each.response.headers), each.response.body


def times_asked(recording: Recording) -> Counter[Key]:
    """How often each request was asked."""
    return Counter(map(_request, recording.interactions))


def unasked(recording: Recording, asked: Mapping[Key, int]) -> list[str]:
    """The requests of a recording that were asked less often than it holds them, a line for each.

    Args:
        recording: Of several tests.
        asked: The most often that one of them asked each.
    """
    return [
        _line(each[0]) if len(each) == 1 else f"{_line(each[0])} ({len(each)} times)"
        for key, each in by_request(recording.interactions).items()
        if asked.get(key, 0) < len(each)
    ]


def _departures(old: Response, new: Response) -> Iterator[str]:
    if old.status_code != new.status_code:
        yield f"status {old.status_code} -> {new.status_code}"
        return
    for name in dict.fromkeys([*old.headers, *new.headers]):
        values = old.headers.get(name), new.headers.get(name)
        if values[0] != values[1] and name.lower() != "content-length":
            yield f"header {name}: {values[0]} -> {values[1]}"
    if old.body == new.body:
        return
    try:
        documents = json.loads(old.body), json.loads(new.body)
    except (ValueError, RecursionError):
        yield f"body: {len(old.body)} -> {len(new.body)} bytes, not the same"
        return
    found = list(_in_values(*documents, "body"))
    yield from found[:8] or ["body: the same values, written otherwise"]
    if len(found) > 8:  # noqa: PLR2004
        yield f"and {len(found) - 8} more in its body"


def _in_values(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            if key not in new:
                yield f"{path}.{key}: removed"
            elif key not in old:
                yield f"{path}.{key}: added, {_short(new[key])}"
            else:
                yield from _in_values(old[key], new[key], f"{path}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _in_values(one, other, f"{path}[{number}]")
    elif type(old) is not type(new) or old != new:
        yield f"{path}: {_short(old)} -> {_short(new)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004


def _summary(endpoint: str, catalog: Sequence[dict[str, str]]) -> Interaction:
    """What the provenance will say, redacted with the rest so that its names are the same."""
    body = json.dumps({"endpoint": endpoint, "catalog": list(catalog)}).encode("utf-8")
    return Interaction(url=endpoint, response=Response(status_code=200, body=body))


def _secrets(found: Secrets, accesses: Sequence[Access], known: frozenset[str]) -> Secrets:
    return Secrets(
        project_id=found.project_id or next((each.project_id for each in accesses), None),
        values=found.values.union(known, *(each.secrets | {each.token} for each in accesses)),
        ids=found.ids.union(
            {id_ for each in accesses for id_ in (each.project_id, each.user_id) if id_}
        ),
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
        remedy="record the test afresh: --imagedetail-record-mode=rewrite\n"
        "or give each test a cassette of its own; what is recorded is untouched",
    )


def _contradiction(provenance: Provenance, heard: Interaction) -> RecordingError:
    return RecordingError(
        f"another test of this cassette was answered otherwise to {_line(heard)}",
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
        if _request(each) != key:
            yield each
        elif (one := next(new, None)) is not None:
            yield one
    yield from new


def _request(each: Interaction) -> Key:
    return each.method, each.url, _fields(each.request_headers), each.request_body


def _fields(headers: Headers) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name.lower(), value) for name, value in headers.fields))


def _whole(each: Interaction) -> tuple[object, ...]:
    return _request(each), answer_of(each)


def _line(each: Interaction) -> str:
    return f"{each.method} {each.url}"


def _older(one: str | None, other: str | None) -> str | None:
    return min(filter(None, (one, other)), default=None)
