"""Nova's API: paths, authorization, microversions, and responses about images."""

import re
from dataclasses import dataclass
from uuid import uuid4

from tests.cloud.images import ImageRow, read_query, select
from tests.cloud.keystone import PREFIX, Account
from tests.cloud.releases import Release
from tests.cloud.views import Links, detail
from tests.cloud.wsgi import FaultError, as_json, unauthorized

_ROUTE = re.compile(
    r"/(?P<version>v2|v2\.1)(?:/(?P<project>[0-9a-f-]+))?/images(?:/(?P<image>[^/]+))?"
)
_MINIMUM = (2, 1)
_IMAGES_REMOVED = (2, 36)  # the image proxy is a 404 from here on (Nova 14.0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """Nova of one release; `rows` are sorted, newest first."""

    release: Release
    account: Account
    rows: list[ImageRow]

    def respond(self, request):
        try:
            response = self._answer(request)
        except FaultError as fault:
            response = fault.response
        request_id = f"req-{uuid4()}"
        names = ("x-openstack-request-id", "x-compute-request-id")
        return response.with_headers(*((name, request_id) for name in names))

    def _answer(self, request):
        version = request.path.strip("/")
        if version in {"", *self.release.versions}:
            return self._versions(version, request.origin)
        if request.headers.get("x-auth-token") != self.account.token:
            return unauthorized(request.origin + PREFIX)
        route = _ROUTE.fullmatch(request.path)
        if route is None or route["version"] not in self.release.versions:
            raise FaultError(404)
        if route["version"] == "v2":
            return self._images(request, route)  # it ignores microversions
        asked = _asked_microversion(request.headers, self.release.max_microversion)
        try:
            response = self._images(request, route, asked)
        except FaultError as fault:
            response = fault.response
        return response.with_headers(
            ("OpenStack-API-Version", f"compute {_spelled(asked)}"),
            ("X-OpenStack-Nova-API-Version", _spelled(asked)),
            ("Vary", "OpenStack-API-Version"),
            ("Vary", "X-OpenStack-Nova-API-Version"),
        )

    def _images(self, request, route, asked=_MINIMUM):
        if route["project"] not in {None, self.account.project_id}:
            raise FaultError(400)
        if asked >= _IMAGES_REMOVED:
            raise FaultError(404)
        links = Links(
            origin=request.origin,
            version=route["version"],
            project=route["project"] or "",
            release=self.release,
            is_brief=route["image"] is None,
        )
        if route["image"] not in {None, "detail"}:
            found = [row for row in self.rows if row.id == route["image"]]
            if not found:
                raise FaultError(404)
            return as_json(200, {"image": detail(found[0], links)})
        query = read_query(request.query, self.release)
        rows = select(self.rows, query)
        described = [detail(row, links) for row in rows]
        if links.is_brief:
            described = [{key: each[key] for key in ("id", "name", "links")} for each in described]
        document = {"images": described}
        if rows and len(rows) == query.limit:
            href = links.next_page(query, rows[-1].id)
            document["images_links"] = [{"rel": "next", "href": href}]
        return as_json(200, document)

    def _versions(self, wanted, origin):
        if wanted:
            return as_json(200, {"version": self._version(wanted, origin)})
        described = [self._version(each, origin) for each in self.release.versions]
        return as_json(200, {"versions": described})

    def _version(self, version, origin):
        maximum = self.release.max_microversion if version == "v2.1" else None
        return {
            "id": "v2.0" if version == "v2" else version,
            "status": "CURRENT" if version == self.release.versions[-1] else "SUPPORTED",
            "version": _spelled(maximum) if maximum else "",
            "min_version": _spelled(_MINIMUM) if maximum else "",
            "links": [{"rel": "self", "href": f"{origin}/{version}/"}],
        }


def _asked_microversion(headers, newest):
    """Return the microversion that a request asks for; the default is 2.1."""
    _, _, text = headers.get("openstack-api-version", "").rpartition(" ")
    text = text or headers.get("x-openstack-nova-api-version", _spelled(_MINIMUM))
    if text == "latest":
        return newest
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def _spelled(microversion):
    return f"{microversion[0]}.{microversion[1]}"
