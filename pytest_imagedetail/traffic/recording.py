"""Make a recording of the traffic of a test's clients, compare it, and refuse an unsafe one."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import chain
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail import __version__, text
from pytest_imagedetail.body.json import objects_in
from pytest_imagedetail.cassette import as_read
from pytest_imagedetail.compare.differ import diff
from pytest_imagedetail.errors import RecordingError, ResponseError
from pytest_imagedetail.model import Interaction, Provenance, Recording, Response, isotime, path_of
from pytest_imagedetail.normalize.values import strictly_equal
from pytest_imagedetail.record.recorder import known_of
from pytest_imagedetail.record.retry import NOT_ANSWERED
from pytest_imagedetail.redact import (
    Known,
    learn,
    names,
    origin,
    placeholders,
    project_in_path,
    redact,
)
from pytest_imagedetail.traffic.authentication import document_in, split_keystone
from pytest_imagedetail.traffic.cassette import Cassette
from pytest_imagedetail.traffic.keystone import catalog_in, endpoint_of
from pytest_imagedetail.traffic.matching import Key, answer_of, by_request, key_of, line
from pytest_imagedetail.transport.http import Access
from pytest_imagedetail.transport.request import api_version

FAILURES: Final = NOT_ANSWERED | {403} | frozenset(range(500, 600))
"""Statuses that are not recorded, unless the test is about them."""

_MOST_CHANGES: Final = 8  # of one body in a message
_SCHEMES: Final = ("basic", "bearer", "token", "apikey")  # others sign each request anew

_Sender = tuple[str | None, str | None]
"""A user and a project, by id or digest; None for one that is not known."""


def make_recording(
    received: Sequence[Interaction],
    *,
    cloud: str,
    test: str,
    release: str | None = None,
    accesses: Sequence[Access] = (),
    known: Known | None = None,
) -> tuple[Recording, Known]:
    """Return redacted traffic without Keystone's, and what the final check must look for.

    At least one interaction must not be Keystone's.
    """
    traffic, authentication = split_keystone(received)
    endpoint = accesses[0].endpoint if accesses else endpoint_of(traffic[0].url)
    catalog = catalog_in(received)
    # The facts for the provenance are redacted with the rest.
    body = json.dumps({"endpoint": endpoint, "catalog": catalog}).encode("utf-8")
    summary = Interaction(url=endpoint, response=Response(status_code=200, body=body))
    services = {origin(entry["url"]): entry["type"] for entry in reversed(catalog)}
    all_known = Known(origins={**services, origin(endpoint): "compute"})
    if accesses:
        all_known |= known_of(*accesses)
    all_known = learn(authentication, known=all_known | (known or Known()))
    redacted = redact([*traffic, summary], cloud=cloud, known=all_known, emails=True)
    facts = json.loads(redacted.interactions[-1].response.body)
    interactions = tuple(map(as_read, redacted.interactions[:-1]))
    user, project = _sender(traffic, authentication, accesses)
    provenance = Provenance(
        cloud=cloud,
        test=test,
        release=release,
        recorded_at=isotime(datetime.now(UTC)),
        api_version=api_version(facts["endpoint"]),
        max_microversion=accesses[0].max_microversion if accesses else None,
        pages=len(interactions),
        redactions=redacted.counts,
        plugin=__version__,
        endpoint=facts["endpoint"],
        catalog=tuple(facts["catalog"]),
        user=user,
        project=project,
    )
    return Recording(provenance=provenance, interactions=interactions), redacted.known


def append(old: Recording, new: Recording) -> Recording:
    """Append the interactions of one recording to another."""
    interactions = (*old.interactions, *new.interactions)
    counts = Counter(old.provenance.redactions) + Counter(new.provenance.redactions)
    provenance = replace(
        old.provenance,
        pages=len(interactions),
        redactions=dict(sorted(counts.items())),
        catalog=old.provenance.catalog or new.provenance.catalog,
        project=old.provenance.project or new.provenance.project,
        user=old.provenance.user or new.provenance.user,
    )
    return Recording(provenance=provenance, interactions=interactions)


def refuse_failures(
    recording: Recording, statuses: frozenset[int], *, what: str, where: str
) -> None:
    """Raise ResponseError if the cloud answered with one of these statuses."""
    for interaction in recording.interactions:
        status = interaction.response.status_code
        if status in statuses:
            raise ResponseError(
                f"the recording was not {what}: the cloud answered {status} to {line(interaction)}",
                where=f"{where}; nothing was written",
                remedy="ask again once the cloud and its credentials work\n"
                f"or record it in a test that expects it: imagedetail_cassette.expect({status})",
                status_code=status,
            )


def refuse_merged(sent: Sequence[Interaction], recording: Recording, *, where: str) -> None:
    """Raise RecordingError if redaction made two requests equal whose answers differ.

    Replay would give one of them the other's answer once the test sends them in another order. So
    would it with the same request to two hosts of one service, such as its regions.
    """

    def key_at_origin(request: Interaction) -> tuple[str, Key]:
        return origin(request.url), key_of(request)

    first: dict[tuple[str, Key], tuple[tuple[str, Key], object]] = {}
    for request, recorded in zip(sent, recording.interactions, strict=True):
        key, answer = key_at_origin(request), answer_of(recorded.response)
        other_key, other_answer = first.setdefault(key_at_origin(recorded), (key, answer))
        if key != other_key and answer != other_answer:
            raise RecordingError(
                "the recording was not kept: two requests differ only in what is redacted, and "
                f"their answers differ: {line(recorded)}",
                where=where,
                remedy="send them in different tests, or make them differ in a part that is kept\n"
                "use one cloud name for each region",
            )


def changes(old: Recording, new: Recording) -> list[str]:
    """Return a line for each difference between a recording and new answers."""
    before, now = by_request(old.interactions), by_request(new.interactions)
    lines = [f"no longer sent: {line(lost[0])}" for key, lost in before.items() if key not in now]
    for key, received in now.items():
        recorded, request = before.get(key, []), line(received[0])
        if not recorded:
            lines.append(f"not recorded: {request}")
        elif len(recorded) != len(received):
            lines.append(f"sent {len(received)} times, recorded {len(recorded)}: {request}")
        for one, other in zip(recorded, received, strict=False):
            changed = _response_changes(one.response, other.response)
            lines += [f"{line(one)}: {change}" for change in changed]
    return lines


def _response_changes(old: Response, new: Response) -> Iterator[str]:
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
        bodies = json.loads(old.body), json.loads(new.body)
    except (ValueError, RecursionError):
        yield f"body: {len(old.body)} -> {len(new.body)} bytes"
        return
    if strictly_equal(*bodies):
        yield "body: the same values in another layout"
        return
    (differences,) = diff([bodies])
    lines = []
    for difference in differences:
        before, after = text.contrast(difference.baseline, difference.candidate)
        lines.append(f"{path_of(('body', *difference.path))}: {before} -> {after}")
    yield from sorted(lines)[:_MOST_CHANGES]
    if len(lines) > _MOST_CHANGES:
        yield f"and {len(lines) - _MOST_CHANGES} more in its body"


def refuse_other_sender(
    received: Sequence[Interaction],
    *,
    accesses: Sequence[Access],
    old: Recording | None,
    cassette: Cassette,
) -> None:
    """Raise RecordingError if users, projects or roles differ: replay would mix them up.

    They must also be those of `old`, a recording that is added to.
    """
    if what := mixed_senders(received, accesses=accesses):
        raise RecordingError(
            f"the recording was not kept: its requests were sent as {what}",
            where=cassette.where,
            remedy="use one cloud name and one test for each user, project or set of roles, for "
            "example\n@pytest.mark.imagedetail('staging-member')\n"
            "an older recording is untouched",
        )
    if old and (who := other_sender(old, _sender(*split_keystone(received), accesses))):
        raise RecordingError(
            f"nothing was added to the recording: it is of another {who}",
            where=cassette.where,
            remedy=f"use the credentials of that {who} again\n"
            f"or record everything as the new one: {cassette.command('rewrite')}\n"
            "or keep both, each under a cloud name of its own: @pytest.mark.imagedetail(NAME)",
        )


def other_sender(old: Recording, sender: _Sender) -> str | None:
    """Return "user" or "project" if the sender's is known and differs from the recording's."""
    recorded = old.provenance.user, old.provenance.project
    for kind, old_id, new_id in zip(("user", "project"), recorded, sender, strict=True):
        if None not in {old_id, new_id} and old_id != new_id:
            return kind
    return None


def _sender(
    traffic: Sequence[Interaction],
    authentication: Sequence[Interaction],
    accesses: Sequence[Access],
) -> _Sender:
    """Return the digests of the user and the project that sent requests, for the provenance.

    They are those of the first known token; without a project there, that of the access or the
    first one in a path.
    """
    identities = _identities(authentication, accesses)
    known_tokens = filter(identities.__contains__, map(_token, traffic))
    user, project = next((identities[str(token)] for token in known_tokens), (None, None))
    if project is None and accesses:
        project = known_of(*accesses).project
    project = project or next(iter(_projects(traffic)), None)
    return placeholders.digest_of(user), placeholders.digest_of(project)


def _projects(traffic: Sequence[Interaction]) -> list[str]:
    projects = (project_in_path(urlsplit(request.url).path) for request in traffic)
    return [*dict.fromkeys(filter(None, projects))]


def mixed_senders(
    received: Sequence[Interaction], *, accesses: Sequence[Access] = ()
) -> str | None:
    """Describe the senders if their users, projects or roles differ; None otherwise.

    A token without a known login counts as another user.
    """
    traffic, authentication = split_keystone(received)
    identities = _identities(authentication, accesses)
    accepted = [one for one in traffic if one.response.status_code != HTTPStatus.UNAUTHORIZED]
    tokens = {token for token in map(_token, accepted) if token}
    senders: dict[str, set[object]] = {"": {identities.get(token, token) for token in tokens}}
    roles = dict(chain.from_iterable(map(_roles_of_token, authentication)))
    role_sets = {roles[token] for token in tokens if token in roles}
    for name, value in (field for one in accepted for field in one.request_headers.fields):
        if value and _identifies_sender(name):
            senders.setdefault(name.lower(), set()).add(value)
    projects = _projects(accepted)
    if any(len(values) > 1 for values in senders.values()):
        return "different users or projects"
    if len(role_sets) > 1:
        return "one user with different roles"
    are_alike = len(projects) > 1 and not all(map(placeholders.is_id, projects))
    return "different projects, whose ids are alike once redacted" if are_alike else None


def _token(request: Interaction) -> str | None:
    """Return the credential of a request; None if it changes with each request."""
    headers = request.request_headers
    token = headers.get("X-Auth-Token") or headers.get("X-Storage-Token")
    scheme, _, rest = headers.get("Authorization", "").strip().partition(" ")
    return token or (rest if scheme.lower() in _SCHEMES else None) or None


def _identifies_sender(name: str) -> bool:
    """Return whether a header identifies the sender: X-User-Id, X-Username, X-Api-Key, X-Roles."""
    is_key = name.lower().endswith("-key") and names.names_secret(name)
    is_owner = names.names_owner(name.lower().removesuffix("name"))
    return is_key or is_owner or names.words(name)[-1:] == ("role",)


def _identities(
    authentication: Sequence[Interaction], accesses: Sequence[Access]
) -> dict[str, _Sender]:
    own = {one.token: (one.user_id, one.project_id) for one in accesses if one.user_id}
    return own | dict(chain.from_iterable(map(_issued_tokens, authentication)))


def _issued_tokens(login: Interaction) -> Iterator[tuple[str, _Sender]]:
    document, headers = document_in(login.response.body), login.response.headers
    token, access = document.get("token"), document.get("access")
    if isinstance(token, dict) and (subject := headers.get("X-Subject-Token")):  # v3
        yield subject, (_id(token, "user"), _id(token, "project") or _id(token, "domain"))
    if isinstance(access, dict) and (token_id := _id(access, "token")):  # v2.0
        yield token_id, (_id(access, "user"), _id(access["token"], "tenant"))


def _roles_of_token(login: Interaction) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the token that a login issued and the names of its roles, if there are any."""
    for token, _ in _issued_tokens(login):
        document = document_in(login.response.body)
        holder = document.get("token") or document["access"].get("user")
        names = {str(role.get("name")) for role in objects_in(holder, "roles")}
        if names:
            yield token, frozenset(names)


def _id(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    return str(value["id"]) if isinstance(value, dict) and "id" in value else None
