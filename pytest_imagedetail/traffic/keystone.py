"""Answer for Keystone while replaying: a token that opens nothing, and a catalog."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.redact import keystone_among
from pytest_imagedetail.redact.placeholders import OWN_PROJECT, owner
from pytest_imagedetail.transport.request import api_version

TOKEN: Final = "replayed"  # noqa: S105  stands where a live cloud needs a token
_USER: Final = owner("0" * 31 + "1")
_EXPIRES: Final = "2999-12-31T23:59:59.000000Z"  # a replayed token never does
_ISSUED: Final = "2000-01-01T00:00:00.000000Z"
REGION: Final = "RegionOne"
_INTERFACES: Final = ("public", "internal", "admin")
_DOMAIN: Final = {"id": "default", "name": "Default"}
_ROOTS: Final = frozenset({"", "/identity", "/keystone"})  # where versions are asked for
_SHOWN: Final = re.compile(r".*?/v(?:3|2\.0)/(?:auth/)?[\w-]+")  # behind it there may be a token
_RESOURCE: Final = re.compile(r"^(?P<base>.*?/v\d+(?:\.\d+)?(?:/[0-9a-f]{32})?)(?:/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keystone:
    """A Keystone that accepts every user and leads to what was recorded.

    Attributes:
        catalog: Type, name, interface, region and url of each endpoint.
        token: What it issues; Keystone v2.0 and v3 alike.
    """

    catalog: tuple[Mapping[str, str], ...]
    token: str = field(default=TOKEN, repr=False)

    def answer(self, asked: Interaction) -> Response | None:
        """Answer what Keystone v2.0 and v3 are asked for on the way to a token; None otherwise."""
        url = urlsplit(asked.url)
        path = url.path.rstrip("/")
        href = f"{url.scheme}://{url.netloc}{path}"
        for method, end, answer in self._answers(href):
            if asked.method == method and path.endswith(end):
                return answer()
        if asked.method == "GET" and path in _ROOTS:
            versions = [_version("v3.14", f"{href}/v3/")]
            return json_response(300, {"versions": {"values": versions}})
        return None

    def _answers(self, href: str) -> Iterable[tuple[str, str, Callable[[], Response]]]:
        def token(status: int) -> Response:
            return json_response(status, {"token": self._token()}, ("X-Subject-Token", self.token))

        def version(name: str) -> Response:
            return json_response(200, {"version": _version(name, f"{href}/")})

        def projects() -> Response:
            return json_response(200, {"projects": [{**_project(), "enabled": True}], "links": {}})

        return (
            ("POST", "/v3/auth/tokens", lambda: token(201)),
            ("GET", "/v3/auth/tokens", lambda: token(200)),
            ("GET", "/v3/auth/catalog", lambda: json_response(200, {"catalog": self._services()})),
            ("GET", "/v3/auth/projects", projects),
            ("GET", "/v3", lambda: version("v3.14")),
            ("POST", "/v2.0/tokens", lambda: json_response(200, {"access": self._access()})),
            ("GET", "/v2.0", lambda: version("v2.0")),
        )

    def _token(self) -> dict[str, Any]:
        return {
            "methods": ["password"],
            "user": {"domain": _DOMAIN, "id": _USER, "name": "replayed"},
            "audit_ids": ["replayed"],
            "expires_at": _EXPIRES,
            "issued_at": _ISSUED,
            "project": _project(),
            "is_domain": False,
            "roles": [{"id": _USER, "name": "member"}],
            "catalog": self._services(),
        }

    def _services(self) -> list[dict[str, Any]]:
        services: dict[tuple[str, str], list[dict[str, str]]] = {}
        for number, each in enumerate(self.catalog):
            endpoint = {
                "id": f"{number:032x}",
                "interface": each["interface"],
                "region": each["region"],
                "region_id": each["region"],
                "url": each["url"],
            }
            services.setdefault((each["type"], each.get("name", "")), []).append(endpoint)
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
                {"type": each["type"], "name": each["name"], "endpoints": _by_region(each)}
                for each in self._services()
            ],
            "user": {"id": _USER, "name": "replayed", "username": "replayed", "roles": []},
            "metadata": {"is_admin": 0, "roles": []},
        }


def keystone_of(catalog: tuple[Mapping[str, str], ...], endpoint: str | None) -> Keystone:
    """The Keystone of a recording; without a recorded catalog one that knows a compute alone."""
    if catalog or endpoint is None:
        return Keystone(catalog=catalog)
    return Keystone(catalog=service("compute", "nova", endpoint))


def service(kind: str, name: str, url: str) -> tuple[dict[str, str], ...]:
    """Build the catalog entries of a service with one endpoint for every interface."""
    return tuple(
        {"type": kind, "name": name, "interface": each, "region": REGION, "url": url}
        for each in _INTERFACES
    )


def left_out(heard: Sequence[Interaction], *, where: str) -> str:
    """What of Keystone's was heard, which no recording holds, in words for the run's summary.

    Args:
        heard: All that a test's clients asked while it was recorded.
        where: The test and its cassette, for messages.

    Returns:
        Nothing where there was none; else it begins with a comma.

    Raises:
        RecordingError: A replay could not answer some of it, so it would fail for ever.
    """
    is_keystone = keystone_among(heard)
    found = [each for each in heard if is_keystone(each)]
    stub = Keystone(catalog=())
    lost = dict.fromkeys(_shown(each) for each in found if stub.answer(each) is None)
    if lost:
        raise RecordingError(
            f"Keystone was asked what no recording holds and no replay answers: {', '.join(lost)}",
            where=where,
            remedy="let the test do without it: a token and a catalog are all that the built-in "
            "Keystone has\nnothing was written and an older recording is untouched",
        )
    return f", {len(found)} of Keystone left out" if found else ""


def refuse_nothing_left(heard: Sequence[Interaction], *, where: str) -> None:
    """Raise if all that was heard is Keystone's: there is nothing to record.

    Raises:
        RecordingError: It is.
    """
    if heard and all(map(keystone_among(heard), heard)):
        raise RecordingError(
            "nothing can be recorded: the test asked Keystone alone, and no recording holds that",
            where=where,
            remedy="ask for what the test is about, or let it do without imagedetail_cassette",
        )


def _shown(asked: Interaction) -> str:
    """A request of Keystone as far as it holds no id and no token."""
    path = urlsplit(asked.url).path
    match = _SHOWN.match(path)
    shown = match[0] if match else "/..."
    return f"{asked.method} {shown}{'/...' if match and match[0] != path.rstrip('/') else ''}"


def catalog_in(interactions: Iterable[Interaction]) -> tuple[dict[str, str], ...]:
    """The endpoints that Keystone told, of those hosts alone that were then asked; not redacted."""
    seen = tuple(interactions)
    told = [endpoint for each in seen for endpoint in _endpoints(each.response.body)]
    asked = {urlsplit(each.url).netloc for each in seen}
    entries = {
        tuple(sorted(each.items())): each for each in told if urlsplit(each["url"]).netloc in asked
    }
    return tuple(entries.values())


def endpoint_of(url: str) -> str:
    """The endpoint that a request was sent to, as far as its path tells: up to the project."""
    parts = urlsplit(url)
    match = _RESOURCE.match(parts.path)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{match['base'] if match else ''}"


def _endpoints(body: bytes) -> Iterable[dict[str, str]]:
    """What a catalog says; other services have a `catalog` of another shape."""
    document = document_in(body)
    token = document.get("token", document)
    for service, each in _in_services(token, "catalog"):
        if isinstance(each.get("interface"), str) and isinstance(each.get("url"), str):
            yield _entry(service, each["interface"], each, each["url"])
    for service, each in _in_services(document.get("access"), "serviceCatalog"):
        for interface in _INTERFACES:
            if isinstance(each.get(f"{interface}URL"), str):
                yield _entry(service, interface, each, each[f"{interface}URL"])


def _in_services(holder: Any, key: str) -> Iterable[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of a service and one of its endpoints."""
    services = holder.get(key) if isinstance(holder, dict) else None
    for service in services if isinstance(services, list) else []:
        endpoints = service.get("endpoints") if isinstance(service, dict) else None
        for each in endpoints if isinstance(endpoints, list) else []:
            if isinstance(each, dict):
                yield service, each


