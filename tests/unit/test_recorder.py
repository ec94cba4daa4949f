"""Pages asked for and followed, live and from a cassette; nothing is written here."""

import json
import traceback
from dataclasses import replace

import pytest

from pytest_imagedetail.errors import (
    BodyError,
    DamagedCassetteError,
    RecordingError,
    ResponseError,
)
from pytest_imagedetail.model import Headers, Interaction, Provenance, Query, Recording, Response
from pytest_imagedetail.record import paging, recorder, retry
from pytest_imagedetail.transport import http as transport
from pytest_imagedetail.transport.http import Access
from unit import FURTHER_PAGES, NEXT_PAGE, NO_FURTHER_PAGES, image_of

ENDPOINT = "http://nova.corp.example:8774/v2/3f2a9c4e8b7d41c6a5e0f9d8c7b6a594"
ACCESS = Access(
    endpoint=ENDPOINT,
    token="gAAAAABtoken-of-a-test-0123456789",
    project_id="3f2a9c4e8b7d41c6a5e0f9d8c7b6a594",
    user_id="77b0c1d2e3f405162738495a6b7c8d9e",
    secrets=frozenset({"hunter2-hunter2"}),
)


def next_link(view="images/detail", **query):
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return {"images_links": [{"rel": "next", "href": f"{ENDPOINT}/{view}?{asked}"}]}


def page(*images, status=200, **beside):
    return Response(
        status_code=status,
        headers=Headers([("Content-Type", "application/json")]),
        body=json.dumps({"images": list(images), **beside}).encode(),
    )


def recorded(*pages, queries=("", "marker=2"), query="", complete=True):
    """A recording of pages that were asked with these queries."""
    return Recording(
        provenance=Provenance(
            cloud="a", query=Query.parse(query), pages=len(pages), complete=complete
        ),
        interactions=tuple(
            Interaction(url=f"{ENDPOINT}/images/detail?{asked}", response=response)
            for asked, response in zip(queries, pages, strict=True)
        ),
    )


@pytest.fixture
def answers(monkeypatch):
    """A cloud of canned answers by query; `answers.asked` keeps what was sent."""
    canned = {}
    asked = []

    def get(url, headers, *, access, name):
        response = canned[url.partition("?")[2]]
        if isinstance(response, list):
            response = response.pop(0)
        sent = Headers([*headers.fields, ("X-Auth-Token", access.token)])
        asked.append(Interaction(url=url, request_headers=sent, response=response))
        return asked[-1]

    monkeypatch.setattr(transport, "get", get)
    canned_and_asked = type("Answers", (dict,), {"asked": asked})
    canned = canned_and_asked()
    return canned


def ask(query="", access=ACCESS, expect=None, **facts):
    live = recorder.LiveCloud(access=access, name="a", **facts)
    return recorder.ask(live, Query.parse(query), expect=expect).listing


@pytest.mark.parametrize("view", ["images", "images/detail"])
def test_every_page_is_asked_for_by_its_marker(answers, view):
    """The marker is the cloud's, the filters are ours: through Juno its link leads elsewhere."""
    answers["status=ACTIVE"] = page(image_of(1), **next_link(view, limit=1, marker=1))
    answers["limit=1&marker=1&status=ACTIVE"] = page(image_of(2), **next_link(view, marker=2))
    answers["marker=2&status=ACTIVE"] = page()
    listing = ask("status=ACTIVE", release="juno")
    assert [image["name"] for image in listing.images] == ["image 1", "image 2"]
    assert [each.url.partition("?")[0] for each in answers.asked] == [
        f"{ENDPOINT}/images/detail"
    ] * 3
    assert (listing.provenance.pages, listing.complete) == (3, True)
    assert (listing.provenance.api_version, listing.provenance.release) == ("v2", "juno")
    assert listing.provenance.recorded_at.endswith("Z")
    assert recorder.follow(listing.recording) == listing


@pytest.mark.parametrize("query", ["limit=1", "marker=1"])
def test_one_page_is_asked_for_when_one_is_wanted(answers, query):
    """A limit or a marker is a question about one page, and its answer is a part."""
    answers[query] = page(image_of(1), **next_link(marker=1))
    listing = ask(query)
    assert len(answers.asked) == 1
    assert not listing.complete


