"""Nova's API: its paths, who may use them, and the answer to images/detail."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from pytest_imagedetail.embedded.behavior import Behavior
from pytest_imagedetail.embedded.faults import (
    FaultError,
    fault_response,
    not_routed_response,
    unauthorized_response,
    unexpected_fault,
)
from pytest_imagedetail.embedded.identity import PREFIX, Account
from pytest_imagedetail.embedded.microversion import (
    IMAGES_REMOVED,
    MINIMUM,
    Microversion,
    asked_microversion,
    check_supported,
    microversion_headers,
    spelled,
)
from pytest_imagedetail.embedded.query import read_query
from pytest_imagedetail.embedded.seed import ImageRow
from pytest_imagedetail.embedded.selection import is_visible, select
from pytest_imagedetail.embedded.views import Links, image_brief, image_detail, next_links
from pytest_imagedetail.embedded.wire import Headers, Request, Response, json_response

_MICROVERSIONED = "v2.1"
_NOT_FOUND = "The resource could not be found."
_IMAGE_NOT_FOUND = "Image not found."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """A path that Nova knows: version, project if there is one, and what follows /images."""

    version: str
    project: str | None
    member: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """Answers the paths of Nova.

    Attributes:
        behavior: The release.
        account: The one user.
        rows: Every image, newest first.
        caching: Whether listings come out of a caching layer, which makes them 203. The API guide
            (compute v2) allows providers that; Nova itself never sends one.
    """

    behavior: Behavior
    account: Account
    rows: Sequence[ImageRow]
    caching: bool

    def respond(self, request: Request) -> Response:
        """Answer one request."""
        if request.method == "OPTIONS":
            return Response(status=200)
        response = self._authorize(request)
        if request.method == "HEAD":
            response = Response(status=response.status, headers=response.headers)
        return response.with_headers(self._request_id())

    def _authorize(self, request: Request) -> Response:
        if request.method == "GET" and request.path in self._version_documents():
            return self._versions(request)
        if not self.account.accepts(request.header("x-auth-token")):
            return unauthorized_response(request.origin + PREFIX, self.behavior)
        route = self._route(request.path)
        if route is None or request.method not in {"GET", "DELETE"}:
            return not_routed_response(request.header("accept"))
        return self._dispatch(request, route)

    def _route(self, path: str) -> _Route | None:
        versions = "|".join(map(re.escape, self.behavior.versions))
        pattern = (
            rf"/(?P<version>{versions})(?:/(?P<project>{self.behavior.project_pattern}))?"
            r"/images(?:/(?P<member>[^/]+))?"
        )
        match = re.fullmatch(pattern, path)
        if match is None or (match["project"] is None and not self.behavior.project_optional):
            return None
        return _Route(version=match["version"], project=match["project"], member=match["member"])

    def _dispatch(self, request: Request, route: _Route) -> Response:
        maximum = self.behavior.max_microversion
        if maximum is None or route.version != _MICROVERSIONED:
            # /v2 of the later releases drops the headers before anybody reads them.
            return self._answer(request, route, MINIMUM)
        try:
            asked = asked_microversion(request, maximum)
        except FaultError as fault:
            return fault_response(fault)
        try:
            check_supported(asked, maximum)
        except FaultError as fault:
            response = fault_response(fault)
        else:
            response = self._answer(request, route, asked)
        return response.with_headers(microversion_headers(asked))

    def _answer(self, request: Request, route: _Route, asked: Microversion) -> Response:
        try:
            self._check_project(route)
            _check_not_removed(asked)
            if request.method == "DELETE":
                return self._refuse_delete(route)
            return self._images(request, route)
        except FaultError as fault:
            return fault_response(fault)
        except json.JSONDecodeError as error:
            return fault_response(unexpected_fault(error, self.behavior))

    def _check_project(self, route: _Route) -> None:
        """Refuse another project in the path; the message leaks the caller's, as Nova's does."""
        mine = self.account.project_id
        if route.project not in {None, mine}:
            raise FaultError(
                400,
                f"Malformed request URL: URL's project_id '{route.project}' "
                f"doesn't match Context's project_id '{mine}'",
            )

    def _images(self, request: Request, route: _Route) -> Response:
        links = self._links(request, route)
        member = self._without_format(route.member)
        if member is None:
            return self._listing(request, links, "images")
        if member == "detail":
            return self._listing(request, links, "images/detail")
        return json_response(200, {"image": image_detail(self._row(member), links)})

    def _listing(self, request: Request, links: Links, collection: str) -> Response:
        query = read_query(request.query_string, self.behavior)
        rows = select(self.rows, query, self.behavior, self.account.project_id)
        view = image_brief if collection == "images" else image_detail
        document: dict[str, Any] = {"images": [view(row, links) for row in rows]}
        images_links = next_links(rows, query, collection, links)
        if images_links:
            document["images_links"] = images_links
        status = HTTPStatus.NON_AUTHORITATIVE_INFORMATION if self.caching else HTTPStatus.OK
        return json_response(status, document)

    def _without_format(self, member: str | None) -> str | None:
        if member is not None and self.behavior.suffix_format:
            return member.removesuffix(".json")
        return member

    def _row(self, image_id: str) -> ImageRow:
        for row in self.rows:
            if row.id == image_id and not row.deleted and is_visible(row, self.account.project_id):
                return row
        raise FaultError(404, _IMAGE_NOT_FOUND)

    def _refuse_delete(self, route: _Route) -> Response:
        if route.member is None:
            raise FaultError(404, _NOT_FOUND)
        self._row(route.member)
        raise FaultError(403, "You are not allowed to delete the image.")

    def _links(self, request: Request, route: _Route) -> Links:
        return Links(
            origin=self.behavior.compute_link_prefix or request.origin,
            version=route.version,
            project_id=self.account.project_id,
            names_project=self.behavior.links_always_name_project or route.project is not None,
            behavior=self.behavior,
        )

    def _request_id(self) -> Headers:
        request_id = f"req-{uuid4()}"
        return tuple((name, request_id) for name in self.behavior.request_id_headers)

    def _version_documents(self) -> frozenset[str]:
        versions = self.behavior.versions
        return frozenset({"/"} | {f"/{v}" for v in versions} | {f"/{v}/" for v in versions})

    def _versions(self, request: Request) -> Response:
        """The documents from which clients learn the greatest microversion."""
        wanted = request.path.strip("/")
        if wanted:
            return json_response(200, {"version": self._version(wanted, request.origin)})
        described = [self._version(version, request.origin) for version in self.behavior.versions]
        return json_response(200, {"versions": described})

    def _version(self, version: str, origin: str) -> dict[str, Any]:
        maximum = self.behavior.max_microversion
        has_microversions = version == _MICROVERSIONED and maximum is not None
        newest = version == self.behavior.versions[-1]
        return {
            "id": "v2.0" if version == "v2" else version,
            "status": "CURRENT" if newest else "SUPPORTED",
            "version": spelled(maximum) if has_microversions and maximum else "",
            "min_version": spelled(MINIMUM) if has_microversions else "",
            "updated": "2013-07-23T11:33:21Z" if has_microversions else "2011-01-21T11:33:21Z",
            "links": [{"rel": "self", "href": f"{origin}/{version}/"}],
        }


def _check_not_removed(asked: Microversion) -> None:
    if asked >= IMAGES_REMOVED:
        raise FaultError(404, _NOT_FOUND)
