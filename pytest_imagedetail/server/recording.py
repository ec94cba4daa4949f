"""Record the requests of clients to a live cloud, one at a time."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.cassette import CLIENTS, Store, Written
from pytest_imagedetail.errors import RecordingError, UsageError
from pytest_imagedetail.model import Headers, Interaction, Query, Recording
from pytest_imagedetail.record import recorder
from pytest_imagedetail.record.retry import Retry
from pytest_imagedetail.record.suites import REFUSALS
from pytest_imagedetail.redact import Known, learn, placeholders
from pytest_imagedetail.redact.known import is_searchable
from pytest_imagedetail.server.cloud import is_identity, query_of, target
from pytest_imagedetail.traffic.matching import Key, key_of
from pytest_imagedetail.traffic.recording import (
    FAILURES,
    append,
    make_recording,
    refuse_failures,
)

_GUARD_LASTS: Final = 60  # seconds; later, the cloud may have been upgraded
_FORWARDED: Final = ("Accept", "OpenStack-API-Version", "X-OpenStack-Nova-API-Version")


class Recorder:
    """Forward requests to a live cloud and record the answers.

    A listing at the cloud's endpoint is recorded as `imagedetail record` does: a cassette with all
    pages. Any other GET is added to the traffic of clients, `tests/clients.yaml`. `on_written` gets
    what was done, the recording, and what redaction knows. `guard` raises if the cloud is no longer
    the recorded one; it is called after an outage, and before a request if a minute has passed.
    """

    def __init__(
        self,
        live: recorder.LiveCloud,
        store: Store,
        *,
        on_written: Callable[[Written, Recording, Known], None],
        guard: Callable[[], object],
    ) -> None:
        self._live = live
        self._store: Final = store
        self._on_written: Final = on_written
        self._guard: Final = guard
        self._guarded = monotonic()
        endpoint = urlsplit(live.access.endpoint)
        self._netloc: Final = endpoint.netloc
        self._origin: Final = f"{endpoint.scheme}://{endpoint.netloc}"
        self._project: Final = recorder.known_of(live.access).project
        self._own_project: Final = placeholders.own_project(self._project or "")

    def endpoint(self, base: str) -> str:
        """Return the cloud's compute endpoint as clients see it, at a server's address."""
        segments = urlsplit(self._live.access.endpoint).path.split("/")
        own = {self._project: self._own_project}
        return base + "/".join(own.get(segment, segment) for segment in segments)

    def learn(self, login: Interaction) -> None:
        """Learn the secrets of a login: a program may use real credentials."""
        access = self._live.access
        secrets = access.secrets.union(filter(is_searchable, learn([login]).secrets))
        self._live = replace(self._live, access=replace(access, secrets=secrets))

    def record(self, request: Interaction, base: str, *, key: Key) -> None:
        """Forward a request to the cloud, and write the redacted answer.

        The request is a GET of an absolute URL below `base`; a recording needs `key` to answer it.
        """
        url, query = self._restore(request, base)
        is_listing = url == f"{self._live.access.endpoint}/images/detail"
        if monotonic() > self._guarded + _GUARD_LASTS:
            self._guard()
            self._guarded = monotonic()
        try:
            if is_listing:
                recording, known = self._record_listing(query)
            else:
                recording, known = self._record_get(url, query, request)
        except RecordingError:
            self._guarded = -math.inf  # after an outage
            raise
        if key not in map(key_of, recording.interactions):
            raise RecordingError(
                "the request holds a value that redaction replaces, so no replay could answer it",
                where=f"cloud {self._live.name}; nothing was written",
                remedy="ask without passwords, tokens and ids of projects and users",
            )
        merge = None if is_listing else partial(append, new=recording)
        written = self._store.write(recording, known=known, merge=merge)
        self._on_written(written, recording, known)

    def _restore(self, request: Interaction, base: str) -> tuple[str, Query]:
        """Return the URL and the query at the cloud, with its origin and project."""

        def restore(text: str) -> str:
            text = text.replace(base, self._origin)
            return text.replace(self._own_project, self._project) if self._project else text

        where = f"cloud {self._live.name}, GET {target(request.url)}"
        path, query = request.url.partition("?")[0], query_of(request)
        url, params = restore(path), tuple((name, restore(value)) for name, value in query.params)
        texts = (path, *(value for _, value in query.params))
        if any(placeholders.holds(text.replace(self._own_project, "")) for text in texts):
            raise RecordingError(
                "the request holds a placeholder, whose value only the cloud knows",
                where=where,
                remedy="ask for something that recordings do not redact, such as image and server "
                "ids",
            )
        if is_identity(request) or urlsplit(url).netloc != self._netloc:
            raise RecordingError(
                "the request is not for the cloud's Nova, so it was not sent",
                where=where,
                remedy=f"ask for something below {self.endpoint(base)}",
            )
        return url, Query(params, query.microversion)

    def _record_listing(self, query: Query) -> tuple[Recording, Known]:
        known = recorder.known_query(self._live.access, query, cloud=self._live.name)
        path = self._store.path(self._live.name, known)
        if path.exists():
            raise UsageError(
                "the recording of this query is of another endpoint of the cloud",
                where=str(path),
                remedy="record this one under another name: --name NAME",
            )
        answer = recorder.ask(self._live, query, accept=REFUSALS)
        return answer.listing.recording, answer.known

    def _record_get(self, url: str, query: Query, request: Interaction) -> tuple[Recording, Known]:
        name, fields = self._live.name, request.request_headers
        headers = Headers((header, value) for header in _FORWARDED for value in fields.all(header))
        retry = Retry(self._live.access)
        interaction = retry.get(f"{url}?{query.wire}".rstrip("?"), headers, name=name)
        recording, known = make_recording(
            [interaction],
            cloud=name,
            test=CLIENTS,
            release=self._live.release,
            accesses=retry.accesses,
        )
        refuse_failures(recording, FAILURES, what="kept", where=f"cloud {name}")
        return recording, known
