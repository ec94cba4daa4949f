"""Make recordings of bodies that were saved by hand. Nothing is written here."""

import json

from pytest_imagedetail.record import recorder
from pytest_imagedetail.record.importing import import_body
from pytest_imagedetail.transport.request import is_http_url

HOST, PROJECT = "http://nova.corp.example:8774", "3f2a9c4e8b7d41c6a5e0f9d8c7b6a594"


def linked(links):
    body = json.dumps({"images": [{"id": "1", "links": links}]}).encode()
    return import_body(body, cloud="a", where="saved.json").listing


def test_an_imported_body_is_redacted_by_its_own_links():
    """Self links show host and project. The date is unknown."""
    places = ("", f"{HOST}/v2/{PROJECT}/images/1")
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


def test_bookmarks_lead_to_the_cloud_if_nothing_else_does():
    """They lack the version. A project is an id or a number; anything else is a prefix."""
    zeros, of_cloud = f"/{0:032x}", "https://compute.a.invalid"
    for start, prefix, project in (
        (f"{HOST}/{PROJECT}", "", zeros),
        (f"{HOST}/compute/{PROJECT}", "/compute", zeros),
        (f"{HOST}/413274", "", zeros),
        (f"{HOST}/compute", "/compute", ""),
        ("http://413274", "", ""),
    ):
        links = [{"rel": "bookmark", "href": f"{start}/images/1"}]
        listing = linked(links)
        assert listing.images[0]["links"][0]["href"] == f"{of_cloud}{prefix}{project}/images/1"
        url = f"{of_cloud}{prefix}/v2{project}/images/detail"
        assert listing.recording.interactions[0].url == url
    links = [{"rel": "bookmark", "href": f"{HOST}/{PROJECT}/images/1"}] * 2
    links.append({"rel": "self", "href": "http://elsewhere.example/v2/images/1"})
    (image,) = linked(links).images
    assert image["links"][2]["href"] == f"{of_cloud}/v2/images/1"
