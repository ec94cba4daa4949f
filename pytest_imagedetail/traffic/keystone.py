"""Stand in for Keystone while replaying: issue a worthless token and a catalog."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail.body.json import objects_in
from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.redact import origin
from pytest_imagedetail.redact.placeholders import OWN_PROJECT, owner
from pytest_imagedetail.text import count
from pytest_imagedetail.traffic.authentication import document_in, split_keystone
from pytest_imagedetail.transport.request import api_version

TOKEN: Final = "replayed-token"  # noqa: S105  in place of a live cloud's token
_USER: Final = owner("0" * 31 + "1")
_EXPIRES: Final = "2999-12-31T23:59:59.000000Z"  # never
_ISSUED: Final = "2000-01-01T00:00:00.000000Z"
REGION: Final = "RegionOne"
_INTERFACES: Final = ("public", "internal", "admin")
_DOMAIN: Final = {"id": "default", "name": "Default"}
_PATHS: Final = ("/v3/auth/tokens", "/v3/auth/catalog", "/v3", "/v2.0/tokens", "/v2.0")
_ROOTS: Final = frozenset({"", "/identity", "/keystone"})  # paths of version discovery
_PATH_START: Final = re.compile(r".*?/v(?:3|2\.0)/(?:auth/)?[\w-]+")  # a token may follow
_RESOURCE: Final = re.compile(r"^(?P<base>.*?/v\d+(?:\.\d+)?(?:/[0-9a-f]{32})?)(?:/|$)")

Entries = tuple[dict[str, str], ...]
"""Entries of a service catalog: type, name, interface, region and url."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keystone:
    """A Keystone, v2.0 and v3, that accepts every user; its catalog leads to the recordings."""

    catalog: tuple[Mapping[str, str], ...]
    token: str = field(default=TOKEN, repr=False)

    def answer(self, request: Interaction) -> Response | None:
        """Answer logins and version discovery; return None for other requests."""
        url = urlsplit(request.url)
        path = url.path.rstrip("/")
        href = f"{url.scheme}://{url.netloc}{path}/"
        resource = next((suffix for suffix in _PATHS if path.endswith(suffix)), None)
        document: Any
        match request.method, "/" if path in _ROOTS else resource:
            case "GET" | "POST", "/v3/auth/tokens":
                status = 201 if request.method == "POST" else 200
                subject = "X-Subject-Token", self.token
                return json_response(status, {"token": self._token()}, subject)
            case "GET", "/v3/auth/catalog":
                document = {"catalog": self._services()}
            case "POST", "/v2.0/tokens":
                document = {"access": self._access()}
            case "GET", "/v3":
                document = {"version": _version("v3.14", href)}
            case "GET", "/v2.0":
                document = {"version": _version("v2.0", href)}
            case "GET", "/":
                versions = {"values": [_version("v3.14", f"{href}v3/")]}
                return json_response(300, {"versions": versions})
            case _:
                return None
        return json_response(200, document)

    def _token(self) -> dict[str, Any]:
        return {
            "methods": ["password"],
            "user": {"domain": _DOMAIN, "id": _USER, "name": "replayed"},
            "expires_at": _EXPIRES,
            "issued_at": _ISSUED,
            "project": {"domain": _DOMAIN, "id": OWN_PROJECT, "name": "replayed"},
            "roles": [{"id": _USER, "name": "member"}],
            "catalog": self._services(),
        }

    def _services(self) -> list[dict[str, Any]]:
        services: dict[tuple[str, str], list[dict[str, str]]] = {}
        for number, entry in enumerate(self.catalog):
            endpoint = {
                "id": f"{number:032x}",
                "interface": entry["interface"],
                "region": entry["region"],
                "region_id": entry["region"],
                "url": entry["url"],
            }
            services.setdefault((entry["type"], entry.get("name", "")), []).append(endpoint)
        return [
            {"id": f"{number:032x}", "type": kind, "name": name, "endpoints": endpoints}
            for number, ((kind, name), endpoints) in enumerate(services.items())
        ]

    def _access(self) -> dict[str, Any]:
        return {
            "token": {
                "id": self.token,
                "expires": _EXPIRES[:19] + "Z",
                "issued_at": _ISSUED[:19] + "Z",
                "tenant": {"id": OWN_PROJECT, "name": "replayed", "enabled": True},
            },
            "serviceCatalog": [
                {"type": entry["type"], "name": entry["name"], "endpoints": _by_region(entry)}
                for entry in self._services()
            ],
            "user": {"id": _USER, "name": "replayed", "username": "replayed", "roles": []},
            "metadata": {"is_admin": 0, "roles": []},
        }


def entries_of(kind: str, name: str, url: str, *, region: str = REGION) -> Entries:
    """Build the catalog entries of a service with one endpoint for every interface."""
    return tuple(
        {"type": kind, "name": name, "interface": interface, "region": region, "url": url}
        for interface in _INTERFACES
    )


