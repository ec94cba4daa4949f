"""Real OpenStack clouds (Keystone, Glance and Nova from PyPI) on loopback, one per release."""

from .cloud import Cloud, running
from .errors import RealcloudError
from .releases import RELEASES, Release

__all__ = ["RELEASES", "Cloud", "RealcloudError", "Release", "running"]
