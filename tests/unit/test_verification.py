"""Compare a recording with what its cloud answers now. See also tests/cli/test_verify.py."""

from dataclasses import replace

import pytest

from pytest_imagedetail.errors import RecordingError, ResponseError
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import recorder
from pytest_imagedetail.record.verification import verify
from pytest_imagedetail.redact import placeholders
from pytest_imagedetail.transport import http as transport
from tests.cloud import SimulatedCloud, authenticate
from unit import interaction_of


@pytest.fixture(scope="module")
def cloud():
    with SimulatedCloud(release="2026.2") as cloud:
        yield cloud


def recorded(cloud, expect=None, **query):
    live = recorder.LiveCloud(access=authenticate(cloud), name="nova", release="2026.2")
    return recorder.ask(live, Query.of(**query), expect=expect).listing


def test_another_status_or_message_is_a_difference(cloud):
    with SimulatedCloud(release="2023.1") as older:
        for before, now, kind in (
            (recorded(cloud, 400, limit="x"), older, "error_changed"),
            (recorded(cloud, 400, limit=0), older, "status_changed"),
            (recorded(older, limit=0), cloud, "status_changed"),
        ):
            (difference,) = verify(before, authenticate(now)).differences
            assert difference.kind == kind


def test_what_is_no_answer_is_an_error(cloud, monkeypatch):
    """It is neither equal nor different. A query with placeholders is not even asked."""
    known, access = recorded(cloud), replace(authenticate(cloud), renew=None)
    for status in (401, 407, 408, 413, 425, 429, 502, 503, 504, 302):
        fault = {"fault": {"code": 1, "message": "no"}}
        refused = interaction_of(f"{access.endpoint}/images/detail", fault, status)
        monkeypatch.setattr(transport, "get", lambda *_, refused=refused, **__: refused)
        with pytest.raises(ResponseError, match=f"answered {status}"):
            verify(known, access)
    monkeypatch.setattr(transport, "get", lambda *_, **__: pytest.fail("asked"))
    owners = placeholders.OWN_PROJECT, placeholders.owner("a" * 32), placeholders.OWNER
    for value in (*owners, placeholders.SECRET, "https://compute.nova.invalid/v2/0/servers/7"):
        provenance = replace(known.provenance, query=Query((("property-x", value),)))
        asked = replace(known, recording=replace(known.recording, provenance=provenance))
        with pytest.raises(RecordingError, match="the query holds placeholders"):
            verify(asked, access)