def _entry(
    service: Mapping[str, Any], interface: str, endpoint: Mapping[str, Any], url: str
) -> dict[str, str]:
    return {
        "type": str(service.get("type", "")),
        "name": str(service.get("name", "")),
        "interface": interface,
        "region": str(endpoint.get("region") or endpoint.get("region_id") or REGION),
        "url": url,
    }


def document_in(body: bytes) -> dict[str, Any]:
    """Read a body that is a JSON object; an empty one for any other."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _by_region(service: Mapping[str, Any]) -> list[dict[str, str]]:
    regions: dict[str, dict[str, str]] = {}
    for each in service["endpoints"]:
        entry = regions.setdefault(each["region"], {"region": each["region"], "id": each["id"]})
        entry[f"{each['interface']}URL"] = each["url"]
    return list(regions.values())


def _project() -> dict[str, Any]:
    return {"domain": _DOMAIN, "id": OWN_PROJECT, "name": "replayed"}


def _version(name: str, href: str) -> dict[str, Any]:
    return {
        "id": name,
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": href}],
        "media-types": [
            {
                "base": "application/json",
                "type": f"application/vnd.openstack.identity-{name.partition('.')[0]}+json",
            }
        ],
    }


def json_response(status: int, document: Any, *fields: tuple[str, str]) -> Response:
    """Build a response with a JSON document and further header fields."""
    body = json.dumps(document).encode("utf-8")
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *fields]
    return Response(
        status_code=status, reason=HTTPStatus(status).phrase, headers=Headers(headers), body=body
    )


def version_document(
    asked: Interaction, endpoints: Iterable[str], max_microversion: str | None
) -> Response | None:
    """Answer what clients ask a compute endpoint to discover versions; None for anything else.

    Args:
        asked: The request.
        endpoints: The compute endpoints of the cloud.
        max_microversion: The newest microversion that the cloud offers, if known.
    """
    versions = [
        (root, _compute_version(f"{root}/{version}/", version, max_microversion))
        for endpoint in endpoints
        if (version := api_version(endpoint))
        for root in [endpoint.partition(f"/{version}")[0]]
    ]
    for root, each in versions if asked.method == "GET" else ():
        if asked.url.rstrip("/") == root:
            return json_response(200, {"versions": [each for _, each in versions]})
        if f"{asked.url.rstrip('/')}/" == each["links"][0]["href"]:
            return json_response(200, {"version": each})
    return None


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
