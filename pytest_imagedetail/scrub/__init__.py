"""Write safe cassettes from recordings of other tools that hold passwords and tokens."""

from pytest_imagedetail.scrub.reading import Source, read
from pytest_imagedetail.scrub.writing import (
    Scrubbed,
    check,
    check_in_place,
    path_of,
    refuse_in_place,
    scrub,
    secrets_of,
    write,
    write_in_place,
)

__all__ = [
    "Scrubbed",
    "Source",
    "check",
    "check_in_place",
    "path_of",
    "read",
    "refuse_in_place",
    "scrub",
    "secrets_of",
    "write",
    "write_in_place",
]
