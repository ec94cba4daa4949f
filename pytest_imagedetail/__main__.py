"""`python -m pytest_imagedetail` is the `imagedetail` command."""

import sys

from pytest_imagedetail.cli import main

if __name__ == "__main__":
    sys.exit(main())
