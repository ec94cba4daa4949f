"""Verification: a recording and what its cloud answers now, whatever the status of either."""

from dataclasses import replace

import pytest

from pytest_imagedetail.errors import ComparisonError, ResponseError
from pytest_imagedetail.model import Interaction, Query, Response
from pytest_imagedetail.record import recorder
from pytest_imagedetail.record.importing import Saved, imported
from pytest_imagedetail.record.verification import verify
from pytest_imagedetail.redact import placeholders
from pytest_imagedetail.transport import http as transport
from tests.cloud import SimulatedCloud, authenticate


@pytest.fixture(scope="module")
def cloud():
    with SimulatedCloud(release="2026.2") as cloud:
        yield cloud


def recorded(cloud, expect=None, **query):
    """What a cloud answers, as a recording holds it."""
    live = recorder.LiveCloud(access=authenticate(cloud), name="nova", release="2026.2")
    return recorder.ask(live, Query.of(**query), expect=expect).listing


def asked_with(listing, query):
    """The same listing, recorded with another query."""
    recording = listing.recording
    provenance = replace(recording.provenance, query=query)
    return replace(listing, recording=replace(recording, provenance=provenance))


def test_the_same_answer_is_no_difference(cloud):
    for query, expect in (
        ({}, None),
        ({"limit": 3}, None),
        ({"status": "ACTIVE", "microversion": "2.35"}, None),
        ({"limit": "x"}, 400),
        ({"microversion": "2.36"}, 404),
    ):
        comparison = verify(recorded(cloud, expect, **query), authenticate(cloud))
        assert (comparison.same, comparison.profile) == (True, "same-cloud"), query


def test_another_status_or_message_is_a_difference(cloud, monkeypatch):
    """Whichever side refuses; the cloud is asked once."""
    get, asked = transport.get, []
    with SimulatedCloud(release="2023.1") as older:
        for before, now, kind in (
            (recorded(cloud, 400, limit="x"), older, "error_changed"),
            (recorded(cloud, 400, limit=0), older, "status_changed"),
            (recorded(older, limit=0), cloud, "status_changed"),
            (asked_with(recorded(cloud), Query.parse("limit=0")), cloud, "status_changed"),
        ):
            access = authenticate(now)
            asked.clear()
            with monkeypatch.context() as patch:
                patch.setattr(transport, "get", lambda *a, **k: asked.append(a[0]) or get(*a, **k))
                (difference,) = verify(before, access).differences
            assert (difference.kind, len(asked)) == (kind, 1)


def test_a_status_that_is_no_answer_is_an_error(cloud, monkeypatch):
    """The query was not answered: neither the same nor a difference. Redirects are not followed."""
    known, access = recorded(cloud), replace(authenticate(cloud), renew=None)
    for status in (401, 407, 408, 413, 425, 429, 502, 503, 504, 302):
        response = Response(status_code=status, body=b'{"fault": {"code": 1, "message": "no"}}')
        refused = Interaction(url=f"{access.endpoint}/images/detail", response=response)
        monkeypatch.setattr(transport, "get", lambda *_, refused=refused, **__: refused)
        with pytest.raises(ResponseError, match=f"answered {status}"):
            verify(known, access)


def test_what_cannot_be_verified(cloud, monkeypatch):
    """An import does not say which cloud it is from; a placeholder cannot be asked for."""
    whole, access = recorded(cloud), authenticate(cloud)
    saved = imported(Saved(body=whole.body.encode(), cloud="manual", where="a.json"))
    with pytest.raises(ComparisonError) as caught:
        verify(saved.listing, access)
    assert str(caught.value) == (
        "an imported recording cannot be verified: nothing says which cloud it is from\n"
        "  where: cloud manual, query all\n"
        "  next:  record the cloud under another name, then: imagedetail diff manual NAME"
    )
    monkeypatch.setattr(transport, "get", lambda *_, **__: pytest.fail("asked"))
    owners = placeholders.OWN_PROJECT, placeholders.owner("a" * 32), placeholders.OWNER
    for name, value in (
        ("server", "https://compute.nova.invalid/v2/0/servers/7"),
        *(("property-x", value) for value in (*owners, placeholders.SECRET)),
    ):
        query = Query(((name, value),))
        with pytest.raises(ComparisonError) as caught:
            verify(asked_with(whole, query), access)
        assert str(caught.value) == (
            "the recorded query holds placeholders, so the cloud cannot be asked the same again\n"
            f"  where: cloud nova, query {query}\n"
            "  next:  verify it in the test that asks it: pytest --imagedetail-record-mode=verify"
        )
    monkeypatch.undo()
    assert verify(asked_with(whole, query), access, query=Query()).same
