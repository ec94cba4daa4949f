"""A test's own HTTP traffic: record it from a cloud, replay it without one."""

from pytest_imagedetail.traffic.cassette import Cassette
from pytest_imagedetail.traffic.session import LiveCallbacks, Session, Traffic

__all__ = ["Cassette", "LiveCallbacks", "Session", "Traffic"]
