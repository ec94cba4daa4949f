"""Real OpenStack clouds on loopback: Keystone, Glance and Nova from PyPI, one per release."""

from .cloud import Cloud, RealcloudError
from .releases import RELEASES, Release
from .running import running

__all__ = ["RELEASES", "Cloud", "RealcloudError", "Release", "running"]
