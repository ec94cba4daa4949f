"""The simulator gives the responses in the shipped recordings of real clouds."""

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from pytest_imagedetail.cassette import Store, dumps, load_own
from pytest_imagedetail.listing import error_status
from pytest_imagedetail.record import recorder
from pytest_imagedetail.redact.placeholders import OWN_PROJECT
from pytest_imagedetail.traffic.keystone import endpoint_of
from tests.cloud import SimulatedCloud, authenticate
from tests.realcloud import simulator_seed

LIBRARY = Store(directory=Path(__file__).parents[2] / "cassettes")
CLOUDS = [name for name in LIBRARY.clouds() if re.match(r"nova-(?!.*wrong)", name)]


def content(recording, like):
    return dumps(replace(recording, provenance=like.provenance)).partition("interactions:")[2]


def test_every_recorded_query_gets_the_recorded_answer(tmp_path):
    """Status, recorded headers and body are the same, except for white space."""
    seed = simulator_seed.write(tmp_path / "seed.json")
    differing, compared = [], 0
    for name in CLOUDS:
        recordings = [load_own(path) for path in LIBRARY.paths(name)]
        with SimulatedCloud(recordings[0].provenance.release, seed=seed) as cloud:
            for recorded in recordings:
                found = ask(cloud, recorded)
                if content(found, recorded) != content(recorded, recorded):
                    differing.append(f"{name} {recorded.provenance.query}")
                compared += 1
    assert differing == []
    assert compared > 200


def ask(cloud, recorded):
    path = urlsplit(endpoint_of(recorded.interactions[0].url)).path
    access = authenticate(cloud)
    access = replace(access, endpoint=cloud.origin + path.replace(OWN_PROJECT, cloud.project_id))
    query, expect = recorded.provenance.query, error_status(recorded)
    cloud = recorder.LiveCloud(access=access, name=recorded.provenance.cloud)
    return recorder.ask(cloud, query, expect=expect).listing.recording
