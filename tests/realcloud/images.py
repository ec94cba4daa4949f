"""The images of every cloud: one of each kind that "List images details" can tell apart.

Ids and dates are fixed, so that clouds of different releases can be compared byte by byte. A user
of project demo sees 14 of them, newest first: all but the hidden, killed and deleted ones, and the
private one of the other project.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

INSTANCE = "5eed1157-0000-4000-8000-000000000001"
VOLUME_SNAPSHOT = "5eed5a47-0000-4000-8000-000000000001"
NOTHING = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image."""

    id: str
    name: str | None  # optional in Glance
    created: str
    updated: str
    project: Literal["demo", "other"] = "demo"
    visibility: Literal["private", "public", "community"] = "private"
    min_ram: int = 0
    min_disk: int = 0
    properties: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    data: int | None = None  # the number of bytes to upload; None leaves the image queued
    hidden: bool = False
    deactivated: bool = False
    deleted: bool = False
    # What the API cannot set or is too large to upload is set in Glance's database.
    status: Literal["saving", "killed", "pending_delete", "importing"] | None = None
    size: int | None = None


def _image(number, name, *, updated="01-{:02} 08:01", **more):
    """Return the image of a number, which is in its id and is its day in January 2024."""
    return Image(
        id=f"5eed{number:04}-0000-4000-8000-{number:012}",
        name=name,
        created=f"2024-01-{number:02} 08:00:00",
        updated=f"2024-{updated.format(number)}:00",
        **more,
    )


BASE = _image(
    1,
    "cirros-base",
    updated="03-01 08:00",
    visibility="public",
    min_ram=64,
    min_disk=1,
    data=4096,
    properties={
        "architecture": "x86_64",
        "image_type": "base",
        "os_distro": "cirros",
        "auto_disk_config": "True",
    },
)

IMAGES = (
    BASE,
    # Like a snapshot made by Nova: it has `server` and a MANUAL disk configuration.
    _image(
        2,
        "web-1-snapshot",
        updated="01-02 08:05",
        min_ram=64,
        min_disk=1,
        data=2048,
        properties={
            "image_type": "snapshot",
            "instance_uuid": INSTANCE,
            "base_image_ref": BASE.id,
            "kernel_id": "nokernel",
            "auto_disk_config": "False",
            "user_id": "5eed0000000040008000000000000005",
            "owner_id": "5eed0000000040008000000000000006",
        },
    ),
    # Nothing is uploaded: shown as SAVING, but not found by status=SAVING.
    _image(3, "registered-only", updated="01-03 08:00"),
    # Two images of the same name.
    _image(4, "dup", data=1024),
    _image(5, "dup", data=1025),
    # Text that needs escaping in JSON, HTML, YAML and URLs; an empty value; a colon in a key.
    _image(
        6,
        "Z\u00fcrich \"prod\" & <b>\u6771\u4eac</b> 100% \\ 'x'",
        data=512,
        properties={"empty": "", "org:name": "\u00c9quipe R&D", "gr\u00f6\u00dfe": "gro\u00df"},
    ),
    # A public image of another project. Nova decodes these two properties from JSON into lists.
    _image(
        7,
        "volume-backed",
        project="other",
        visibility="public",
        data=256,
        properties={
            "block_device_mapping": '[{"device_name": "/dev/vda", "source_type": "snapshot", '
            f'"snapshot_id": "{VOLUME_SNAPSHOT}", "volume_size": 1, '
            '"delete_on_termination": false}]',
            "mappings": '[{"virtual": "ami", "device": "/dev/vda1"}, '
            '{"virtual": "swap", "device": "/dev/vdb"}]',
        },
    ),
    # Shown as UNKNOWN.
    _image(8, "deactivated", updated="01-08 08:02", data=128, deactivated=True),
    # Not listed.
    _image(9, "hidden", data=128, hidden=True),
    # Listed only for its owner, not even for an administrator.
    _image(10, "community", visibility="community", data=128),
    # Not listed. As a marker it gives 403; an unknown id gives 400.
    _image(11, "private-of-other", project="other", data=128),
    _image(12, "saving", status="saving"),
    # Not listed, although Nova has the status ERROR for it.
    _image(13, "killed", status="killed"),
    # Shown as DELETED.
    _image(14, "pending-delete", data=128, status="pending_delete"),
    # Shown as UNKNOWN.
    _image(15, "importing", status="importing"),
    # 2**53 + 1 bytes: the first integer that a double cannot represent.
    _image(16, "largest", min_ram=2**31 - 1, min_disk=2**31 - 1, data=128, size=2**53 + 1),
    _image(17, None, updated="01-17 08:00"),
    # Not listed, not even with changes-since.
    _image(18, "deleted", data=128, deleted=True),
)

LISTED_TO_DEMO = tuple(
    image.id
    for image in reversed(IMAGES)
    if not (image.hidden or image.deleted or image.status == "killed")
    and (image.project == "demo" or image.visibility == "public")
)
