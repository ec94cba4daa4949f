"""The images every cloud is given: one of each kind that "List images details" can tell apart.

Ids and dates are fixed, so that clouds of different releases can be compared byte for byte. A user
of project demo is shown 14 of them, newest first: the table read from the bottom, without the
hidden, the killed, the deleted and the other project's private one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

INSTANCE = "5eed1157-0000-4000-8000-000000000001"
VOLUME_SNAPSHOT = "5eed5a47-0000-4000-8000-000000000001"
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image.

    Attributes:
        id: Its UUID.
        name: Its name, which Glance lets be absent.
        created: When, to the second, UTC. `updated` likewise.
        project: Who owns it.
        data: How many bytes are uploaded; None leaves it queued.
        deactivated: Deactivated after the upload.
        deleted: Deleted at the end.
        status: A status the API cannot bring about at once; set in Glance's database.
        size: A size nobody wants to upload; set in Glance's database.
    """

    id: str
    name: str | None
    created: str
    updated: str
    project: Literal["demo", "other"] = "demo"
    visibility: Literal["private", "public", "community"] = "private"
    min_ram: int = 0
    min_disk: int = 0
    properties: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    data: int | None = None
    hidden: bool = False
    deactivated: bool = False
    deleted: bool = False
    status: Literal["saving", "killed", "pending_delete", "importing"] | None = None
    size: int | None = None


BASE = Image(
    id="5eed0001-0000-4000-8000-000000000001",
    name="cirros-base",
    created="2024-01-01 08:00:00",
    updated="2024-03-01 08:00:00",
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
    # What Nova writes when a server is snapshotted: makes `server` and a MANUAL disk configuration.
    Image(
        id="5eed0002-0000-4000-8000-000000000002",
        name="web-1-snapshot",
        created="2024-01-02 08:00:00",
        updated="2024-01-02 08:05:00",
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
    # Registered, nothing uploaded: shown as SAVING, yet not found by status=SAVING.
    Image(
        id="5eed0003-0000-4000-8000-000000000003",
        name="registered-only",
        created="2024-01-03 08:00:00",
        updated="2024-01-03 08:00:00",
    ),
    # Two of one name: a name does not identify an image.
    Image(
        id="5eed0004-0000-4000-8000-000000000004",
        name="dup",
        created="2024-01-04 08:00:00",
        updated="2024-01-04 08:01:00",
        data=1024,
    ),
    Image(
        id="5eed0005-0000-4000-8000-000000000005",
        name="dup",
        created="2024-01-05 08:00:00",
        updated="2024-01-05 08:01:00",
        data=1025,
    ),
    # Text that needs escaping in JSON, HTML, YAML and URLs; an empty value; a colon in a key.
    Image(
        id="5eed0006-0000-4000-8000-000000000006",
        name="Z\u00fcrich \"prod\" & <b>\u6771\u4eac</b> 100% \\ 'x'",
        created="2024-01-06 08:00:00",
        updated="2024-01-06 08:01:00",
        data=512,
        properties={
            "empty": "",
            "org:name": "\u00c9quipe R&D",
            "gr\u00f6\u00dfe": "gro\u00df",
        },
    ),
    # Another project's, for everybody; Nova decodes these two properties from JSON into lists.
    Image(
        id="5eed0007-0000-4000-8000-000000000007",
        name="volume-backed",
        created="2024-01-07 08:00:00",
        updated="2024-01-07 08:01:00",
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
    Image(
        id="5eed0008-0000-4000-8000-000000000008",
        name="deactivated",
        created="2024-01-08 08:00:00",
        updated="2024-01-08 08:02:00",
        data=128,
        deactivated=True,
    ),
    # Not listed.
    Image(
        id="5eed0009-0000-4000-8000-000000000009",
        name="hidden",
        created="2024-01-09 08:00:00",
        updated="2024-01-09 08:01:00",
        data=128,
        hidden=True,
    ),
    # Listed to its owner only, not even to an administrator.
    Image(
        id="5eed0010-0000-4000-8000-000000000010",
        name="community",
        created="2024-01-10 08:00:00",
        updated="2024-01-10 08:01:00",
        visibility="community",
        data=128,
    ),
    # Not listed; as a marker it is a 403, where an unknown id is a 400.
    Image(
        id="5eed0011-0000-4000-8000-000000000011",
        name="private-of-other",
        created="2024-01-11 08:00:00",
        updated="2024-01-11 08:01:00",
        project="other",
        data=128,
    ),
    Image(
        id="5eed0012-0000-4000-8000-000000000012",
        name="saving",
        created="2024-01-12 08:00:00",
        updated="2024-01-12 08:01:00",
        status="saving",
    ),
    # Not listed, although Nova has a word for it (ERROR).
    Image(
        id="5eed0013-0000-4000-8000-000000000013",
        name="killed",
        created="2024-01-13 08:00:00",
        updated="2024-01-13 08:01:00",
        status="killed",
    ),
    # Shown as DELETED.
    Image(
        id="5eed0014-0000-4000-8000-000000000014",
        name="pending-delete",
        created="2024-01-14 08:00:00",
        updated="2024-01-14 08:01:00",
        data=128,
        status="pending_delete",
    ),
    # Shown as UNKNOWN.
    Image(
        id="5eed0015-0000-4000-8000-000000000015",
        name="importing",
        created="2024-01-15 08:00:00",
        updated="2024-01-15 08:01:00",
        status="importing",
    ),
    # 2**53 + 1 bytes: the first whole number that a double cannot hold.
    Image(
        id="5eed0016-0000-4000-8000-000000000016",
        name="largest",
        created="2024-01-16 08:00:00",
        updated="2024-01-16 08:01:00",
        min_ram=2**31 - 1,
        min_disk=2**31 - 1,
        data=128,
        size=2**53 + 1,
    ),
    Image(
        id="5eed0017-0000-4000-8000-000000000017",
        name=None,
        created="2024-01-17 08:00:00",
        updated="2024-01-17 08:00:00",
    ),
    # Not listed, and not returned by changes-since either.
    Image(
        id="5eed0018-0000-4000-8000-000000000018",
        name="deleted",
        created="2024-01-18 08:00:00",
        updated="2024-01-18 08:01:00",
        data=128,
        deleted=True,
    ),
)

LISTED_TO_DEMO = tuple(
    image.id
    for image in reversed(IMAGES)
    if not (image.hidden or image.deleted or image.status == "killed")
    and (image.project == "demo" or image.visibility == "public")
)
