"""Write safe cassettes from recordings of other tools that hold passwords and tokens."""

from pytest_imagedetail.scrub.reading import Source, read
from pytest_imagedetail.scrub.writing import Scrubbed, check, path_of, scrub, secrets_of, write

__all__ = ["Scrubbed", "Source", "check", "path_of", "read", "scrub", "secrets_of", "write"]
