"""What the API promises, as data with sources: by release, and by two published schemas."""

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
from pytest_imagedetail.contract.forms import ISOTIME, UUID, is_isotime, text_format
from pytest_imagedetail.contract.parts import ANYTHING, REFUSED, Breach, Part
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
from pytest_imagedetail.contract.schemas import CONTRACTS, SCHEMAS, Schema

__all__ = [
    "ANYTHING",
    "API_VERSIONS",
    "CONTRACTS",
    "FIELDS",
    "FILTERS",
    "IMAGE",
    "ISOTIME",
    "LINKS",
    "MAX_MICROVERSIONS",
    "REFUSED",
    "SCHEMAS",
    "STATUSES",
    "STATUS_CODES",
    "UUID",
    "Breach",
    "Field",
    "Note",
    "Part",
    "Schema",
    "image_in",
    "is_isotime",
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