def test_pages_that_do_not_end_are_an_error(answers, monkeypatch):
    """A marker that comes twice, or too many pages; the marker is not shown."""
    answers[""] = page(image_of(1), **next_link(marker="1\x1b"))
    answers["marker=1%1B"] = page(image_of(1), **next_link(marker="1\x1b"))
    with pytest.raises(RecordingError) as caught:
        ask()
    assert str(caught.value) == (
        "the pages do not end: page 2 links back to an earlier one\n"
        "  where: cloud a, query all\n"
        "  next:  the cloud's paging is broken; record one page with limit=1000"
    )
    assert len(answers.asked) == 2
    monkeypatch.setattr(paging, "_MAX_PAGES", 2)
    answers["marker=1%1B"] = page(image_of(1), **next_link(marker="2"))
    with pytest.raises(RecordingError, match="page 2 still links to another"):
        ask()


def test_a_page_that_fails_is_an_error(answers):
    """What came before it is not taken for the whole."""
    answers[""] = page(image_of(1), **next_link(marker=2))
    answers["marker=2"] = page(status=500)
    with pytest.raises(ResponseError) as caught:
        ask()
    assert (caught.value.status_code, caught.value.where) == (500, "cloud a, query all, page 2")


def test_only_a_next_link_with_a_marker_is_followed(answers):
    for links in (None, {}, [], [{"rel": "previous", "href": "x?marker=1"}]):
        answers[""] = page(image_of(1), images_links=links)
        assert len(ask().images) == 1, links
    answers["status=x"] = page(image_of(1), status=500, **next_link(marker=1))
    with pytest.raises(ResponseError):
        ask("status=x")


def test_a_further_page_in_another_form_is_an_error(answers):
    """Live and from a cassette; a part may show one."""
    for beside in FURTHER_PAGES:
        answers[""] = answers["limit=1"] = page(image_of(1), **beside)
        (name,) = beside
        with pytest.raises(RecordingError, match=f"in a form that is not understood: '{name}"):
            ask()
        with pytest.raises(RecordingError, match="in a form that is not understood"):
            recorder.follow(recorded(answers[""], queries=("",)))
        assert len(ask("limit=1").images) == 1
    for beside in NO_FURTHER_PAGES:
        answers[""] = page(image_of(1), **beside)
        assert ask().complete, beside
    answers[""] = page(image_of(1), **next_link(marker=2), next=NEXT_PAGE, total=2)
    answers["marker=2"] = page(image_of(2), next=None, total=2)
    assert len(ask().images) == 2
    answers["marker=2"] = page(image_of(2), next=None, total=3)
    with pytest.raises(RecordingError) as caught:
        ask()
    assert str(caught.value) == (
        "the cloud shows a further page in a form that is not understood: 'total'\n"
        "  where: cloud a, query all, page 2\n"
        "  next:  the listing would not be complete, so it is not used\n"
        "  next:  record a part, which is marked as one: --query limit=1000 in a shell, limit=1000 "
        "in a test"
    )


def test_a_further_page_in_a_header_is_an_error(answers):
    """Headers that say nothing about paging are those of any proxy."""
    for name, value, sign in (
        ("Link", f'<{NEXT_PAGE}>; rel="next"', "Link"),
        ("link", f'<{NEXT_PAGE}>; rel="prev", <{NEXT_PAGE}>; REL = "last next"', "link"),
        ("X-Next-Page", "2", "X-Next-Page"),
        ("X-Total-Count", "2", "X-Total-Count"),
        ("X-Has-More", "true", "X-Has-More"),
        ("Content-Range", "items 0-0/50", "total"),
        ("Link", f'<{NEXT_PAGE}>; rel="prev"; title="next"', None),
        ("X-Next-Page", "", None),
        ("X-Total-Count", "1", None),
        ("Content-Range", "items 0-0/*", None),
        ("X-RateLimit-Remaining", "59", None),
        ("Content-Length", "1234", None),
    ):
        answers[""] = replace(page(image_of(1)), headers=Headers([(name, value)]))
        if sign is None:
            assert ask().complete
            continue
        with pytest.raises(RecordingError, match=f"in a form that is not understood: '{sign}'"):
            ask()


