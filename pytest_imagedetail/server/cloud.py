"""Answer requests with what was recorded of a cloud, and issue tokens as Keystone does."""

import difflib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.cassette import Store, load_own
from pytest_imagedetail.errors import CassetteNotFoundError
from pytest_imagedetail.model import Headers, Interaction, Query, Response
from pytest_imagedetail.redact import Known, origin, placeholders
from pytest_imagedetail.traffic.keystone import (
    Keystone,
    endpoint_of,
    json_response,
    service,
    version_document,
)
from pytest_imagedetail.traffic.matching import Key, as_recorded, key_of

IDENTITY: Final = "/identity"
_OPEN: Final = frozenset({IDENTITY, f"{IDENTITY}/v3", f"{IDENTITY}/v2.0"})  # without a token
_NEAREST: Final = 3  # recorded requests that a fault names


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCloud:
    """One cloud's recordings, with the address of a server in place of the cloud's own.

    Attributes:
        name: The cloud.
        interactions: What was recorded, in order.
        responses: The first one for each request answers it, any number of times.
        endpoints: The compute endpoints that were recorded; the first is the catalog's `compute`.
        max_microversion: The newest microversion that the cloud offered, if it said so.
        keystone: Issues the only token that is accepted.
    """

    name: str
    interactions: tuple[Interaction, ...]
    responses: Mapping[Key, Response]
    endpoints: tuple[str, ...]
    max_microversion: str | None
    keystone: Keystone

    def respond(self, asked: Interaction) -> Response:
        """Answer a request to an absolute URL of the server; its own response does not matter."""
        login = self.keystone.answer(asked) if asked.method == "POST" else None
        if login is not None:
            return login
        document = version_document(asked, self.endpoints, self.max_microversion)
        is_open = document is not None or urlsplit(asked.url).path.rstrip("/") in _OPEN
        if not is_open and asked.request_headers.get("X-Auth-Token") != self.keystone.token:
            return _unauthorized(asked)
        return (
            self._recorded(asked)
            or document
            or self.keystone.answer(asked)
            or self._not_recorded(asked)
        )

    def _recorded(self, asked: Interaction) -> Response | None:
        base = f"{urlsplit(asked.url).scheme}://{urlsplit(asked.url).netloc}"
        # The project of the token is that of the recordings; any other is another one.
        known = Known(project=placeholders.OWN_PROJECT, origins={base: "compute"})
        (request,) = as_recorded(asked, cloud=self.name, known=known).interactions
        return self.responses.get(key_of(request))

    def _not_recorded(self, asked: Interaction) -> Response:
        """Build Nova's fault for a request that nothing was recorded for."""
        shown, query = _target(asked.url), Query.parse(urlsplit(asked.url).query)
        known = dict.fromkeys(f"{each.method} {_target(each.url)}" for each in self.interactions)
        nearest = difflib.get_close_matches(f"{asked.method} {shown}", known, _NEAREST, cutoff=0)
        if asked.method == "GET" and _is_listing(asked):
            query = Query(query.params, _microversion(asked))
            command = " ".join(["imagedetail record --os-cloud NAME", *query.options])
            remedy = f"record it from a real cloud: {command}"
        else:
            remedy = "ask for images/detail: `imagedetail record` records nothing else"
        error = CassetteNotFoundError(
            f"nothing is recorded for {asked.method} {shown}",
            where=f"cloud {self.name}, nearest recordings: {', '.join(nearest)}",
            remedy=remedy,
        )
        return json_response(501, {"notImplemented": {"code": 501, "message": str(error)}})


def recorded_cloud(store: Store, name: str, base: str) -> RecordedCloud:
    """Read the recordings of a cloud: its own, the library's, and what clients ask besides.

    Args:
        store: Where recordings are.
        name: The cloud.
        base: Scheme, host and port of the server, which stand for those of the cloud.

    Raises:
        CassetteError: There is none, or one is damaged.
    """
    folders = filter(None, (store.directory, store.library))
    paths = [path for folder in folders for path in Store(directory=folder).paths(name)]
    if not paths:
        raise CassetteNotFoundError(
            f"nothing is recorded for cloud {name!r}",
            where=str(store.directory / name),
            remedy=f"record it: imagedetail record --os-cloud NAME --name {name}\n"
            "or serve a cloud that has recordings: imagedetail clouds lists them",
        )
    clients = store.client_traffic(name)
    recordings = [load_own(path) for path in (*paths, *filter(None, [clients]))]
    recorded = [each for recording in recordings for each in recording.interactions]
    interactions = tuple(_at(base, each) for each in recorded)
    pairs = zip(recorded, interactions, strict=True)
    offered = (each.provenance.max_microversion for each in recordings)
    listed = (each.url for each in interactions if _is_listing(each))
    endpoints = tuple(dict.fromkeys(map(endpoint_of, listed)))
    return RecordedCloud(
        name=name,
        interactions=interactions,
        responses={key_of(each): served.response for each, served in reversed(list(pairs))},
        endpoints=endpoints,
        max_microversion=next(filter(None, offered), None),
        keystone=Keystone(catalog=_catalog(base, endpoints), token=secrets.token_hex(16)),
    )


def _catalog(base: str, endpoints: tuple[str, ...]) -> tuple[dict[str, str], ...]:
    first, *others = endpoints
    legacy = next((service("compute_legacy", "nova_legacy", each) for each in others), ())
    return (
        *service("identity", "keystone", base + IDENTITY),
        *service("compute", "nova", first),
        *legacy,
    )


def _at(base: str, recorded: Interaction) -> Interaction:
    """Put the server's address in the place of the recorded cloud's."""
    own, response = origin(recorded.url), recorded.response
    headers = Headers((name, text.replace(own, base)) for name, text in response.headers.fields)
    body = response.body.replace(own.encode(), base.encode())
    return replace(
        recorded,
        url=recorded.url.replace(own, base),
        response=replace(response, headers=headers, body=body),
    )


def _unauthorized(asked: Interaction) -> Response:
    """Build the 401 that Keystone gives for a token it does not know."""
    url = urlsplit(asked.url)
    message = "The request you have made requires authentication."
    document = {"error": {"code": 401, "title": "Unauthorized", "message": message}}
    uri = f'Keystone uri="{url.scheme}://{url.netloc}{IDENTITY}"'
    return json_response(401, document, ("WWW-Authenticate", uri))


def _is_listing(asked: Interaction) -> bool:
    return urlsplit(asked.url).path.endswith("/images/detail")


def _target(url: str) -> str:
    return urlsplit(url)._replace(scheme="", netloc="").geturl()


def _microversion(asked: Interaction) -> str | None:
    text = asked.request_headers.get("OpenStack-API-Version", "").removeprefix("compute ")
    return text or asked.request_headers.get("X-OpenStack-Nova-API-Version")
