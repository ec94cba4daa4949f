"""A test's own traffic, as it is received and as it is recorded."""

import json

from pytest_imagedetail.model import Headers, Interaction, Provenance, Recording, Response

NOVA = "http://nova.corp.example:8774/v2.1"
BASE = "https://compute.staging.invalid/v2.1"
KEYSTONE = "http://keystone.corp.example:5000"
TOKEN = "8f14e45fceea167a5a36dedd4bea2543"


def received(path, answer=b"{}", status=200, *, base=NOVA, method="GET", got=(), **more):
    """One interaction."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    more.setdefault("request_headers", Headers([("X-Auth-Token", TOKEN)] if base == NOVA else []))
    response = Response(status_code=status, headers=Headers(got), body=body)
    return Interaction(method=method, url=f"{base}{path}", response=response, **more)


def recording(*interactions, **facts):
    """A recording in placeholders."""
    provenance = Provenance(
        cloud="staging", test="t.py::a", pages=len(interactions), plugin="1", **facts
    )
    return Recording(provenance=provenance, interactions=interactions)


def kept(path, answer=b"{}", **more):
    """One interaction in placeholders."""
    return received(path, answer, base=BASE, **more)
