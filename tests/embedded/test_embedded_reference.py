"""The embedded cloud is held to the real ones: every recorded question gets the recorded answer."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from pytest_imagedetail import recorder
from pytest_imagedetail.cassette import Store, dumps, loads
from pytest_imagedetail.demo import authenticate
from pytest_imagedetail.embedded import EmbeddedCloud
from pytest_imagedetail.errors import ResponseError
from pytest_imagedetail.model import Recording
from tests.realcloud import embedded_seed

LIBRARY = Store(directory=Path(__file__).parents[2] / "cassettes")
CLOUDS = tuple(name for name in LIBRARY.clouds() if name.startswith("nova-"))

# Named deviations: what stands otherwise in a cassette, and why. None in a listing.
DEVIATIONS = {
    # The address of Keystone is the deployment's: the embedded one shares Nova's host and port.
    re.compile(
        r'(?<=Keystone uri=")https://(host|compute)\.[\w.-]+\.invalid(/v3)?(?=")'
    ): "KEYSTONE"
}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """A running embedded cloud of each release, with the real clouds' images."""
    seed = embedded_seed.write(tmp_path_factory.mktemp("seed") / "seed.json")
    running = []

    @cache
    def start(name: str) -> EmbeddedCloud:
        cloud = EmbeddedCloud(release=name, seed=seed)
        cloud.start()
        running.append(cloud)
        return cloud

    yield start
    for cloud in running:
        cloud.stop()


def ask(cloud: EmbeddedCloud, asked: Recording) -> Recording:
    """The embedded cloud's answer to a recorded question, redacted under the same name."""
    provenance = asked.provenance
    access = authenticate(cloud)
    origin = access.endpoint.partition("/v2")[0]
    path = "/v2.1" if provenance.api_version == "v2.1" else f"/v2/{cloud.project_id}"
    access = replace(access, endpoint=origin + path)
    status = asked.interactions[0].response.status_code
    expect = None if status == 200 else status
    try:
        live = recorder.ask(access, provenance.query, cloud=provenance.cloud, expect=expect)
    except ResponseError as error:
        live = recorder.ask(
            access, provenance.query, cloud=provenance.cloud, expect=error.status_code
        )
    return live.listing.recording


def text(recording: Recording, like: Recording) -> str:
    """The cassette it would make, but for what says when and by whom it was written."""
    found = dumps(replace(recording, provenance=like.provenance)).partition("interactions:")[2]
    for deviation, word in DEVIATIONS.items():
        found = deviation.sub(word, found)
    return found


@pytest.mark.parametrize("name", CLOUDS)
def test_every_recorded_question_gets_the_recorded_answer(name, embedded):
    """Status, meaningful headers and body, byte for byte but for white space."""
    differing = []
    for path in LIBRARY.paths(name):
        recorded = loads(path)
        cloud = embedded(recorded.provenance.release)
        if text(ask(cloud, recorded), recorded) != text(recorded, recorded):
            differing.append(path.name)
    assert differing == []


def test_no_listing_needs_a_deviation():
    """What is passed over stands in errors only."""
    for path in (path for name in CLOUDS for path in LIBRARY.paths(name)):
        recorded = loads(path)
        if recorded.interactions[0].response.status_code == 200:
            assert not any(each.search(dumps(recorded)) for each in DEVIATIONS)


def test_there_is_something_to_be_held_to():
    """The library has real clouds, so the test above has run."""
    assert CLOUDS
