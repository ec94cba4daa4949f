"""List what each release of the API promises, as data with sources."""

from pytest_imagedetail.contract.fields import (
    FIELDS,
    FILTERS,
    IMAGE,
    Field,
    image_in,
    offers,
    promises,
)
from pytest_imagedetail.contract.releases import (
    API_VERSIONS,
    MAX_MICROVERSIONS,
    newest_release,
    reached,
    release_index,
    release_name,
    release_names,
    release_number,
    releases_of,
)
from pytest_imagedetail.contract.values import (
    ISOTIME,
    JSON_TYPES,
    UUID,
    Part,
    is_isotime,
    json_type,
    text_format,
    with_article,
)

__all__ = [
    "API_VERSIONS",
    "FIELDS",
    "FILTERS",
    "IMAGE",
    "ISOTIME",
    "JSON_TYPES",
    "MAX_MICROVERSIONS",
    "UUID",
    "Field",
    "Part",
    "image_in",
    "is_isotime",
    "json_type",
    "newest_release",
    "offers",
    "promises",
    "reached",
    "release_index",
    "release_name",
    "release_names",
    "release_number",
    "releases_of",
    "text_format",
    "with_article",
]
