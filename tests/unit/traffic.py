"""A test's own traffic, as it is received and as it is recorded."""

import json

from pytest_imagedetail.model import Headers, Interaction, Provenance, Recording, Response

NOVA = "http://nova.corp.example:8774/v2.1"
BASE = "https://compute.staging.invalid/v2.1"
TOKEN = "8f14e45fceea167a5a36dedd4bea2543"

REFUSED = "fix the credentials or the policy, then run the test again"
BUSY = "wait until the cloud works again, then run the test again"
REMEDIES = dict.fromkeys((401, 403, 407), REFUSED) | dict.fromkeys(
    (408, 413, 425, 429, 500, 502, 503, 504), BUSY
)
"""What to do about a failure, by its status."""


def received(path, answer=b"{}", status=200, *, base=NOVA, method="GET", **more):
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
    return received(path, answer, base=BASE, **more)
