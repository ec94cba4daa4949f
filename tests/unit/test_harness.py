"""Clouds and listings of a test, live and replayed. See tests/plugin for whole runs."""

import dataclasses

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import ResponseError, UsageError
from pytest_imagedetail.harness import Harness
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.settings import CloudDeclaration, Settings
from tests.cloud import SimulatedCloud, authenticate

NAME = "nova"


class Site:
    def __init__(self, folder):
        self.folder, self.cloud, self.spoil = folder, None, {}

    def connect(self, _):
        return dataclasses.replace(authenticate(self.cloud), **self.spoil)

    def harness(self, mode):
        declared = {NAME: CloudDeclaration(name=NAME, os_cloud="staging", release="2026.2")}
        settings = Settings(cassette_dir=self.folder, record_mode=mode, declared=declared)
        store, sessions = Store(directory=self.folder), CloudSessions(self.connect)
        return Harness(settings, store=store, sessions=sessions)

    def ask(self, mode, **query):
        return self.harness(mode)[NAME].list(**query)


@pytest.fixture
def site(tmp_path):
    """Run a cloud of which nothing is recorded."""
    site = Site(tmp_path / "cassettes")
    with SimulatedCloud(release="2026.2") as cloud:
        site.cloud = cloud
        yield site


def test_an_error_is_kept_only_if_it_is_expected(site):
    """With `expect=400`, a 400 is an answer. A refused token is an error in every mode."""
    with pytest.raises(ResponseError):
        site.ask("once", limit="x")
    site.spoil = {"token": "gAAAAAB-wrong-token-0123456789abcdef"}
    for mode in ("once", "new_episodes", "rewrite"):
        with pytest.raises(ResponseError) as caught:
            site.ask(mode)
        assert caught.value.status_code == 401
    assert list(site.folder.rglob("*.yaml")) == []
    site.spoil = {}
    for mode in ("once", "none", "verify"):
        assert site.ask(mode, limit="x", expect=400).error["code"] == 400


def test_listings_keep_their_query_and_status(site):
    """Another query or an unmet `expect` is an error; it is not ignored."""
    harness = site.harness("once")
    whole, refused = harness[NAME].list(), harness[NAME].list(limit="x", expect=400)
    for sides in ((whole, whole), (NAME, whole), (whole, NAME)):
        with pytest.raises(UsageError, match="a listing answers its own query, all; no other"):
            harness.compare(*sides, limit=3)
    for sides in ((whole, whole), (whole, refused), (refused, whole)):
        with pytest.raises(ResponseError, match="the cloud answered 200, not 400"):
            harness.compare(*sides, expect=400)
    assert harness.compare(refused, refused, expect=400).same


def test_clouds_are_not_asked_for_by_number(site):
    """`.clouds` has their names."""
    harness = site.harness("none")
    with pytest.raises(TypeError, match="'Harness' object is not iterable"):
        list(harness)
    with pytest.raises(TypeError, match="'Harness' is not"):
        NAME in harness  # noqa: B015


def test_a_replayed_cloud_shows_placeholders(site):
    """A live cloud shows its endpoint, project and token."""
    site.ask("once")
    replayed, live = (site.harness(mode)[NAME] for mode in ("none", "once"))
    assert replayed.endpoint.startswith("https://compute.nova.invalid/v2")
    assert replayed.project_id == f"{0:032x}"
    assert replayed.headers == {"X-Auth-Token": "replayed-token", "Accept": "application/json"}
    assert (live.endpoint, live.project_id) == (site.cloud.compute_url, site.cloud.project_id)
    assert live.headers["X-Auth-Token"] not in {"", "replayed-token"}
