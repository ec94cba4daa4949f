"""From Glance's images to Nova's JSON: fields, links, and the link to the next page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from pytest_imagedetail.embedded.behavior import Behavior
from pytest_imagedetail.embedded.query import Query
from pytest_imagedetail.embedded.seed import ImageRow

MAX_LIMIT = 1000
"""Nova's default `[api] max_limit`. It never cuts a listing; it only decides on a next link."""

_STATUS = {
    "active": "ACTIVE",
    "queued": "SAVING",
    "saving": "SAVING",
    "deleted": "DELETED",
    "pending_delete": "DELETED",
    "killed": "ERROR",
}
_PROGRESS = {"queued": 25, "saving": 50, "active": 100}

_JSON_PROPERTIES = ("block_device_mapping", "mappings")
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Builds the links of one answer.

    Attributes:
        origin: scheme://host:port before the version.
        version: Version in the request's path; bookmarks go without it.
        project_id: Project of the request.
        names_project: Whether links to images carry the project.
        behavior: The release.
    """

    origin: str
    version: str
    project_id: str
    names_project: bool
    behavior: Behavior

    def of_image(self, image_id: str) -> list[dict[str, str]]:
        """Self, bookmark and alternate, in Nova's order."""
        project = self.project_id if self.names_project else ""
        owner = self.project_id if self.behavior.alternate_names_project else ""
        alternate = _join(self.behavior.image_origin, owner, "images", image_id)
        return [
            *self._pair(project, "images", image_id),
            {"rel": "alternate", "type": "application/vnd.openstack.image", "href": alternate},
        ]

    def of_server(self, server_id: str) -> list[dict[str, str]]:
        """Self and bookmark of the server that a snapshot was taken from."""
        with_project = self.names_project and self.behavior.server_links_name_project
        project = self.project_id if with_project else ""
        return self._pair(project, "servers", server_id)

    def next_page(self, collection: str, query: Query, last_id: str) -> str:
        """The URL that continues a listing after its last image."""
        project = self.project_id if self.names_project else ""
        url = _join(self.origin, self.version, project, collection)
        if self.behavior.next_is_encoded:
            return f"{url}?{urlencode(dict(sorted(query.parameters)) | {'marker': last_id})}"
        kept = [(name, value) for name, value in query.parameters if name != "marker"]
        return f"{url}?{'&'.join('='.join(pair) for pair in [*kept, ('marker', last_id)])}"

    def _pair(self, project: str, collection: str, identifier: str) -> list[dict[str, str]]:
        return [
            {
                "rel": "self",
                "href": _join(self.origin, self.version, project, collection, identifier),
            },
            {"rel": "bookmark", "href": _join(self.origin, project, collection, identifier)},
        ]


def image_detail(row: ImageRow, links: Links) -> dict[str, Any]:
    """One element of images/detail.

    Raises:
        json.JSONDecodeError: A property that Nova decodes is not JSON; on a real cloud this one
            image poisons the whole listing.
    """
    behavior = links.behavior
    metadata = _metadata(row, behavior)
    detail: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "minRam": row.min_ram,
        "minDisk": row.min_disk,
        "metadata": metadata,
        "created": _date(row.created_at),
        "updated": _date(row.updated_at),
        "status": _STATUS.get(row.status, "UNKNOWN"),
        "progress": _PROGRESS.get(row.status, 0),
    }
    if behavior.has_size:
        detail["OS-EXT-IMG-SIZE:size"] = row.size or 0
    detail["links"] = links.of_image(row.id)
    server_id = metadata.get("instance_uuid")
    if server_id is not None:
        detail["server"] = {"id": server_id, "links": links.of_server(server_id)}
    automatic = metadata.get("auto_disk_config")
    if automatic is not None:
        detail["OS-DCF:diskConfig"] = "AUTO" if _is_true(automatic) else "MANUAL"
    return detail


def image_brief(row: ImageRow, links: Links) -> dict[str, Any]:
    """One element of the brief listing, /images."""
    return {"id": row.id, "name": row.name, "links": links.of_image(row.id)}


def next_links(
    rows: Sequence[ImageRow], query: Query, collection: str, links: Links
) -> list[dict[str, str]]:
    """The `images_links` of a page: one link if the page is full, else none.

    Args:
        rows: Images on the page.
        query: What was asked.
        collection: "images" or "images/detail".
        links: Link builder of the answer.
    """
    if len(rows) != _full_page(query, links.behavior) or not rows:
        return []
    target = collection if links.behavior.next_keeps_detail else "images"
    return [{"rel": "next", "href": links.next_page(target, query, rows[-1].id)}]


def _full_page(query: Query, behavior: Behavior) -> int | None:
    if not behavior.next_without_limit:
        return query.limit
    if dict(query.parameters).get("limit") and query.limit is None:
        return None
    return min(query.limit or MAX_LIMIT, MAX_LIMIT)


def _metadata(row: ImageRow, behavior: Behavior) -> Mapping[str, Any]:
    metadata: dict[str, Any] = dict(row.properties)
    for name in _JSON_PROPERTIES:
        if isinstance(metadata.get(name), str):
            metadata[name] = json.loads(metadata[name])
    if behavior.sync_status_reason is not None:
        metadata["sync_status_reason"] = behavior.sync_status_reason.format(id=row.id)
    return metadata


def _date(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_true(text: str) -> bool:
    return text.strip().lower() in _TRUE


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)
