"""A test's own HTTP traffic: record it from a cloud, replay it without one."""

from pytest_imagedetail.traffic.place import Place
from pytest_imagedetail.traffic.session import Live, Session, Traffic

__all__ = ["Live", "Place", "Session", "Traffic"]