def test_nothing_secret_is_in_an_unexpected_error(answers):
    """Redaction comes before any error text: the body names project, token, user and host."""
    host = "nova.corp.example"
    secrets = (ACCESS.project_id, ACCESS.token, "hunter2-hunter2", ACCESS.user_id, host)
    for secret in secrets:
        answers[""] = Response(status_code=400, body=f"x {secret}".encode())
        with pytest.raises(ResponseError) as caught:
            ask()
        assert secret not in str(caught.value)
        assert str(caught.value).startswith("the cloud answered 400, not 200 or 203: x ")
    answers[""] = Response(
        status_code=400,
        body=json.dumps(
            {"badRequest": {"message": f"no {ACCESS.project_id}", "code": 400}}
        ).encode(),
    )
    with pytest.raises(ResponseError) as caught:
        ask()
    assert str(caught.value) == (
        f"the cloud answered 400, not 200 or 203: no {'0' * 32}\n"
        "  where: cloud a, query all\n"
        "  next:  Nova refuses the query, or the project in the URL\n"
        "  next:  if you expect this answer: expect=400 in a test, --expect=400 in a shell"
    )


def test_an_expected_error_is_an_answer(answers):
    """expect= makes it one, and a listing becomes the surprise."""
    answers["limit=x"] = Response(
        status_code=400, body=b'{"badRequest": {"message": "limit", "code": 400}}'
    )
    listing = ask("limit=x", expect=400)
    assert listing.error == {"code": 400, "message": "limit"}
    assert recorder.follow(listing.recording, expect=400).error == listing.error
    with pytest.raises(ResponseError):
        recorder.follow(listing.recording)
    answers[""] = page()
    with pytest.raises(ResponseError) as caught:
        ask(expect=400)
    assert caught.value.problem == 'the cloud answered 200, not 400: {"images": []}'


def test_a_query_is_kept_without_host_and_project(answers):
    """A server URL names both; a query made of a replayed answer stays what it is."""
    query = Query.of(server=f"{ENDPOINT}/servers/9")
    known = recorder.known_query(ACCESS, query, cloud="a")
    assert known.params == (("server", f"https://compute.a.invalid/v2/{0:032x}/servers/9"),)
    assert recorder.known_query(ACCESS, known, cloud="a") == known


@pytest.mark.parametrize(
    ("recording", "wanted", "there"),
    [
        (recorded(page(**next_link(marker=2)), queries=("",)), 2, 1),
        (recorded(page(), page()), 1, 2),
        (recorded(page(), queries=("status=x",)), 1, 1),
        (recorded(page(), page(), query="limit=1", queries=("limit=1", "marker=2")), 1, 2),
    ],
    ids=["lost", "extra", "another query", "extra after one"],
)
def test_a_cassette_with_other_pages_is_damaged(recording, wanted, there):
    """A lost page is an error, not a shorter listing; so is one that nothing leads to."""
    with pytest.raises(DamagedCassetteError) as caught:
        recorder.follow(recording)
    assert str(caught.value) == (
        f"the recording is incomplete: it links to {wanted} pages and has {there}\n"
        "  where: cloud a\n"
        "  next:  record it again: pytest --imagedetail-record-mode=rewrite"
    )


def test_a_loop_in_a_cassette_is_an_error():
    """As it is on a cloud."""
    pages = [page(**next_link(marker=2))] * 3
    with pytest.raises((DamagedCassetteError, RecordingError)):
        recorder.follow(recorded(*pages, queries=("", "marker=2", "marker=2")))


def renewed(token="a-token-that-came-later"):
    return replace(ACCESS, renew=lambda: replace(ACCESS, token=token))


