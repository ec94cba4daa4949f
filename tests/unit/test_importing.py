"""Bodies that were saved by hand, made into recordings; nothing is written here."""

import json

import pytest

from pytest_imagedetail.errors import BodyError
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import recorder
from pytest_imagedetail.record.importing import Saved, imported
from pytest_imagedetail.transport.request import is_url_of_http
from unit import FURTHER_PAGES, NO_FURTHER_PAGES, image_of

ENDPOINT = "http://nova.corp.example:8774/v2/3f2a9c4e8b7d41c6a5e0f9d8c7b6a594"
NEXT = {"images_links": [{"rel": "next", "href": f"{ENDPOINT}/images/detail?marker=1"}]}


def saved(document, query="", status_code=200):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    saved = Saved(
        body=body,
        cloud="a",
        query=Query.parse(query),
        status_code=status_code,
        where="saved.json",
    )
    return imported(saved).listing


def test_an_imported_body_is_redacted_like_any_other():
    """Host and project come from its own links; the date is unknown."""
    image = image_of() | {"links": [{"rel": "self", "href": f"{ENDPOINT}/images/1"}]}
    listing = saved({"images": [image]})
    assert listing.images[0]["links"][0]["href"] == (
        f"https://compute.a.invalid/v2/{0:032x}/images/1"
    )
    provenance = listing.provenance
    assert (provenance.source, provenance.recorded_at) == ("imported", None)
    assert (provenance.api_version, provenance.complete) == ("v2", True)


def test_without_self_links_bookmarks_give_the_endpoint():
    """They have the same host, and the project if it is one."""
    host, _, project = ENDPOINT.partition("/v2/")
    for above, shown in ((f"/compute/{project}", f"/compute/{0:032x}"), ("/compute", "/compute")):
        links = [
            {"rel": "self", "href": ""},
            {"rel": "bookmark", "href": f"{host}{above}/images/1"},
        ]
        listing = saved({"images": [{"id": "1", "links": links}]})
        href = f"https://compute.a.invalid{shown}/images/1"
        assert listing.images[0]["links"][1]["href"] == href
        assert listing.provenance.api_version == "v2"


def test_an_imported_image_may_have_any_links():
    hrefs = ("http://[x/images/1", "//x/images/1", "http://x y/images/1", "http://x:99999/images/1")
    self_links = [[{"rel": "self", "href": href}] for href in hrefs]
    for links in (None, 7, "x", {}, [], [7], [{"href": "x"}], *self_links):
        listing = saved({"images": [{"id": "1", "links": links}]})
        assert is_url_of_http(listing.recording.interactions[0].url)
        assert recorder.follow(listing.recording).images == listing.images
        assert [image["id"] for image in listing.images] == ["1"]


def test_an_imported_page_is_a_part_and_replays():
    """A body with a next link is one page; the others were never saved."""
    listing = saved({"images": [image_of()], **NEXT})
    assert not listing.complete
    assert recorder.follow(listing.recording).images == listing.images


def test_an_imported_page_is_a_part_whatever_shows_that_another_follows():
    for beside in FURTHER_PAGES:
        assert not saved({"images": [image_of()], **beside}).complete, beside
    for beside in NO_FURTHER_PAGES:
        assert saved({"images": [image_of()], **beside}).complete, beside


def test_an_imported_error_is_expected():
    """A saved 404 is an answer."""
    listing = saved({"itemNotFound": {"message": "x", "code": 404}}, status_code=404)
    assert listing.error == {"code": 404, "message": "x"}
    assert recorder.follow(listing.recording, expect=404).status_code == 404


def test_an_imported_body_that_is_damaged_has_a_place():
    """The file, the line and the column."""
    with pytest.raises(BodyError) as caught:
        saved(b'{"images": [\n{"id": "1",x}]}')
    assert str(caught.value) == (
        "the body is not JSON: expecting property name enclosed in double quotes\n"
        "  where: saved.json, line 2, column 12\n"
        "  next:  ask the cloud again; a body is never repaired, for a repair would be a guess"
    )
