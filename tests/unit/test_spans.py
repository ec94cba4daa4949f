"""Fields and behaviors that not every cloud of a row shows, with the first and the last that do."""

from pytest_imagedetail.listing import error_status, read
from pytest_imagedetail.model import Query
from pytest_imagedetail.spans import spans
from unit import image_of, listing_of, recording_of

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
