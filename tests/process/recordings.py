"""Recordings to write, for a test and for the children that it ends by force."""

import json

from pytest_imagedetail.model import (
    Headers,
    Interaction,
    Provenance,
    Query,
    Recording,
    Response,
)
from pytest_imagedetail.redact import Known


def recording(images=1, *, name=0):
    """An answer with so many images, to a query of its own if it has a name."""
    body = json.dumps({"images": [{"id": f"image-{n}", "name": "x" * 200} for n in range(images)]})
    query = Query.of(limit=name) if name else Query()
    return Recording(
        provenance=Provenance(cloud="k5", plugin="1.0", query=query),
        interactions=(
            Interaction(
                url=f"https://compute.k5.invalid/v2/p/images/detail?limit={name}",
                response=Response(
                    status_code=200,
                    headers=Headers([("Content-Type", "application/json")]),
                    body=body.encode(),
                ),
            ),
        ),
    )


def write(store, recording, **options):
    return store.write(recording, known=Known(), **options)


def load(store, recording):
    """What stands in the place of a recording by now."""
    return store.load("k5", recording.provenance.query)


def path_of(store, recording):
    """The file of a recording."""
    return store.path("k5", recording.provenance.query)


def images_in(recording):
    """How many images the first answer has: which of the recordings above it is."""
    return len(json.loads(recording.interactions[0].response.body)["images"])
