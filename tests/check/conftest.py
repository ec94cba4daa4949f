"""The fixture of tests/cli that runs the command in this process."""

from tests.cli.conftest import imagedetail

__all__ = ["imagedetail"]
