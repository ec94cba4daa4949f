"""A test's own HTTP traffic: recorded while its clients ask a cloud, replayed without one."""

from pytest_imagedetail.traffic.session import Traffic

__all__ = ["Traffic"]
