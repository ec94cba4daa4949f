"""Answer requests from the recordings of a cloud, and issue tokens as Keystone does."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import CassetteNotFoundError
from pytest_imagedetail.model import Headers, Interaction, Query, Response
from pytest_imagedetail.redact import Known, origin, placeholders
from pytest_imagedetail.traffic.authentication import document_in
from pytest_imagedetail.traffic.keystone import (
    REGION,
    Entries,
    Keystone,
    entries_of,
    json_response,
    version_document,
)
from pytest_imagedetail.traffic.matching import as_recorded, microversions_of, nearest
from pytest_imagedetail.traffic.sources import Source, is_listing, sources_of
from pytest_imagedetail.transport.request import api_version

IDENTITY: Final = "/identity"
_PUBLIC_PATHS: Final = frozenset({IDENTITY, f"{IDENTITY}/v3", f"{IDENTITY}/v2.0"})  # need no token
_MOST_NEAREST: Final = 3  # recorded requests in a message
_NO_AUTH: Final = {  # Keystone 29.0.1, keystone/exception.py, `ValidationError`
    "error": {
        "code": 400,
        "title": "Bad Request",
        "message": "Expecting to find auth in request body. The server could not comply with the "
        "request since it is either malformed or otherwise incorrect. The client is assumed to be "
        "in error.",
    }
}
_PROJECT: Final = re.compile(r"/v2(?:\.1)?/([0-9a-f-]+)/images(?:/|$)")  # as Nova routes it


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCloud:
    """One cloud's recordings, with the address of a server in place of the cloud's own."""

    name: str
    base: str  # the server's scheme, host and port
    keystone: Keystone  # issues the only token that is accepted
    sources: tuple[Source, ...] = ()  # the first one with a request answers it
    endpoints: tuple[str, ...] = ()  # of Compute; the first is the catalog's `compute`
    is_live: bool = False  # unrecorded GETs go to the cloud, also for version documents
    used: set[Path] = field(default_factory=set)  # the files of the answers

    @property
    def max_microversion(self) -> str | None:
        """The newest microversion that the cloud offered, if known."""
        return next(filter(None, (source.max_microversion for source in self.sources)), None)

    def respond(self, request: Interaction) -> Response:
        """Answer a request to an absolute URL; raise CassetteNotFoundError if none is recorded."""
        keystone = self.keystone.answer(request)
        if keystone is not None and request.method == "POST":
            has_auth = isinstance(document_in(request.request_body).get("auth"), dict)
            return keystone if has_auth else json_response(400, _NO_AUTH)
        document = version_document(request, self.endpoints, self.max_microversion)
        is_public = document is not None or urlsplit(request.url).path.rstrip("/") in _PUBLIC_PATHS
        if not is_public and request.request_headers.get("X-Auth-Token") != self.keystone.token:
            return _unauthorized(request, self.endpoints)
        redacted = self.redact(request)
        for source in self.sources:
            for path, (first, *_) in source.find(redacted).items():
                self.used.add(path)
                return self._with_own_origin(first.interaction)
        is_forwarded = self.is_live and request.method == "GET" and not is_identity(request)
        if not is_forwarded and (built := document or keystone or _wrong_project(request)):
            return built
        raise self._not_recorded_error(request)

    def redact(self, request: Interaction) -> Interaction:
        """Redact a request as in a recording."""
        # The token's project is that of the recordings; any other is foreign.
        known = Known(project=placeholders.OWN_PROJECT, origins={origin(request.url): "compute"})
        return as_recorded(request, cloud=self.name, known=known).interactions[0]

    def _with_own_origin(self, recorded: Interaction) -> Response:
        own, base, response = origin(recorded.url), self.base, recorded.response
        headers = Headers((name, text.replace(own, base)) for name, text in response.headers.fields)
        body = response.body.replace(own.encode(), base.encode())
        return replace(response, headers=headers, body=body)

    def _not_recorded_error(self, request: Interaction) -> CassetteNotFoundError:
        request = self.redact(request)
        recorded = [entry.interaction for source in self.sources for entry in source.interactions]
        matches = (match for match, _ in nearest([(request, recorded)]))
        requests = [*dict.fromkeys(f"{match.method} {target(match.url)}" for match in matches)]
        if request.method == "GET" and is_listing(request.url):
            command = " ".join(["imagedetail record --os-cloud NAME", *query_of(request).options])
            remedy = f"record it from a real cloud: {command}"
        elif request.method == "GET" and not is_identity(request):
            remedy = "record it from a real cloud: imagedetail serve --record --os-cloud NAME"
        elif is_identity(request):
            remedy = "ask Keystone only for a token, its catalog and its versions"
        else:
            remedy = "send GET requests only: no other is recorded"
        return CassetteNotFoundError(
            f"nothing is recorded for {request.method} {target(request.url)}",
            where=f"cloud {self.name}, nearest recordings: "
            f"{', '.join(requests[:_MOST_NEAREST]) or 'none'}",
            remedy=remedy,
        )


def recorded_cloud(
    store: Store, name: str, base: str, *, token: str, endpoint: str | None
) -> RecordedCloud:
    """Read the recordings of a cloud: its own, the library's, and other traffic of clients.

    `base` is the server's scheme, host and port, which replace the cloud's. `endpoint` is the
    compute endpoint, at the server, of a cloud that is being recorded; if None, there must be
    recordings. Recordings older than the store allows are refused.
    """
    if endpoint is None and not store.has(name):
        raise nothing_to_serve(store, name)
    sources = sources_of(store, name)
    urls = dict.fromkeys(url for source in sources for url in source.endpoints)
    if not urls:  # clients have asked for no listing
        recordings = (each for source in sources for each in source.recordings.values())
        urls = dict.fromkeys(each.provenance.endpoint or "" for each in recordings)
    recorded = tuple(url.replace(origin(url), base) for url in urls)
    endpoints = recorded if endpoint is None else (endpoint,)
    catalog = (*entries_of("identity", "keystone", base + IDENTITY), *compute_entries(endpoints))
    return RecordedCloud(
        name=name,
        base=base,
        keystone=Keystone(catalog=catalog, token=token),
        sources=sources,
        endpoints=endpoints,
        is_live=endpoint is not None,
    )


def nothing_to_serve(store: Store, name: str) -> CassetteNotFoundError:
    """Return the error for a cloud with neither listings nor traffic of clients."""
    problem = f"nothing is recorded for cloud {name!r}"
    if store.traffic_paths(name):
        problem = f"cloud {name!r} only has recordings of tests, which are replayed to these tests"
    return CassetteNotFoundError(
        problem,
        where=str(store.directory / name),
        remedy=f"record its listing: imagedetail record --os-cloud NAME --name {name}\n"
        "or serve a cloud that has listings: imagedetail clouds lists them",
    )


def compute_entries(endpoints: tuple[str, ...], *, region: str = REGION) -> Entries:
    """Build the catalog entries of a cloud's compute endpoints."""
    entries = entries_of("compute", "nova", endpoints[0], region=region)
    for endpoint in endpoints[1:2]:
        entries += entries_of("compute_legacy", "nova_legacy", endpoint, region=region)
    return entries


