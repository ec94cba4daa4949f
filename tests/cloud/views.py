"""Make Nova's JSON from Glance's images: fields, links, and the link to the next page."""

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.cloud.keystone import GLANCE
from tests.cloud.releases import Release

_STATUS = {"active": "ACTIVE", "queued": "SAVING", "saving": "SAVING", "pending_delete": "DELETED"}
_PROGRESS = {"queued": 25, "saving": 50, "active": 100}


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Builds the links of one response; they have the project if the request's path has it."""

    origin: str
    version: str
    project: str
    release: Release
    is_brief: bool = False

    def of_image(self, image_id):
        # Essex puts the project into this link, which is wrong, but not into those of a server.
        owner = self.project if self.release.is_essex else ""
        alternate = _join(GLANCE, owner, "images", image_id)
        kind = "application/vnd.openstack.image"
        return [
            *self._pair(self.project, "images", image_id),
            {"rel": "alternate", "type": kind, "href": alternate},
        ]

    def of_server(self, server_id):
        return self._pair("" if self.release.is_essex else self.project, "servers", server_id)

    def next_page(self, query, last_id):
        collection = "images" if self.is_brief else "images/detail"
        url = _join(self.origin, self.version, self.project, collection)
        return f"{url}?{urlencode(dict(sorted(query.parameters)) | {'marker': last_id})}"

    def _pair(self, project, collection, identifier):
        own = _join(self.origin, self.version, project, collection, identifier)
        bookmark = _join(self.origin, project, collection, identifier)
        return [{"rel": "self", "href": own}, {"rel": "bookmark", "href": bookmark}]


def detail(row, links):
    metadata = dict(row.properties)
    for name in ("block_device_mapping", "mappings"):
        if name in metadata:
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
    if "instance_uuid" in metadata:
        server_id = metadata["instance_uuid"]
        image["server"] = {"id": server_id, "links": links.of_server(server_id)}
    if "auto_disk_config" in metadata:
        is_auto = metadata["auto_disk_config"] == "True"
        image["OS-DCF:diskConfig"] = "AUTO" if is_auto else "MANUAL"
    return image


def _join(*parts):
    return "/".join(part for part in parts if part)
