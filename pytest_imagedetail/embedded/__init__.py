"""A small cloud inside this process: images/detail as each OpenStack release answers it.

For the demonstration, for tests, and for people without an account::

    with EmbeddedCloud(release="juno") as cloud:
        print(cloud.compute_url)

Knows only the standard library and its own folder.
"""

from pytest_imagedetail.embedded.behavior import RELEASES, Behavior
from pytest_imagedetail.embedded.cloud import EmbeddedCloud
from pytest_imagedetail.embedded.errors import EmbeddedCloudError, SeedError, UnknownReleaseError

__all__ = [
    "RELEASES",
    "Behavior",
    "EmbeddedCloud",
    "EmbeddedCloudError",
    "SeedError",
    "UnknownReleaseError",
]
