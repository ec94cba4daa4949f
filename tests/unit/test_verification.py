"""Verification: a recording and what its cloud answers now, whatever the status of either."""

import json
from dataclasses import replace

import pytest

from pytest_imagedetail.errors import ComparisonError, RecordingError, ResponseError
from pytest_imagedetail.model import Interaction, Query, Response
from pytest_imagedetail.record import recorder
from pytest_imagedetail.record.importing import Saved, imported
from pytest_imagedetail.record.verification import verify
from pytest_imagedetail.redact import placeholders
from pytest_imagedetail.transport import http as transport
from tests.cloud import DEFAULT_SEED, SimulatedCloud, authenticate


@pytest.fixture(scope="module")
def cloud():
    """A cloud of 2026."""
    with SimulatedCloud(release="2026.2") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def older():
    """A cloud of 2023, which refuses in other words and accepts limit=0."""
    with SimulatedCloud(release="2023.1") as cloud:
        yield cloud


def recorded(cloud, expect=None, **query):
    """What a cloud answers, as a recording would hold it."""
    live = recorder.LiveCloud(access=authenticate(cloud), name="nova", release="2026.2")
    return recorder.ask(live, Query.of(**query), expect=expect).listing


def test_the_same_answer_is_no_difference(cloud):
    """Listings and errors alike."""
    for query, expect in (
        ({}, None),
        ({"limit": 3}, None),
        ({"status": "ACTIVE", "microversion": "2.35"}, None),
        ({"limit": "x"}, 400),
        ({"microversion": "2.36"}, 404),
    ):
        comparison = verify(recorded(cloud, expect, **query), authenticate(cloud))
        assert comparison.same, query
        assert comparison.profile == "same-cloud"


def test_another_answer_is_a_difference(cloud, tmp_path):
    """An image that is gone, and any difference at all is not compatible unless said otherwise."""
    images = json.loads(DEFAULT_SEED.read_text(encoding="utf-8"))
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(images[1:]), encoding="utf-8")
    before = recorded(cloud)
    with SimulatedCloud(release="2026.2", seed=seed) as smaller:
        for fail_on, compatible in (("change", False), ("breaking", True)):
            comparison = verify(before, authenticate(smaller), fail_on=fail_on)
            assert [each.kind for each in comparison.differences] == ["image_removed"]
            assert comparison.compatible is compatible


def test_an_error_in_other_words(cloud, older):
    """The message is compared, not only the status."""
    comparison = verify(recorded(cloud, 400, limit="x"), authenticate(older))
    assert [each.kind for each in comparison.differences] == ["error_changed"]


def test_another_status_is_a_difference(cloud, older):
    """Whichever side refuses, this is a finding and no crash."""
    refused, listed = recorded(cloud, 400, limit=0), recorded(older, limit=0)
    for before, now, values in (
        (refused, older, (400, 200)),
        (listed, cloud, (200, 400)),
    ):
        (difference,) = verify(before, authenticate(now)).differences
        assert difference.kind == "status_changed"
        shown = (difference.baseline, difference.candidate)
        assert tuple(int(str(value)[:3]) for value in shown) == values


def test_a_token_that_is_refused_is_no_same_answer(cloud):
    """Nobody was answered, so nothing is known of the cloud: neither same nor different."""
    stranger = replace(authenticate(cloud), token="gAAAAABwrong-token-of-a-stranger")
    with pytest.raises(ResponseError) as caught:
        verify(recorded(cloud), stranger)
    assert caught.value.status_code == 401


def test_another_status_costs_one_request(cloud, monkeypatch):
    """The answer is read as what it is; the cloud is not asked again."""
    kept = recorded(cloud)
    asked = []
    get = transport.get
    monkeypatch.setattr(transport, "get", lambda *a, **k: asked.append(a[0]) or get(*a, **k))
    provenance = replace(kept.provenance, query=Query.parse("limit=0"))
    kept = replace(kept, recording=replace(kept.recording, provenance=provenance))
    (difference,) = verify(kept, authenticate(cloud)).differences
    assert (difference.kind, difference.baseline) == ("status_changed", 200)
    assert len(asked) == 1


