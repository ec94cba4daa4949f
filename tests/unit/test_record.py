"""Ask a cloud, follow pages, import saved bodies and verify recordings. Nothing is written."""

import json
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pytest_imagedetail.errors import (
    BodyError,
    CredentialsError,
    DamagedCassetteError,
    RecordingError,
    ResponseError,
)
from pytest_imagedetail.model import Headers, Interaction, Provenance, Query, Recording
from pytest_imagedetail.record import recorder, retry
from pytest_imagedetail.record.importing import import_body
from pytest_imagedetail.record.retry import Retry
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.record.verification import verify
from pytest_imagedetail.redact import placeholders
from pytest_imagedetail.transport import http as transport
from pytest_imagedetail.transport.http import Access
from pytest_imagedetail.transport.request import is_http_url
from unit import image_of, interaction_of

JSON = "application/json"
HOST, PROJECT = "nova.corp.example", "3f2a9c4e8b7d41c6a5e0f9d8c7b6a594"
NOVA = f"http://{HOST}:8774"
ENDPOINT = f"{NOVA}/v2/{PROJECT}"
OWN = f"https://compute.a.invalid/v2/{0:032x}"
LATER = "a-token-that-came-later"
ACCESS = Access(
    endpoint=ENDPOINT,
    token="gAAAAABtoken-of-a-test-0123456789",
    project_id=PROJECT,
    user_id="77b0c1d2e3f405162738495a6b7c8d9e",
    secrets=frozenset({"hunter2-hunter2"}),
)
RENEWED = replace(ACCESS, renew=lambda: replace(ACCESS, token=LATER))

NEXT_PAGE = "https://compute.a.invalid/v2/images/detail?page=2"
# What an answer with one image has beside it if a page follows in a form that is not Nova's.
FURTHER_PAGES = (
    *({"next": NEXT_PAGE}, {"older": NEXT_PAGE}),
    {"links": [{"rel": "next", "href": NEXT_PAGE}]},
    {"links": f'<{NEXT_PAGE}>; rel="next"'},
    {"_links": {"next": {"href": NEXT_PAGE}}},
    {"images_links": {"rel": "next", "href": f"{NEXT_PAGE}&marker=1"}},
    {"images_links": [{"rel": "next", "href": NEXT_PAGE}]},
    {"images_links": [{"rel": ["next"], "href": NEXT_PAGE}]},
    *({"has_more": True}, {"complete": False}, {"is-truncated": True}, {"eof": False}),
    *({"incomplete_results": True}, {"nextPageToken": "abc"}, {"marker": "1"}),
    *({"cursors": {"after": "abc"}}, {"paging": {"after": "abc"}}, {"LastEvaluatedKey": "1"}),
    *({"metadata": {"resultset": {"count": 2}}}, {"pages": 2}, {"totalImages": 2.0}),
    *({"total": 10**400}, {"response": {"numFound": 2}}),
    *({"remainingItemCount": 1}, {"rest": 1}, {"hits": {"total": 2}}, {"results": {"count": "2"}}),
    *({"num_results": 2}, {"numberOfImages": "2"}, {"number-of-items": 2}),
)
NO_FURTHER_PAGES = (
    {"next": None, "has_more": False, "next_marker": "", "links": [], "images_links": None},
    {"images_links": [{"rel": "previous", "href": "x?marker=1"}]},
    {"images_links": {}},
    {"links": [{"rel": "self", "href": NEXT_PAGE}, {"rel": "first", "href": NEXT_PAGE}]},
    {"count": 1, "total": 1, "total_count": "1", "pages": 1, "page": 1, "more": "false"},
    {"request_id": "req-1", "total_size": 10**9, "quota": {"total": 50}, "page_size": 1000},
    {"page_items": 9, "complete": True, "last": True, "incomplete": False, "public": False},
    {"nextras": 1, "counter": 9, "pageant": 3, "number": 9, "num_results": 1, "num_hosts": 9},
    {"hits": {"total": 1, "max_score": 9}, "rating": {"total": 9}},
    {"rate": {"remaining": 59}, "retry_after": 1, "remaining": 0, "numFound": 1, "image_count": 1},
)


def next_link(view="images/detail", **query):
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return {"images_links": [{"rel": "next", "href": f"{ENDPOINT}/{view}?{asked}"}]}