def is_identity(request: Interaction) -> bool:
    """Return whether a request is for Keystone."""
    return f"{urlsplit(request.url).path}/".startswith(f"{IDENTITY}/")


def _unauthorized(request: Interaction, endpoints: Iterable[str]) -> Response:
    """Build the response to a request without the token.

    It is Keystone's 401 below Keystone and Nova, and 404 elsewhere: after a 401, clients that
    discover versions wait for a token forever (keystoneauth1 5.18.1, get_version_data).
    """
    url = urlsplit(request.url)
    keystone = f"{url.scheme}://{url.netloc}{IDENTITY}"
    compute = ("".join(url.partition(f"/{api_version(url)}")[:2]) + "/" for url in endpoints)
    if not request.url.startswith((f"{keystone}/v3/", f"{keystone}/v2.0/", *compute)):
        message = f"Nothing is here. auth_url is {keystone}"
        document = {"error": {"code": 404, "title": "Not Found", "message": message}}
        return json_response(404, document)
    message = "The request you have made requires authentication."
    document = {"error": {"code": 401, "title": "Unauthorized", "message": message}}
    return json_response(401, document, ("WWW-Authenticate", f'Keystone uri="{keystone}"'))


def _wrong_project(request: Interaction) -> Response | None:
    """Refuse a request about another project, as Nova 32.0.0 does (wsgi.py, `_process_stack`)."""
    project = _PROJECT.search(urlsplit(request.url).path)
    if project is None or project[1] == placeholders.OWN_PROJECT:
        return None
    context = f"Context's project_id '{placeholders.OWN_PROJECT}'"
    message = f"Malformed request URL: URL's project_id '{project[1]}' doesn't match {context}"
    return json_response(400, {"badRequest": {"code": 400, "message": message}})


def query_of(request: Interaction) -> Query:
    """Return the query of a request for a listing."""
    microversion = microversions_of(request).get("compute")
    return Query(Query.parse(urlsplit(request.url).query).params, microversion)


def target(url: str) -> str:
    """Return path and query of a URL."""
    return urlsplit(url)._replace(scheme="", netloc="").geturl()
