"""What is known of the answer beside the fields: links, filters, statuses; each with its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One fact about the API.

    Attributes:
        text: The fact.
        source: Where it is known from.
    """

    text: str
    source: str


API_VERSIONS: Final = frozenset({"v1.1", "v2", "v2.0", "v2.1"})
"""As they stand in the paths of links: Nova's and vendors' names of one and the same API.

Nova 2013.1 etc/nova/api-paste.ini has v1.1 and v2 lead to the same application; v2.1 since 2015.1.
"""

LINKS: Final[Mapping[str, Note]] = {
    "self": Note(
        text="with the version of the API; with the project through Grizzly, since Havana only if "
        "the request had it",
        source="Nova api/openstack/common.py, _get_project_id",
    ),
    "bookmark": Note(
        text="as self, without the version", source="Nova api/openstack/compute/views/images.py"
    ),
    "alternate": Note(
        text="in Glance, since Essex; through Juno with the project, which leads nowhere",
        source="Nova e516de74c1, bug 1343080",
    ),
    "next": Note(
        text="beside the images; through Juno without /detail, so that images from the second page "
        "on lack their details",
        source="Nova f233c65cd3",
    ),
}
"""By relation."""

FILTERS: Final[Mapping[str, Note]] = {
    "name": Note(
        text="equality; since Newton a colon in it is taken for an operator, which is a 400",
        source="Glance 13.0.0 db/sqlalchemy/api.py, split_filter_op",
    ),
    "status": Note(
        text="a status of Glance in lower case since Essex: SAVING finds no queued image, ERROR "
        "and UNKNOWN find none",
        source="Nova ff716dee03",
    ),
    "server": Note(
        text="since Essex the last segment of the URL is the id; a trailing slash finds nothing",
        source="Nova api/openstack/compute/images.py, _get_filters",
    ),
    "type": Note(
        text="equality with metadata.image_type (snapshot, backup); BASE, SERVER and ALL are "
        "documented and were never in Nova, so they find nothing",
        source="Nova api/openstack/compute/images.py, SUPPORTED_FILTERS",
    ),
    "changes-since": Note(
        text="through Mitaka deleted images are included and the bound is not; since Newton the "
        "other way round",
        source="Nova 14.0.0 conf/glance.py, use_glance_v1; Glance v1 and v2",
    ),
    "minRam": Note(
        text="equality, although the documents say at least",
        source="Nova api/openstack/compute/images.py, SUPPORTED_FILTERS",
    ),
    "minDisk": Note(
        text="equality, although the documents say at least",
        source="Nova api/openstack/compute/images.py, SUPPORTED_FILTERS",
    ),
    "limit": Note(
        text="0 means no limit through 2023.1; since 2024.1 the schema refuses it",
        source="Nova 30.0.0, commit 41b436bff7; recordings of 2023.1 and 2024.2",
    ),
    "marker": Note(
        text="the id of the last image seen; Diablo takes integers only",
        source="Nova 2011.3 api/openstack/common.py",
    ),
    "property-": Note(
        text="since Newton letters of `property-` are cut from the key, too: os_type is asked as "
        "s_type",
        source="Nova 8eca306ab0",
    ),
}
"""By the name in the query; `property-` stands for all that begin so."""

STATUS_CODES: Final[Mapping[int, Note]] = {
    203: Note(
        text="a whole listing from a cache in front of the cloud; Nova itself never sends it",
        source="OpenStack Compute API v2 guide",
    ),
    304: Note(text="only Cyclades sends it: nothing changed", source="Cyclades compute API guide"),
    400: Note(
        text="a bad limit, marker or date, or a project in the URL that is not the token's",
        source="Nova api/openstack/common.py and wsgi.py",
    ),
    401: Note(
        text="Keystone's middleware answers it before Nova sees the request",
        source="keystonemiddleware auth_token",
    ),
    403: Note(text="Glance refuses", source="Nova api/openstack/compute/images.py"),
    404: Note(
        text="the whole of /images since microversion 2.36; without a microversion it is there",
        source="Nova 14.0.0 microversion 2.36",
    ),
    406: Note(text="a microversion that the cloud does not have", source="Nova microversions"),
    413: Note(
        text="Nova's own rate limit: on by default through Grizzly, three a minute with "
        "changes-since",
        source="Nova 2012.1 api/openstack/compute/limits.py, DEFAULT_LIMITS",
    ),
    500: Note(
        text="Glance cannot be reached, or one image's block_device_mapping is no JSON",
        source="Nova image/glance.py, _CONVERT_PROPS",
    ),
    503: Note(text="the service, or what stands in front of it, is down", source="Nova api-ref"),
}
"""By status."""