def answer(body=b"", status=200, headers=()):
    return interaction_of("", body, status, headers=headers).response


def busy(status, seconds):
    return answer(b"busy", status, [("Retry-After", seconds)])


def page(*images, status=200, **beside):
    return answer({"images": list(images), **beside}, status, [("Content-Type", JSON)])


def recorded(*pages, queries=("", "marker=2")):
    """Build a recording of pages that were asked for with these queries."""
    return Recording(
        provenance=Provenance(cloud="a", query=Query(), pages=len(pages), complete=True),
        interactions=tuple(
            Interaction(url=f"{ENDPOINT}/images/detail?{query}", response=response)
            for query, response in zip(queries, pages, strict=True)
        ),
    )


@pytest.fixture
def answers(monkeypatch):
    """Canned answers of a cloud by query; `answers.asked` keeps what was sent."""
    canned = type("Answers", (dict,), {"asked": []})()

    def get(url, headers, *, access, name):
        response = canned[url.partition("?")[2]]
        if isinstance(response, list):
            response = response.pop(0)
        sent = Headers([*headers.fields, ("X-Auth-Token", access.token)])
        canned.asked.append(Interaction(url=url, request_headers=sent, response=response))
        return canned.asked[-1]

    monkeypatch.setattr(transport, "get", get)
    return canned


@pytest.fixture
def slept(monkeypatch):
    """Collect the waits in seconds."""
    waits = []
    monkeypatch.setattr(retry, "sleep", waits.append)
    return waits


@pytest.fixture
def status(answers):
    """Return the status of the answer that is final, of several canned ones."""

    def status(*canned):
        answers[""] = list(canned)
        return Retry(ACCESS).get(ENDPOINT, Headers(), name="a").response.status_code

    return status


def ask(query="", access=ACCESS, expect=None, **facts):
    live = recorder.LiveCloud(access=access, name="a", **facts)
    return recorder.ask(live, Query.parse(query), expect=expect).listing


def test_every_page_is_asked_for_by_its_marker(answers):
    """With our own filters: through Juno the link leads elsewhere. A limit asks for one page."""
    for view in ("images", "images/detail"):
        answers.asked.clear()
        answers["status=ACTIVE"] = page(image_of(1), **next_link(view, limit=1, marker=1))
        answers["limit=1&marker=1&status=ACTIVE"] = page(image_of(2), **next_link(view, marker=2))
        answers["marker=2&status=ACTIVE"] = page()
        listing = ask("status=ACTIVE", release="juno")
        assert [image["name"] for image in listing.images] == ["image 1", "image 2"]
        asked = [each.url.partition("?")[0] for each in answers.asked]
        assert asked == [f"{ENDPOINT}/images/detail"] * 3
        known = listing.provenance
        assert (known.pages, known.complete, known.api_version) == (3, True, "v2")
        assert (known.release, known.recorded_at[-1]) == ("juno", "Z")
        assert recorder.follow(listing.recording) == listing
    answers["limit=1"] = answers["marker=1"] = page(image_of(1), **next_link(marker=1))
    assert [ask(query).complete for query in ("limit=1", "marker=1")] == [False, False]


def test_pages_that_do_not_end_are_an_error(answers):
    """A marker came twice. The error shows neither marker nor host nor project."""
    query = f"server={ENDPOINT}/servers/9"
    second = Query.parse(query).replaced(marker="1\x1b")
    for asked in (Query.parse(query), second):
        answers[asked.wire] = page(image_of(1), **next_link(marker="1\x1b"))
    with pytest.raises(RecordingError, match="the pages do not end: page 2 links back") as caught:
        ask(query)
    assert caught.value.where == f"cloud a, query server={OWN}/servers/9"
    assert len(answers.asked) == 2


