"""Lists what each release of the API promises, as data with sources."""

from pytest_imagedetail.contract.answers import API_VERSIONS, FILTERS, LINKS, STATUS_CODES, Note
from pytest_imagedetail.contract.fields import (
    FIELDS,
    IMAGE,
    STATUSES,
    Field,
    image_in,
    offers,
    promises,
)
from pytest_imagedetail.contract.forms import (
    ISOTIME,
    JSON_TYPES,
    UUID,
    is_isotime,
    json_type,
    text_format,
)
from pytest_imagedetail.contract.parts import ANYTHING, BY, Breach, Part
from pytest_imagedetail.contract.releases import (
    MAX_MICROVERSIONS,
    newest_release,
    reached,
    release_index,
    release_name,
    release_names,
    release_number,
    releases_of,
)

__all__ = [
    "ANYTHING",
    "API_VERSIONS",
    "BY",
    "FIELDS",
    "FILTERS",
    "IMAGE",
    "ISOTIME",
    "JSON_TYPES",
    "LINKS",
    "MAX_MICROVERSIONS",
    "STATUSES",
    "STATUS_CODES",
    "UUID",
    "Breach",
    "Field",
    "Note",
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
]
