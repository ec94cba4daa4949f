"""Makes safe cassettes of what other tools recorded with passwords and tokens in clear."""

from pytest_imagedetail.scrub.reading import Source, read
from pytest_imagedetail.scrub.writing import (
    Outcome,
    Scrubbed,
    check,
    exposed_in,
    path_of,
    scrubbed,
    write,
)

__all__ = [
    "Outcome",
    "Scrubbed",
    "Source",
    "check",
    "exposed_in",
    "path_of",
    "read",
    "scrubbed",
    "write",
]