def test_a_further_page_in_another_form_is_an_error(answers):
    """Live and from a cassette, except for a query that asks for one page."""
    not_understood = "in an unknown form: "
    for beside in FURTHER_PAGES:
        answers[""] = answers["limit=1"] = page(image_of(1), **beside)
        (name,) = beside
        with pytest.raises(RecordingError, match=f"{not_understood}'{name}"):
            ask()
        with pytest.raises(RecordingError, match=not_understood):
            recorder.follow(recorded(answers[""], queries=("",)))
        assert len(ask("limit=1").images) == 1
    for beside in NO_FURTHER_PAGES:
        answers[""] = page(image_of(1), **beside)
        assert ask().complete, beside
    answers[""] = page(image_of(1), **next_link(marker=2), next=NEXT_PAGE, total=2)
    answers["marker=2"] = page(image_of(2), next=None, total=2)
    assert len(ask().images) == 2
    answers["marker=2"] = page(image_of(2), next=None, total=3)
    with pytest.raises(RecordingError, match=f"{not_understood}'total'") as caught:
        ask()
    assert caught.value.where == "cloud a, query all, page 2"
    first = ("Link", f'<{NEXT_PAGE}>; rel="first"')
    for name, value, sign in (
        ("X-Total-Count", "2", "X-Total-Count"),
        ("Content-Range", "items 0-0/50", "total"),
        ("Link", f'<{NEXT_PAGE}>; rel="last next"', "Link"),
        ("Link", f'<{NEXT_PAGE}&rel=next>; rel="prev"; title="next"', None),
        ("Content-Range", "items 0-0/*", None),
        ("X-RateLimit-Remaining", "59", None),  # other headers may come from any proxy
    ):
        answers[""] = replace(page(image_of(1)), headers=Headers([first, (name, value)]))
        if sign is None:
            assert ask().complete, value
            continue
        with pytest.raises(RecordingError, match=f"{not_understood}'{sign}'"):
            ask()


def test_no_error_shows_a_secret(answers):
    """Bodies may name project, token, user and host, so they are redacted first."""
    secrets = (PROJECT, ACCESS.token, "hunter2-hunter2", ACCESS.user_id, HOST)
    named = " ".join(secrets)
    answers["marker=2"] = page(status=500)
    for query, body, status, error, problem, where in (
        ("", named.encode(), 400, ResponseError, "the cloud answered 400, not 200 or 203", "all"),
        ("", {"images": [], **next_link(marker=2)}, 200, ResponseError, "the cloud", "all, page 2"),
        ("limit=2", f'{{"x": {named}'.encode(), 200, BodyError, "the body is not JSON", "limit=2"),
        ("limit=1", {HOST: secrets}, 200, BodyError, "the body is JSON, but not a", "limit=1"),
    ):
        answers[query] = answer(body, status)
        with pytest.raises(error) as caught:
            ask(query)
        assert caught.value.problem.startswith(problem)
        assert caught.value.where.startswith(f"cloud a, query {where}")
        shown = "".join(traceback.format_exception(caught.value))
        assert not [secret for secret in secrets if secret in shown + str(caught.value)]


def test_a_cassette_with_other_pages_is_damaged():
    """A lost page is an error, not a shorter listing. So is a page that nothing links to."""
    for recording, wanted, there in (
        (recorded(page(**next_link(marker=2)), queries=("",)), 2, 1),
        (recorded(page(), page()), 1, 2),
        (recorded(page(), queries=("status=x",)), 1, 1),
    ):
        problem = f"the recording is incomplete: it links to {wanted} pages and has {there}"
        with pytest.raises(DamagedCassetteError, match=problem):
            recorder.follow(recording)


def test_only_final_answers_are_kept(answers, slept):
    """Requests to wait and expired tokens are not part of the listing; both tokens are secrets."""
    wait = busy(429, "5")
    shown = image_of(2) | {"name": f"{ACCESS.token} {LATER}"}
    answers[""] = [wait, page(image_of(1), **next_link(marker=2))]
    answers["marker=2"] = [answer(b"who?", 401), wait, page(shown)]
    listing = ask(access=RENEWED)
    assert [each.response.status_code for each in listing.recording.interactions] == [200, 200]
    assert [image["name"] for image in listing.images] == ["image 1", "<redacted> <redacted>"]
    sent = [each.request_headers["X-Auth-Token"] for each in answers.asked]
    assert sent == [ACCESS.token] * 3 + [LATER] * 2
    for access, times in ((RENEWED, 2), (ACCESS, 1)):  # a token that stays refused
        answers.asked.clear()
        answers[""] = [answer(b"who?", 401)] * 2
        with pytest.raises(ResponseError, match="answered 401"):
            ask(access=access)
        assert len(answers.asked) == times


def linked(links):
    body = json.dumps({"images": [{"id": "1", "links": links}]}).encode()
    return import_body(body, cloud="a", where="saved.json").listing


