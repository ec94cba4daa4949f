"""Fields and behaviors that not every cloud of a row shows, with the first and the last that do."""

import pytest

from pytest_imagedetail.compare.spans import spans
from pytest_imagedetail.listing import error_status, read
from pytest_imagedetail.model import Query
from unit import PROJECT, changed, image_of, listing_of, recording_of, snapshot_of

ALL = Query()
ODD = Query.parse("limit=0")


def refused(status):
    """An answer that is an error."""
    recording = recording_of({"badRequest": {"code": status, "message": "no"}}, status=status)
    return read(recording, expect=error_status(recording))


def found(*answers):
    """What is said of clouds a, b, c ... with these answers."""
    row = {chr(97 + place): each for place, each in enumerate(answers)}
    return {each.what: str(each) for each in spans(row, "cross-version")}


def test_a_field_that_came_and_one_that_went():
    """Both ends of a row."""
    new, old = listing_of(image_of(1, x=1)), listing_of(image_of(1))
    assert found({ALL: old}, {ALL: new}, {ALL: new}) == {"images[*].x": "first seen in b"}
    assert found({ALL: new}, {ALL: new}, {ALL: old}) == {"images[*].x": "last seen in b"}
    assert found({ALL: old}, {ALL: new}, {ALL: old}) == {
        "images[*].x": "first seen in b, last seen in b"
    }


def test_a_gap_is_named():
    """Seen before and after, and not between."""
    new, old = listing_of(image_of(1, x=1)), listing_of(image_of(1))
    assert found({ALL: new}, {ALL: old}, {ALL: new}) == {"images[*].x": "not in b"}


def test_what_all_show_is_not_said():
    """A row of equals has no spans."""
    assert found({ALL: listing_of(image_of(1))}, {ALL: listing_of(image_of(2))}) == {}


def test_a_cloud_without_images_says_nothing_of_fields():
    """Neither an error nor an empty listing lacks a field."""
    there = {ALL: listing_of(image_of(1, x=1))}
    assert found(there, {ALL: listing_of()}, there) == {}
    assert found(there, {ALL: refused(400)}, there).keys() == {"all answers 200", "all answers 400"}


def test_a_behavior_is_a_query_and_its_status():
    """Clouds that were not asked are passed over."""
    listing = listing_of(image_of(1))
    assert found(
        {ALL: listing, ODD: listing}, {ALL: listing}, {ALL: listing, ODD: refused(400)}
    ) == {
        "limit=0 answers 200": "last seen in a",
        "limit=0 answers 400": "first seen in c",
    }


def test_a_field_beside_the_images_counts():
    """Where the next page is, say."""
    beside = listing_of(image_of(1), beside={"images_links": []})
    assert found({ALL: listing_of(image_of(1))}, {ALL: beside}) == {
        "images_links": "first seen in b"
    }


ONE = Query.parse("limit=1")


def page(*links, number=1):
    """One page of a listing."""
    return listing_of(image_of(number), query="limit=1", beside={"images_links": [*links]})


def next_link(path):
    return {"rel": "next", "href": f"https://compute.a.invalid/v2/{PROJECT}{path}?limit=1&marker=x"}


BRIEF, DETAILS = page(next_link("/images")), page(next_link("/images/detail"))


def test_where_the_next_page_lies():
    """Through Juno it led to the brief images; the statuses say nothing of that."""
    assert found({ONE: BRIEF}, {ONE: DETAILS}, {ONE: DETAILS}) == {
        "the next link leads to /images": "last seen in a",
        "the next link leads to /images/detail": "first seen in b",
    }
    assert found({ONE: BRIEF}, {ALL: listing_of(image_of(1))}, {ONE: BRIEF}) == {
        "images_links": "not in b"
    }


def test_a_next_page_is_told_whatever_the_query():
    """One behavior, though each cloud was asked something else."""
    two = Query.parse("limit=1&name=x")
    assert found({ONE: BRIEF}, {two: DETAILS})["the next link leads to /images"] == "last seen in a"


@pytest.mark.parametrize(
    ("links", "what"),
    [
        ([next_link("/flavors")], "the next link leads to no list of images"),
        ([{"rel": "next"}], "the next link is none that can be followed"),
        ([7], "the next link is none that can be followed"),
        ([], "the next link is missing after a full page"),
    ],
)
def test_a_next_page_that_cannot_be_found(links, what):
    """It is a behavior, too."""
    assert found({ONE: DETAILS}, {ONE: page(*links)})[what] == "first seen in b"


def test_a_full_page_without_a_next_link():
    """A page that is not full needs none, nor does an answer to a limit that limits nothing."""
    missing = "the next link is missing after a full page"
    full = listing_of(image_of(1), query="limit=1")
    assert found({ONE: DETAILS}, {ONE: full})[missing] == "first seen in b"
    for query in ("limit=2", "limit=0", "limit=x", "limit=1&limit=2", ""):
        short = listing_of(image_of(1), query=query)
        assert missing not in found({ONE: DETAILS}, {short.query: short})


def test_how_links_are_written():
    """Prefix, version and project came and went; each form is a behavior of its own."""
    old, new = snapshot_of(1), snapshot_of(1)
    new["links"] = image_of(1)["links"]
    alternate = old["links"][2]["href"].replace("/images/", f"/{PROJECT}/images/")
    new = changed(new, "links", 0, "href", to=f"https://compute.a.invalid/v2.1/images/{new['id']}")
    old = changed(old, "links", 2, "href", to=alternate)
    assert found({ALL: listing_of(old)}, {ALL: listing_of(new)}) == {
        "images[*].links.self /<v>/<project>/images/<id>": "last seen in a",
        "images[*].links.self /<v>/images/<id>": "first seen in b",
        "images[*].links.alternate /<project>/images/<id>": "last seen in a",
        "images[*].links.alternate /images/<id>": "first seen in b",
    }


def test_a_cloud_without_such_a_link_says_nothing_of_its_form():
    """That it has none is said of the field."""
    spans_of = found({ALL: listing_of(snapshot_of(1))}, {ALL: listing_of(image_of(1))})
    assert spans_of["images[*].server.links.self.href"] == "last seen in a"
    assert not [what for what in spans_of if " /" in what]
