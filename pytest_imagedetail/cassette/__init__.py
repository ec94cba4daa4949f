"""Recordings on disk: their names, their text, their folder, and how vcrpy catches them."""

from pytest_imagedetail.cassette.capture import Capture, capture
from pytest_imagedetail.cassette.format import dumps, loads
from pytest_imagedetail.cassette.names import check_cloud_name, file_name
from pytest_imagedetail.cassette.store import Store, Written

__all__ = [
    "Capture",
    "Store",
    "Written",
    "capture",
    "check_cloud_name",
    "dumps",
    "file_name",
    "loads",
]
