"""Recordings on disk: their names, their text, their folder.

vcrpy is used only in `capture`, which is not imported here: it loads vcrpy and every HTTP client,
none of which replaying needs.
"""

from pytest_imagedetail.cassette.format import as_read, dumps, load, loads
from pytest_imagedetail.cassette.names import CLIENTS, check_cloud_name, file_name, traffic_name
from pytest_imagedetail.cassette.store import (
    Store,
    Written,
    load_once,
    load_own,
    own_name,
    path_of_renamed,
    refuse_unsafe,
)

__all__ = [
    "CLIENTS",
    "Store",
    "Written",
    "as_read",
    "check_cloud_name",
    "dumps",
    "file_name",
    "load",
    "load_once",
    "load_own",
    "loads",
    "own_name",
    "path_of_renamed",
    "refuse_unsafe",
    "traffic_name",
]
