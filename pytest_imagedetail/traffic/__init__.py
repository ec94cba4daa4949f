"""A test's own HTTP traffic: recorded while its clients ask a cloud, replayed without one."""

from pytest_imagedetail.traffic.face import Traffic
from pytest_imagedetail.traffic.session import Session
from pytest_imagedetail.traffic.together import Together

__all__ = ["Session", "Together", "Traffic"]
