"""What the constructor of the embedded cloud can refuse; touches nothing.

::

    ValueError
    └── EmbeddedCloudError
        ├── UnknownReleaseError
        └── SeedError
"""

from collections.abc import Iterable
from pathlib import Path


class EmbeddedCloudError(ValueError):
    """The embedded cloud cannot be built as asked; the message says what to do."""


class UnknownReleaseError(EmbeddedCloudError):
    """No behavior is known under this release name."""

    def __init__(self, release: str, known: Iterable[str]) -> None:
        self.release = release
        super().__init__(
            f"the embedded cloud does not know the release {release!r}.\n"
            f"Known releases: {', '.join(known)}.\n"
            "Choose the newest of them that is not newer than the release you mean."
        )


class SeedError(EmbeddedCloudError):
    """A seed file cannot be read, or does not describe images."""

    def __init__(self, path: Path, reason: str, *, line: int = 1, column: int = 1) -> None:
        self.path = path
        self.line = line
        self.column = column
        super().__init__(
            f"{path}, line {line}, column {column}: {reason}.\n"
            "A seed is a JSON array of images; take the seed.json that ships beside "
            "pytest_imagedetail.embedded as a model."
        )