def test_an_imported_body_is_redacted_by_its_own_links():
    """Self links show host and project. The date is unknown."""
    places = ("", f"{NOVA}/v2/{PROJECT}/images/1")
    listing = linked([{"rel": "self", "href": href} for href in places])
    href = listing.images[0]["links"][-1]["href"]
    assert href == f"https://compute.a.invalid/v2/{0:032x}/images/1"
    url = listing.recording.interactions[0].url
    assert url == f"https://compute.a.invalid/v2/{0:032x}/images/detail"
    provenance = listing.provenance
    assert (provenance.source, provenance.recorded_at) == ("imported", None)
    assert (provenance.api_version, provenance.complete) == ("v2", True)
    hrefs = ("http://[x/images/1", "//x/images/1", "http://x y/images/1", "http://x:99999/images/1")
    self_links = [[{"rel": "self", "href": href}] for href in hrefs]
    for links in (None, 7, "x", {}, [], [7], [{"href": "x"}], *self_links):
        listing = linked(links)
        assert is_http_url(listing.recording.interactions[0].url)
        assert recorder.follow(listing.recording).images == listing.images
        assert [image["id"] for image in listing.images] == ["1"]


def test_what_is_no_answer_is_an_error(answers):
    """It is neither equal nor different. A query with placeholders is not even asked."""
    answers[""] = page()
    known = ask()
    for status in (401, 407, 408, 413, 425, 429, 502, 503, 504, 302):
        answers[""] = answer({"fault": {"code": 1, "message": "no"}}, status)
        with pytest.raises(ResponseError, match=f"answered {status}"):
            verify(known, ACCESS)
    answers.clear()
    owners = placeholders.OWN_PROJECT, placeholders.owner("a" * 32), placeholders.OWNER
    for value in (*owners, placeholders.SECRET, "https://compute.nova.invalid/v2/0/servers/7"):
        provenance = replace(known.provenance, query=Query((("property-x", value),)))
        asked = replace(known, recording=replace(known.recording, provenance=provenance))
        with pytest.raises(RecordingError, match="the query holds placeholders"):
            verify(asked, ACCESS)


def test_which_answers_are_waited_for(slept, status):
    """Not those with another status or a malformed header."""
    for code in (413, 429, 503):
        for text, seconds in (("0", 0), (" 60 ", 60)):
            slept.clear()
            assert status(busy(code, text), page()) == 200
            assert slept == [seconds]
    slept.clear()
    date, two = "Mon, 23 Nov 2026 12:00:30 GMT", "\u00b2"
    for text in ("-1", "", "1.5", date, "9" * 5000, two):
        assert status(busy(503, text)) == 503, text
    for code in (200, 301, 401, 500, 502):
        assert status(busy(code, "1")) == code
    assert status(answer(status=503)) == 503
    assert slept == []


def test_waits_have_a_limit(slept, status):
    """Three waits and a minute for one answer. The error says how long the cloud asks to wait."""
    for waits in (["61"], ["1", "60"], ["1", "2", "3", "1"]):
        slept.clear()
        with pytest.raises(RecordingError) as caught:
            status(*(busy(429, text) for text in waits))
        assert caught.value.problem == f"the cloud answered 429 and asks to wait {waits[-1]} s"
        assert len(slept) == len(waits) - 1


def test_each_cloud_authenticates_once():
    """A failed login is not repeated, and all threads share a new token."""
    asked = []

    def connect(os_cloud):
        asked.append(os_cloud)
        if os_cloud == "c":
            raise CredentialsError("no", where=os_cloud, remedy="ask")
        return replace(ACCESS, token=f"token-{len(asked)}", renew=lambda: connect(os_cloud))

    sessions = CloudSessions(connect)
    first = sessions.access("a")
    assert sessions.access("a") is first
    assert sessions.access("b").token == "token-2"
    for _ in range(3):
        with pytest.raises(CredentialsError, match="no"):
            sessions.access("c")
    assert asked == ["a", "b", "c"]
    with ThreadPoolExecutor(8) as pool:
        tokens = {each.token for each in pool.map(lambda _: first.renew(), range(8))}
    assert tokens == {"token-4"}
    second = sessions.access("a")
    assert second.token == "token-4"
    assert second.renew().token == "token-5"
    assert [each.token for each in sessions.accesses("a")] == ["token-1", "token-4", "token-5"]
