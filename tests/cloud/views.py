"""Make Nova's JSON from Glance's images: fields, links, and the link to the next page."""

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.cloud.releases import Release

_MAX_LIMIT = 1000  # Nova's default; it only decides on a next link, and never cuts a listing
_GLANCE = "http://glance.internal:9292"
_STATUS = {
    "active": "ACTIVE",
    "queued": "SAVING",
    "saving": "SAVING",
    "deleted": "DELETED",
    "pending_delete": "DELETED",
    "killed": "ERROR",
}
_PROGRESS = {"queued": 25, "saving": 50, "active": 100}
_TRUE = {"1", "t", "true", "on", "y", "yes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Builds the links of one response; they have the project if the request's path has it.

    Essex even puts it into the alternate link, which is wrong (bug 1343080), but not into the links
    of a server.
    """

    origin: str
    version: str
    project: str
    release: Release
    is_brief: bool = False

    def of_image(self, image_id):
        owner = self.project if self.release.is_essex else ""
        alternate = _join(_GLANCE, owner, "images", image_id)
        kind = "application/vnd.openstack.image"
        return [
            *self._pair(self.project, "images", image_id),
            {"rel": "alternate", "type": kind, "href": alternate},
        ]

    def of_server(self, server_id):
        return self._pair("" if self.release.is_essex else self.project, "servers", server_id)

    def next_page(self, query, last_id):
        """Return the next link. That of Essex leads to the brief listing and encodes nothing."""
        collection = "images" if self.release.is_essex or self.is_brief else "images/detail"
        url = _join(self.origin, self.version, self.project, collection)
        if not self.release.is_essex:
            return f"{url}?{urlencode(dict(sorted(query.parameters)) | {'marker': last_id})}"
        kept = [(name, value) for name, value in query.parameters if name != "marker"]
        return f"{url}?{'&'.join('='.join(pair) for pair in [*kept, ('marker', last_id)])}"

    def _pair(self, project, collection, identifier):
        own = _join(self.origin, self.version, project, collection, identifier)
        bookmark = _join(self.origin, project, collection, identifier)
        return [{"rel": "self", "href": own}, {"rel": "bookmark", "href": bookmark}]


def detail(row, links):
    metadata = dict(row.properties)
    for name in ("block_device_mapping", "mappings"):
        if isinstance(metadata.get(name), str):
            metadata[name] = json.loads(metadata[name])
    image = {
        "id": row.id,
        "name": row.name,
        "minRam": row.min_ram,
        "minDisk": row.min_disk,
        "metadata": metadata,
        "created": f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "updated": f"{row.updated_at:%Y-%m-%dT%H:%M:%SZ}",
        "status": _STATUS.get(row.status, "UNKNOWN"),
        "progress": _PROGRESS.get(row.status, 0),
    }
    if not links.release.is_essex:
        image["OS-EXT-IMG-SIZE:size"] = row.size or 0
    image["links"] = links.of_image(row.id)
    server_id = metadata.get("instance_uuid")
    if server_id is not None:
        image["server"] = {"id": server_id, "links": links.of_server(server_id)}
    automatic = metadata.get("auto_disk_config")
    if automatic is not None:
        is_auto = automatic.strip().lower() in _TRUE
        image["OS-DCF:diskConfig"] = "AUTO" if is_auto else "MANUAL"
    return image


def next_links(rows, query, links):
    """Return the `images_links` of a page: one link if the page is full."""
    if not rows or len(rows) != _full_page(query, links.release):
        return []
    return [{"rel": "next", "href": links.next_page(query, rows[-1].id)}]


def _full_page(query, release):
    if release.is_essex:
        return query.limit
    if dict(query.parameters).get("limit") and query.limit is None:
        return None
    return min(query.limit or _MAX_LIMIT, _MAX_LIMIT)


def _join(*parts):
    return "/".join(part for part in parts if part)
