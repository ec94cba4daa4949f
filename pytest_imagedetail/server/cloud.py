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
    Keystone,
    json_response,
    service,
    version_document,
)
from pytest_imagedetail.traffic.matching import as_recorded, nearest
from pytest_imagedetail.traffic.sources import Source, is_listing, sources_of
from pytest_imagedetail.transport.request import api_version

IDENTITY: Final = "/identity"
_OPEN: Final = frozenset({IDENTITY, f"{IDENTITY}/v3", f"{IDENTITY}/v2.0"})  # need no token
_NEAREST: Final = 3  # recorded requests in a message
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
        return next(filter(None, (each.max_microversion for each in self.sources)), None)

    def respond(self, asked: Interaction) -> Response:
        """Answer a request to an absolute URL; raise CassetteNotFoundError if none is recorded."""
        issued = self.keystone.answer(asked)
        if issued is not None and asked.method == "POST":
            has_auth = isinstance(document_in(asked.request_body).get("auth"), dict)
            return issued if has_auth else json_response(400, _NO_AUTH)
        document = version_document(asked, self.endpoints, self.max_microversion)
        is_open = document is not None or urlsplit(asked.url).path.rstrip("/") in _OPEN
        if not is_open and asked.request_headers.get("X-Auth-Token") != self.keystone.token:
            return _unauthorized(asked, self.endpoints)
        redacted = self.redacted(asked)
        for source in self.sources:
            for path, (first, *_) in source.find(redacted).items():
                self.used.add(path)
                return self._at_server(first.interaction)
        is_passed_on = self.is_live and asked.method == "GET" and not is_identity(asked)
        found = None if is_passed_on else document or issued or _wrong_project(asked)
        if found is None:
            raise self._not_recorded(asked)
        return found

    def redacted(self, asked: Interaction) -> Interaction:
        """Return a request as a recording of it has it."""
        # The token's project is that of the recordings; any other is foreign.
        known = Known(project=placeholders.OWN_PROJECT, origins={origin(asked.url): "compute"})
        return as_recorded(asked, cloud=self.name, known=known).interactions[0]

    def _at_server(self, recorded: Interaction) -> Response:
        own, base, response = origin(recorded.url), self.base, recorded.response
        headers = Headers((name, text.replace(own, base)) for name, text in response.headers.fields)
        body = response.body.replace(own.encode(), base.encode())
        return replace(response, headers=headers, body=body)

    def _not_recorded(self, asked: Interaction) -> CassetteNotFoundError:
        asked = self.redacted(asked)
        shown = target(asked.url)
        every = (each.interaction for source in self.sources for each in source.interactions)
        ordered = nearest([(asked, every)])
        known = [*dict.fromkeys(f"{each.method} {target(each.url)}" for each, _ in ordered)]
        if asked.method == "GET" and is_listing(asked.url):
            command = " ".join(["imagedetail record --os-cloud NAME", *query_of(asked).options])
            remedy = f"record it from a real cloud: {command}"
        elif asked.method == "GET" and not is_identity(asked):
            remedy = "record it from a real cloud: imagedetail serve --record --os-cloud NAME"
        elif is_identity(asked):
            remedy = "ask Keystone only for a token, its catalog and its versions"
        else:
            remedy = "send GET requests only: no other is recorded"
        return CassetteNotFoundError(
            f"nothing is recorded for {asked.method} {shown}",
            where=f"cloud {self.name}, nearest recordings: {', '.join(known[:_NEAREST]) or 'none'}",
            remedy=remedy,
        )


def recorded_cloud(
    store: Store, name: str, base: str, *, token: str, endpoint: str | None
) -> RecordedCloud:
    """Read the recordings of a cloud: its own, the library's, and other traffic of clients.

    `base` is the server's scheme, host and port, which replace the cloud's. `endpoint` is the
    compute endpoint, at the server, of a cloud that is being recorded; if None, there must be
    recordings. One that is older than the store allows is refused.
    """
    if endpoint is None and not store.has(name):
        raise CassetteNotFoundError(
            f"nothing is recorded for cloud {name!r}",
            where=str(store.directory / name),
            remedy=f"record it: imagedetail record --os-cloud NAME --name {name}\n"
            "or serve a cloud that has recordings: imagedetail clouds lists them",
        )
    sources = sources_of(store, name)
    urls = dict.fromkeys(url for each in sources for url in each.endpoints)
    listed = tuple(each.replace(origin(each), base) for each in urls)
    endpoints = listed if endpoint is None else (endpoint,)
    catalog = (*service("identity", "keystone", base + IDENTITY), *services(endpoints))
    return RecordedCloud(
        name=name,
        base=base,
        keystone=Keystone(catalog=catalog, token=token),
        sources=sources,
        endpoints=endpoints,
        is_live=endpoint is not None,
    )


def services(endpoints: tuple[str, ...], *, region: str = REGION) -> tuple[dict[str, str], ...]:
    """Build the catalog entries of a cloud's compute endpoints."""
    first, *others = endpoints
    legacy = ("compute_legacy", "nova_legacy")
    return (
        *service("compute", "nova", first, region=region),
        *(entry for each in others[:1] for entry in service(*legacy, each, region=region)),
    )


def is_identity(asked: Interaction) -> bool:
    """Return whether a request is for Keystone."""
    return f"{urlsplit(asked.url).path}/".startswith(f"{IDENTITY}/")


def _unauthorized(asked: Interaction, endpoints: Iterable[str]) -> Response:
    """Build the response to a request without the token.

    It is Keystone's 401 below Keystone and Nova, and 404 elsewhere: after a 401, clients that
    discover versions wait for a token forever (keystoneauth1 5.18.1, get_version_data).
    """
    url = urlsplit(asked.url)
    keystone = f"{url.scheme}://{url.netloc}{IDENTITY}"
    compute = ("".join(each.partition(f"/{api_version(each)}")[:2]) + "/" for each in endpoints)
    if not asked.url.startswith((f"{keystone}/v3/", f"{keystone}/v2.0/", *compute)):
        message = f"Nothing is here. auth_url is {keystone}"
        document = {"error": {"code": 404, "title": "Not Found", "message": message}}
        return json_response(404, document)
    message = "The request you have made requires authentication."
    document = {"error": {"code": 401, "title": "Unauthorized", "message": message}}
    return json_response(401, document, ("WWW-Authenticate", f'Keystone uri="{keystone}"'))


def _wrong_project(asked: Interaction) -> Response | None:
    """Refuse a request about another project, as Nova 32.0.0 does (wsgi.py, `_process_stack`)."""
    project = _PROJECT.search(urlsplit(asked.url).path)
    if project is None or project[1] == placeholders.OWN_PROJECT:
        return None
    theirs = f"doesn't match Context's project_id '{placeholders.OWN_PROJECT}'"
    message = f"Malformed request URL: URL's project_id '{project[1]}' {theirs}"
    return json_response(400, {"badRequest": {"code": 400, "message": message}})


def query_of(asked: Interaction) -> Query:
    """Return the query of a request for a listing."""
    text = asked.request_headers.get("OpenStack-API-Version", "").removeprefix("compute ")
    microversion = text or asked.request_headers.get("X-OpenStack-Nova-API-Version")
    return Query(Query.parse(urlsplit(asked.url).query).params, microversion)


def target(url: str) -> str:
    """Return path and query of a URL."""
    return urlsplit(url)._replace(scheme="", netloc="").geturl()
