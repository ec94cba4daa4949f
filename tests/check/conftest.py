"""The command in this process, as the tests of the other verbs have it."""

from tests.cli.conftest import imagedetail

__all__ = ["imagedetail"]