def test_only_final_answers_are_kept(answers, monkeypatch):
    """What said to wait and what said that the token expired is no part of the listing."""
    monkeypatch.setattr(retry, "sleep", lambda _: None)
    busy = Response(status_code=429, headers=Headers([("Retry-After", "5")]), body=b"busy")
    answers[""] = [busy, page(image_of(1), **next_link(marker=2))]
    answers["marker=2"] = [Response(status_code=401, body=b"who?"), busy, page(image_of(2))]
    said = []
    listing = ask(access=renewed(), on_wait=said.append)
    assert [each.response.status_code for each in listing.recording.interactions] == [200, 200]
    assert [image["name"] for image in listing.images] == ["image 1", "image 2"]
    assert (listing.provenance.pages, listing.complete) == (2, True)
    assert recorder.follow(listing.recording) == listing
    assert said == [
        "cloud a answered 429 and asks to wait 5 seconds; waiting",
        "cloud a, page 2 answered 429 and asks to wait 5 seconds; waiting",
    ]
    assert [each.request_headers["X-Auth-Token"] for each in answers.asked] == [
        *[ACCESS.token] * 3,
        *["a-token-that-came-later"] * 2,
    ]


def test_both_tokens_are_secrets(answers):
    """A cloud may show either; the final check looks for both."""
    later = "a-token-that-came-later"
    answers[""] = [
        Response(status_code=401, body=b""),
        page(image_of(1) | {"name": f"{ACCESS.token} {later}"}),
    ]
    live = recorder.ask(recorder.LiveCloud(access=renewed(later), name="a"), Query())
    assert {ACCESS.token, later} <= live.known.secrets
    assert live.listing.images[0]["name"] == "<redacted> <redacted>"


@pytest.mark.parametrize("renews", [False, True])
def test_a_token_that_stays_refused(answers, renews):
    """One new token is tried, if there is one; then it is the error that it always was."""
    answers[""] = [Response(status_code=401, body=b"who?")] * 2
    with pytest.raises(ResponseError) as caught:
        ask(access=renewed() if renews else ACCESS)
    assert str(caught.value) == (
        "the cloud answered 401, not 200 or 203: who?\n"
        "  where: cloud a, query all\n"
        "  next:  the token was refused: check the credentials in clouds.yaml, then ask again"
    )
    assert len(answers.asked) == 1 + renews


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            {"images_links": [], "nova.corp.example": 1},
            "the body is JSON, but not a listing of images: it has no `images` (an object with ",
        ),
        (b'{"images_links": [] http://nova.corp.example', "the body is not JSON: "),
    ],
    ids=["other", "damaged"],
)
def test_nothing_secret_is_in_the_error_of_an_unreadable_page(answers, body, problem):
    """The walker meets it before redaction; what is said is said of the redacted page."""
    answers[""] = page(image_of(1), **next_link(marker=2))
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    answers["marker=2"] = Response(status_code=200, body=text)
    with pytest.raises(BodyError) as caught:
        ask()
    assert str(caught.value).startswith(problem)
    assert "cloud a, query all, page 2" in str(caught.value)
    shown = "".join(traceback.format_exception(caught.value))
    assert "nova.corp.example" not in str(caught.value)
    assert "nova.corp.example" not in shown


def test_nothing_secret_is_in_the_error_of_an_unreadable_part(answers):
    """A page that was asked for alone is read after redaction only."""
    answers["limit=1"] = Response(
        status_code=200, body=b'{"images_links": [], "nova.corp.example": 1}'
    )
    with pytest.raises(BodyError) as caught:
        ask("limit=1")
    assert caught.value.where == "cloud a, query limit=1"
    assert "nova.corp.example" not in str(caught.value)


def test_nothing_secret_is_in_the_error_of_endless_pages(answers):
    """The query may name the cloud's own address and project."""
    query = f"server={ENDPOINT}/servers/9"
    for asked in (Query.parse(query), Query.parse(query).replaced(marker="2")):
        answers[asked.wire] = page(image_of(1), **next_link(marker=2))
    with pytest.raises(RecordingError) as caught:
        ask(query)
    assert caught.value.where == (
        f"cloud a, query server=https://compute.a.invalid/v2/{0:032x}/servers/9"
    )
