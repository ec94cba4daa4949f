"""Nova's API: paths, authorization, microversions, and responses about images."""

import re
from dataclasses import dataclass
from uuid import uuid4

from tests.cloud.glance import select
from tests.cloud.images import ImageRow
from tests.cloud.keystone import PREFIX, Account
from tests.cloud.query import read_query
from tests.cloud.releases import Release
from tests.cloud.views import Links, detail, next_links
from tests.cloud.wsgi import NOT_FOUND, FaultError, as_json, unauthorized

_MINIMUM = (2, 1)
_IMAGES_REMOVED = (2, 36)  # the image proxy is a 404 from here on (Nova 14.0.0)
_MICROVERSION = re.compile(r"([1-9]\d*)\.([1-9]\d*|0)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """Nova of one release; `rows` are sorted, newest first."""

    release: Release
    account: Account
    rows: list[ImageRow]

    def respond(self, request):
        response = self._authorize(request)
        request_id = f"req-{uuid4()}"
        if not self.release.is_essex:
            response = response.with_headers(("x-openstack-request-id", request_id))
        return response.with_headers(("x-compute-request-id", request_id))

    def _authorize(self, request):
        version = request.path.strip("/")
        if request.method == "GET" and version in {"", *self.release.versions}:
            return self._versions(version, request.origin)
        if request.headers.get("x-auth-token") != self.account.token:
            return unauthorized(request.origin + PREFIX)
        project = "[^/]+" if self.release.is_essex else "[0-9a-f-]+"
        route = re.fullmatch(
            rf"/(?P<version>{'|'.join(map(re.escape, self.release.versions))})"
            rf"(?:/(?P<project>{project}))?/images(?:/(?P<image>[^/]+))?",
            request.path,
        )
        is_whole = route is not None and (route["project"] or not self.release.is_essex)
        if not is_whole or request.method != "GET":
            return FaultError(404, NOT_FOUND).response
        if route["version"] != "v2.1":
            return self._answer(request, route, _MINIMUM)  # it ignores microversions
        return self._with_microversion(request, route)

    def _with_microversion(self, request, route):
        maximum = self.release.max_microversion
        try:
            asked = _asked_microversion(request.headers, maximum)
        except FaultError as fault:
            return fault.response
        if _MINIMUM <= asked <= maximum:
            response = self._answer(request, route, asked)
        else:
            bounds = f"Minimum is {_spelled(_MINIMUM)} and maximum is {_spelled(maximum)}."
            message = f"Version {_spelled(asked)} is not supported by the API. {bounds}"
            response = FaultError(406, message).response
        return response.with_headers(
            ("OpenStack-API-Version", f"compute {_spelled(asked)}"),
            ("X-OpenStack-Nova-API-Version", _spelled(asked)),
            ("Vary", "OpenStack-API-Version"),
            ("Vary", "X-OpenStack-Nova-API-Version"),
        )

    def _answer(self, request, route, asked):
        try:
            self._check(route["project"], asked)
            if route["image"] not in {None, "detail"}:
                return self._image(request, route)
            return self._images(request, route)
        except FaultError as fault:
            return fault.response

    def _check(self, project, asked):
        mine = self.account.project_id
        if project not in {None, mine}:
            theirs = f"doesn't match Context's project_id '{mine}'"
            raise FaultError(400, f"Malformed request URL: URL's project_id '{project}' {theirs}")
        if asked >= _IMAGES_REMOVED:
            raise FaultError(404, NOT_FOUND)

    def _links(self, request, route):
        return Links(
            origin=request.origin,
            version=route["version"],
            project=route["project"] or "",
            release=self.release,
            is_brief=route["image"] is None,
        )

    def _image(self, request, route):
        found = [row for row in self.rows if row.id == route["image"] and not row.deleted]
        if not found or not found[0].is_visible(self.account.project_id):
            raise FaultError(404, "Image not found.")
        return as_json(200, {"image": detail(found[0], self._links(request, route))})

    def _images(self, request, route):
        links = self._links(request, route)
        query = read_query(request.query, self.release)
        rows = select(self.rows, query, self.account.project_id)
        described = [detail(row, links) for row in rows]
        if links.is_brief:
            described = [{key: each[key] for key in ("id", "name", "links")} for each in described]
        document = {"images": described}
        if following := next_links(rows, query, links):
            document["images_links"] = following
        return as_json(200, document)

    def _versions(self, wanted, origin):
        if wanted:
            return as_json(200, {"version": self._version(wanted, origin)})
        described = [self._version(each, origin) for each in self.release.versions]
        return as_json(200, {"versions": described})

    def _version(self, version, origin):
        maximum = self.release.max_microversion if version == "v2.1" else None
        newest = version == self.release.versions[-1]
        return {
            "id": "v2.0" if version == "v2" else version,
            "status": "CURRENT" if newest else "SUPPORTED",
            "version": _spelled(maximum) if maximum else "",
            "min_version": _spelled(_MINIMUM) if maximum else "",
            "updated": "2013-07-23T11:33:21Z" if maximum else "2011-01-21T11:33:21Z",
            "links": [{"rel": "self", "href": f"{origin}/{version}/"}],
        }


def _asked_microversion(headers, maximum):
    """Return the microversion that a request asks for, supported or not; the default is 2.1."""
    text = _of_compute(headers.get("openstack-api-version", ""))
    text = text or headers.get("x-openstack-nova-api-version", "").strip()
    if not text:
        return _MINIMUM
    if text == "latest":
        return maximum
    match = _MICROVERSION.fullmatch(text)
    if match is None:
        form = "Must be of format MajorNum.MinorNum."
        raise FaultError(400, f"API Version String {text} is of invalid format. {form}")
    return int(match[1]), int(match[2])


def _of_compute(header):
    """Return the last version of compute in a header like "image 2.9, compute 2.36", or ""."""
    for part in reversed(header.split(",")):
        service, _, version = part.strip().partition(" ")
        if service.lower() == "compute":
            return version.strip()
    return ""


def _spelled(microversion):
    return f"{microversion[0]}.{microversion[1]}"
