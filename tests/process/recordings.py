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

KINDS = ("query", "traffic")
SHARED = "inventory"


def recording(images=1, *, kind="query", name=0):
    """An answer with so many images: to a query of its own, or to the test of that name."""
    body = json.dumps({"images": [{"id": f"image-{n}", "name": "x" * 200} for n in range(images)]})
    own = {"query": Query.of(limit=name) if name else Query()}
    if kind == "traffic":
        own = {"test": f"test_module.py::test_{name}" if name else SHARED}
    return Recording(
        provenance=Provenance(cloud="k5", plugin="1.0", **own),
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
    """Write it as what it is."""
    return store.write(recording, secrets=Known(), **options)


def load(store, recording):
    """What stands in the place of a recording by now."""
    provenance = recording.provenance
    if provenance.test is None:
        return store.load(provenance.cloud, provenance.query)
    return store.load_traffic(provenance.cloud, provenance.test)


def path_of(store, recording):
    """The file of a recording."""
    provenance = recording.provenance
    if provenance.test is None:
        return store.path(provenance.cloud, provenance.query)
    return store.traffic_path(provenance.cloud, provenance.test)


def images_in(recording):
    """How many images the first answer has: which of the recordings above it is."""
    return len(json.loads(recording.interactions[0].response.body)["images"])
