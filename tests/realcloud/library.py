"""Record the library from the real clouds, with the plugin itself."""

import http.client
import os
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

from pytest_imagedetail.cassette import CLIENTS as CLIENT_TRAFFIC
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import ResponseError
from pytest_imagedetail.record import clouds, recorder
from pytest_imagedetail.traffic import Cassette, LiveCallbacks, Session

from .cloud import RealcloudError
from .questions import CLIENTS, DOCUMENTED, OTHERS

LIBRARY = Path(__file__).parents[2] / "cassettes"
LISTINGS = (*DOCUMENTED, *OTHERS)


def record(cloud, directory=LIBRARY):
    """Record every question and the requests of clients from a running cloud."""
    store = Store(directory=directory)
    with mock.patch.dict(os.environ, OS_CLIENT_CONFIG_FILE=str(cloud.clouds_yaml)):
        access = clouds.connect(cloud.name)
    for question in LISTINGS:
        recorder.keep(store, ask(access, question, cloud.name, cloud.release.name))
    _record_clients(cloud, access, store)


def _record_clients(cloud, access, store):
    """Record the requests of clients like those of a test."""
    cassette = Cassette(store=store, cloud=cloud.name, test=CLIENT_TRAFFIC, node=__name__)
    live = LiveCallbacks(accesses=lambda: (access,))
    session = Session(cassette, record_mode="rewrite", release=cloud.release.name, live=live)
    headers = {"Accept": "application/json", "X-Auth-Token": access.token}
    with session.intercepting():
        for each in CLIENTS:
            # http.client follows no redirect, because a 302 is also recorded.
            connection = http.client.HTTPConnection(urlsplit(access.endpoint).netloc, timeout=60)
            path = each.path.format(project=access.project_id)
            connection.request("GET", path, headers=headers | each.headers)
            connection.getresponse().read()
            connection.close()
    session.keep()


def ask(access, question, name, release):
    """Record one question; raise RealcloudError if it does not allow the status."""
    cloud = recorder.LiveCloud(access=access, name=name, release=release)
    try:
        live = recorder.ask(cloud, question.query)
    except ResponseError as error:
        if error.status_code not in question.statuses:
            raise RealcloudError(f"{name}, query {question.query}: {error}") from error
        return recorder.ask(cloud, question.query, expect=error.status_code)
    if live.listing.status_code not in question.statuses:
        raise RealcloudError(f"{name}, query {question.query}: {live.listing.status_code}")
    return live
