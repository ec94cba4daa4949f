"""The simulator answers what tests ask like the real clouds in the shipped library."""

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

LIBRARY = Store(directory=Path(__file__).parents[2] / "cassettes")
CLOUDS = [name for name in LIBRARY.clouds() if re.match(r"nova-(?!.*wrong)", name)]
NOT_ASKED = re.compile(r"all @(9\.9|banana)|marker=5eed0011|name=Z%FC|changes-since=yesterday")


def content(recording, like):
    """Return what is recorded; of an error only the status, as no test asks for its message."""
    if status := error_status(recording):
        return status
    return dumps(replace(recording, provenance=like.provenance)).partition("interactions:")[2]


def test_every_recorded_query_gets_the_recorded_answer():
    """The same listing, except for white space, or an error with the same status."""
    differing, compared = [], 0
    for name in CLOUDS:
        recordings = [load_own(path) for path in LIBRARY.paths(name)]
        asked = [each for each in recordings if not NOT_ASKED.match(str(each.provenance.query))]
        with SimulatedCloud(recordings[0].provenance.release) as cloud:
            for recorded in asked:
                if content(ask(cloud, recorded), recorded) != content(recorded, recorded):
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
