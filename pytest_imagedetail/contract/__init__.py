"""What the API promises, as data with sources: by release, and by two published schemas."""

from pytest_imagedetail.contract.answers import FILTERS, LINKS, STATUS_CODES, Note
from pytest_imagedetail.contract.fields import FIELDS, STATUSES, Field, allows, offers, promises
from pytest_imagedetail.contract.releases import (
    MAX_MICROVERSIONS,
    newest_release,
    release_index,
    release_name,
    release_names,
)
from pytest_imagedetail.contract.schemas import CONTRACTS, SCHEMAS, Schema

__all__ = [
    "CONTRACTS",
    "FIELDS",
    "FILTERS",
    "LINKS",
    "MAX_MICROVERSIONS",
    "SCHEMAS",
    "STATUSES",
    "STATUS_CODES",
    "Field",
    "Note",
    "Schema",
    "allows",
    "newest_release",
    "offers",
    "promises",
    "release_index",
    "release_name",
    "release_names",
]
