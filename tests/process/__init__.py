"""Cassettes under faults that are really provoked: nothing is lost, or it is said what.

Here: recordings to write, for a test and for the children that it ends by force.
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
    """What stands in the place of these recordings by now."""
    return store.load("k5", recording().provenance.query)


def images_in(recording):
    """How many images the first answer has: which of the recordings above it is."""
    return len(json.loads(recording.interactions[0].response.body)["images"])
