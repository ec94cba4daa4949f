"""Describe how Nova treats the query parameters of images/detail; each fact with its source."""

from collections.abc import Mapping
from typing import Final

_SUPPORTED: Final = "Nova api/openstack/compute/images.py, SUPPORTED_FILTERS"

FILTERS: Final[Mapping[str, str]] = {
    "name": "equality; since Newton a colon in it is taken for an operator, which is a 400; "
    "Glance 13.0.0 db/sqlalchemy/api.py, split_filter_op",
    "status": "a status of Glance in lower case since Essex: SAVING finds no queued image, ERROR "
    "and UNKNOWN find none; Nova ff716dee03",
    "server": "since Essex the last segment of the URL is the id; a trailing slash finds nothing; "
    "Nova api/openstack/compute/images.py, _get_filters",
    "type": "equality with metadata.image_type (snapshot, backup); BASE, SERVER and ALL are "
    f"documented and were never in Nova, so they find nothing; {_SUPPORTED}",
    "changes-since": "through Mitaka deleted images are included and the bound is not; since "
    "Newton the other way round; Nova 14.0.0 conf/glance.py, use_glance_v1; Glance v1 and v2",
    "minRam": f"equality, although the documents say at least; {_SUPPORTED}",
    "minDisk": f"equality, although the documents say at least; {_SUPPORTED}",
    "limit": "0 means no limit through 2023.1; since 2024.1 the schema refuses it; Nova 30.0.0, "
    "commit 41b436bff7; recordings of 2023.1 and 2024.2",
    "marker": "the id of the last image seen; Diablo takes integers only; Nova 2011.3 "
    "api/openstack/common.py",
    "property-": "since Newton letters of `property-` are cut from the key, too: os_type is asked "
    "as s_type; Nova 8eca306ab0",
}
"""By the name of the parameter; `property-` stands for all that begin with it."""