def keystone_note(received: Sequence[Interaction], *, where: str) -> str:
    """Describe how many Keystone interactions a recording leaves out; "" for none.

    Raise RecordingError if the built-in Keystone could not answer one of them during a replay.
    """
    _, requests = split_keystone(received)
    stub = Keystone(catalog=())
    unanswered = dict.fromkeys(_describe(sent) for sent in requests if stub.answer(sent) is None)
    if unanswered:
        raise RecordingError(
            f"the built-in Keystone could not answer during a replay: {', '.join(unanswered)}",
            where=where,
            remedy="ask Keystone only for a token, its catalog and its versions in this test\n"
            "nothing was written and an older recording is untouched",
        )
    return f", {count(len(requests), 'request')} to Keystone left out" if requests else ""


def _describe(request: Interaction) -> str:
    """Return a request without the ids and tokens at the end of its path."""
    match = _PATH_START.match(urlsplit(request.url).path)
    return f"{request.method} {match[0] if match else '/...'}"


def catalog_in(interactions: Sequence[Interaction]) -> Entries:
    """Return the unredacted endpoints in Keystone's responses whose hosts received requests."""
    hosts = {_host_of(interaction.url) for interaction in interactions}
    bodies = (interaction.response.body for interaction in interactions)
    endpoints = (endpoint for body in bodies for endpoint in _endpoints(body))
    used = (endpoint for endpoint in endpoints if _host_of(endpoint["url"]) in hosts)
    return tuple({tuple(endpoint.items()): endpoint for endpoint in used}.values())


def _host_of(url: str) -> str:
    """Return host and port of a URL; "" if it is not valid."""
    return origin(url).partition("://")[2]


def endpoint_of(url: str) -> str:
    """Return the endpoint of a request: its URL up to the version and the project."""
    parts = urlsplit(url)
    match = _RESOURCE.match(parts.path)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{match['base'] if match else ''}"


def _endpoints(body: bytes) -> Iterator[dict[str, str]]:
    """Yield the endpoints in a v3 or v2.0 catalog; ignore catalogs of other services."""
    document = document_in(body)
    for service in objects_in(document.get("token", document), "catalog"):
        for endpoint in objects_in(service, "endpoints"):
            if "interface" in endpoint and "url" in endpoint:
                yield _entry(service, endpoint["interface"], endpoint, endpoint["url"])
    for service in objects_in(document.get("access"), "serviceCatalog"):
        for endpoint in objects_in(service, "endpoints"):
            for interface in _INTERFACES:
                if f"{interface}URL" in endpoint:
                    yield _entry(service, interface, endpoint, endpoint[f"{interface}URL"])


def _entry(
    service: Mapping[str, Any], interface: Any, endpoint: Mapping[str, Any], url: Any
) -> dict[str, str]:
    return {
        "type": str(service.get("type", "")),
        "name": str(service.get("name", "")),
        "interface": str(interface),
        "region": str(endpoint.get("region") or endpoint.get("region_id") or REGION),
        "url": str(url),
    }


def _by_region(service: Mapping[str, Any]) -> list[dict[str, str]]:
    regions: dict[str, dict[str, str]] = {}
    for endpoint in service["endpoints"]:
        region = endpoint["region"]
        entry = regions.setdefault(region, {"region": region, "id": endpoint["id"]})
        entry[f"{endpoint['interface']}URL"] = endpoint["url"]
    return list(regions.values())


def _version(name: str, href: str) -> dict[str, Any]:
    return {
        "id": name,
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": href}],
    }


def json_response(status: int, document: Any, *fields: tuple[str, str]) -> Response:
    """Build a response with a JSON document and further header fields."""
    body = json.dumps(document).encode("utf-8")
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *fields]
    return Response(
        status_code=status, reason=HTTPStatus(status).phrase, headers=Headers(headers), body=body
    )


def version_document(
    request: Interaction, endpoints: Iterable[str], max_microversion: str | None
) -> Response | None:
    """Answer version discovery at a compute endpoint; return None for other requests."""
    if request.method != "GET":
        return None
    roots, versions = set(), {}
    for endpoint in endpoints:
        if version := api_version(endpoint):
            root = endpoint.partition(f"/{version}")[0]
            url = f"{root}/{version}"
            roots.add(root)
            versions[url] = _compute_version(f"{url}/", version, max_microversion)
    url = request.url.rstrip("/")
    if url in roots:
        return json_response(200, {"versions": list(versions.values())})
    return json_response(200, {"version": versions[url]}) if url in versions else None


def _compute_version(href: str, version: str, max_microversion: str | None) -> dict[str, Any]:
    newest = max_microversion if version == "v2.1" else None
    return {
        "id": "v2.0" if version == "v2" else version,
        "status": "CURRENT" if newest else "SUPPORTED",
        "version": newest or "",
        "min_version": "2.1" if newest else "",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": href}],
    }
