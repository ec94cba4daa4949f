"""Faults that only real processes and disks show: nothing is lost without an error.

Here: recordings to write, for tests and their child processes.
"""

import json

from unit import recording_of

from pytest_imagedetail.redact import Known


def recording(images=1):
    """An answer with so many images."""
    document = {"images": [{"id": f"image-{n}", "name": "x" * 200} for n in range(images)]}
    return recording_of(document, cloud="k5", plugin="1.0")


def write(store, recording, **options):
    return store.write(recording, known=Known(), **options)


def load(store):
    """Load what these recordings were written to."""
    return store.load("k5", recording().provenance.query)


def images_in(recording):
    """Return how many images the first answer has."""
    return len(json.loads(recording.interactions[0].response.body)["images"])