def test_a_cloud_that_is_gone_is_an_error(cloud):
    """What could not be asked is neither same nor different."""
    with SimulatedCloud(release="2026.2") as gone:
        access = authenticate(gone)
    with pytest.raises(RecordingError):
        verify(recorded(cloud), access)


def test_what_was_imported_is_refused(cloud):
    """It does not say which cloud it is from."""
    body = recorded(cloud).body.encode()
    saved = imported(Saved(body=body, cloud="manual", where="a.json"))
    with pytest.raises(ComparisonError) as caught:
        verify(saved.listing, authenticate(cloud))
    assert str(caught.value) == (
        "an imported recording cannot be verified: nothing says which cloud it is from\n"
        "  where: cloud manual, query all\n"
        "  next:  record the cloud under another name, then: imagedetail diff manual NAME"
    )


def test_a_status_that_is_no_answer_is_an_error(cloud, monkeypatch):
    """The query was not answered: neither the same nor a difference. Redirects are not followed."""
    known, access = recorded(cloud), replace(authenticate(cloud), renew=None)
    for status in (401, 407, 408, 413, 425, 429, 502, 503, 504, 302):
        response = Response(status_code=status, body=b'{"fault": {"code": 1, "message": "no"}}')
        refused = Interaction(url=f"{access.endpoint}/images/detail", response=response)
        monkeypatch.setattr(transport, "get", lambda *_, refused=refused, **__: refused)
        with pytest.raises(ResponseError, match=f"answered {status}"):
            verify(known, access)


def test_no_cloud_is_asked_for_a_placeholder(cloud, monkeypatch):
    """Its answer would say nothing of the recording; a test can name the real query."""
    whole = recorded(cloud)
    url = "https://compute.nova.invalid/v2/0/servers/7"
    values = (placeholders.OWN_PROJECT, placeholders.owner("a" * 32), placeholders.OWNER)
    queries = [Query.of(params={"property-x": value}) for value in (*values, placeholders.SECRET)]
    for query in (Query((("server", url),)), *queries):
        provenance = replace(whole.provenance, query=query)
        kept = replace(whole, recording=replace(whole.recording, provenance=provenance))
        with monkeypatch.context() as patch:
            patch.setattr(transport, "get", lambda *_, **__: pytest.fail("asked"))
            with pytest.raises(ComparisonError) as caught:
                verify(kept, authenticate(cloud))
        assert str(caught.value) == (
            "the recorded query holds placeholders, so the cloud cannot be asked the same again\n"
            f"  where: cloud nova, query {query}\n"
            "  next:  verify it in the test that asks it: pytest --imagedetail-record-mode=verify"
        )
    assert verify(kept, authenticate(cloud), query=Query()).same


def test_another_owner_or_version_is_a_difference(cloud, tmp_path):
    """Redaction leaves a version as it is and tells owners apart; a password is listed."""
    images = json.loads(DEFAULT_SEED.read_text(encoding="utf-8"))

    def seeded(**properties):
        seed = tmp_path / "seed.json"
        first = {**images[0], "properties": {**images[0].get("properties", {}), **properties}}
        seed.write_text(json.dumps([first, *images[1:]]), encoding="utf-8")
        return seed

    old = {
        "os_version": "15.1.2.1",
        "image_url": "https://cdn.corp.test/x?version=1",
        "password_auth": "enabled",
        "owner_id": "a1" * 16,
        "db_password": "s3cret-one",
    }
    with SimulatedCloud(release="2026.2", seed=seeded(**old)) as before:
        known = recorded(before)
    for change in (
        {"os_version": "16.1.0.2"},
        {"image_url": "https://cdn.corp.test/x?version=2"},
        {"password_auth": "disabled"},
        {"owner_id": "b2" * 16},
        {"db_password": "s3cret-two"},
    ):
        with SimulatedCloud(release="2026.2", seed=seeded(**old | change)) as after:
            comparison = verify(known, authenticate(after))
        (key,) = change
        found = [each.path.rpartition(".")[2] for each in comparison.differences]
        assert found == ([] if key == "db_password" else [key]), change
        (path,) = comparison.not_compared
        assert path.endswith(".metadata.db_password")
