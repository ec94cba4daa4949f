"""A test's own traffic, as it is heard and as it is kept."""

import json

from pytest_imagedetail.model import Headers, Interaction, Provenance, Recording, Response

NOVA = "http://nova.corp.example:8774/v2.1"
BASE = "https://compute.staging.invalid/v2.1"
TOKEN = "8f14e45fceea167a5a36dedd4bea2543"

REFUSED = "mend what the cloud refused (credentials, policy)"
BUSY = "wait until the cloud has time"
MEND = {401: REFUSED, 403: REFUSED, 407: REFUSED, 500: REFUSED} | dict.fromkeys(
    (408, 413, 425, 429, 502, 503, 504), BUSY
)
"""What to do about a failure, by its status."""


def heard(path, answer=b"{}", status=200, *, base=NOVA, method="GET", **more):
    """One interaction."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    fields = [("X-Auth-Token", TOKEN)] if base == NOVA else []
    return Interaction(
        method=method,
        url=f"{base}{path}",
        request_headers=Headers(fields),
        response=Response(status_code=status, body=body),
        **more,
    )


def recording(*interactions, **facts):
    """A recording in placeholders."""
    provenance = Provenance(
        cloud="staging", test="t.py::a", pages=len(interactions), plugin="1", **facts
    )
    return Recording(provenance=provenance, interactions=interactions)


def kept(path, answer=b"{}", **more):
    """One interaction in placeholders."""
    return heard(path, answer, base=BASE, **more)
