"""A test's own HTTP traffic: recorded while its clients ask a cloud, replayed without one."""

from pytest_imagedetail.traffic.errors import Place
from pytest_imagedetail.traffic.session import Live, Session, Traffic

__all__ = ["Live", "Place", "Session", "Traffic"]
