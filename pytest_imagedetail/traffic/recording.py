"""Make a recording of the traffic of a test's clients, compare it, and refuse an unsafe one."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail import __version__, text
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
from pytest_imagedetail.traffic.authentication import document_in, without_keystone
from pytest_imagedetail.traffic.keystone import catalog_in, endpoint_of
from pytest_imagedetail.traffic.matching import by_request, line
from pytest_imagedetail.traffic.place import Place
from pytest_imagedetail.transport.http import Access
from pytest_imagedetail.transport.request import api_version

FAILURES: Final = NOT_ANSWERED | {403} | frozenset(range(500, 600))
"""Statuses that are not recorded, unless the test is about them."""

_MOST_CHANGES: Final = 8  # of one body in a message
_SCHEMES: Final = ("basic", "bearer", "token", "apikey")  # others sign each request anew


def made_of(
    received: Sequence[Interaction],
    *,
    cloud: str,
    test: str,
    release: str | None = None,
    accesses: Sequence[Access] = (),
    known: Known | None = None,
) -> tuple[Recording, Known]:
    """Redact traffic, leave out Keystone's, and return also what the final check must look for.

    At least one interaction must not be Keystone's.
    """
    kept, authentication = without_keystone(received)
    endpoint = accesses[0].endpoint if accesses else endpoint_of(kept[0].url)
    catalog = catalog_in(received)
    # The facts for the provenance are redacted with the rest.
    facts = json.dumps({"endpoint": endpoint, "catalog": catalog}).encode("utf-8")
    summary = Interaction(url=endpoint, response=Response(status_code=200, body=facts))
    services = {origin(each["url"]): each["type"] for each in reversed(catalog)}
    everything = Known(origins={**services, origin(endpoint): "compute"})
    if accesses:
        everything |= known_of(*accesses)
    everything = learn(authentication, known=everything | (known or Known()))
    redacted = redact([*kept, summary], cloud=cloud, known=everything, emails=True)
    said = json.loads(redacted.interactions[-1].response.body)
    interactions = tuple(as_read(each) for each in redacted.interactions[:-1])
    user, project = _asked_as(kept, authentication, accesses)
    provenance = Provenance(
        cloud=cloud,
        test=test,
        release=release,
        recorded_at=isotime(datetime.now(UTC)),
        api_version=api_version(said["endpoint"]),
        max_microversion=accesses[0].max_microversion if accesses else None,
        pages=len(interactions),
        redactions=redacted.counts,
        plugin=__version__,
        endpoint=said["endpoint"],
        catalog=tuple(said["catalog"]),
        user=user,
        project=project,
    )
    return Recording(provenance=provenance, interactions=interactions), redacted.known


def appended(old: Recording, new: Recording) -> Recording:
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
    for each in recording.interactions:
        status = each.response.status_code
        if status in statuses:
            raise ResponseError(
                f"the recording was not {what}: the cloud answered {status} to {line(each)}",
                where=f"{where}; nothing was written",
                remedy="run the test again once the cloud and its credentials work\n"
                f"or, if the test is about it: imagedetail_cassette.expect({status})",
                status_code=status,
            )


def changes(old: Recording, new: Recording) -> list[str]:
    """Return a line for each difference between a recording and new answers."""
    before, now = by_request(old.interactions), by_request(new.interactions)
    lines = [f"no longer sent: {line(each[0])}" for key, each in before.items() if key not in now]
    for key, received in now.items():
        known = before.get(key, [])
        if not known:
            lines.append(f"not recorded: {line(received[0])}")
        elif len(known) != len(received):
            lines.append(f"sent {len(received)} times, recorded {len(known)}: {line(received[0])}")
        for one, other in zip(known, received, strict=False):
            lines += [
                f"{line(one)}: {each}" for each in _response_changes(one.response, other.response)
            ]
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
    (found,) = diff([bodies])
    lines = []
    for each in found:
        before, after = text.contrast(each.baseline, each.candidate)
        lines.append(f"{path_of(('body', *each.path))}: {before} -> {after}")
    yield from sorted(lines)[:_MOST_CHANGES]
    if len(lines) > _MOST_CHANGES:
        yield f"and {len(lines) - _MOST_CHANGES} more in its body"


def refuse_other_identity(
    sent: Sequence[Interaction], *, accesses: Sequence[Access], old: Recording | None, place: Place
) -> None:
    """Raise RecordingError unless one user of one project sent all requests: replay mixes them up.

    They must also be those of `old`, a recording that is added to.
    """
    if what := several_identities(sent, accesses=accesses):
        raise RecordingError(
            f"the recording was not kept: its requests were sent as {what}",
            where=place.where,
            remedy="use one cloud name for each user or project, for example\n"
            "@pytest.mark.imagedetail('staging-member') and a test for each of them\n"
            "an older recording is untouched",
        )
    if old and (who := other_sender(old, _asked_as(*without_keystone(sent), accesses))):
        raise RecordingError(
            f"nothing was added to the recording: it is of another {who}",
            where=place.where,
            remedy=f"use the credentials of that {who} again\n"
            f"or record everything as the new one: {place.command('rewrite')}\n"
            "or keep both, each under a cloud name of its own: @pytest.mark.imagedetail(NAME)",
        )


def other_sender(old: Recording, asked: tuple[str | None, str | None]) -> str | None:
    """Return "user" or "project" if the one that asked is known not to be the recording's."""
    recorded = old.provenance.user, old.provenance.project
    for who, known, asking in zip(("user", "project"), recorded, asked, strict=True):
        if None not in {known, asking} and known != asking:
            return who
    return None


