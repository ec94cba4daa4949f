"""Pages asked for, followed and imported; nothing is written here."""

import importlib
import json

import pytest

from pytest_imagedetail import recorder, transport
from pytest_imagedetail.errors import (
    BodyError,
    DamagedCassetteError,
    RecordingError,
    ResponseError,
)
from pytest_imagedetail.model import Headers, Interaction, Provenance, Query, Recording, Response
from pytest_imagedetail.transport import Access
from unit import image_of

ENDPOINT = "http://nova.corp.example:8774/v2/3f2a9c4e8b7d41c6a5e0f9d8c7b6a594"
ACCESS = Access(
    endpoint=ENDPOINT,
    token="gAAAAABtoken-of-nobody-0123456789",
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

    class Captured:
        interactions = ()

    captured = Captured()

    class Capture:
        def __enter__(self):
            asked.clear()
            return captured

        def __exit__(self, *_):
            captured.interactions = tuple(asked)

    def get(url, headers, *, access, name):
        assert access is ACCESS
        response = canned[url.partition("?")[2]]
        asked.append(Interaction(url=url, request_headers=headers, response=response))
        return response

    monkeypatch.setattr(transport, "get", get)
    module = importlib.import_module("pytest_imagedetail.cassette.capture")
    monkeypatch.setattr(module, "capture", Capture)
    canned_and_asked = type("Answers", (dict,), {"asked": asked})
    canned = canned_and_asked()
    return canned


def ask(query="", **options):
    return recorder.ask(ACCESS, Query.parse(query), cloud="a", **options).listing


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


def test_pages_that_do_not_end_are_an_error(answers):
    """A marker that comes twice would be followed for ever."""
    answers[""] = page(image_of(1), **next_link(marker="1\x1b"))
    answers["marker=1%1B"] = page(image_of(1), **next_link(marker="1\x1b"))
    with pytest.raises(RecordingError) as caught:
        ask()
    assert str(caught.value) == (
        "the pages do not end: marker '1\\x1b' came twice, or 10000 pages came\n"
        "  where: query all\n"
        "  next:  the cloud's paging is broken; record one page with limit=1000"
    )
    assert len(answers.asked) == 2


def test_a_page_that_fails_is_an_error(answers):
    """What came before it is not taken for the whole."""
    answers[""] = page(image_of(1), **next_link(marker=2))
    answers["marker=2"] = page(status=500)
    with pytest.raises(ResponseError) as caught:
        ask()
    assert (caught.value.status_code, caught.value.where) == (500, "cloud a, query all, page 2")


@pytest.mark.parametrize(
    "links",
    [
        None,
        7,
        {},
        [],
        [7],
        [{"rel": "previous", "href": "x?marker=1"}],
        [{"rel": "next"}],
        [{"rel": "next", "href": "http://[x?marker=1"}],
    ],
)
def test_what_is_no_next_link_is_not_followed(answers, links):
    """Only a `next` with a marker leads on."""
    answers[""] = page(image_of(1), images_links=links)
    assert len(ask().images) == 1


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
        "the cloud answered 400, not 200 or 203: "
        '{"badRequest": {"message": "no 00000000000000000000000000000...\n'
        "  where: cloud a, query all\n"
        "  next:  Nova refuses the query or the project in the URL; the body says which\n"
        "  next:  if this answer is the one you want, say so: list(..., expect=STATUS)"
    )


def test_an_expected_error_is_an_answer(answers):
    """expect= makes it one, and a listing becomes the surprise."""
    answers["limit=x"] = Response(
        status_code=400, body=b'{"badRequest": {"message": "limit", "code": 400}}'
    )
    listing = ask("limit=x", expect=400)
    assert listing.error == {"code": 400, "message": "limit", "name": "badRequest"}
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


def test_pages_may_stand_in_any_order_in_a_file():
    """They are found by what was asked."""
    pages = (page(image_of(1), **next_link(marker=2)), page(image_of(2)))
    assert len(recorder.follow(recorded(*pages)).images) == 2
    assert recorder.follow(recorded(pages[1], pages[0], queries=("marker=2", "")))


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
        f"the recording is not whole: it leads to {wanted} pages and has {there}\n"
        "  where: cloud a\n"
        "  next:  record it again: pytest --imagedetail-record-mode=rewrite"
    )


def test_a_loop_in_a_cassette_is_an_error():
    """As it is on a cloud."""
    pages = [page(**next_link(marker=2))] * 3
    with pytest.raises((DamagedCassetteError, RecordingError)):
        recorder.follow(recorded(*pages, queries=("", "marker=2", "marker=2")))


def imported(document, query="", status_code=200):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return recorder.imported(
        body,
        cloud="a",
        query=Query.parse(query),
        status_code=status_code,
        release=None,
        where="saved.json",
    ).listing


def test_an_imported_body_is_redacted_like_any_other():
    """Host and project come from its own links; nobody knows when it was recorded."""
    image = image_of() | {"links": [{"rel": "self", "href": f"{ENDPOINT}/images/1"}]}
    listing = imported({"images": [image]})
    assert listing.images[0]["links"][0]["href"] == (
        f"https://compute.a.invalid/v2/{0:032x}/images/1"
    )
    provenance = listing.provenance
    assert (provenance.source, provenance.recorded_at) == ("imported", None)
    assert (provenance.api_version, provenance.complete) == ("v2", True)


@pytest.mark.parametrize(
    "links",
    [None, 7, "x", {}, [], [7], [{"href": "x"}], [{"rel": "self", "href": "http://[x/images/1"}]],
)
def test_an_imported_image_may_have_any_links(links):
    """What is wrong with them is for a comparison to say."""
    listing = imported({"images": [{"id": "1", "links": links}]})
    assert recorder.follow(listing.recording).images == listing.images
    assert [image["id"] for image in listing.images] == ["1"]


def test_an_imported_page_is_a_part_and_replays():
    """A body with a next link is one page; the others were never saved."""
    listing = imported({"images": [image_of()], **next_link(marker=1)})
    assert not listing.complete
    assert recorder.follow(listing.recording).images == listing.images


def test_an_imported_error_is_expected():
    """A saved 404 is an answer."""
    listing = imported({"itemNotFound": {"message": "x", "code": 404}}, status_code=404)
    assert listing.error == {"code": 404, "message": "x", "name": "itemNotFound"}
    assert recorder.follow(listing.recording, expect=404).status_code == 404


def test_an_imported_body_that_is_damaged_has_a_place():
    """The file, the line and the column."""
    with pytest.raises(BodyError) as caught:
        imported(b'{"images": [\n{"id": "1",x}]}')
    assert str(caught.value) == (
        "the body is not JSON: "
        "a name in double quotes must stand here (a trailing comma, perhaps)\n"
        "  where: saved.json, line 2, column 12\n"
        "  next:  ask the cloud again; a body is never repaired, for a repair would be a guess"
    )
