"""Recordings to write, for tests and their child processes."""

import json

from unit import recording_of

from pytest_imagedetail.redact import Known


def recording(images=1):
    document = {"images": [{"id": f"image-{n}", "name": "x" * 200} for n in range(images)]}
    return recording_of(document, cloud="k5", plugin="1.0")


def write(store, recording, **options):
    return store.write(recording, known=Known(), **options)


def load(store):
    return store.load("k5", recording().provenance.query)


def images_in(store):
    return len(json.loads(load(store).interactions[0].response.body)["images"])