def _asked_as(
    sent: Sequence[Interaction], authentication: Sequence[Interaction], accesses: Sequence[Access]
) -> tuple[str | None, str | None]:
    """Return the digests of the user and the project that sent requests, for the provenance.

    They are those of the first known token; without a project there, that of the access or the
    first one in a path.
    """
    known = _identities(authentication, accesses)
    user, project = next(
        (known[token] for each in sent if (token := _token(each)) in known), (None, None)
    )
    if project is None and accesses:
        project = known_of(*accesses).project
    project = project or next(iter(_projects(sent)), None)
    return placeholders.digest_of(user), placeholders.digest_of(project)


def _projects(sent: Sequence[Interaction]) -> list[str]:
    found = (project_in_path(urlsplit(each.url).path) for each in sent)
    return [*dict.fromkeys(filter(None, found))]


def several_identities(
    received: Sequence[Interaction], *, accesses: Sequence[Access] = ()
) -> str | None:
    """Describe the senders if several users or projects sent requests; None otherwise.

    A token without a known login counts as another user.
    """
    kept, authentication = without_keystone(received)
    known = _identities(authentication, accesses)
    sent = [each for each in kept if each.response.status_code != HTTPStatus.UNAUTHORIZED]
    tokens = {token for each in sent if (token := _token(each))}
    senders: dict[str, set[object]] = {"": {known.get(token, token) for token in tokens}}
    for name, value in (field for each in sent for field in each.request_headers.fields):
        if value and _identifies_sender(name):
            senders.setdefault(name.lower(), set()).add(value)
    projects = _projects(sent)
    if any(len(each) > 1 for each in senders.values()):
        return "different users or projects"
    are_alike = len(projects) > 1 and not all(map(placeholders.is_id, projects))
    return "different projects, whose ids are alike once redacted" if are_alike else None


def _token(each: Interaction) -> str | None:
    """Return the credential of a request; None if it changes with each request."""
    headers = each.request_headers
    token = headers.get("X-Auth-Token") or headers.get("X-Storage-Token")
    scheme, _, rest = headers.get("Authorization", "").strip().partition(" ")
    return token or (rest if scheme.lower() in _SCHEMES else None) or None


def _identifies_sender(name: str) -> bool:
    """Return whether a header identifies the sender: X-User-Id, X-Api-Key, X-Roles."""
    is_key = name.lower().endswith("-key") and names.names_secret(name)
    return is_key or names.names_owner(name) or names.words(name)[-1:] == ("role",)


def _identities(
    authentication: Sequence[Interaction], accesses: Sequence[Access]
) -> dict[str, tuple[str | None, str | None]]:
    own = {each.token: (each.user_id, each.project_id) for each in accesses if each.user_id}
    return own | dict(pair for each in authentication for pair in _issued(each))


def _issued(each: Interaction) -> Iterator[tuple[str, tuple[str | None, str | None]]]:
    document, headers = document_in(each.response.body), each.response.headers
    token, access = document.get("token"), document.get("access")
    if isinstance(token, dict) and (subject := headers.get("X-Subject-Token")):  # v3
        yield subject, (_id(token, "user"), _id(token, "project") or _id(token, "domain"))
    if isinstance(access, dict) and (issued := _id(access, "token")):  # v2.0
        yield issued, (_id(access, "user"), _id(access["token"], "tenant"))


def _id(holder: Mapping[str, Any], name: str) -> str | None:
    of = holder.get(name)
    return str(of["id"]) if isinstance(of, dict) and "id" in of else None
